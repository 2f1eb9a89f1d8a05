/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the whole as JSON, and the sums that the page shows too.
 */
#include "show_status.h"

#include <string.h>

unsigned show_status_losses(const struct store_status *store, struct show_loss losses[SHOW_LOSSES])
{
	const uint64_t *total = store->total;
	const struct show_loss all[SHOW_LOSSES] = {
		{ "lost_copies", "  copies the kernel could not deliver", total[STAT_LOST_COPIES] },
		{ "lost_channel", "  records the recorder was too slow for",
		  total[STAT_LOST_CHANNEL] },
		{ "lost_recorder", "  records handed to the recorder, but not kept",
		  store->lost_recorder },
		{ "lost_commit", "    of these: the disk did not take them", store->lost_commit },
		{ "lost_bad_message", "    of these: could not be read", store->lost_bad_message },
		{ "queue_dropped", "the judge's queue was full (the rule set decided alone)",
		  total[STAT_QUEUE_DROPPED] },
		{ "user_dropped", "the judge's receive buffer was full", total[STAT_USER_DROPPED] },
		{ "overruns", "times that a receive buffer ran over", total[STAT_OVERRUNS] },
		{ "lost_evidence", "packets not kept as evidence (their records were)",
		  store->lost_evidence },
		{ "lost_journal", "journal lines not written (their records were)",
		  store->lost_journal },
		{ "calls_lost",
		  "calls of connect(2), any namespace's, told too fast to be kept",
		  total[STAT_CALLS_LOST] },
		{ "table_anew", "times that the table of processes began anew",
		  total[STAT_TABLE_ANEW] },
		{ "witness_not_asked", "attempts whose site and trigger were not looked for",
		  total[STAT_NOT_ASKED] },
		{ "note_late", "notes whose attempt was not known any more", store->notes_late },
	};

	memcpy(losses, all, sizeof(all));
	return SHOW_LOSSES;
}

unsigned show_status_outcomes(const struct store_status *store,
			      struct show_loss outcomes[SHOW_OUTCOMES])
{
	const uint64_t *total = store->total;
	const uint64_t *kernel = total + STAT_KERNEL_FIRST;
	const struct show_loss all[SHOW_OUTCOMES] = {
		{ "mail_server", "let out: the mail server's", kernel[RULESET_MAIL] },
		{ "local", "let pass: to this box itself", kernel[RULESET_LOCAL] },
		{ "allowed", "let out by the judge", total[STAT_ALLOWED] },
		{ "denied", "refused by the judge", total[STAT_DENIED] },
		{ "would_deny", "let out in monitor mode, would be refused",
		  total[STAT_WOULD_DENY] },
		{ "by_rules", "refused by the rule set alone",
		  kernel[RULESET_BY_GUARD] + kernel[RULESET_NOT_OPENING] +
			  kernel[RULESET_FRAGMENT] },
		{ "hot", "  of these: too many of one user", kernel[RULESET_HOT] },
	};

	memcpy(outcomes, all, sizeof(all));
	return SHOW_OUTCOMES;
}

static json_t *number(uint64_t value)
{
	return show_need(json_integer((json_int_t)value));
}

static json_t *text(const char *value)
{
	return show_bytes(value, strlen(value));
}

static json_t *time_or_null(int64_t ns, const struct show_options *options)
{
	char buffer[SHOW_TIME_BYTES];

	return ns > 0 ? text(show_time(ns, options->utc, 6, buffer)) : json_null();
}

static json_t *losses_json(const struct show_loss *losses, unsigned n)
{
	json_t *object = show_need(json_object());

	for (unsigned i = 0; i < n; i++)
		json_object_set_new(object, losses[i].word, number(losses[i].count));
	return object;
}

static json_t *judge_json(const struct show_status *status, const struct show_options *options)
{
	const struct wire_status *last = status->store ? &status->store->last : NULL;
	json_t *judge = show_need(json_object());
	bool reported = last && last->ts_ns > 0;

	json_object_set_new(judge, "runs", json_boolean(status->judge_runs));
	json_object_set_new(judge, "pid",
			    reported ? number((uint64_t)last->judge_pid) : json_null());
	json_object_set_new(judge, "started",
			    reported ? time_or_null(last->started_ns, options) : json_null());
	json_object_set_new(judge, "last_report",
			    reported ? time_or_null(last->ts_ns, options) : json_null());
	json_object_set_new(judge, "mode",
			    reported && last->mode < MODE_N ? text(policy_mode_words[last->mode])
							    : json_null());
	json_object_set_new(judge, "queue_form",
			    reported && last->queue_form < RULESET_QUEUE_N
				    ? text(ruleset_queue_words[last->queue_form])
				    : json_null());
	json_object_set_new(judge, "rule_in_place",
			    reported ? json_boolean(last->rules_whole) : json_null());
	return judge;
}

static json_t *kernel_json(const struct show_kernel *kernel)
{
	json_t *object = show_need(json_object()), *counters;
	bool loaded = !kernel->why && kernel->loaded;

	json_object_set_new(object, "not_read_because",
			    kernel->why ? text(kernel->why) : json_null());
	json_object_set_new(object, "loaded",
			    kernel->why ? json_null() : json_boolean(kernel->loaded));
	json_object_set_new(object, "whole",
			    loaded && kernel->check >= 0 ? json_boolean(kernel->check == 0)
							 : json_null());
	json_object_set_new(object, "agent_rule",
			    loaded && kernel->form < RULESET_QUEUE_N
				    ? text(ruleset_queue_words[kernel->form])
				    : json_null());
	json_object_set_new(object, "lacks",
			    loaded && *kernel->lacks ? text(kernel->lacks) : json_null());
	counters = loaded ? show_need(json_object()) : json_null();
	for (unsigned i = 0; loaded && i < RULESET_COUNTER_N; i++)
		json_object_set_new(counters, ruleset_counter_words[i], number(kernel->packets[i]));
	json_object_set_new(object, "counters", counters);
	return object;
}

static json_t *queue_json(const struct show_status *status)
{
	const struct show_queue *queue = &status->queue;
	json_t *object = show_need(json_object());

	json_object_set_new(object, "number", number(status->config->queue_num));
	json_object_set_new(object, "bound",
			    queue->known ? json_boolean(queue->bound) : json_null());
	json_object_set_new(object, "portid", queue->bound ? number(queue->portid) : json_null());
	json_object_set_new(object, "waiting", queue->bound ? number(queue->waiting) : json_null());
	json_object_set_new(object, "queue_dropped",
			    queue->bound ? number(queue->queue_dropped) : json_null());
	json_object_set_new(object, "user_dropped",
			    queue->bound ? number(queue->user_dropped) : json_null());
	return object;
}

static json_t *mail_users_json(const struct show_status *status)
{
	json_t *users = show_need(json_array());

	for (unsigned i = 0; i < status->config->n_mail_users; i++) {
		json_t *user = show_need(json_object());

		json_object_set_new(user, "name", text(status->config->mail_users[i]));
		json_object_set_new(user, "uid",
				    status->mail_uids[i] < 0
					    ? json_null()
					    : number((uint64_t)status->mail_uids[i]));
		json_array_append_new(users, user);
	}
	return users;
}

static void add_store(json_t *object, const struct show_status *status,
		      const struct show_options *options)
{
	const struct store_status *store = status->store;
	struct show_loss losses[SHOW_LOSSES], outcomes[SHOW_OUTCOMES];
	json_t *counters = show_need(json_object()), *part = show_need(json_object());
	uint64_t since;

	json_object_set_new(object, "seen", number(store->seen));
	json_object_set_new(object, "unseen", number(store->unseen));
	json_object_set_new(object, "recorded", number(store->recorded));
	json_object_set_new(object, "rows", number(store->rows));
	json_object_set_new(object, "folded", number(store->folded));
	json_object_set_new(object, "retransmits", number(store->retransmits));
	json_object_set_new(object, "lost", number(store->lost));
	json_object_set_new(object, "lost_unexplained", number(show_status_unexplained(store)));
	json_object_set_new(object, "recorded_at_report", number(store->recorded_at_report));
	json_object_set_new(object, "seen_since_report",
			    show_status_seen_since(status, &since) ? number(since) : json_null());
	json_object_set_new(object, "pruned", number(store->pruned));
	json_object_set_new(object, "outcomes",
			    losses_json(outcomes, show_status_outcomes(store, outcomes)));
	json_object_set_new(object, "losses",
			    losses_json(losses, show_status_losses(store, losses)));
	json_object_set_new(object, "owner_named", number(store->total[STAT_OWNER_NAMED]));
	json_object_set_new(object, "owner_unknown", number(store->total[STAT_OWNER_UNKNOWN]));
	json_object_set_new(object, "offenders", number(store->offenders));
	for (unsigned i = 0; i < STAT_N; i++)
		json_object_set_new(counters, stat_word((enum stat_id)i), number(store->total[i]));
	json_object_set_new(object, "counters", counters);
	json_object_set_new(part, "folder", text(status->config->state_dir));
	json_object_set_new(part, "store_bytes", number(store->store_bytes));
	json_object_set_new(part, "evidence_bytes", number(store->evidence_bytes));
	json_object_set_new(part, "last_record", time_or_null(store->last_record_ns, options));
	json_object_set_new(part, "last_commit", time_or_null(store->last_commit_ns, options));
	json_object_set_new(object, "store", part);
}

json_t *show_status_json(const struct show_status *status, const struct show_options *options)
{
	json_t *object = show_need(json_object()), *ports = show_need(json_array());

	json_object_set_new(object, "schema", text("egressd.status/1"));
	json_object_set_new(object, "time", time_or_null(status->now_ns, options));
	json_object_set_new(object, "version", text(EGRESSD_VERSION));
	json_object_set_new(object, "mode", text(policy_mode_words[status->config->mode]));
	for (unsigned i = 0; i < status->config->n_ports; i++)
		json_array_append_new(ports, number(status->config->ports[i]));
	json_object_set_new(object, "ports", ports);
	json_object_set_new(object, "mail_users", mail_users_json(status));
	json_object_set_new(object, "judge", judge_json(status, options));
	json_object_set_new(object, "rules", kernel_json(&status->kernel));
	json_object_set_new(object, "queue", queue_json(status));
	if (status->store)
		add_store(object, status, options);
	else
		json_object_set_new(object, "store", json_null());
	return object;
}
