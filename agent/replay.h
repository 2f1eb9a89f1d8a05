/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a capture through egress_judge(): the edge that stands where the queue stands when live.
 * libpcap reads the file (classic in both byte orders and ns, pcapng).
 */
#ifndef AGENT_REPLAY_H
#define AGENT_REPLAY_H

#include "owners.h"
#include "policy.h"
#include "record.h"

struct replay_counts {
	uint64_t frames; /* read from the file */
	uint64_t not_ip; /* ARP and the like, or cut before the IP header */
	uint64_t syns;	 /* SYN without ACK to the policy's ports, retransmits included */
	uint64_t syns_by_port[POLICY_PORTS_MAX]; /* as policy.ports */
	uint64_t retransmits;			 /* of these, repeats of an attempt seen before */
	uint64_t attempts;	/* records made for them: syns = retransmits + attempts */
	uint64_t refused_other; /* records for packets that are none: a SYN|ACK to a mail port
				 * (simultaneous open), fragments, malformed */
};

/* A non-zero value ends the replay and is returned. */
typedef int (*replay_record_fn)(void *context, const struct record *record);

/*
 * 0; -EINVAL with *message (malloc'd: `FILE: what`) for a link type or file that can't be read,
 * or one that ends within a record: what came before was reported all the same.
 * owners may be NULL.
 */
int replay_file(const char *path, const struct policy *policy, struct owners *owners,
		replay_record_fn each, void *context, struct replay_counts *counts, char **message);

#endif
