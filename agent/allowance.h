/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much time each user may cost the others: what a look-up takes after its verdict is charged
 * to the packet's uid, within a second. Uids that share a slot share its time: that can only cost
 * detail. Pure: time is given.
 */
#ifndef AGENT_ALLOWANCE_H
#define AGENT_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#define ALLOWANCE_SLOTS 1024

struct allowance {
	int64_t each_ns, all_ns; /* a second's share of one slot, and of all together */
	int64_t second;		 /* the one that is counted */
	int64_t spent_all_ns;
	int64_t spent_ns[ALLOWANCE_SLOTS];
};

void allowance_init(struct allowance *allowance, int64_t each_ns, int64_t all_ns);
/* Is there any time left for this uid in this second? now_ns: CLOCK_MONOTONIC. */
bool allowance_left(struct allowance *allowance, uint32_t uid, int64_t now_ns);
void allowance_spend(struct allowance *allowance, uint32_t uid, int64_t ns);

#endif
