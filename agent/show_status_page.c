/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the whole as a page that needs no manual.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "note_text.h"
#include "show_status.h"

static void head(FILE *out, const char *label, const char *value)
{
	char *clean = show_clean(value);

	fprintf(out, "%-12s %s\n", label, clean);
	free(clean);
}

static void page_judge(const struct show_status *status, const struct show_options *options,
		       FILE *out)
{
	const struct wire_status *last = status->store ? &status->store->last : NULL;
	char since[SHOW_TIME_BYTES], ago[SHOW_TIME_BYTES];
	char *text;

	if (!last || last->ts_ns <= 0) {
		head(out, "Judge",
		     last ? "has never reported: egressd has not run with this store"
			  : "not known: there is no store to read its reports from");
		return;
	}
	show_duration(status->now_ns - last->ts_ns, ago);
	show_time(last->started_ns, options->utc, 0, since);
	if (last->ts_ns > status->now_ns + 5 * 1000000000LL) {
		head(out, "Judge", "not running, or the clock was set back:");
		text = show_printf("the last report is of %s",
				   show_time(last->ts_ns, options->utc, 0, ago));
	} else if (status->judge_runs) {
		text = show_printf("running since %s (pid %d)", since, last->judge_pid);
		head(out, "Judge", text);
		free(text);
		text = show_printf("last report %s ago", ago);
	} else {
		text = show_printf("not running: last report %s ago, from pid %d", ago,
				   last->judge_pid);
		head(out, "Judge", text);
		free(text);
		return;
	}
	head(out, "", text);
	free(text);
}

static void page_mode(const struct show_status *status, FILE *out)
{
	const struct wire_status *last = status->store ? &status->store->last : NULL;
	enum policy_mode mode = status->config->mode;

	if (status->judge_runs && last->mode < MODE_N && last->mode != (uint32_t)mode) {
		char *text = show_printf("the judge runs in %s, the configuration says %s:",
					 policy_mode_words[last->mode], policy_mode_words[mode]);

		head(out, "Mode", text);
		head(out, "", "reload egressd");
		free(text);
		return;
	}
	head(out, "Mode",
	     mode == MODE_ENFORCE ? "enforce: who may not send is refused"
				  : "monitor: everybody may send, and is recorded");
}

static char *agent_rule(const struct show_status *status)
{
	if (status->kernel.form == RULESET_QUEUE_NONE)
		return show_printf("agent's rule: none, the rule set decides alone");
	return show_printf("agent's rule: %s, to queue %u",
			   status->kernel.form < RULESET_QUEUE_N
				   ? ruleset_queue_words[status->kernel.form]
				   : "unknown",
			   status->config->queue_num);
}

static void page_rules(const struct show_status *status, FILE *out)
{
	const struct show_kernel *kernel = &status->kernel;
	const char *table = status->config->table;
	char *text;

	if (kernel->why)
		text = show_printf("not looked at: %s", kernel->why);
	else if (!kernel->loaded)
		text = show_printf("NOT LOADED (table inet %s): nothing is guarded", table);
	else
		text = show_printf("table inet %s is loaded%s", table,
				   kernel->check == 0  ? " and whole"
				   : kernel->check > 0 ? ", BUT DIFFERS from the configuration"
						       : " (not compared)");
	head(out, "Rules", text);
	free(text);
	if (!kernel->why && kernel->loaded) {
		text = agent_rule(status);
		head(out, "", text);
		free(text);
	}
}

static void page_queue(const struct show_status *status, FILE *out)
{
	char *text;

	if (!status->queue.known)
		return;
	if (status->queue.bound)
		text = show_printf("%u: %" PRIu64 " packets wait for their verdict",
				   status->config->queue_num, status->queue.waiting);
	else
		text = show_printf("%u: nobody listens to it", status->config->queue_num);
	head(out, "Queue", text);
	free(text);
}

static void page_users(const struct show_status *status, FILE *out)
{
	unsigned exist = 0;
	char *text;

	for (unsigned i = 0; i < status->config->n_mail_users; i++) {
		const char *name = status->config->mail_users[i];

		if (status->mail_uids[i] < 0) {
			text = show_printf("%s: NO SUCH USER on this box", name);
		} else {
			text = show_printf("%s (uid %" PRId64 ")", name, status->mail_uids[i]);
			exist++;
		}
		head(out, i ? "" : "Mail users", text);
		free(text);
	}
	if (!exist)
		head(out, status->config->n_mail_users ? "" : "Mail users",
		     "none exists: nobody may send");
	text = show_printf("%s", "");
	for (unsigned i = 0; i < status->config->n_ports; i++) {
		char *longer = show_printf("%s%s%u", text, i ? ", " : "", status->config->ports[i]);

		free(text);
		text = longer;
	}
	head(out, "Ports", text);
	free(text);
}

static void count_line(FILE *out, const char *label, uint64_t count)
{
	fprintf(out, "  %-42s %10" PRIu64 "\n", label, count);
}

static void page_counts(const struct show_status *status, FILE *out)
{
	const struct store_status *store = status->store;
	struct show_loss lines[SHOW_OUTCOMES];
	uint64_t since = store->recorded - store->recorded_at_report;
	unsigned n;

	fprintf(out, "\nAttempts to those ports (up to the judge's last report)\n");
	count_line(out, "seen by the kernel", store->seen);
	if (store->unseen)
		count_line(out, "seen by a table that is gone", store->unseen);
	count_line(out, "recorded", store->recorded_at_report);
	count_line(out, "retransmits of recorded ones", store->retransmits);
	count_line(out, "lost: seen, but not recorded", store->lost);
	if (since)
		count_line(out, "recorded since that report", since);
	fprintf(out,
		"  rows %" PRIu64 ", folded %" PRIu64 " (repeats that went to an earlier row)\n",
		store->rows, store->folded);

	fprintf(out, "\nWhat became of them\n");
	n = show_status_outcomes(store, lines);
	for (unsigned i = 0; i < n; i++)
		count_line(out, lines[i].text, lines[i].count);
}

static void page_store(const struct show_status *status, const struct show_options *options,
		       FILE *out)
{
	const struct store_status *store = status->store;
	char *size = note_size_text(store->store_bytes),
	     *evidence = note_size_text(store->evidence_bytes);
	char time_text[SHOW_TIME_BYTES];
	char *text;

	fputc('\n', out);
	text = show_printf("named %" PRIu64 ", unknown %" PRIu64, store->total[STAT_OWNER_NAMED],
			   store->total[STAT_OWNER_UNKNOWN]);
	head(out, "Owners", text);
	free(text);
	text = show_printf("%" PRIu64 "%s", store->offenders,
			   store->offenders ? " (egressctl list-offenders)" : "");
	head(out, "Offenders", text);
	free(text);
	if (store->last_record_ns > 0)
		head(out, "Last record",
		     show_time(store->last_record_ns, options->utc, 3, time_text));
	text = show_printf("%s/%s", status->config->state_dir, STORE_FILE);
	head(out, "Store", text);
	free(text);
	text = show_printf("%s; evidence: %s", size, evidence);
	head(out, "", text);
	free(text);
	free(size);
	free(evidence);
}

/* What the rule set counted since its table was made: also true while no judge runs. */
static void page_kernel(const struct show_status *status, FILE *out)
{
	uint64_t value[STAT_N] = { 0 };
	char *text;

	if (status->kernel.why || !status->kernel.loaded)
		return;
	memcpy(value + STAT_KERNEL_FIRST, status->kernel.packets, sizeof(status->kernel.packets));
	text = show_printf("%" PRIu64 " seen since the table was made", stats_seen(value));
	head(out, "Kernel now", text);
	free(text);
	text = show_printf("%" PRIu64 " refused by the rule set alone",
			   status->kernel.packets[RULESET_BY_GUARD] +
				   status->kernel.packets[RULESET_NOT_OPENING] +
				   status->kernel.packets[RULESET_FRAGMENT]);
	head(out, "", text);
	free(text);
	text = show_printf("%" PRIu64 " of these since one user made too many",
			   status->kernel.packets[RULESET_HOT]);
	head(out, "", text);
	free(text);
}

int show_status_page(const struct show_status *status, const struct show_options *options,
		     FILE *out)
{
	errno = 0;
	page_mode(status, out);
	page_judge(status, options, out);
	page_rules(status, out);
	page_queue(status, out);
	page_kernel(status, out);
	page_users(status, out);
	if (status->store)
		page_counts(status, out);
	show_status_wrong(status, out);
	if (status->store)
		page_store(status, options, out);
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}
