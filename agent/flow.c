/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one packet into a struct flow: IP header, IPv6 extension headers, the start of TCP. Looks
 * at the outermost IP layer only, never at checksums, and keeps nothing between packets.
 */
#include "flow.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

const char *const flow_error_words[FLOW_ERROR_N] = {
	[FLOW_OK] = "ok",
	[FLOW_EMPTY] = "empty",
	[FLOW_BAD_VERSION] = "bad-version",
	[FLOW_CUT_IP] = "cut-ip",
	[FLOW_BAD_IHL] = "bad-ihl",
	[FLOW_CUT_EXTENSION] = "cut-extension",
	[FLOW_LONG_CHAIN] = "long-chain",
	[FLOW_FRAGMENT] = "fragment",
	[FLOW_NOT_TCP] = "not-tcp",
	[FLOW_CUT_TCP] = "cut-tcp",
	[FLOW_BAD_DATA_OFFSET] = "bad-data-offset",
};
static_assert(FLOW_BAD_DATA_OFFSET + 1 == FLOW_ERROR_N, "a word for each flow_error");

#define IPV4_HEADER	 20
#define IPV4_MF		 0x2000
#define IPV4_OFFSET	 0x1fff
#define IPV6_HEADER	 40
#define FRAGMENT_OFFSET	 0xfff8 /* RFC 8200 section 4.5: 13 bits, then 2 reserved, then M */
#define FRAGMENT_MORE	 0x0001
#define OPTION_PAD1	 0x00
#define OPTION_JUMBO	 0xc2 /* RFC 2675 */
#define TCP_JUDGED_BYTES 14   /* ports to flags */

/* Protocol numbers that <netinet/in.h> has not (IANA; RFC 5533, RFC 7401). */
#define PROTOCOL_HIP   139
#define PROTOCOL_SHIM6 140

/* Where the walk through a packet's headers stands. */
struct walk {
	struct packet packet; /* without what lies behind the IP layer's own length */
	size_t offset;	      /* of the next header */
	bool later_fragment;  /* offset not 0: what follows is the middle of something */
	bool more_fragments;
	bool ended_by_ip; /* packet ends where IP says, not where the capture was cut */
};

/* Drops what the IP length does not cover (Ethernet padding); a cut capture stays as it is. */
static void clip(struct walk *walk, uint64_t total)
{
	walk->ended_by_ip = total <= walk->packet.len;
	if (total < walk->packet.len)
		walk->packet.len = total;
}

static enum flow_error parse_ipv4(struct walk *walk, struct flow *flow)
{
	const struct packet *packet = &walk->packet;
	uint8_t first, protocol, ttl;
	uint16_t total, fragment;

	if (!packet_u8(packet, 0, &first) || !packet_be16(packet, 2, &total) ||
	    !packet_be16(packet, 6, &fragment) || !packet_u8(packet, 8, &ttl) ||
	    !packet_u8(packet, 9, &protocol))
		return FLOW_CUT_IP;
	flow->ttl = ttl;
	flow->fragment = fragment & (IPV4_MF | IPV4_OFFSET);
	if (!packet_copy(packet, 16, flow->dst, 4) || !packet_copy(packet, 12, flow->src, 4))
		return FLOW_CUT_IP;
	flow->family = AF_INET;

	size_t header = (size_t)(first & 0x0f) * 4;

	if (header < IPV4_HEADER)
		return FLOW_BAD_IHL;
	flow->protocol = protocol;
	flow->has_ip_options = header > IPV4_HEADER;
	/* 0: a segmentation-offload packet of more than 64 KiB (net/ipv4/ip_output.c, BIG TCP). */
	if (total && total < header)
		return FLOW_CUT_IP;
	if (total)
		clip(walk, total);
	if (header > packet->len)
		return FLOW_CUT_IP;
	walk->offset = header;
	walk->later_fragment = fragment & IPV4_OFFSET;
	walk->more_fragments = fragment & IPV4_MF;
	return FLOW_OK;
}

static enum flow_error parse_ipv6(struct walk *walk, struct flow *flow)
{
	const struct packet *packet = &walk->packet;
	uint16_t payload;
	uint8_t next;

	if (!packet_be16(packet, 4, &payload) || !packet_u8(packet, 6, &next) ||
	    !packet_u8(packet, 7, &flow->ttl) || !packet_copy(packet, 24, flow->dst, 16) ||
	    !packet_copy(packet, 8, flow->src, 16))
		return FLOW_CUT_IP;
	flow->family = AF_INET6;
	flow->protocol = next;
	/* 0: a jumbogram (its option says the length) or an offload packet: all that is there. */
	if (payload)
		clip(walk, (uint64_t)IPV6_HEADER + payload);
	walk->offset = IPV6_HEADER;
	return FLOW_OK;
}

static bool is_extension(uint8_t family, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_AH:
		return true;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
	case PROTOCOL_HIP:
	case PROTOCOL_SHIM6:
		return family == AF_INET6;
	default:
		return false;
	}
}

/* RFC 2675: the length of a jumbogram stands in a hop-by-hop option. */
static void read_jumbo(struct walk *walk, size_t end)
{
	size_t at = walk->offset + 2;
	uint8_t type, len;
	uint32_t jumbo;

	while (at < end && packet_u8(&walk->packet, at, &type)) {
		if (type == OPTION_PAD1) {
			at++;
			continue;
		}
		if (!packet_u8(&walk->packet, at + 1, &len))
			return;
		if (type == OPTION_JUMBO && len == 4 && at + 6 <= end &&
		    packet_be32(&walk->packet, at + 2, &jumbo)) {
			if (jumbo > UINT16_MAX)
				clip(walk, (uint64_t)IPV6_HEADER + jumbo);
			return;
		}
		at += 2 + (size_t)len;
	}
}

/* Steps over one extension header; flow->protocol becomes what comes after it. */
static enum flow_error step(struct walk *walk, struct flow *flow, bool first)
{
	uint8_t next, len;
	uint16_t fragment, payload = 0;
	size_t bytes;

	flow->has_ip_options = true;
	if (flow->protocol == IPPROTO_FRAGMENT)
		flow->fragment = true;
	if (!packet_u8(&walk->packet, walk->offset, &next) ||
	    !packet_u8(&walk->packet, walk->offset + 1, &len))
		return FLOW_CUT_EXTENSION;
	if (flow->protocol == IPPROTO_FRAGMENT) {
		if (!packet_be16(&walk->packet, walk->offset + 2, &fragment))
			return FLOW_CUT_EXTENSION;
		walk->later_fragment |= (fragment & FRAGMENT_OFFSET) != 0;
		walk->more_fragments |= fragment & FRAGMENT_MORE;
		bytes = 8;
	} else if (flow->protocol == IPPROTO_AH) {
		bytes = ((size_t)len + 2) * 4; /* RFC 4302 section 2.2 */
	} else {
		bytes = ((size_t)len + 1) * 8;
	}
	if (bytes > walk->packet.len - walk->offset)
		return FLOW_CUT_EXTENSION;
	if (flow->protocol == IPPROTO_HOPOPTS && first && packet_be16(&walk->packet, 4, &payload) &&
	    !payload)
		read_jumbo(walk, walk->offset + bytes);
	if (bytes > walk->packet.len - walk->offset)
		return FLOW_CUT_EXTENSION;
	walk->offset += bytes;
	flow->protocol = next;
	return FLOW_OK;
}

static enum flow_error walk_extensions(struct walk *walk, struct flow *flow)
{
	enum flow_error error;
	unsigned walked = 0;

	while (is_extension(flow->family, flow->protocol) && !walk->later_fragment) {
		if (walked == FLOW_EXTENSIONS_MAX)
			return FLOW_LONG_CHAIN;
		error = step(walk, flow, walked == 0);
		if (error)
			return error;
		walked++;
	}
	return FLOW_OK;
}

/* Ports and sequence number may be there when the rest is not: keep what can be read. */
static enum flow_error parse_tcp(const struct walk *walk, struct flow *flow)
{
	struct packet tcp;
	uint8_t data_offset, flags;
	bool short_fragment = walk->more_fragments && walk->ended_by_ip;

	if (!packet_from(&walk->packet, walk->offset, &tcp))
		return FLOW_CUT_TCP;
	if (packet_be16(&tcp, 0, &flow->sport) && packet_be16(&tcp, 2, &flow->dport))
		flow->has_ports = true;
	else
		flow->sport = 0;
	packet_be32(&tcp, 4, &flow->seq);
	packet_be32(&tcp, 8, &flow->ack);
	static_assert(TCP_JUDGED_BYTES == 13 + 1, "the flags are byte 13");
	if (!packet_u8(&tcp, 12, &data_offset) || !packet_u8(&tcp, 13, &flags))
		return short_fragment ? FLOW_FRAGMENT : FLOW_CUT_TCP;
	flow->tcp_flags = flags;

	size_t header = (size_t)(data_offset >> 4) * 4;

	if (header < 20)
		return FLOW_BAD_DATA_OFFSET;
	if (header <= tcp.len)
		flow->payload_offset = walk->offset + header;
	return FLOW_OK;
}

enum flow_error flow_parse(const struct packet *packet, struct flow *flow)
{
	struct walk walk = { .packet = *packet };
	enum flow_error error;
	uint8_t first;

	memset(flow, 0, sizeof(*flow));
	if (!packet_u8(packet, 0, &first))
		return FLOW_EMPTY;
	if (first >> 4 != 4 && first >> 4 != 6)
		return FLOW_BAD_VERSION;
	error = first >> 4 == 4 ? parse_ipv4(&walk, flow) : parse_ipv6(&walk, flow);
	if (!error)
		error = walk_extensions(&walk, flow);
	if (error)
		return error;
	/* The rest of a fragmented packet: TCP, or a header which may yet lead to it. */
	if (walk.later_fragment)
		return flow->protocol == IPPROTO_TCP || is_extension(flow->family, flow->protocol)
			       ? FLOW_FRAGMENT
			       : FLOW_NOT_TCP;
	if (flow->protocol != IPPROTO_TCP)
		return FLOW_NOT_TCP;
	return parse_tcp(&walk, flow);
}

bool flow_opens(const struct flow *flow)
{
	return flow->tcp_flags & FLOW_TCP_SYN;
}

bool flow_is_syn(const struct flow *flow)
{
	return (flow->tcp_flags & (FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_FIN | FLOW_TCP_RST)) ==
	       FLOW_TCP_SYN;
}

const char *flow_address_text(uint8_t family, const uint8_t *address, char *out, size_t len)
{
	if ((family == AF_INET || family == AF_INET6) && inet_ntop(family, address, out, len))
		return out;
	if (len)
		out[0] = '\0';
	return out;
}

static bool self_ipv4(const uint8_t *address)
{
	static const uint8_t unspecified[4];

	return address[0] == 127 || !memcmp(address, unspecified, 4);
}

bool flow_dst_is_self(const struct flow *flow)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *dst = flow->dst;

	switch (flow->family) {
	case AF_INET:
		return self_ipv4(dst) || !memcmp(dst, flow->src, 4);
	case AF_INET6:
		if (!memcmp(dst, mapped, sizeof(mapped)))
			return self_ipv4(dst + 12) || !memcmp(dst, flow->src, 16);
		return !memcmp(dst, &in6addr_loopback, 16) || !memcmp(dst, &in6addr_any, 16) ||
		       !memcmp(dst, flow->src, 16);
	default:
		return false;
	}
}
