/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the kernel's counters each second and tells the recorder; judges nothing. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge_internal.h"
#include "log.h"

static void read_boot_id(char *text, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? strcspn(text, "\n") : 0] = '\0';
	if (got > 0 && (size_t)got < size)
		text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

void judge_report_start(struct judge *judge)
{
	struct stats *stats = &judge->status.stats;

	judge->status.judge_pid = getpid();
	judge->status.started_ns = clock_ns(CLOCK_REALTIME);
	read_boot_id(judge->boot_id, sizeof(judge->boot_id));
	snprintf(stats->judge_epoch, sizeof(stats->judge_epoch), "%" PRId64 ":%d",
		 judge->status.started_ns, judge->status.judge_pid);
}

static void keep_agent_rule(struct judge *judge, enum ruleset_queue form)
{
	const struct config *config = &judge->settings.config;
	int error;

	if (form == RULESET_QUEUE_NONE && !judge->stopping) {
		error = ruleset_agent_fill(judge->link, config->table, config->queue_num, &form);
		if (!error)
			log_notice("the agent's rule was gone: put back (%s queue)",
				   ruleset_queue_words[form]);
	}
	judge->status.queue_form = form;
	judge->status.rules_whole = form != RULESET_QUEUE_NONE;
}

/* The keeper sees to the rules: it may run nft, the judge may not. */
static void ask_keeper(struct judge *judge)
{
	(void)send(judge->control_fd, JUDGE_SAYS_RULES, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Somebody changed some rules: perhaps ours. Not at once, since one change seldom comes alone. */
static void watch_rules(struct judge *judge)
{
	uint32_t generation;

	if (ruleset_generation(judge->link, &generation) < 0)
		return;
	if (generation != judge->generation && !judge->ticks_to_check)
		judge->ticks_to_check = 2;
	judge->generation = generation;
	if (judge->ticks_to_check && --judge->ticks_to_check == 0)
		ask_keeper(judge);
}

static void read_kernel(struct judge *judge)
{
	const struct config *config = &judge->settings.config;
	struct stats *stats = &judge->status.stats;
	enum ruleset_queue form = RULESET_QUEUE_NONE;
	struct queue_state state;
	uint64_t packets[RULESET_COUNTER_N], handle;
	int error = ruleset_counters(judge->link, config->table, packets, &handle);

	if (!error)
		error = ruleset_agent_form(judge->link, config->table, &form);
	if (error) {
		if (!judge->rules_missing_said)
			log_error("table inet %s: %s: nothing is guarded until it is back",
				  config->table, error == -ENOENT ? "is gone" : strerror(-error));
		judge->rules_missing_said = true;
		ask_keeper(judge);
		judge->status.rules_whole = 0;
		judge->status.queue_form = RULESET_QUEUE_NONE;
		stats->kernel_epoch[0] = '\0';
	} else {
		judge->rules_missing_said = false;
		memcpy(&stats->value[STAT_KERNEL_FIRST], packets, sizeof(packets));
		snprintf(stats->kernel_epoch, sizeof(stats->kernel_epoch), "%s:%" PRIu64,
			 judge->boot_id, handle);
		keep_agent_rule(judge, form);
		watch_rules(judge);
	}
	if (queue_state(config->queue_num, &state) == 0) {
		stats->value[STAT_QUEUE_DROPPED] += state.dropped - judge->queue_dropped_last;
		stats->value[STAT_USER_DROPPED] += state.user_dropped - judge->user_dropped_last;
		judge->queue_dropped_last = state.dropped;
		judge->user_dropped_last = state.user_dropped;
		judge->status.queue_waiting = state.waiting;
		judge->status.queue_portid = state.portid;
	}
}

/* A finder counts from its own start; a reload makes another one. */
static void count_finder(struct judge *judge)
{
	struct owner_counts now, *last = &judge->finder_counts;

	owner_finder_counts(judge->finder, &now);
	if (now.calls_lost < last->calls_lost || now.resyncs < last->resyncs)
		*last = (struct owner_counts){ 0 };
	*judge_stat(judge, STAT_CALLS_LOST) += now.calls_lost - last->calls_lost;
	*judge_stat(judge, STAT_TABLE_ANEW) += now.resyncs - last->resyncs;
	*last = now;
}

void judge_report(struct judge *judge)
{
	int length;

	count_finder(judge);
	batch_flush(judge->batch);
	read_kernel(judge);
	judge->status.ts_ns = clock_ns(CLOCK_REALTIME);
	judge->status.mode = judge->settings.policy.mode;
	judge->status.n_mail_uids = judge->settings.policy.n_mail_uids;
	length = wire_encode_status(&judge->status, judge->message, sizeof(judge->message));
	assert(length > 0);
	/* One that does not fit is made up for by the next: they carry sums. */
	(void)send(judge->channel_fd, judge->message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}
