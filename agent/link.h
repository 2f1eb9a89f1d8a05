/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a captured frame to its IP packet, by the capture's link type (tcpdump.org/linktypes.html):
 * Ethernet (with 802.1Q, QinQ), raw IP, Linux cooked v1 and v2, null and loop, PPP, NFLOG. Pure.
 */
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

struct link_facts { /* what the link layer knew beside the bytes (NFLOG: the uid) */
	bool has_uid;
	uint32_t uid, gid;
};

/* Link types here are DLT_* values, as pcap_datalink(3PCAP) gives them. */
bool link_supported(int dlt);
/* 0: *ip is the IP packet, without the link's padding; 1: the frame carries something else (ARP,
 * …); -EBADMSG: cut short. */
int link_to_ip(int dlt, const struct packet *frame, struct packet *ip, struct link_facts *facts);

#endif
