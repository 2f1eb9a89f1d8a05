/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters: added up over the epochs when they come, and told with what the rows say. */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int64_t bounded(uint64_t value)
{
	return value < INT64_MAX ? (int64_t)value : INT64_MAX;
}

/* Which epochs the last report was of, and whether the new one is of the same. */
static int same_epochs(struct store *store, const struct stats *stats, bool *same_judge,
		       bool *same_kernel, bool *first)
{
	sqlite3_stmt *statement = store_statement(store, SQL_REPORT_GET);
	int got = store_step(store, statement);

	*same_judge = *same_kernel = false;
	*first = got == 0;
	if (got > 0) {
		*same_judge = strcmp((const char *)sqlite3_column_text(statement, 0),
				     stats->judge_epoch) == 0;
		*same_kernel = strcmp((const char *)sqlite3_column_text(statement, 1),
				      stats->kernel_epoch) == 0;
	}
	sqlite3_reset(statement);
	return got < 0 ? got : 0;
}

/* Without a table there is no epoch of the kernel's: its last values stay what they were. */
static bool counted(const struct stats *stats, unsigned i)
{
	return i < STAT_KERNEL_FIRST || stats->kernel_epoch[0] != '\0';
}

static int add_counter(struct store *store, enum stat_id id, int64_t value, bool same_epoch,
		       int64_t besides)
{
	sqlite3_stmt *statement = store_statement(store, SQL_COUNTER_GET);
	int64_t last = 0, total = 0, grown;
	int got;

	sqlite3_bind_text(statement, 1, stat_word(id), -1, SQLITE_STATIC);
	got = store_step(store, statement);
	if (got > 0) {
		last = sqlite3_column_int64(statement, 0);
		total = sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	if (got < 0)
		return got;
	grown = !same_epoch ? value : value > last ? value - last : 0;
	if (grown + besides == 0 && got > 0 && value == last)
		return 0;
	if (__builtin_add_overflow(total, grown, &total) ||
	    __builtin_add_overflow(total, besides, &total))
		total = INT64_MAX;
	statement = store_statement(store, SQL_COUNTER_SET);
	sqlite3_bind_text(statement, 1, stat_word(id), -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, value);
	sqlite3_bind_int64(statement, 3, total);
	return store_run(store, statement);
}

/* Without a table the epoch stays what it was, as the values do: it may be the same one's again. */
static int set_report(struct store *store, const struct wire_status *status)
{
	sqlite3_stmt *statement = store_statement(store, SQL_REPORT_SET);

	sqlite3_bind_text(statement, 1, status->stats.judge_epoch, -1, SQLITE_STATIC);
	if (status->stats.kernel_epoch[0])
		sqlite3_bind_text(statement, 2, status->stats.kernel_epoch, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, 2);
	sqlite3_bind_int64(statement, 3, status->ts_ns);
	sqlite3_bind_int64(statement, 4, status->started_ns);
	sqlite3_bind_int64(statement, 5, status->judge_pid);
	sqlite3_bind_int64(statement, 6, status->queue_form);
	sqlite3_bind_int64(statement, 7, status->mode);
	sqlite3_bind_int64(statement, 8, status->n_mail_uids);
	sqlite3_bind_int64(statement, 9, status->rules_whole);
	sqlite3_bind_int64(statement, 10, status->queue_waiting);
	sqlite3_bind_int64(statement, 11, status->queue_portid);
	return store_run(store, statement);
}

/* A judge that ended without a last report sent at least what the store got of it since. */
static int64_t sent_unreported(const struct store *store)
{
	int64_t n = store->recorded_at_open - store->meta[META_RECORDED_AT_REPORT];

	return n > 0 ? n : 0;
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

static int read_total(struct store *store, enum stat_id id, uint64_t *total)
{
	sqlite3_stmt *statement = store_statement(store, SQL_COUNTER_GET);
	int got;

	sqlite3_bind_text(statement, 1, stat_word(id), -1, SQLITE_STATIC);
	got = store_step(store, statement);
	*total = got > 0 ? (uint64_t)sqlite3_column_int64(statement, 1) : 0;
	sqlite3_reset(statement);
	return got < 0 ? got : 0;
}

/* The kernel counts a packet before we have it. What was recorded and not counted was counted by
 * a table that went before its counters were read. */
static uint64_t missing_in_seen(const uint64_t total[STAT_N], int64_t recorded)
{
	return less((uint64_t)recorded + total[STAT_RETRANSMITS], stats_seen(total));
}

static int settle_unseen(struct store *store, int64_t recorded)
{
	uint64_t total[STAT_N];
	int64_t unseen;
	unsigned i;
	int err = 0;

	for (i = 0; i < STAT_N && !err; i++)
		err = read_total(store, i, &total[i]);
	if (err)
		return err;
	unseen = bounded(missing_in_seen(total, recorded));
	if (unseen > store->meta[META_UNSEEN])
		store->meta[META_UNSEEN] = unseen;
	return 0;
}

int store_add_status(struct store *store, const struct wire_status *status)
{
	const struct stats *stats = &status->stats;
	bool same_judge, same_kernel, first, has_table = stats->kernel_epoch[0] != '\0';
	int64_t besides;
	unsigned i;
	int err;

	err = same_epochs(store, stats, &same_judge, &same_kernel, &first);
	if (!err && !first && has_table && !same_kernel) /* the new one's packets fill no gap */
		err = settle_unseen(store, store->meta[META_RECORDED_AT_REPORT]);
	for (i = 0; i < STAT_N && !err; i++) {
		if (!counted(stats, i))
			continue;
		besides = i == STAT_SENT && !same_judge && !first ? sent_unreported(store) : 0;
		err = add_counter(store, i, bounded(stats->value[i]),
				  i < STAT_KERNEL_FIRST ? same_judge : same_kernel, besides);
	}
	/* without a table it may come back as it was: store_status() says what is missing now */
	if (!err && has_table)
		err = settle_unseen(store, store->meta[META_RECORDED]);
	if (!err)
		err = set_report(store, status);
	if (!err)
		store->meta[META_RECORDED_AT_REPORT] = store->meta[META_RECORDED];
	return err;
}

int store_count(struct store *store, const char *word, uint64_t n)
{
	sqlite3_stmt *statement = store_statement(store, SQL_LOST_ADD);

	sqlite3_bind_text(statement, 1, word, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, bounded(n));
	return store_run(store, statement);
}

static void copy_text(char *out, size_t size, const unsigned char *text)
{
	snprintf(out, size, "%s", text ? (const char *)text : "");
}

static int read_report(struct store *store, struct wire_status *last)
{
	static const char sql[] =
		"SELECT judge_epoch, kernel_epoch, ts_ns, started_ns, judge_pid, queue_form, mode,"
		" n_mail_uids, rules_whole, queue_waiting, queue_portid FROM report";
	sqlite3_stmt *statement = NULL;
	int got;

	sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
	got = store_step(store, statement);
	if (got > 0) {
		copy_text(last->stats.judge_epoch, sizeof(last->stats.judge_epoch),
			  sqlite3_column_text(statement, 0));
		copy_text(last->stats.kernel_epoch, sizeof(last->stats.kernel_epoch),
			  sqlite3_column_text(statement, 1));
		last->ts_ns = sqlite3_column_int64(statement, 2);
		last->started_ns = sqlite3_column_int64(statement, 3);
		last->judge_pid = sqlite3_column_int(statement, 4);
		last->queue_form = (uint32_t)sqlite3_column_int64(statement, 5);
		last->mode = (uint32_t)sqlite3_column_int64(statement, 6);
		last->n_mail_uids = (uint32_t)sqlite3_column_int64(statement, 7);
		last->rules_whole = (uint32_t)sqlite3_column_int64(statement, 8);
		last->queue_waiting = (uint32_t)sqlite3_column_int64(statement, 9);
		last->queue_portid = (uint32_t)sqlite3_column_int64(statement, 10);
	}
	sqlite3_finalize(statement);
	if (last->queue_form >= RULESET_QUEUE_N || last->mode >= MODE_N)
		return -EUCLEAN;
	return got < 0 ? got : 0;
}

typedef void (*word_fn)(struct store_status *status, const char *word, sqlite3_stmt *row);

static int each_word(struct store *store, const char *sql, word_fn take,
		     struct store_status *status)
{
	sqlite3_stmt *statement = NULL;
	const char *word;
	int got;

	sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
	while ((got = store_step(store, statement)) > 0) {
		word = (const char *)sqlite3_column_text(statement, 0);
		if (word)
			take(status, word, statement);
	}
	sqlite3_finalize(statement);
	return got;
}

static void take_counter(struct store_status *status, const char *word, sqlite3_stmt *row)
{
	unsigned i;

	for (i = 0; i < STAT_N; i++) {
		if (strcmp(word, stat_word(i)) != 0)
			continue;
		status->last.stats.value[i] = (uint64_t)sqlite3_column_int64(row, 1);
		status->total[i] = (uint64_t)sqlite3_column_int64(row, 2);
	}
}

static void take_lost(struct store_status *status, const char *word, sqlite3_stmt *row)
{
	uint64_t n = (uint64_t)sqlite3_column_int64(row, 1);

	if (strcmp(word, "evidence") == 0)
		status->lost_evidence = n;
	else if (strcmp(word, "journal") == 0)
		status->lost_journal = n;
	else if (strcmp(word, "commit") == 0)
		status->lost_commit = n;
	else if (strcmp(word, "bad-message") == 0)
		status->lost_bad_message = n;
	else if (strcmp(word, "note-late") == 0)
		status->notes_late = n;
}

static void take_meta(struct store_status *status, const char *word, sqlite3_stmt *row)
{
	int64_t value = sqlite3_column_int64(row, 1);

	if (strcmp(word, store_meta_words[META_RECORDED]) == 0)
		status->recorded = (uint64_t)value;
	else if (strcmp(word, store_meta_words[META_ROWS]) == 0)
		status->rows = (uint64_t)value;
	else if (strcmp(word, store_meta_words[META_PRUNED]) == 0)
		status->pruned = (uint64_t)value;
	else if (strcmp(word, store_meta_words[META_EVIDENCE_BYTES]) == 0)
		status->evidence_bytes = (uint64_t)value;
	else if (strcmp(word, store_meta_words[META_LAST_RECORD_NS]) == 0)
		status->last_record_ns = value;
	else if (strcmp(word, store_meta_words[META_LAST_COMMIT_NS]) == 0)
		status->last_commit_ns = value;
	else if (strcmp(word, store_meta_words[META_RECORDED_AT_REPORT]) == 0)
		status->recorded_at_report = (uint64_t)value;
	else if (strcmp(word, store_meta_words[META_UNSEEN]) == 0)
		status->unseen = (uint64_t)value;
}

static void take_offenders(struct store_status *status, const char *word, sqlite3_stmt *row)
{
	(void)word;
	status->offenders = (uint64_t)sqlite3_column_int64(row, 1);
}

static void add_up(struct store_status *status)
{
	uint64_t missing;

	status->folded = less(status->recorded, status->rows);
	status->retransmits = status->total[STAT_RETRANSMITS];
	status->seen = stats_seen(status->total);
	missing = missing_in_seen(status->total, (int64_t)status->recorded_at_report);
	if (missing > status->unseen)
		status->unseen = missing;
	status->lost = less(less(status->seen + status->unseen, status->recorded_at_report),
			    status->retransmits);
	status->lost_recorder = less(status->total[STAT_SENT], status->recorded_at_report);
}

int store_status(struct store *store, struct store_status *status)
{
	struct store_status read;
	int64_t pages = 0, page_bytes = 0;
	int err;

	memset(&read, 0, sizeof(read));
	/* one transaction: the numbers are of one moment */
	err = store_errno(store, sqlite3_exec(store->db, "SAVEPOINT status", NULL, NULL, NULL));
	if (err)
		return err;
	err = read_report(store, &read.last);
	if (!err)
		err = each_word(store, "SELECT word, last, total FROM counter", take_counter,
				&read);
	if (!err)
		err = each_word(store, "SELECT word, n FROM lost", take_lost, &read);
	if (!err)
		err = each_word(store, "SELECT word, value FROM meta", take_meta, &read);
	if (!err)
		err = each_word(store, "SELECT 'offenders', count(*) FROM offender", take_offenders,
				&read);
	if (!err)
		err = store_pragma(store, "page_count", &pages);
	if (!err)
		err = store_pragma(store, "page_size", &page_bytes);
	sqlite3_exec(store->db, "RELEASE status", NULL, NULL, NULL);
	if (err)
		return err;
	read.store_bytes = (uint64_t)(pages * page_bytes);
	add_up(&read);
	*status = read;
	return 0;
}
