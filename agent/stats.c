/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters' words and how they add up; keeps none itself. Pure. */
#include "stats.h"

#include <assert.h>
#include <stddef.h>

/* The kernel's are ruleset_counter_words[] with "kernel_" before them (a test compares). */
static const char *const words[STAT_N] = {
	[STAT_QUEUED] = "queued",
	[STAT_ALLOWED] = "allowed",
	[STAT_DENIED] = "denied",
	[STAT_WOULD_DENY] = "would_deny",
	[STAT_RETRANSMITS] = "retransmits",
	[STAT_COPIES_MAIL] = "copies_mail",
	[STAT_COPIES_LOCAL] = "copies_local",
	[STAT_COPIES_GUARD] = "copies_guard",
	[STAT_SENT] = "sent",
	[STAT_LOST_CHANNEL] = "lost_channel",
	[STAT_LOST_COPIES] = "lost_copies",
	[STAT_OVERRUNS] = "overruns",
	[STAT_QUEUE_DROPPED] = "queue_dropped",
	[STAT_USER_DROPPED] = "user_dropped",
	[STAT_OWNER_NAMED] = "owner_named",
	[STAT_OWNER_UNKNOWN] = "owner_unknown",
	[STAT_SCRIPT_ASKED] = "script_asked",
	[STAT_SCRIPT_LATE] = "script_late",
	[STAT_CALLS_LOST] = "calls_lost",
	[STAT_TABLE_ANEW] = "table_anew",
	[STAT_NOT_ASKED] = "witness_not_asked",
	[STAT_KERNEL_FIRST + RULESET_LOCAL] = "kernel_local",
	[STAT_KERNEL_FIRST + RULESET_MAIL] = "kernel_mail",
	[STAT_KERNEL_FIRST + RULESET_HELD] = "kernel_held",
	[STAT_KERNEL_FIRST + RULESET_HOT] = "kernel_hot",
	[STAT_KERNEL_FIRST + RULESET_ALLOWED] = "kernel_allowed",
	[STAT_KERNEL_FIRST + RULESET_BY_AGENT] = "kernel_refused_by_agent",
	[STAT_KERNEL_FIRST + RULESET_BY_GUARD] = "kernel_refused_by_guard",
	[STAT_KERNEL_FIRST + RULESET_UNHELD] = "kernel_unheld",
	[STAT_KERNEL_FIRST + RULESET_NOT_OPENING] = "kernel_not_opening",
	[STAT_KERNEL_FIRST + RULESET_FRAGMENT] = "kernel_fragment",
	[STAT_KERNEL_FIRST + RULESET_FORWARDED] = "kernel_forwarded",
};
static_assert(STAT_JUDGE_N == 21 && RULESET_COUNTER_N == 11, "words[] names every stat_id");

const char *stat_word(enum stat_id id)
{
	return (unsigned)id < STAT_N ? words[id] : NULL;
}

uint64_t stats_seen(const uint64_t value[STAT_N])
{
	const uint64_t *kernel = value + STAT_KERNEL_FIRST;

	return kernel[RULESET_LOCAL] + kernel[RULESET_MAIL] + kernel[RULESET_HELD] +
	       kernel[RULESET_UNHELD] + kernel[RULESET_NOT_OPENING] + kernel[RULESET_FRAGMENT] +
	       kernel[RULESET_FORWARDED];
}
