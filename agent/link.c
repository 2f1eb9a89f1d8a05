/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the IP packet in a captured frame, by the capture's link type. Opens no tunnel: an IP
 * packet in another one is not looked at here or later.
 */
#include "link.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <pcap/dlt.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define TAGS_MAX   8  /* VLAN tags of one frame; two are usual */
#define LABELS_MAX 16 /* MPLS labels */

enum { NOT_IP = 1 };

enum ethertype {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD1 = 0x9100,
	TYPE_QINQ_OLD2 = 0x9200,
	TYPE_QINQ_OLD3 = 0x9300,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE_SESSION = 0x8864,
	TYPE_LLC_MAX = 1500,   /* up to here it is a length, and LLC follows (IEEE 802.3) */
	TYPE_SLL_LLC = 0x0004, /* LINUX_SLL: LLC follows (linktypes/LINKTYPE_LINUX_SLL) */
};

enum ppp_protocol { /* RFC 1661, the numbers of IANA's ppp-numbers */
		    PPP_IPV4 = 0x0021,
		    PPP_IPV6 = 0x0057,
		    PPP_MPLS = 0x0281,
};

static int take(const struct packet *frame, size_t offset, struct packet *ip)
{
	struct packet rest;

	if (!packet_from(frame, offset, &rest) || !rest.len)
		return -EBADMSG;
	*ip = rest;
	return 0;
}

/* RFC 3032: no field says what a label stack carries; the first nibble tells IP from the rest. */
static int from_mpls(const struct packet *frame, size_t offset, struct packet *ip)
{
	uint32_t label;
	uint8_t first;

	for (unsigned i = 0; i < LABELS_MAX; i++, offset += 4) {
		if (!packet_be32(frame, offset, &label))
			return -EBADMSG;
		if (!(label & 0x100)) /* not the bottom of the stack */
			continue;
		if (!packet_u8(frame, offset + 4, &first))
			return -EBADMSG;
		if (first >> 4 != 4 && first >> 4 != 6)
			return NOT_IP;
		return take(frame, offset + 4, ip);
	}
	return NOT_IP;
}

/* RFC 1661, with its address and control field left out or not, its protocol compressed or not. */
static int from_ppp(const struct packet *frame, size_t offset, struct packet *ip)
{
	uint8_t first;
	uint16_t protocol;

	if (!packet_u8(frame, offset, &first))
		return -EBADMSG;
	if (first == 0xff) { /* no protocol begins so: RFC 1661 section 2 */
		if (!packet_be16(frame, offset, &protocol) || !packet_u8(frame, offset + 2, &first))
			return -EBADMSG;
		if (protocol != 0xff03)
			return NOT_IP;
		offset += 2;
	}
	protocol = first;
	if (!(first & 1)) {
		if (!packet_be16(frame, offset, &protocol))
			return -EBADMSG;
		offset++;
	}
	offset++;
	if (protocol == PPP_MPLS)
		return from_mpls(frame, offset, ip);
	return protocol == PPP_IPV4 || protocol == PPP_IPV6 ? take(frame, offset, ip) : NOT_IP;
}

/* IEEE 802.2 with the SNAP header of RFC 1042. A tag within it is not followed: no loop. */
static int from_llc(const struct packet *frame, size_t offset, struct packet *ip)
{
	uint32_t sap_control_oui, oui_type;
	uint16_t saps;

	if (!packet_be16(frame, offset, &saps))
		return -EBADMSG;
	if (saps == 0x0606) /* IP without SNAP */
		return take(frame, offset + 3, ip);
	if (saps != 0xaaaa)
		return NOT_IP;
	if (!packet_be32(frame, offset, &sap_control_oui) ||
	    !packet_be32(frame, offset + 4, &oui_type))
		return -EBADMSG;
	if (sap_control_oui != 0xaaaa0300 || (oui_type != TYPE_IPV4 && oui_type != TYPE_IPV6))
		return NOT_IP;
	return take(frame, offset + 8, ip);
}

/* What an ethertype carries; offset is behind it. */
static int from_ethertype(const struct packet *frame, uint16_t type, size_t offset,
			  struct packet *ip)
{
	for (unsigned tags = 0; tags <= TAGS_MAX; tags++, offset += 4) {
		switch (type) {
		case TYPE_IPV4:
		case TYPE_IPV6:
			return take(frame, offset, ip);
		case TYPE_MPLS:
		case TYPE_MPLS_UPSTREAM:
			return from_mpls(frame, offset, ip);
		case TYPE_PPPOE_SESSION: /* RFC 2516: version, type, code, session, length */
			return from_ppp(frame, offset + 6, ip);
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_QINQ_OLD1:
		case TYPE_QINQ_OLD2:
		case TYPE_QINQ_OLD3:
			if (!packet_be16(frame, offset + 2, &type))
				return -EBADMSG;
			continue;
		default:
			return type <= TYPE_LLC_MAX ? from_llc(frame, offset, ip) : NOT_IP;
		}
	}
	return NOT_IP;
}

static int from_typed(const struct packet *frame, size_t type_at, size_t offset, struct packet *ip)
{
	uint16_t type;

	if (!packet_be16(frame, type_at, &type))
		return -EBADMSG;
	return from_ethertype(frame, type, offset, ip);
}

/* Linux cooked: other small numbers than TYPE_SLL_LLC name frames that are no LLC. */
static int from_cooked(const struct packet *frame, size_t type_at, size_t offset, struct packet *ip)
{
	uint16_t type;

	if (!packet_be16(frame, type_at, &type))
		return -EBADMSG;
	if (type <= TYPE_LLC_MAX && type != TYPE_SLL_LLC)
		return NOT_IP;
	return from_ethertype(frame, type, offset, ip);
}

/* AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 or 30 on the BSDs and macOS. */
static bool is_ip_family(uint32_t family)
{
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

/* DLT_NULL has the family in the byte order of the machine that captured; DLT_LOOP big-endian. */
static int from_null(const struct packet *frame, bool any_order, struct packet *ip)
{
	uint32_t family;

	if (!packet_be32(frame, 0, &family))
		return -EBADMSG;
	if (!is_ip_family(family) && !(any_order && is_ip_family(__builtin_bswap32(family))))
		return NOT_IP;
	return take(frame, 4, ip);
}

static int from_hdlc(const struct packet *frame, bool cisco, struct packet *ip)
{
	uint8_t address;

	if (!packet_u8(frame, 0, &address))
		return -EBADMSG;
	if (!cisco && address != 0x0f && address != 0x8f) /* RFC 1547 section 4.3.1 */
		return from_ppp(frame, 0, ip);
	return from_typed(frame, 2, 4, ip);
}

/* Lengths and types are in the order of the capturing host; libpcap has swapped them to ours. */
static bool host16(const struct packet *packet, size_t offset, uint16_t *out)
{
	return packet_copy(packet, offset, out, sizeof(*out));
}

/* A family byte, a version, the group, then attributes as nfnetlink_log.h has them. */
static int from_nflog(const struct packet *frame, struct packet *ip, struct link_facts *facts)
{
	struct packet found = { 0 };
	struct link_facts told = { 0 };
	uint16_t len, type;
	uint8_t family;
	bool has_gid = false;

	if (!packet_u8(frame, 0, &family))
		return -EBADMSG;
	if (family != AF_INET && family != AF_INET6)
		return NOT_IP;
	for (size_t at = 4; at < frame->len; at += (len + 3U) & ~3U) {
		if (!host16(frame, at, &len) || !host16(frame, at + 2, &type) || len < 4)
			return -EBADMSG;
		type &= 0x7fff;		     /* NLA_F_NESTED */
		if (type == NFULA_PAYLOAD) { /* the last one; a snap length may have cut it */
			if (!packet_from(frame, at + 4, &found))
				return -EBADMSG;
			if (found.len > len - 4U)
				found.len = len - 4U;
		} else if (type == NFULA_UID) {
			told.has_uid = len == 8 && packet_be32(frame, at + 4, &told.uid);
		} else if (type == NFULA_GID) {
			has_gid = len == 8 && packet_be32(frame, at + 4, &told.gid);
		}
	}
	if (!found.len)
		return NOT_IP;
	if (told.has_uid && !has_gid)
		told.gid = (uint32_t)-1;
	*ip = found;
	*facts = told;
	return 0;
}

bool link_supported(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_C_HDLC:
	case DLT_NFLOG:
		return true;
	default:
		return false;
	}
}

static int find_ip(int dlt, const struct packet *frame, struct packet *ip, struct link_facts *facts)
{
	switch (dlt) {
	case DLT_EN10MB:
		return from_typed(frame, 12, 14, ip);
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return take(frame, 0, ip);
	case DLT_LINUX_SLL:
		return from_cooked(frame, 14, 16, ip);
	case DLT_LINUX_SLL2:
		return from_cooked(frame, 0, 20, ip);
	case DLT_NULL:
		return from_null(frame, true, ip);
	case DLT_LOOP:
		return from_null(frame, false, ip);
	case DLT_PPP:
		return from_ppp(frame, 0, ip);
	case DLT_PPP_SERIAL:
		return from_hdlc(frame, false, ip);
	case DLT_C_HDLC:
		return from_hdlc(frame, true, ip);
	case DLT_NFLOG:
		return from_nflog(frame, ip, facts);
	default:
		return NOT_IP;
	}
}

/* Ethernet pads short packets: what the IP length does not cover is the link's. */
static void trim(struct packet *ip)
{
	uint16_t len;
	uint8_t first;
	size_t total = 0;

	if (!packet_u8(ip, 0, &first))
		return;
	if (first >> 4 == 4 && packet_be16(ip, 2, &len) && len >= 20)
		total = len;
	if (first >> 4 == 6 && packet_be16(ip, 4, &len) && len)
		total = 40 + (size_t)len;
	if (total && total < ip->len)
		ip->len = total;
}

int link_to_ip(int dlt, const struct packet *frame, struct packet *ip, struct link_facts *facts)
{
	int result;

	*facts = (struct link_facts){ 0 };
	result = find_ip(dlt, frame, ip, facts);
	if (!result)
		trim(ip);
	return result;
}
