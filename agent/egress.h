/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egress_judge() is the product: packet -> flow -> owner -> verdict -> record. The live queue, the
 * NFLOG copies and the replay of a capture call this one function; only the caller and the
 * resolver differ. Pure: no clock, no descriptor, no log (`make purity`).
 */
#ifndef AGENT_EGRESS_H
#define AGENT_EGRESS_H

#include "packet.h"
#include "policy.h"
#include "record.h"

/* What the edge knows about the packet beside its bytes. */
struct egress_meta {
	int64_t ts_ns;
	enum record_via via;
	uint32_t packet_bytes; /* as it was on its way; at least packet.len */
	bool has_uid;
	uint32_t uid, gid;
	bool dst_local;
	uint32_t ifindex; /* of the interface it goes out by; 0: not known */
	bool forwarded;	  /* it came in by another interface: no socket here has it */
	char indev[RECORD_DEVICE_BYTES]; /* that one; "" when not known */
};

/* Finds who owns the flow. Fills *owner always. 0, or -EINPROGRESS: ask again later. */
typedef int (*egress_resolve_fn)(void *context, const struct flow *flow,
				 const struct egress_meta *meta, struct owner *owner);

/*
 * Fills *record whole. The resolver is called once, and only for a flow with ports.
 * 0, or -EINPROGRESS from the resolver: the record is filled as far as known, its verdict
 * included, and the edge calls again when the owner is there.
 */
int egress_judge(const struct policy *policy, const struct packet *packet,
		 const struct egress_meta *meta, egress_resolve_fn resolve, void *context,
		 struct record *record);

#endif
