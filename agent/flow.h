/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet becomes a flow: IPv4 (RFC 791) or IPv6 (RFC 8200) with its extension headers, then TCP
 * (RFC 9293). Outermost IP layer only. Checksums are not verified: the kernel has not made them
 * yet for queued packets. Pure: no clock, no descriptor, no log.
 */
#ifndef AGENT_FLOW_H
#define AGENT_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet.h"

#define FLOW_TCP_FIN 0x01
#define FLOW_TCP_SYN 0x02
#define FLOW_TCP_RST 0x04
#define FLOW_TCP_ACK 0x10

#define FLOW_EXTENSIONS_MAX 16 /* IPv6 extension headers walked before giving up */

/* Why a packet is no TCP flow that can be judged. Words: flow_error_words[]. */
enum flow_error {
	FLOW_OK,
	FLOW_EMPTY,	    /* no byte of an IP header */
	FLOW_BAD_VERSION,   /* neither 4 nor 6 */
	FLOW_CUT_IP,	    /* the IP header is longer than the packet */
	FLOW_BAD_IHL,	    /* IPv4 header length below 5 words */
	FLOW_CUT_EXTENSION, /* an IPv6 extension header is longer than the packet */
	FLOW_LONG_CHAIN,    /* more than FLOW_EXTENSIONS_MAX extension headers */
	FLOW_FRAGMENT,	    /* not the first fragment, or too short a first one to hold TCP */
	FLOW_NOT_TCP,
	FLOW_CUT_TCP,	      /* the TCP header's first 14 bytes (ports to flags) are not there */
	FLOW_BAD_DATA_OFFSET, /* TCP header length below 5 words */
	FLOW_ERROR_N
};

extern const char *const flow_error_words[FLOW_ERROR_N];

struct flow {
	uint8_t family;		  /* AF_INET, AF_INET6; 0 when the addresses are not known */
	uint8_t protocol;	  /* IPPROTO_*, after the extension headers; 0 if not reached */
	uint8_t src[16], dst[16]; /* network byte order; IPv4 in the first four bytes */
	uint16_t sport, dport;	  /* host byte order */
	uint32_t seq, ack;	  /* host byte order */
	uint8_t tcp_flags;	  /* FLOW_TCP_* and the others, as on the wire */
	uint8_t ttl;
	bool has_ports;	       /* sport, dport are valid (also in some errors) */
	bool fragment;	       /* MF set or offset not 0, or a fragment header is there */
	bool has_ip_options;   /* IPv4 options or any IPv6 extension header */
	size_t payload_offset; /* from the packet's start to TCP data; 0 when header incomplete */
};

/* Fills *flow with what could be read, also when it returns an error. */
enum flow_error flow_parse(const struct packet *packet, struct flow *flow);

/* The packet opens something: it has the SYN bit (SYN, or the SYN|ACK of a simultaneous open). */
bool flow_opens(const struct flow *flow);
/* SYN without ACK, FIN, RST: an attempt. */
bool flow_is_syn(const struct flow *flow);

/* An address as the kernel and people write it (inet_ntop). out: INET6_ADDRSTRLEN bytes. */
const char *flow_address_text(uint8_t family, const uint8_t *address, char *out, size_t len);

/* Loopback (127.0.0.0/8, ::1, v4-mapped loopback), the unspecified address, or dst == src: local
 * without knowing the box's addresses. */
bool flow_dst_is_self(const struct flow *flow);

#endif
