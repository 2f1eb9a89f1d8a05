/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte that chooses the link type, then any bytes as its frame. */
#include <errno.h>
#include <pcap/dlt.h>

#include "agent/link.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int types[] = { DLT_EN10MB,    DLT_RAW,   DLT_LINUX_SLL, DLT_LINUX_SLL2,
				     DLT_NULL,	    DLT_LOOP,  DLT_PPP,	      DLT_PPP_SERIAL,
				     DLT_C_HDLC,    DLT_NFLOG, DLT_IPV4,      DLT_IPV6,
				     DLT_IEEE802_11 };
	struct packet frame, ip = { NULL, 0 };
	struct link_facts facts;
	int dlt, result;

	if (!size)
		return 0;
	dlt = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	frame = (struct packet){ data + 1, size - 1 };
	result = link_to_ip(dlt, &frame, &ip, &facts);
	must(result == 0 || result == 1 || result == -EBADMSG);
	must(!result || !ip.bytes);
	must(!facts.has_uid || (dlt == DLT_NFLOG && !result));
	if (!result) {
		must(link_supported(dlt) && ip.len > 0);
		must(ip.bytes >= frame.bytes && ip.bytes + ip.len <= frame.bytes + frame.len);
	}
	return 0;
}
