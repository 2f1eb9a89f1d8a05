/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts time by uid and second; measures none itself. */
#include "allowance.h"

#include <string.h>

#define SECOND_NS INT64_C(1000000000)

void allowance_init(struct allowance *allowance, int64_t each_ns, int64_t all_ns)
{
	memset(allowance, 0, sizeof(*allowance));
	allowance->each_ns = each_ns;
	allowance->all_ns = all_ns;
}

bool allowance_left(struct allowance *allowance, uint32_t uid, int64_t now_ns)
{
	if (now_ns / SECOND_NS != allowance->second) {
		allowance->second = now_ns / SECOND_NS;
		allowance->spent_all_ns = 0;
		memset(allowance->spent_ns, 0, sizeof(allowance->spent_ns));
	}
	return allowance->spent_all_ns < allowance->all_ns &&
	       allowance->spent_ns[uid % ALLOWANCE_SLOTS] < allowance->each_ns;
}

void allowance_spend(struct allowance *allowance, uint32_t uid, int64_t ns)
{
	allowance->spent_all_ns += ns;
	allowance->spent_ns[uid % ALLOWANCE_SLOTS] += ns;
}
