/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the witness about a record that was judged; waits for nothing and hears no answer. */
#include <unistd.h>

#include "judge_internal.h"
#include "log.h"
#include "object.h"
#include "pass_fd.h"

/* Questions a second, one "ns" of an allowance each: what a flooder asks for is more of the same.
 */
#define ASK_USER 128 /* a user may have many programs; each may burst (witness_trigger.c) */
#define ASK_ALL	 512
#define SAY_NS	 (60 * INT64_C(1000000000))

static bool worth_asking(const struct record *record)
{
	return record->via != VIA_REPLAY &&
	       (record->verdict != VERDICT_ALLOW || record_is_alarm(record));
}

static void say_not_asked(struct judge *judge, int64_t now_ns)
{
	if (!judge->not_asked || now_ns - judge->not_asked_said_ns < SAY_NS)
		return;
	log_warning("the witness does not keep up: it was not asked about %llu records",
		    (unsigned long long)judge->not_asked);
	judge->not_asked = 0;
	judge->not_asked_said_ns = now_ns;
}

void judge_tell_witness(struct judge *judge)
{
	const struct record *record = &judge->record;
	int64_t now_ns;
	uint32_t uid;
	int exe_fd, len;

	if (!judge->settings.config.witness || !worth_asking(record) ||
	    !record_charged_uid(record, &uid))
		return;
	if (!judge->asked.all_ns)
		allowance_init(&judge->asked, ASK_USER, ASK_ALL);
	now_ns = clock_ns(CLOCK_MONOTONIC);
	if (!allowance_left(&judge->asked, uid, now_ns)) {
		++*judge_stat(judge, STAT_NOT_ASKED);
		return;
	}
	allowance_spend(&judge->asked, uid, 1);
	len = wire_encode_record(record, judge->message, sizeof(judge->message));
	exe_fd = object_open(&record->owner);
	if (len < 0 || pass_fd_send(judge->witness_fd, judge->message, (size_t)len, exe_fd)) {
		judge->not_asked++;
		++*judge_stat(judge, STAT_NOT_ASKED);
	}
	if (exe_fd >= 0)
		close(exe_fd);
	say_not_asked(judge, now_ns);
}
