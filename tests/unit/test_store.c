/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: folding, bounds, totals, counters, readers, damage. */
#include "fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "agent/store.h"

static struct config config;
static struct record record;

static struct store *create(void)
{
	struct store *store = NULL;
	char *what = NULL;

	assert_int_equal(store_create(&store, &config, &what), 0);
	assert_null(what);
	return store;
}

static struct store_row add(struct store *store)
{
	struct store_row row = { 0 };

	assert_int_equal(store_add(store, &record, "www-data", &row), 0);
	return row;
}

static struct store_row add_alone(struct store *store)
{
	struct store_row row;

	assert_int_equal(store_begin(store), 0);
	row = add(store);
	assert_int_equal(store_commit(store), 0);
	return row;
}

static int64_t ask(const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int64_t value;

	assert_int_equal(sqlite3_open_v2("egressd.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static struct store_status status_of(struct store *store)
{
	struct store_status status;

	assert_int_equal(store_status(store, &status), 0);
	return status;
}

static int set_up(void **state)
{
	fixture_config(&config);
	fixture_record(&record);
	return fixture_enter(state);
}

struct seen {
	char works_in[256];
	unsigned n;
	struct store_verdict verdict;
	struct store_offender offender;
	char text[16][4200], ports[64], last[16];
	int64_t ids[64];
};

static int see_verdict(void *context, const struct store_verdict *verdict)
{
	struct seen *seen = context;

	seen->verdict = *verdict;
	if (seen->n < 64)
		seen->ids[seen->n] = verdict->id;
	snprintf(seen->text[0], 4200, "%s %s %s %s %s %s", verdict->via, verdict->verdict,
		 verdict->reason, verdict->rule, verdict->mode, verdict->flow_error);
	snprintf(seen->text[1], 4200, "%.*s|%.*s|%.*s", verdict->user.len, verdict->user.bytes,
		 verdict->exe.len, verdict->exe.bytes, verdict->script.len, verdict->script.bytes);
	memcpy(seen->text[2], verdict->cmdline.bytes, (size_t)verdict->cmdline.len);
	snprintf(seen->text[3], 4200, "%.*s", verdict->parents.len, verdict->parents.bytes);
	snprintf(seen->text[4], 4200, "%s %s %s %s", verdict->owner_how, verdict->owner_why,
		 verdict->script_from, verdict->script_why);
	snprintf(seen->text[5], 4200, "%s", verdict->evidence_file ? verdict->evidence_file : "-");
	memcpy(seen->text[6], verdict->dst.bytes, (size_t)verdict->dst.len);
	memcpy(seen->text[7], verdict->comm.bytes, (size_t)verdict->comm.len);
	snprintf(seen->text[8], 4200, "%.*s", verdict->holders.len, verdict->holders.bytes);
	seen->n++;
	return 0;
}

static int see_offender(void *context, const struct store_offender *offender)
{
	struct seen *seen = context;

	seen->offender = *offender;
	if (seen->n < 64)
		seen->ids[seen->n] = offender->id;
	snprintf(seen->ports, sizeof(seen->ports), "%s", offender->ports);
	snprintf(seen->works_in, sizeof(seen->works_in), "%.*s", offender->works_in.len,
		 offender->works_in.bytes);
	snprintf(seen->last, sizeof(seen->last), "%s", offender->verdict);
	snprintf(seen->text[0], 4200, "%.*s|%.*s|%.*s|%.*s|%.*s", offender->user.len,
		 offender->user.bytes, offender->script.len, offender->script.bytes,
		 offender->exe.len, offender->exe.bytes, offender->site.len, offender->site.bytes,
		 offender->unit.len, offender->unit.bytes);
	seen->n++;
	return 0;
}

static struct seen *verdicts(struct store *store, struct store_filter filter)
{
	static struct seen seen;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(store_verdicts(store, &filter, see_verdict, &seen), 0);
	return &seen;
}

static struct seen *offenders(struct store *store, struct store_filter filter)
{
	static struct seen seen;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(store_offenders(store, &filter, see_offender, &seen), 0);
	return &seen;
}

static void record_comes_back_whole(void **state)
{
	struct store *store = create(), *reader;
	struct store_row row = add_alone(store);
	struct seen *seen;

	assert_true(row.fresh);
	assert_int_equal(row.id, 1);
	assert_int_equal(row.offender, 1);
	assert_int_equal(row.count, 1);
	store_free(store);
	assert_int_equal(store_open_read(&reader, *state), 0);
	seen = verdicts(reader, (struct store_filter){ 0 });
	assert_int_equal(seen->n, 1);
	assert_string_equal(seen->text[0], "queue deny not-allowed default enforce ok");
	assert_string_equal(seen->text[1],
			    "www-data|/usr/sbin/php-fpm8.2|/var/www/shop/cache/x.php");
	assert_int_equal(seen->verdict.cmdline.len, 18);
	assert_memory_equal(seen->text[2], "php-fpm: pool www\0", 18);
	assert_string_equal(seen->text[3],
			    "[{\"pid\":800,\"uid\":0,\"comm\":\"php-fpm8.2\",\"start_ticks\":0}]");
	assert_string_equal(seen->text[4], "confirmed none fpm-status none");
	assert_string_equal(seen->text[5], "-");
	assert_int_equal(seen->verdict.first_ns, T0_NS);
	assert_int_equal(seen->verdict.pid, 812);
	assert_int_equal(seen->verdict.login_uid, -1);
	assert_int_equal(seen->verdict.inode, 4711);
	assert_int_equal(seen->verdict.dport, 25);
	assert_int_equal(seen->verdict.family, AF_INET);
	assert_int_equal(seen->verdict.dst.len, 4);
	assert_int_equal(seen->verdict.excerpt.len, 40);
	assert_true(seen->verdict.has_charged_uid);
	assert_int_equal(seen->verdict.charged_uid, 33);
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(store_verdict_by_id(reader, 1, see_verdict, seen), 0);
	assert_int_equal(seen->n, 1);
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(store_verdict_by_id(reader, 2, see_verdict, seen), 0);
	assert_int_equal(seen->n, 0);
	seen = offenders(reader, (struct store_filter){ 0 });
	assert_int_equal(seen->n, 1);
	assert_string_equal(seen->text[0], "www-data|/var/www/shop/cache/x.php|"
					   "/usr/sbin/php-fpm8.2|/var/www/shop|php8.2-fpm.service");
	assert_string_equal(seen->ports, "25");
	assert_string_equal(seen->last, "deny");
	store_free(reader);
}

static void hostile_texts_come_back_byte_for_byte(void **state)
{
	struct store *store = create();
	struct seen *seen;

	(void)state;
	strcpy(record.owner.script, "/tmp/\x1b[31m\n\xff\xe2\x80\xae'; DROP TABLE verdict;--");
	memset(record.owner.exe, '\xee', OWNER_PATH_BYTES - 1);
	memcpy(record.owner.cmdline, "a\0\0b\n", 5);
	record.owner.cmdline_bytes = 5;
	strcpy(record.owner.proc.comm, "\"\\\x01\xff\n");
	record.owner.holders[0] = record.owner.proc;
	add_alone(store);
	seen = verdicts(store, (struct store_filter){ 0 });
	assert_int_equal(seen->verdict.script.len, strlen(record.owner.script));
	assert_int_equal(seen->verdict.exe.len, OWNER_PATH_BYTES - 1);
	assert_int_equal(seen->verdict.cmdline.len, 5);
	assert_memory_equal(seen->text[2], "a\0\0b\n", 5);
	assert_memory_equal(seen->text[7], "\"\\\x01\xff\n", 5);
	assert_non_null(strstr(seen->text[8], "\"comm\":\"\\\"\\\\\\\\\\\\x01\\\\xff\\\\x0a\""));
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 1);
	store_free(store);
}

static void a_record_of_nothing_known_is_kept(void **state)
{
	struct store *store = create();
	struct seen *seen;

	(void)state;
	memset(&record, 0, sizeof(record));
	record.ts_ns = T0_NS;
	record.verdict = VERDICT_DENY;
	record.reason = REASON_MALFORMED;
	record.flow_error = FLOW_EMPTY;
	record.owner.socket_uid = record.owner.euid = record.owner.login_uid = OWNER_UID_NONE;
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add(store, &record, NULL, &(struct store_row){ 0 }), 0);
	assert_int_equal(store_commit(store), 0);
	seen = verdicts(store, (struct store_filter){ 0 });
	assert_int_equal(seen->n, 1);
	assert_false(seen->verdict.has_uid);
	assert_false(seen->verdict.has_charged_uid);
	assert_int_equal(seen->verdict.dst.len, 0);
	assert_int_equal(seen->verdict.dport, -1);
	assert_int_equal(seen->verdict.socket_uid, -1);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->n, 1);
	assert_false(seen->offender.has_uid);
	assert_int_equal(seen->offender.destinations, 0);
	store_free(store);
}

static void a_time_out_of_range_changes_nothing(void **state)
{
	struct store *store = create();
	struct store_row row;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	record.ts_ns = -1;
	assert_int_equal(store_add(store, &record, NULL, &row), -EINVAL);
	record.ts_ns = INT64_MAX;
	assert_int_equal(store_add(store, &record, NULL, &row), -EINVAL);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(status_of(store).recorded, 0);
	store_free(store);
}

static void repeats_fold_until_the_window_ends(void **state)
{
	struct store *store = create();
	struct store_row row;

	(void)state;
	assert_true(add_alone(store).fresh);
	record.ts_ns = T0_NS + 300 * NS_PER_S - 1;
	row = add_alone(store);
	assert_false(row.fresh);
	assert_int_equal(row.count, 2);
	assert_int_equal(row.id, 1);
	record.ts_ns = T0_NS + 300 * NS_PER_S;
	row = add_alone(store);
	assert_true(row.fresh);
	assert_int_equal(row.id, 2);
	assert_int_equal(ask("SELECT count FROM verdict WHERE id = 1"), 2);
	assert_int_equal(ask("SELECT last_ns FROM verdict WHERE id = 1"),
			 T0_NS + 300 * NS_PER_S - 1);
	store_free(store);
}

static void a_late_record_folds_and_moves_the_start(void **state)
{
	struct store *store = create();

	(void)state;
	add_alone(store);
	record.ts_ns = T0_NS - 5 * NS_PER_S;
	assert_false(add_alone(store).fresh);
	assert_int_equal(ask("SELECT first_ns FROM verdict"), T0_NS - 5 * NS_PER_S);
	/* the window is measured from the earliest: no row grows longer than it */
	record.ts_ns = T0_NS + 296 * NS_PER_S;
	assert_true(add_alone(store).fresh);
	store_free(store);
}

static void what_differs_does_not_fold(void **state)
{
	struct store *store = create();
	unsigned n = 1;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	add(store);
#define DIFFERENT(change)                                                                          \
	do {                                                                                       \
		struct record before = record;                                                     \
		change;                                                                            \
		assert_true(add(store).fresh);                                                     \
		assert_false(add(store).fresh);                                                    \
		record = before;                                                                   \
		n++;                                                                               \
	} while (0)
	DIFFERENT(record.uid = 34);
	DIFFERENT(strcpy(record.owner.script, "/var/www/shop/y.php"));
	DIFFERENT(record.verdict = VERDICT_WOULD_DENY);
	DIFFERENT(record.reason = REASON_NO_UID);
	DIFFERENT(record.via = VIA_GUARD);
	DIFFERENT(record.flow.dport = 587);
	DIFFERENT(record.flow.dst[3]++);
	DIFFERENT(record.foreign_holder = true);
	DIFFERENT(strcpy(record.indev, "docker0"));
	strcpy(record.indev, "docker0");
	DIFFERENT(record.flow.src[3]++); /* another container's address */
	DIFFERENT(strcpy(record.indev, "docker1"));
#undef DIFFERENT
	record.owner.proc.pid++;
	record.flow.sport++;
	assert_false(add(store).fresh);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), n);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 2 * n);
	store_free(store);
}

/* What record_likeness() promises: whatever else differs, alike are one row and one offender's. */
static void records_that_are_alike_go_to_one_row(void **state)
{
	uint8_t like[RECORD_LIKENESS_BYTES], other[RECORD_LIKENESS_BYTES];
	struct store *store = create();
	struct owner *owner = &record.owner;
	struct store_row first, row;
	unsigned i, alike = 0;
	size_t bytes;

	(void)state;
	bytes = record_likeness(&record, like);
	assert_true(bytes > 0);
	first = add_alone(store);
	for (i = 0; i < 26; i++) {
		fixture_record(&record);
		switch (i) {
		case 0: record.id = 7; break;
		case 1: record.ts_ns++; break;
		case 2: record.flow.sport++; break;
		case 3: record.flow.seq++; break;
		case 4: owner->proc.pid++; break;
		case 5: owner->start_ns++; break;
		case 6: strcpy(owner->proc.comm, "x"); break;
		case 7: strcpy(owner->cwd, "/elsewhere"); break;
		case 8: owner->cmdline[3] = 'x'; break;
		case 9: owner->how = OWNER_SHARED; break;
		case 10: owner->n_holders = 4; break;
		case 11: owner->poses = true; break;
		case 12: strcpy(owner->request_uri, "/x"); break;
		case 13: strcpy(owner->exe, "/usr/bin/other"); break;
		case 14: record.mode = MODE_MONITOR; break;
		case 15: strcpy(record.rule, "other"); break;
		case 16: record.excerpt[5]++; break;
		case 17: record.verdict = VERDICT_WOULD_DENY; break;
		case 18: record.uid = 34; break;
		case 19: strcpy(owner->script, "/var/www/shop/y.php"); break;
		case 20: record.flow.dport = 465; break;
		case 21: record.flow.dst[0]++; break;
		case 22: record.reason = REASON_NO_UID; break;
		case 23: record.via = VIA_GUARD; break;
		case 24: record.foreign_holder = true; break;
		default: record.flow_error = FLOW_FRAGMENT; break;
		}
		bool same = record_likeness(&record, other) == bytes && !memcmp(like, other, bytes);

		row = add_alone(store);
		assert_true(same == (i < 17));
		assert_true(same == (row.id == first.id));
		if (same)
			assert_int_equal(row.offender, first.offender);
		alike += same;
	}
	assert_int_equal(alike, 17);
	store_free(store);
}

static void a_repeat_counts_as_a_record_would(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t id = 0;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(store_again(store, &row, T0_NS + i, VERDICT_DENY, &id), 1);
	assert_int_equal(store_again(store, &row, -1, VERDICT_DENY, &id), -EINVAL);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(id, row.id);
	assert_int_equal(status_of(store).recorded, 11);
	assert_int_equal(status_of(store).folded, 10);
	assert_int_equal(ask("SELECT count FROM verdict"), 11);
	assert_int_equal(ask("SELECT last_ns FROM verdict"), T0_NS + 9);
	assert_int_equal(ask("SELECT attempts FROM offender"), 11);
	assert_int_equal(ask("SELECT last_ns FROM offender"), T0_NS + 9);
	assert_int_equal(ask("SELECT destinations FROM offender"), 1);
	store_free(store);
}

static void a_repeat_finds_a_row_that_memory_has_no_more_but_none_that_is_gone(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	uint64_t removed;
	int64_t id = 0;

	(void)state;
	store_free(store);
	store = create(); /* nothing in memory */
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_again(store, &row, T0_NS + 5, VERDICT_DENY, &id), 1);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(id, row.id);
	assert_int_equal(ask("SELECT count FROM verdict"), 2);
	assert_int_equal(ask("SELECT attempts FROM offender"), 2);
	assert_int_equal(status_of(store).recorded, 2);
	assert_int_equal(store_prune(store, T0_NS + 100 * 86400 * NS_PER_S, &removed), 0);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_again(store, &row, T0_NS + 5, VERDICT_DENY, &id), 0);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(status_of(store).recorded, 2);
	store_free(store);
}

static void a_foreign_holders_program_is_nobody_elses(void **state)
{
	struct store *store = create();
	struct seen *seen;
	int64_t own, foreign;

	(void)state;
	own = add_alone(store).offender;
	record.foreign_holder = true;
	record.owner.proc.uid = 65534;
	assert_int_equal(store_begin(store), 0);
	foreign = add(store).offender;
	assert_int_not_equal(foreign, own);
	assert_false(add(store).fresh);
	/* another program of the holder's, another holder: rows of their own, the same offender */
	strcpy(record.owner.script, "/home/eve/z.php");
	assert_true(add(store).fresh);
	record.owner.proc.uid = 1000;
	assert_int_equal(add(store).offender, foreign);
	/* one whose program is not known is the same */
	record.foreign_holder = false;
	record.owner.script[0] = record.owner.exe[0] = record.owner.unit[0] = '\0';
	assert_int_equal(add(store).offender, foreign);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 5);
	seen = offenders(store, (struct store_filter){ .sort = SORT_ATTEMPTS });
	assert_int_equal(seen->n, 2);
	assert_int_equal(seen->ids[0], foreign);
	seen = offenders(store, (struct store_filter){ .limit = 1 });
	assert_int_equal(seen->offender.attempts, 5);
	assert_int_equal(seen->offender.uid, 33);
	assert_string_equal(seen->text[0], "www-data||||");
	/* the row tells all of it */
	assert_int_equal(ask("SELECT count(*) FROM verdict WHERE foreign_holder AND"
			     " script = CAST('/home/eve/z.php' AS BLOB) AND ruid = 1000"),
			 1);
	store_free(store);
}

static void a_flood_makes_bounded_rows_and_exact_totals(void **state)
{
	struct store *store = create();
	struct store_status status;
	struct seen *seen;
	unsigned i;

	(void)state;
	config.rows_per_offender = 100;
	store_options(store, &config);
	for (i = 0; i < 20000; i++) {
		if (i % 1000 == 0)
			assert_int_equal(store_begin(store), 0);
		fixture_dst(&record, 0xc0000000 + i % 5000 * 17);
		record.ts_ns = T0_NS + i * 1000;
		add(store);
		if (i % 1000 == 999)
			assert_int_equal(store_commit(store), 0);
	}
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 101);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 20000);
	assert_int_equal(ask("SELECT count FROM verdict WHERE many_dst"), 20000 - 400);
	status = status_of(store);
	assert_int_equal(status.recorded, 20000);
	assert_int_equal(status.rows, 101);
	assert_int_equal(status.folded, 20000 - 101);
	assert_int_equal(status.offenders, 1);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->offender.attempts, 20000);
	assert_int_equal(seen->offender.destinations, 4096);
	assert_true(seen->offender.destinations_capped);
	assert_int_equal(seen->offender.networks, ask("SELECT count(*) FROM network"));
	/* a new window gives rows of their own again */
	record.ts_ns = T0_NS + 301 * NS_PER_S;
	assert_true(add_alone(store).fresh);
	assert_int_equal(ask("SELECT many_dst FROM verdict ORDER BY id DESC"), 0);
	store_free(store);
}

static void exactly_4096_destinations_are_not_capped(void **state)
{
	struct store *store = create();
	struct seen *seen;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 2 * 4096; i++) {
		fixture_dst(&record, 0xc6000000 + i % 4096);
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->offender.destinations, 4096);
	assert_int_equal(seen->offender.networks, 16);
	assert_false(seen->offender.destinations_capped);
	store_free(store);
}

static void networks_are_24_and_48_bits(void **state)
{
	struct store *store = create();
	struct seen *seen;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	fixture_dst(&record, 0xc0000201);
	add(store);
	fixture_dst(&record, 0xc00002ff);
	add(store);
	fixture_dst(&record, 0xc0000301);
	add(store);
	record.flow.family = AF_INET6;
	memset(record.flow.dst, 0, 16);
	for (i = 0; i < 4; i++) {
		record.flow.dst[0] = 0x20;
		record.flow.dst[5] = (uint8_t)(i / 2); /* within the 48 bits */
		record.flow.dst[6] = (uint8_t)i;       /* beyond */
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->offender.destinations, 7);
	assert_int_equal(seen->offender.networks, 4);
	seen = offenders(store, (struct store_filter){ .since_ns = 1 });
	assert_int_equal(seen->offender.destinations, 7);
	assert_int_equal(seen->offender.networks, 4);
	store_free(store);
}

static void programs_of_one_uid_are_bounded(void **state)
{
	struct store *store = create();
	struct seen *seen;
	unsigned i;

	(void)state;
	config.rows_per_offender = 10;
	store_options(store, &config);
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 3000; i++) {
		snprintf(record.owner.script, sizeof(record.owner.script), "/tmp/%u.php", i);
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(ask("SELECT count(*) FROM offender"), 1025);
	assert_int_equal(ask("SELECT attempts FROM offender WHERE many_programs"), 3000 - 1024);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 3000);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 3000);
	/* 40 for the uid, and one many-destinations row for each offender */
	assert_true(ask("SELECT count(*) FROM verdict") <= 40 + 1025);
	seen = offenders(store, (struct store_filter){ .limit = 1 });
	assert_true(seen->offender.many_programs);
	assert_int_equal(seen->offender.script.len, 0);
	store_free(store);
	/* also after a restart */
	store = create();
	strcpy(record.owner.script, "/tmp/another.php");
	assert_int_equal(add_alone(store).offender, seen->offender.id);
	store_free(store);
}

static void offenders_in_all_are_bounded(void **state)
{
	struct store *store = create();
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 16384 + 500; i++) {
		record.uid = 100000 + i;
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(ask("SELECT count(*) FROM offender"), 16385);
	assert_int_equal(ask("SELECT attempts FROM offender WHERE uid = -2"), 500);
	assert_int_equal(status_of(store).recorded, 16884);
	store_free(store);
}

static void allowed_records_have_no_offender_but_bounded_rows(void **state)
{
	struct store *store = create();
	struct store_row row;
	unsigned i;

	(void)state;
	record.verdict = VERDICT_ALLOW;
	record.reason = REASON_LOCAL;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 5000; i++) {
		fixture_dst(&record, 0x7f000000 + i);
		snprintf(record.owner.exe, sizeof(record.owner.exe), "/tmp/%u", i);
		row = add(store);
		assert_int_equal(row.offender, 0);
	}
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 1001);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 5000);
	assert_int_equal(ask("SELECT count(*) FROM offender"), 0);
	store_free(store);
}

static void a_batch_that_is_rolled_back_leaves_nothing(void **state)
{
	struct store *store = create();
	struct store_row row;

	(void)state;
	add_alone(store);
	assert_int_equal(store_begin(store), 0);
	add(store);
	record.uid = 55;
	row = add(store);
	assert_int_equal(row.id, 2);
	store_rollback(store);
	assert_int_equal(status_of(store).recorded, 1);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 1);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 1);
	/* its id is not given out again: a packet may carry it */
	row = add_alone(store);
	assert_int_equal(row.id, 3);
	assert_true(row.fresh);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 2);
	assert_int_equal(status_of(store).rows, 2);
	store_free(store);
}

static void offender_names_come_late_and_ports_ascend(void **state)
{
	struct store *store = create();
	struct seen *seen;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	record.owner.unit[0] = '\0';
	assert_int_equal(store_add(store, &record, NULL, &(struct store_row){ 0 }), 0);
	strcpy(record.owner.unit, "cron.service");
	record.flow.dport = 587;
	record.verdict = VERDICT_WOULD_DENY;
	record.ts_ns++;
	add(store);
	record.flow.dport = 465;
	record.verdict = VERDICT_DENY;
	record.ts_ns--;
	add(store);
	assert_int_equal(store_commit(store), 0);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_string_equal(seen->ports, "25,465,587");
	assert_non_null(strstr(seen->text[0], "www-data|"));
	assert_non_null(strstr(seen->text[0], "|cron.service"));
	assert_string_equal(seen->last, "would-deny");
	seen = offenders(store, (struct store_filter){ .since_ns = T0_NS });
	assert_string_equal(seen->ports, "25,465,587");
	assert_string_equal(seen->last, "would-deny");
	store_free(store);
}

static void filters_take_whole_rows_of_that_time(void **state)
{
	struct store *store = create();
	struct seen *seen;
	int i;

	(void)state;
	/* rows at T0 + 0, 1000, 2000, … s, each repeated 100 s later, by two users in turn */
	for (i = 0; i < 10; i++) {
		record.uid = 33 + (uint32_t)i % 2;
		record.ts_ns = T0_NS + i * 1000 * NS_PER_S;
		add_alone(store);
		record.ts_ns += 100 * NS_PER_S;
		add_alone(store);
	}
	assert_int_equal(verdicts(store, (struct store_filter){ 0 })->n, 10);
	assert_int_equal(verdicts(store, (struct store_filter){ .limit = 3 })->n, 3);
	seen = verdicts(store, (struct store_filter){ .newest_first = true, .limit = 2 });
	assert_int_equal(seen->ids[0], 10);
	assert_int_equal(seen->ids[1], 9);
	assert_int_equal(verdicts(store, (struct store_filter){ .after_id = 7 })->n, 3);
	assert_int_equal(verdicts(store, (struct store_filter){ .has_uid = true, .uid = 34 })->n,
			 5);
	/* begins before since, ends at it: belongs to that time */
	seen = verdicts(store, (struct store_filter){ .since_ns = T0_NS + 5100 * NS_PER_S });
	assert_int_equal(seen->n, 5);
	assert_int_equal(seen->ids[0], 6);
	seen = verdicts(store, (struct store_filter){ .since_ns = T0_NS + 5100 * NS_PER_S + 1 });
	assert_int_equal(seen->n, 4);
	/* until is exclusive */
	assert_int_equal(
		verdicts(store, (struct store_filter){ .until_ns = T0_NS + 2000 * NS_PER_S })->n,
		2);
	assert_int_equal(
		verdicts(store, (struct store_filter){ .until_ns = T0_NS + 2000 * NS_PER_S + 1 })
			->n,
		3);
	assert_int_equal(
		verdicts(store, (struct store_filter){ .since_ns = T0_NS + 99999 * NS_PER_S })->n,
		0);
	assert_int_equal(verdicts(store, (struct store_filter){ .until_ns = 1 })->n, 0);
	seen = offenders(store, (struct store_filter){ .since_ns = T0_NS + 7000 * NS_PER_S });
	assert_int_equal(seen->n, 2);
	seen = offenders(store, (struct store_filter){ .since_ns = T0_NS + 7000 * NS_PER_S,
						       .has_uid = true,
						       .uid = 33 });
	assert_int_equal(seen->n, 1);
	assert_int_equal(seen->offender.attempts, 2);
	assert_int_equal(seen->offender.first_ns, T0_NS + 8000 * NS_PER_S);
	store_free(store);
}

static void offenders_are_ranked_as_asked(void **state)
{
	struct store *store = create();
	struct seen *seen;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 5; i++) /* offender 1: five attempts, one destination */
		add(store);
	record.uid = 34; /* offender 2: three destinations, one network, latest */
	for (i = 0; i < 3; i++) {
		fixture_dst(&record, 0xc0000200 + i);
		record.ts_ns = T0_NS + NS_PER_S;
		add(store);
	}
	record.uid = 35; /* offender 3: two destinations, two networks, earliest */
	for (i = 0; i < 2; i++) {
		fixture_dst(&record, 0xc0000200 + (i << 8));
		record.ts_ns = T0_NS - NS_PER_S;
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	for (i = 0; i < 2; i++) {
		int64_t since = i ? 1 : 0;

		seen = offenders(store,
				 (struct store_filter){ .sort = SORT_ATTEMPTS, .since_ns = since });
		assert_int_equal(seen->n, 3);
		assert_int_equal(seen->ids[0], 1);
		seen = offenders(store, (struct store_filter){ .sort = SORT_DESTINATIONS,
							       .since_ns = since });
		assert_int_equal(seen->ids[0], 2);
		seen = offenders(store,
				 (struct store_filter){ .sort = SORT_NETWORKS, .since_ns = since });
		assert_int_equal(seen->ids[0], 3);
		seen = offenders(store,
				 (struct store_filter){ .sort = SORT_FIRST, .since_ns = since });
		assert_int_equal(seen->ids[0], 3);
		seen = offenders(store,
				 (struct store_filter){ .sort = SORT_LAST, .since_ns = since });
		assert_int_equal(seen->ids[0], 2);
	}
	store_free(store);
}

static void the_site_an_offender_works_in_is_told_while_all_attempts_agree(void **state)
{
	struct store *store = create();
	struct seen *seen;

	(void)state;
	record.owner.script[0] = '\0';
	strcpy(record.owner.exe, "/usr/sbin/php-fpm8.2");
	strcpy(record.owner.cwd, "/var/www/shop.example/public");
	add_alone(store);
	strcpy(record.owner.cwd, "/var/www/shop.example/other");
	add_alone(store);
	store_free(store);
	store = create(); /* it holds over a restart */
	add_alone(store);
	for (int since = 0; since < 2; since++) {
		seen = offenders(store, (struct store_filter){ .since_ns = since });
		assert_int_equal(seen->n, 1);
		assert_string_equal(seen->works_in, "/var/www/shop.example");
		assert_int_equal(seen->offender.site.len, 0);
	}
	strcpy(record.owner.cwd, "/var/www/another.example");
	add_alone(store);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_string_equal(seen->works_in, "");
	store_free(store);
	store = create(); /* nor does it come back */
	strcpy(record.owner.cwd, "/var/www/shop.example");
	add_alone(store);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->offender.attempts, 5);
	assert_string_equal(seen->works_in, "");
	record.uid = 34; /* a folder that is not known agrees with none */
	add_alone(store);
	record.owner.cwd[0] = '\0';
	add_alone(store);
	record.uid = 35; /* the script says it better */
	strcpy(record.owner.cwd, "/var/www/shop.example");
	strcpy(record.owner.script, "/var/www/another.example/x.php");
	add_alone(store);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->n, 3);
	assert_int_equal(ask("SELECT count(*) FROM offender WHERE length(works_in) > 0"), 0);
	store_free(store);
}

static void an_offender_names_its_newest_row_while_one_is_kept(void **state)
{
	struct store *store = create();
	struct seen *seen;
	sqlite3 *db;

	(void)state;
	add_alone(store);
	record.uid = 34;
	add_alone(store);
	record.uid = 33;
	fixture_dst(&record, 0xc0000299);
	record.ts_ns = T0_NS + 100 * NS_PER_S;
	add_alone(store);
	seen = verdicts(store, (struct store_filter){ .offender = 1 });
	assert_int_equal(seen->n, 2);
	seen = verdicts(store, (struct store_filter){ .offender = 3 });
	assert_int_equal(seen->n, 0);
	seen = offenders(store, (struct store_filter){ .sort = SORT_FIRST, .limit = 1 });
	assert_int_equal(seen->offender.last_id, 3);
	seen = offenders(store, (struct store_filter){ .until_ns = T0_NS + 1, .limit = 1 });
	assert_int_equal(seen->offender.last_id, 1);
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM verdict", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	seen = offenders(store, (struct store_filter){ .limit = 1 });
	assert_int_equal(seen->offender.last_id, 0);
	store_free(store);
}

/* --- notes --------------------------------------------------------------------------------- */

static struct note note;

struct noted {
	char site[1024], trigger[4096], object[256], groups[65536];
	int64_t triggers;
};

static int see_note(void *context, const struct store_verdict *verdict)
{
	const struct store_trigger *trigger = &verdict->trigger;
	const struct store_object *object = &verdict->object;
	const struct store_site *site = &verdict->site;
	struct noted *noted = context;

	memset(noted, 0, sizeof(*noted));
	if (site->from)
		snprintf(noted->site, sizeof(noted->site), "%s %.*s %.*s %.*s %.*s", site->from,
			 site->account.len, site->account.bytes, site->vhost.len, site->vhost.bytes,
			 site->root.len, site->root.bytes, site->source.len, site->source.bytes);
	if (trigger->match)
		snprintf(noted->trigger, sizeof(noted->trigger), "%s %lld %.*s %.*s %.*s %lld %.*s",
			 trigger->match, (long long)trigger->n, trigger->method.len,
			 trigger->method.bytes, trigger->uri.len, trigger->uri.bytes,
			 trigger->client.len, trigger->client.bytes, (long long)trigger->status,
			 trigger->log.len, trigger->log.bytes);
	if (object->why)
		snprintf(noted->object, sizeof(noted->object), "%s %d %02x %lld %d", object->why,
			 object->sha256.len,
			 object->sha256.len ? (uint8_t)object->sha256.bytes[31] : 0,
			 (long long)object->bytes, object->copied);
	return 0;
}

static int see_noted_offender(void *context, const struct store_offender *offender)
{
	struct noted *noted = context;

	memset(noted, 0, sizeof(*noted));
	snprintf(noted->site, sizeof(noted->site), "%s %.*s",
		 offender->noted.from ? offender->noted.from : "-", offender->noted.vhost.len,
		 offender->noted.vhost.bytes);
	noted->triggers = offender->triggers;
	snprintf(noted->groups, sizeof(noted->groups), "%.*s", offender->trigger_groups.len,
		 offender->trigger_groups.bytes);
	return 0;
}

static struct noted *noted_row(struct store *store, int64_t id)
{
	static struct noted noted;

	assert_int_equal(store_verdict_by_id(store, id, see_note, &noted), 0);
	return &noted;
}

static struct noted *noted_offender(struct store *store, int64_t id)
{
	static struct noted noted;
	const struct store_filter filter = { .offender = id };

	memset(&noted, 0, sizeof(noted));
	assert_int_equal(store_offenders(store, &filter, see_noted_offender, &noted), 0);
	return &noted;
}

static int take_note(struct store *store, int64_t id, int64_t *group)
{
	int64_t offender = -1;
	int got;

	assert_int_equal(store_begin(store), 0);
	got = store_note(store, id, true, &note, group, &offender);
	assert_int_equal(store_commit(store), 0);
	return got;
}

static void a_note_goes_to_its_row_and_its_offender(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0, none = 0;

	(void)state;
	assert_string_equal(noted_row(store, row.id)->site, ""); /* nobody said so yet */
	fixture_note(&note, 1);
	assert_int_equal(take_note(store, row.id, &group), 1);
	assert_string_equal(
		noted_row(store, row.id)->site,
		"vhost shopuser shop.example /var/www/shop /etc/nginx/sites-enabled/shop:12");
	assert_string_equal(noted_row(store, row.id)->trigger,
			    "probable 1 POST /wp-content/uploads/x.php 203.0.113.9 200"
			    " /var/log/nginx/shop.access.log");
	assert_string_equal(noted_row(store, row.id)->object, "none 32 ab 1258291 1");
	assert_string_equal(noted_offender(store, row.offender)->site, "vhost shop.example");
	assert_int_equal(noted_offender(store, row.offender)->triggers, 1);
	assert_string_equal(noted_offender(store, row.offender)->groups,
			    "[{\"match\":\"probable\",\"n\":1,\"method\":\"POST\","
			    "\"uri\":\"/wp-content/uploads/x.php\",\"client\":\"203.0.113.9\","
			    "\"status\":200,\"count\":1,\"last_ns\":1700000000100000000}]");
	assert_int_equal(take_note(store, row.id + 1, &none), 0); /* no such row */
	assert_int_equal(none, 0);
	store_free(store);
}

static void a_later_note_replaces_its_parts_only_and_counts_once(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0;

	(void)state;
	fixture_note(&note, 1);
	take_note(store, row.id, &group);
	note.parts = NOTE_TRIGGER;
	note.trigger.match = MATCH_EXACT;
	strcpy(note.trigger.client, "203.0.113.10");
	take_note(store, row.id, &group);
	assert_memory_equal(noted_row(store, row.id)->trigger, "exact 1 POST", 12);
	assert_memory_equal(noted_row(store, row.id)->site, "vhost shopuser", 14);
	assert_int_equal(noted_offender(store, row.offender)->triggers, 1);
	assert_null(strstr(noted_offender(store, row.offender)->groups, "203.0.113.9\""));
	assert_non_null(strstr(noted_offender(store, row.offender)->groups, "203.0.113.10\""));
	note.trigger.match = MATCH_NONE; /* it was no request after all */
	take_note(store, row.id, &group);
	assert_int_equal(group, 0);
	assert_int_equal(noted_offender(store, row.offender)->triggers, 0);
	assert_string_equal(noted_offender(store, row.offender)->groups, "[]");
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'trigger_bytes'"), 0);
	store_free(store);
}

static void what_was_learnt_of_a_repeat_is_its_offenders_and_not_the_rows(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0, of_repeat = 0, offender = 0;

	(void)state;
	fixture_note(&note, 1);
	take_note(store, row.id, &group);
	note.trigger.match = MATCH_EXACT;
	strcpy(note.trigger.client, "203.0.113.86");
	strcpy(note.site.vhost, "other.example");
	note.object.sha256[0] = 0xcd;
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_note(store, row.id, false, &note, &of_repeat, &offender), 1);
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(offender, row.offender);
	assert_memory_equal(noted_row(store, row.id)->trigger, "probable 1 POST", 15);
	assert_non_null(strstr(noted_row(store, row.id)->trigger, "203.0.113.9 "));
	assert_non_null(strstr(noted_row(store, row.id)->site, "shop.example"));
	assert_string_equal(noted_row(store, row.id)->object, "none 32 ab 1258291 1");
	assert_string_equal(noted_offender(store, row.offender)->site, "vhost other.example");
	assert_int_equal(noted_offender(store, row.offender)->triggers, 2);
	assert_non_null(strstr(noted_offender(store, row.offender)->groups, "203.0.113.86\""));
	store_free(store);
}

static void an_offender_has_its_latest_site_and_keeps_one_when_none_is_known(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0;

	(void)state;
	fixture_note(&note, 1);
	note.parts = NOTE_SITE;
	take_note(store, row.id, &group);
	strcpy(note.site.vhost, "other.example");
	note.site.from = SITE_FROM_HOST;
	take_note(store, row.id, &group);
	assert_string_equal(noted_offender(store, row.offender)->site, "host other.example");
	note.site = (struct note_site){ .from = SITE_FROM_NONE };
	take_note(store, row.id, &group);
	assert_memory_equal(noted_row(store, row.id)->site, "none", 4);
	assert_string_equal(noted_offender(store, row.offender)->site, "host other.example");
	store_free(store);
	store = create(); /* what its texts take is reckoned the same way from the tables */
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'offender_bytes'"),
			 ask("SELECT sum(512 + 2 * length(program) + length(user) + length(unit) + "
			     "length(site)"
			     " + length(script) + length(exe) + length(account) + length(vhost)"
			     " + length(vhost_root) + length(site_source)) FROM offender"));
	store_free(store);
}

static void a_foreign_holders_note_is_not_its_offenders(void **state)
{
	struct store *store = create();
	struct store_row row;
	int64_t group = 0;

	(void)state;
	record.foreign_holder = true;
	row = add_alone(store);
	fixture_note(&note, 1);
	assert_int_equal(take_note(store, row.id, &group), 1);
	assert_memory_equal(noted_row(store, row.id)->site, "vhost", 5);
	assert_string_equal(noted_offender(store, row.offender)->site, "- ");
	assert_int_equal(noted_offender(store, row.offender)->triggers, 0);
	store_free(store);
}

static void triggers_of_an_offender_are_bounded_and_the_frequent_one_stays(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group;
	unsigned i;

	(void)state;
	fixture_note(&note, 1);
	note.parts = NOTE_TRIGGER;
	for (i = 0; i < 3; i++) {
		group = 0;
		take_note(store, row.id, &group);
	}
	for (i = 0; i < 100; i++) {
		group = 0;
		note.ts_ns++;
		snprintf(note.trigger.client, sizeof(note.trigger.client), "2001:db8::%u", i);
		take_note(store, row.id, &group);
	}
	assert_int_equal(noted_offender(store, row.offender)->triggers, 103);
	assert_int_equal(ask("SELECT count(*) FROM trigger_group"), 16);
	assert_int_equal(
		ask("SELECT count FROM trigger_group WHERE client = CAST('203.0.113.9' AS BLOB)"),
		3);
	assert_int_equal(ask("SELECT count(*) FROM trigger_group"
			     " WHERE client = CAST('2001:db8::99' AS BLOB)"),
			 1);
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'trigger_bytes'"),
			 ask("SELECT sum(200 + 2 * (length(method) + length(uri) + length(client)))"
			     " FROM trigger_group"));
	store_free(store);
}

static void triggers_of_all_are_bounded_and_those_of_the_oldest_go(void **state)
{
	struct store *store;
	struct store_row row = { 0 };
	uint64_t removed;
	int64_t group;
	unsigned i;

	(void)state;
	config.store_bytes = 1 << 20; /* 32 KiB of them: some 14 of these */
	store = create();
	fixture_note(&note, 1);
	note.parts = NOTE_TRIGGER;
	memset(note.trigger.uri, 'u', sizeof(note.trigger.uri) - 1);
	for (i = 0; i < 40; i++) {
		snprintf(record.owner.script, sizeof(record.owner.script), "/var/www/s%u/x.php", i);
		record.ts_ns = T0_NS + i * NS_PER_S;
		row = add_alone(store);
		group = 0;
		take_note(store, row.id, &group);
		assert_int_equal(store_prune(store, record.ts_ns, &removed), 0);
	}
	assert_true(ask("SELECT value FROM meta WHERE word = 'trigger_bytes'") <= (1 << 20) / 32);
	assert_true(ask("SELECT count(*) FROM trigger_group") < 15);
	assert_int_equal(ask("SELECT count(*) FROM trigger_group WHERE offender = 1"), 0);
	assert_int_equal(noted_offender(store, 1)->triggers, 1); /* how many there were stays */
	assert_int_equal(noted_offender(store, row.offender)->triggers, 1);
	assert_int_equal(
		ask("SELECT count(*) FROM trigger_group t JOIN offender o ON o.id = t.offender"
		    " WHERE o.id = (SELECT max(id) FROM offender)"),
		1);
	store_free(store);
}

static void notes_go_with_their_rows_and_triggers_with_their_offenders(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0;
	uint64_t removed;

	(void)state;
	fixture_note(&note, 1);
	take_note(store, row.id, &group);
	assert_int_equal(ask("SELECT count(*) FROM note"), 1);
	assert_int_equal(store_prune(store, T0_NS + 100 * 86400 * NS_PER_S, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(ask("SELECT count(*) FROM note"), 0);
	assert_int_equal(ask("SELECT count(*) FROM trigger_group"), 0);
	assert_int_equal(ask("SELECT count(*) FROM offender"), 0);
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'trigger_bytes'"), 0);
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'offender_bytes'"), 0);
	assert_int_equal(take_note(store, row.id, &group), 0);
	store_free(store);
}

static void hostile_notes_come_back_byte_for_byte(void **state)
{
	static const char hostile[] = "\xff\x1b[2J\n'\"\\\xe2\x80\xae";
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0;

	(void)state;
	fixture_note(&note, 1);
	strcpy(note.site.vhost, hostile);
	strcpy(note.trigger.uri, hostile);
	take_note(store, row.id, &group);
	assert_non_null(strstr(noted_row(store, row.id)->site, hostile));
	assert_non_null(strstr(noted_row(store, row.id)->trigger, hostile));
	assert_non_null(strstr(noted_offender(store, row.offender)->groups,
			       "\\\\xff\\\\x1b[2J\\\\x0a'\\\"\\\\\\\\\\\\xe2"));
	store_free(store);
}

/* The tables of version 1, by taking away what version 2 has more. */
static void make_version_1(void)
{
	static const char *const columns[] = { "site_from",  "account",	    "vhost",
					       "vhost_root", "site_source", "triggers" };
	char sql[128];
	sqlite3 *db;
	unsigned i;

	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE note; DROP TABLE trigger_group;"
				      "ALTER TABLE verdict DROP COLUMN poses;"
				      "ALTER TABLE verdict DROP COLUMN caller;"
				      "DELETE FROM meta WHERE word = 'trigger_bytes';"
				      "PRAGMA user_version = 1",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	for (i = 0; i < 6; i++) {
		snprintf(sql, sizeof(sql), "ALTER TABLE offender DROP COLUMN %s", columns[i]);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	}
	sqlite3_close(db);
}

static void a_store_of_version_1_is_upgraded_and_keeps_its_rows(void **state)
{
	struct store *store = create();
	struct store_row row = add_alone(store);
	int64_t group = 0;

	store_free(store);
	make_version_1();
	store = NULL;
	assert_int_equal(store_open_read(&store, *state), -ESTALE); /* nobody upgraded it yet */
	store = create();
	assert_int_equal(ask("PRAGMA user_version"), 2);
	assert_int_equal(store_upgraded_from(store), 1);
	assert_int_equal(status_of(store).recorded, 1);
	assert_string_equal(noted_row(store, row.id)->site, "");
	assert_string_equal(noted_offender(store, row.offender)->site, "- ");
	record.owner.poses = true;
	fixture_dst(&record, 7);
	row = add_alone(store);
	fixture_note(&note, 2);
	assert_int_equal(take_note(store, row.id, &group), 1);
	assert_memory_equal(noted_row(store, row.id)->site, "vhost", 5);
	assert_int_equal(ask("SELECT sum(poses) FROM verdict"), 1);
	store_free(store);
}

static int see_caller(void *context, const struct store_verdict *verdict)
{
	snprintf(context, 256, "%d %.*s", verdict->poses, verdict->caller.len,
		 verdict->caller.bytes);
	return 0;
}

static void who_called_connect_and_who_poses_come_back(void **state)
{
	struct store *store = create();
	char text[256];

	(void)state;
	record.owner.poses = true;
	record.owner.caller =
		(struct owner_ref){ .pid = 7, .uid = 1, .start_ticks = 2, .comm = "l\n" };
	assert_int_equal(store_verdict_by_id(store, add_alone(store).id, see_caller, text), 0);
	assert_string_equal(text,
			    "1 {\"pid\":7,\"uid\":1,\"comm\":\"l\\\\x0a\",\"start_ticks\":2}");
	fixture_record(&record);
	fixture_dst(&record, 9);
	assert_int_equal(store_verdict_by_id(store, add_alone(store).id, see_caller, text), 0);
	assert_string_equal(text, "0 ");
	store_free(store);
}

static void a_file_of_evidence_is_dropped_from_its_rows(void **state)
{
	struct store *store = create();
	struct seen *seen;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 1; i <= 4; i++) {
		fixture_dst(&record, i);
		assert_int_equal(add(store).id, i);
		assert_int_equal(
			store_set_evidence(store, i, i < 4 ? "a.pcapng" : "b.pcapng", i * 100), 0);
	}
	assert_int_equal(store_commit(store), 0);
	seen = verdicts(store, (struct store_filter){ .limit = 3 });
	assert_string_equal(seen->text[5], "a.pcapng");
	assert_int_equal(seen->verdict.evidence_offset, 300);
	assert_int_equal(offenders(store, (struct store_filter){ 0 })->offender.evidence, 4);
	assert_int_equal(
		offenders(store, (struct store_filter){ .since_ns = 1 })->offender.evidence, 4);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_drop_evidence(store, "a.pcapng"), 0);
	assert_int_equal(store_drop_evidence(store, "never-was.pcapng"), 0);
	assert_int_equal(store_commit(store), 0);
	seen = verdicts(store, (struct store_filter){ .limit = 3 });
	assert_string_equal(seen->text[5], "-");
	assert_int_equal(offenders(store, (struct store_filter){ 0 })->offender.evidence, 1);
	store_free(store);
}

static struct wire_status report(const char *judge, const char *kernel)
{
	struct wire_status status = { .ts_ns = T0_NS, .judge_pid = 77, .n_mail_uids = 1 };

	strcpy(status.stats.judge_epoch, judge);
	strcpy(status.stats.kernel_epoch, kernel);
	return status;
}

static void add_report(struct store *store, const struct wire_status *status)
{
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_add_status(store, status), 0);
	assert_int_equal(store_commit(store), 0);
}

static void counters_add_up_over_epochs(void **state)
{
	const unsigned held = STAT_KERNEL_FIRST + RULESET_HELD;
	struct store *store = create();
	struct wire_status status = report("judge-1", "kernel-1");
	struct store_status read;

	(void)state;
	status.stats.value[STAT_QUEUED] = 10;
	status.stats.value[held] = 100;
	add_report(store, &status);
	status.stats.value[STAT_QUEUED] = 15;
	status.stats.value[held] = 130;
	add_report(store, &status);
	assert_int_equal(status_of(store).total[STAT_QUEUED], 15);
	/* the judge starts anew, the table stays */
	status = report("judge-2", "kernel-1");
	status.stats.value[STAT_QUEUED] = 4;
	status.stats.value[held] = 131;
	add_report(store, &status);
	read = status_of(store);
	assert_int_equal(read.total[STAT_QUEUED], 19);
	assert_int_equal(read.total[held], 131);
	assert_int_equal(read.last.stats.value[STAT_QUEUED], 4);
	/* no table for a while, then another one */
	status = report("judge-2", "");
	status.stats.value[STAT_QUEUED] = 5;
	add_report(store, &status);
	status = report("judge-2", "kernel-2");
	status.stats.value[STAT_QUEUED] = 5;
	status.stats.value[held] = 7;
	add_report(store, &status);
	read = status_of(store);
	assert_int_equal(read.total[STAT_QUEUED], 20);
	assert_int_equal(read.total[held], 138);
	assert_int_equal(read.seen, 138);
	assert_int_equal(read.lost, 138);
	assert_int_equal(read.last.judge_pid, 77);
	assert_string_equal(read.last.stats.kernel_epoch, "kernel-2");
	store_free(store);
}

/* seen + unseen = recorded + retransmits + lost */
static void assert_adds_up(struct store *store, uint64_t seen, uint64_t unseen, uint64_t lost)
{
	struct store_status read = status_of(store);

	assert_int_equal(read.seen, seen);
	assert_int_equal(read.unseen, unseen);
	assert_int_equal(read.lost, lost);
	assert_int_equal(seen + unseen, read.recorded_at_report + read.retransmits + lost);
}

static void add_some(struct store *store, unsigned n)
{
	while (n-- > 0)
		add_alone(store);
}

static void what_went_with_a_table_is_counted_apart(void **state)
{
	const unsigned held = STAT_KERNEL_FIRST + RULESET_HELD;
	struct store *store = create();
	struct wire_status status = report("judge", "kernel-1");

	(void)state;
	add_some(store, 2);
	status.stats.value[held] = 3;
	add_report(store, &status);
	assert_adds_up(store, 3, 0, 1);
	/* three more, of which one is lost, then the table goes: nobody reads what it counted */
	add_some(store, 2);
	status.stats.value[STAT_RETRANSMITS] = 1;
	status.stats.kernel_epoch[0] = '\0';
	add_report(store, &status);
	assert_adds_up(store, 3, 2, 0);
	/* another table counts two, of which one is lost: it fills no gap */
	strcpy(status.stats.kernel_epoch, "kernel-2");
	status.stats.value[held] = 2;
	add_some(store, 1);
	add_report(store, &status);
	assert_adds_up(store, 5, 2, 1);
	store_free(store);
	/* it stays so */
	store = create();
	status.stats.value[held] = 4;
	add_some(store, 2);
	add_report(store, &status);
	assert_adds_up(store, 7, 2, 1);
	/* replaced between two reports */
	add_some(store, 3);
	strcpy(status.stats.kernel_epoch, "kernel-3");
	status.stats.value[held] = 1;
	add_report(store, &status);
	assert_adds_up(store, 8, 3, 0);
	store_free(store);
}

static void a_table_that_could_not_be_read_once_is_the_same(void **state)
{
	const unsigned held = STAT_KERNEL_FIRST + RULESET_HELD;
	struct store *store = create();
	struct wire_status status = report("judge", "kernel-1");

	(void)state;
	add_some(store, 3);
	status.stats.value[held] = 3;
	add_report(store, &status);
	add_some(store, 2);
	status.stats.kernel_epoch[0] = '\0';
	add_report(store, &status);
	assert_adds_up(store, 3, 2, 0);
	strcpy(status.stats.kernel_epoch, "kernel-1");
	status.stats.value[held] = 6;
	add_report(store, &status);
	assert_adds_up(store, 6, 0, 1);
	store_free(store);
}

static void a_counter_never_runs_over(void **state)
{
	struct store *store = create();
	struct wire_status status = report("judge-1", "k");

	(void)state;
	status.stats.value[STAT_QUEUED] = UINT64_MAX;
	add_report(store, &status);
	strcpy(status.stats.judge_epoch, "judge-2");
	add_report(store, &status);
	assert_int_equal(status_of(store).total[STAT_QUEUED], INT64_MAX);
	store_free(store);
}

static void what_the_recorder_lost_is_told(void **state)
{
	struct store *store = create();
	struct wire_status status = report("judge-1", "k");
	struct store_status read;

	(void)state;
	add_alone(store);
	add_alone(store);
	status.stats.value[STAT_SENT] = 5; /* two of them came */
	status.stats.value[STAT_RETRANSMITS] = 3;
	status.stats.value[STAT_KERNEL_FIRST + RULESET_HELD] = 9;
	add_report(store, &status);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_count(store, "commit", 2), 0);
	assert_int_equal(store_count(store, "commit", 1), 0);
	assert_int_equal(store_count(store, "bad-message", 1), 0);
	assert_int_equal(store_commit(store), 0);
	add_alone(store); /* after the report: changes neither side */
	read = status_of(store);
	assert_int_equal(read.recorded, 3);
	assert_int_equal(read.recorded_at_report, 2);
	assert_int_equal(read.seen, 9);
	assert_int_equal(read.retransmits, 3);
	assert_int_equal(read.lost, 4);
	assert_int_equal(read.lost_recorder, 3);
	assert_int_equal(read.lost_commit, 3);
	assert_int_equal(read.lost_bad_message, 1);
	store_free(store);
}

static void records_of_a_judge_that_died_hide_no_loss(void **state)
{
	struct store *store = create();
	struct wire_status status = report("judge-1", "k");

	(void)state;
	add_alone(store);
	status.stats.value[STAT_SENT] = 1;
	add_report(store, &status);
	add_alone(store); /* then the judge is killed: these are in no report */
	add_alone(store);
	store_free(store);
	store = create();
	add_alone(store); /* of the next run, which lost one of two */
	status = report("judge-2", "k");
	status.stats.value[STAT_SENT] = 2;
	add_report(store, &status);
	assert_int_equal(status_of(store).total[STAT_SENT], 5);
	assert_int_equal(status_of(store).lost_recorder, 1);
	store_free(store);
	/* a recorder that starts anew under the same judge: nothing is counted twice */
	store = create();
	add_alone(store);
	status.stats.value[STAT_SENT] = 3;
	add_report(store, &status);
	assert_int_equal(status_of(store).total[STAT_SENT], 6);
	assert_int_equal(status_of(store).lost_recorder, 1);
	store_free(store);
}

static void old_rows_and_offenders_are_removed_but_stay_counted(void **state)
{
	struct store *store = create();
	struct store_status status;
	uint64_t removed = 99;

	(void)state;
	add_alone(store);
	add_alone(store);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_set_evidence(store, 1, "a.pcapng", 0), 0);
	assert_int_equal(store_commit(store), 0);
	record.ts_ns = T0_NS + 50 * 86400 * NS_PER_S;
	record.uid = 34;
	add_alone(store);
	assert_int_equal(store_prune(store, T0_NS + 89 * 86400 * NS_PER_S, &removed), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(store_prune(store, T0_NS + 91 * 86400 * NS_PER_S, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 1);
	assert_int_equal(ask("SELECT count(*) FROM evidence"), 0);
	assert_int_equal(ask("SELECT count(*) FROM offender"), 1);
	assert_int_equal(ask("SELECT count(*) FROM destination"), 1);
	status = status_of(store);
	assert_int_equal(status.recorded, 3);
	assert_int_equal(status.pruned, 2);
	assert_int_equal(status.rows, 2);
	/* the removed offender comes back as a new one */
	record.uid = 33;
	record.ts_ns = T0_NS + 91 * 86400 * NS_PER_S;
	assert_true(add_alone(store).fresh);
	assert_int_equal(status_of(store).offenders, 2);
	store_free(store);
}

static void the_oldest_rows_go_above_the_size(void **state)
{
	struct store *store = create();
	uint64_t removed = 0;
	unsigned i;

	(void)state;
	config.rows_per_offender = 100000;
	config.store_bytes = 2 << 20;
	store_options(store, &config);
	memset(record.owner.cmdline, 'x', 4000);
	record.owner.cmdline_bytes = 4000;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 2000; i++) {
		fixture_dst(&record, 0x0a000000 + i);
		record.ts_ns = T0_NS + i * NS_PER_S / 100;
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	assert_int_equal(store_prune(store, T0_NS + 20 * NS_PER_S, &removed), 0);
	assert_true(removed >= 1000 && removed < 2000);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 2000 - removed);
	assert_int_equal(ask("SELECT min(first_ns) FROM verdict"),
			 T0_NS + (int64_t)removed * NS_PER_S / 100);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 2000 - removed);
	assert_int_equal(status_of(store).recorded, 2000);
	assert_int_equal(status_of(store).pruned, removed);
	/* a repeat of a removed row is a row again, not a count lost */
	fixture_dst(&record, 0x0a000000);
	assert_true(add_alone(store).fresh);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 2001 - removed);
	store_free(store);
}

static void destinations_go_when_no_row_is_left(void **state)
{
	struct store *store = create();
	struct seen *seen;
	uint64_t removed;
	unsigned i;

	(void)state;
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 3000; i++) {
		fixture_dst(&record, 0x0a000000 + i);
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	config.store_bytes = 1;
	store_options(store, &config);
	for (i = 0; i < 10; i++) /* each call does bounded work */
		assert_int_equal(store_prune(store, T0_NS, &removed), 0);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 0);
	assert_int_equal(ask("SELECT count(*) FROM destination"), 0);
	seen = offenders(store, (struct store_filter){ 0 });
	assert_int_equal(seen->offender.attempts, 3000);
	assert_int_equal(seen->offender.destinations, 3000);
	assert_true(seen->offender.destinations_capped);
	store_free(store);
}

/* As reckoned, and as they are. */
static void assert_offenders_fit(void)
{
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'address_bytes'"),
			 ask("SELECT 40 * ((SELECT count(*) FROM destination) +"
			     " (SELECT count(*) FROM network))"));
	assert_int_equal(ask("SELECT value FROM meta WHERE word = 'offender_bytes'"),
			 ask("SELECT sum(512 + 2 * length(program) + length(user) + length(unit) +"
			     " length(site) + length(script) + length(exe) +"
			     " 8192 * (length(program) > 900)) FROM offender"));
	assert_true(
		ask("SELECT sum(pgsize) FROM dbstat WHERE name IN ('offender',"
		    " 'sqlite_autoindex_offender_1', 'offender_last', 'destination', 'network')") <=
		(int64_t)config.store_bytes / 2);
}

static void long_names_take_no_rows_room(void **state)
{
	struct store *store;
	uint64_t removed = 0, total = 50;
	unsigned i, uid;
	sqlite3 *db;
	size_t len;

	(void)state;
	config.store_bytes = 4 << 20;
	config.rows_per_offender = 10;
	store = create();
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 50; i++) { /* what must stay */
		record.uid = 5000 + i;
		add(store);
	}
	for (uid = 1001; uid <= 1020; uid++) {
		record.uid = uid;
		for (i = 0; i < 1024; i++) {
			len = 3000 - i % 2900; /* long ones and short ones */
			memset(record.owner.script, 'n', 3000);
			snprintf(record.owner.script + len, 32, "/%u.php", i);
			record.ts_ns += 1000;
			add(store);
			total++;
		}
	}
	assert_int_equal(store_commit(store), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(store_prune(store, record.ts_ns, &removed), 0);
	assert_offenders_fit();
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), total);
	assert_int_equal(status_of(store).recorded, total);
	assert_int_equal(ask("SELECT count(*) FROM verdict WHERE uid >= 5000"), 50);
	/* whoever has no room for programs has one for all of them */
	assert_int_equal(ask("SELECT count(*) FROM offender WHERE uid BETWEEN 1001 AND 1020"
			     " AND many_programs"),
			 20);
	store_free(store);
	/* after a restart, also of a version that kept no such numbers */
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM meta WHERE word LIKE '%_bytes'", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	store = create();
	record.uid = 5;
	add_alone(store);
	assert_offenders_fit();
	store_free(store);
}

static void so_many_uids_that_no_program_has_room(void **state)
{
	struct store *store;
	unsigned i;

	(void)state;
	config.store_bytes = 1 << 20;
	config.rows_per_offender = 10;
	store = create();
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 3000; i++) {
		record.uid = 100000 + i;
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	assert_offenders_fit();
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 3000);
	assert_int_equal(ask("SELECT count(*) FROM offender WHERE uid = -2"), 1);
	store_free(store);
}

static void destinations_take_no_rows_room(void **state)
{
	struct store *store;
	struct seen *seen;
	uint64_t removed;
	unsigned i;

	(void)state;
	config.store_bytes = 1 << 20; /* room for some 4,900 of them */
	config.rows_per_offender = 10;
	store = create();
	assert_int_equal(store_begin(store), 0);
	for (i = 0; i < 20000; i++) {
		record.uid = 1000 + i / 4000;
		fixture_dst(&record, 0x0a000000 + i * 256);
		record.ts_ns += 1000;
		add(store);
	}
	assert_int_equal(store_commit(store), 0);
	assert_offenders_fit();
	for (i = 0; i < 10; i++)
		assert_int_equal(store_prune(store, record.ts_ns, &removed), 0);
	assert_true(ask("SELECT count(*) FROM verdict") > 40);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 20000);
	/* who comes now has some */
	record.uid = 7;
	add_alone(store);
	assert_offenders_fit();
	seen = offenders(store, (struct store_filter){ .has_uid = true, .uid = 7 });
	assert_int_equal(seen->offender.destinations, 1);
	assert_false(seen->offender.destinations_capped);
	store_free(store);
}

static void damage(const char *file, long at, const char *bytes, size_t len)
{
	int fd = open(file, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void a_reader_is_not_held_up_or_led_elsewhere(void **state)
{
	static const char *const files[] = { "egressd.db", "egressd.db-wal", "egressd.db-shm" };
	struct store *store = create(), *reader = NULL;
	unsigned i;

	add_alone(store);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rename(files[i], "away"), 0);
		assert_int_equal(mkfifo(files[i], 0666), 0);
		assert_int_equal(store_open_read(&reader, *state), -EINVAL);
		assert_int_equal(unlink(files[i]), 0);
		assert_int_equal(symlink("away", files[i]), 0);
		assert_int_equal(store_open_read(&reader, *state), -ELOOP);
		assert_null(reader);
		assert_int_equal(rename("away", files[i]), 0);
	}
	assert_int_equal(store_open_read(&reader, *state), 0);
	store_free(reader);
	store_free(store);
}

static void damaged_files_are_set_aside(void **state)
{
	struct store *store;
	struct stat st;
	char *what = NULL;
	char junk[4096];

	(void)state;
	memset(junk, 0x5a, sizeof(junk));
	store = create();
	add_alone(store);
	store_free(store);
	damage("egressd.db", 0, junk, 100);
	assert_int_equal(store_create(&store, &config, &what), 0);
	assert_non_null(what);
	assert_int_equal(strncmp(what, "egressd.db.corrupt-", 19), 0);
	assert_int_equal(stat(what, &st), 0);
	assert_int_equal(status_of(store).recorded, 0);
	add_alone(store);
	store_free(store);
	free(what);
	what = NULL;
	/* deeper: the header is whole, the tables are not */
	damage("egressd.db", 4096, junk, sizeof(junk));
	assert_int_equal(store_create(&store, &config, &what), 0);
	assert_non_null(what);
	add_alone(store);
	store_free(store);
	free(what);
}

static void another_programs_database_is_set_aside(void **state)
{
	struct store *store;
	char *what = NULL;
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "CREATE TABLE t(x); PRAGMA user_version = 1", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_create(&store, &config, &what), 0);
	assert_non_null(what);
	free(what);
	store_free(store);
}

static void damage_while_it_runs_begins_a_new_one(void **state)
{
	struct store *store = create();
	char *what = NULL, junk[4096 * 8];
	struct store_row row;
	int err = 0;
	sqlite3 *db;
	unsigned i;

	(void)state;
	for (i = 0; i < 50; i++) {
		record.uid = i;
		add_alone(store);
	}
	store_free(store);
	config.store_bytes = 1 << 20;
	store = create();
	/* another's write makes it read its pages again */
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO lost VALUES('x', 1)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	memset(junk, 0x5a, sizeof(junk));
	damage("egressd.db", 4096, junk, sizeof(junk));
	for (i = 0; i < 200 && !err; i++) {
		record.uid = 1000 + i;
		err = store_begin(store);
		if (!err)
			err = store_add(store, &record, NULL, &row);
		if (!err)
			err = store_commit(store);
	}
	assert_int_equal(err, -EUCLEAN);
	assert_int_equal(store_set_aside(&store, &config, &what), 0);
	assert_non_null(what);
	free(what);
	add_alone(store);
	assert_int_equal(status_of(store).recorded, 1);
	store_free(store);
}

static void a_newer_version_is_refused_untouched(void **state)
{
	struct store *store = create();
	sqlite3 *db;

	store_free(store);
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	store = NULL;
	assert_int_equal(store_create(&store, &config, NULL), -EPROTO);
	assert_int_equal(store_open_read(&store, *state), -EPROTO);
	assert_null(store);
	assert_int_equal(ask("PRAGMA user_version"), 3);
}

static void there_is_nothing_to_read_before_the_first_run(void **state)
{
	struct store *store = NULL;
	int fd;

	assert_int_equal(store_open_read(&store, *state), -ENOENT);
	fd = open("egressd.db", O_CREAT | O_WRONLY, 0640);
	close(fd);
	assert_int_equal(store_open_read(&store, *state), -ENOENT);
	assert_null(store);
}

/* A child as somebody who is only in the file's group. */
static int as_group_member(const char *dir, int (*run)(const char *dir))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgroups(0, NULL) || setgid(60001) || setuid(60002))
			_exit(99);
		_exit(run(dir));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int count_row(void *context, const struct store_verdict *verdict)
{
	(void)verdict;
	++*(int *)context;
	return 0;
}

static int read_count(const char *dir)
{
	struct store_filter all = { 0 };
	struct store *store = NULL;
	int n = 0, err = store_open_read(&store, dir);

	if (err)
		return 100 - err;
	err = store_verdicts(store, &all, count_row, &n);
	store_free(store);
	return err ? 100 : n;
}

static void give_to_group(const char *dir)
{
	assert_int_equal(chown(dir, 60003, 60001), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(chown("egressd.db", 60003, 60001), 0);
	assert_int_equal(chown("egressd.db-wal", 60003, 60001), 0);
	assert_int_equal(chown("egressd.db-shm", 60003, 60001), 0);
}

static void a_group_member_reads_with_and_without_the_recorder(void **state)
{
	struct store *store;
	struct stat st;

	if (geteuid() != 0)
		skip();
	store = create();
	add_alone(store);
	give_to_group(*state);
	assert_int_equal(stat("egressd.db", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(stat("egressd.db-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(as_group_member(*state, read_count), 1); /* it runs */
	record.uid = 34;
	add_alone(store);
	assert_int_equal(as_group_member(*state, read_count), 2);
	store_free(store);
	assert_int_equal(stat("egressd.db-wal", &st), 0);
	assert_int_equal(as_group_member(*state, read_count), 2); /* it ended */
	unlink("egressd.db-wal");
	unlink("egressd.db-shm");
	assert_int_equal(as_group_member(*state, read_count), 2); /* a copied file */
	assert_int_equal(read_count(*state), 2);
	assert_int_equal(chmod(*state, 0700), 0);
	assert_int_equal(as_group_member(*state, read_count), 100 + EACCES);
}

static void what_a_killed_recorder_left_is_read(void **state)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		struct store *store = NULL;
		struct store_row row;

		if (store_create(&store, &config, NULL) || store_begin(store) ||
		    store_add(store, &record, NULL, &row) || store_commit(store))
			_exit(1);
		record.uid = 34;
		if (store_begin(store) || store_add(store, &record, NULL, &row))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	give_to_group(*state);
	assert_int_equal(as_group_member(*state, read_count), 1);
	assert_int_equal(read_count(*state), 1);
}

static void a_reader_sees_whole_batches_while_it_is_written(void **state)
{
	struct store *store = create(), *reader;
	int status, go[2];
	unsigned i, n;
	pid_t pid;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		struct store_status seen;
		char c;

		close(go[1]);
		for (n = 0; read(go[0], &c, 1) == 1; n++) {
			if (store_open_read(&reader, *state) || store_status(reader, &seen))
				_exit(1);
			if (seen.recorded % 100)
				_exit(2);
			store_free(reader);
		}
		_exit(n == 50 ? 0 : 3);
	}
	close(go[0]);
	for (i = 0; i < 50; i++) {
		assert_int_equal(store_begin(store), 0);
		for (n = 0; n < 100; n++) {
			fixture_dst(&record, i * 100 + n);
			add(store);
			if (n == 50)
				assert_int_equal(write(go[1], "x", 1), 1);
		}
		assert_int_equal(store_commit(store), 0);
	}
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_free(store);
}

static void it_opens_where_its_folder_has_no_way_to_it(void **state)
{
	char *dir;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(*state, 0700), 0);
	assert_true(asprintf(&dir, "%s/state", (char *)*state) > 0);
	assert_int_equal(mkdir("state", 0750), 0);
	assert_int_equal(chown("state", 60003, 60003), 0);
	pid = fork();
	if (pid == 0) {
		struct store *store = NULL;
		struct store_row row;

		if (chdir("state") || setgroups(0, NULL) || setgid(60003) || setuid(60003))
			_exit(99);
		if (access(dir, X_OK) == 0)
			_exit(98);
		if (store_create(&store, &config, NULL) || store_begin(store) ||
		    store_add(store, &record, NULL, &row) || store_commit(store))
			_exit(1);
		store_free(store);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read_count(dir), 1);
	free(dir);
}

static void a_file_that_may_not_grow_loses_only_the_batch(void **state)
{
	struct rlimit old, limit;
	struct store *store = create();
	struct store_row row;
	int64_t kept = 0;
	unsigned i;
	int err = 0;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 200000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (i = 0; i < 1000 && !err; i++) {
		fixture_dst(&record, i);
		err = store_begin(store);
		if (!err)
			err = store_add(store, &record, NULL, &row);
		if (err)
			store_rollback(store);
		else
			err = store_commit(store);
		if (!err)
			kept++;
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(err == -EFBIG || err == -ENOSPC || err == -EIO);
	assert_true(kept > 0);
	add_alone(store);
	assert_int_equal(status_of(store).recorded, kept + 1);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), kept + 1);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), kept + 1);
	store_free(store);
}

static void a_full_disk_says_so_and_recovers(void **state)
{
	struct store *store = NULL;
	struct store_row row;
	int64_t kept = 0;
	int fd, err = 0;
	unsigned i;
	char *big;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir("disk", 0700), 0);
	if (mount("tmpfs", "disk", "tmpfs", 0, "size=1m") < 0)
		skip();
	assert_int_equal(chdir("disk"), 0);
	store = create();
	add_alone(store);
	kept++;
	fd = open("ballast", O_WRONLY | O_CREAT, 0600);
	big = calloc(1, 1 << 20);
	while (write(fd, big, 4096) == 4096)
		;
	for (i = 0; i < 100 && !err; i++) {
		fixture_dst(&record, i);
		err = store_begin(store);
		if (!err)
			err = store_add(store, &record, NULL, &row);
		if (err)
			store_rollback(store);
		else
			err = store_commit(store);
		kept += !err;
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(ftruncate(fd, 0), 0);
	add_alone(store);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), kept + 1);
	store_free(store);
	close(fd);
	free(big);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(umount("disk"), 0);
}

static void a_reader_that_never_ends_does_not_fill_the_disk(void **state)
{
	struct store *store;
	int64_t kept = 0;
	unsigned i = 0, k;
	struct stat st;
	int err = 0;
	sqlite3 *db;

	(void)state;
	config.rows_per_offender = 1000000;
	config.store_bytes = 1;
	store = create();
	memset(record.owner.cmdline, 'x', sizeof(record.owner.cmdline));
	record.owner.cmdline_bytes = sizeof(record.owner.cmdline);
	memset(record.owner.cwd, 'y', sizeof(record.owner.cwd) - 1);
	add_alone(store);
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM verdict", NULL, NULL, NULL),
			 SQLITE_OK);
	while (!err && i < 20000) {
		for (err = store_begin(store), k = 0; !err && k < 500; k++) {
			fixture_dst(&record, ++i);
			add(store);
		}
		if (!err && (err = store_commit(store)) == 0)
			kept += 500;
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(stat("egressd.db-wal", &st), 0);
	assert_true(st.st_size > 64 << 20 && st.st_size < 80 << 20);
	sqlite3_close(db);
	add_alone(store);
	assert_int_equal(stat("egressd.db-wal", &st), 0);
	assert_true(st.st_size < 1 << 20);
	assert_int_equal(status_of(store).recorded, kept + 2);
	store_free(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(record_comes_back_whole),
		TEST(hostile_texts_come_back_byte_for_byte),
		TEST(a_record_of_nothing_known_is_kept),
		TEST(a_time_out_of_range_changes_nothing),
		TEST(repeats_fold_until_the_window_ends),
		TEST(a_late_record_folds_and_moves_the_start),
		TEST(what_differs_does_not_fold),
		TEST(records_that_are_alike_go_to_one_row),
		TEST(a_repeat_counts_as_a_record_would),
		TEST(a_repeat_finds_a_row_that_memory_has_no_more_but_none_that_is_gone),
		TEST(a_foreign_holders_program_is_nobody_elses),
		TEST(a_flood_makes_bounded_rows_and_exact_totals),
		TEST(exactly_4096_destinations_are_not_capped),
		TEST(networks_are_24_and_48_bits),
		TEST(programs_of_one_uid_are_bounded),
		TEST(offenders_in_all_are_bounded),
		TEST(allowed_records_have_no_offender_but_bounded_rows),
		TEST(a_batch_that_is_rolled_back_leaves_nothing),
		TEST(offender_names_come_late_and_ports_ascend),
		TEST(filters_take_whole_rows_of_that_time),
		TEST(offenders_are_ranked_as_asked),
		TEST(the_site_an_offender_works_in_is_told_while_all_attempts_agree),
		TEST(an_offender_names_its_newest_row_while_one_is_kept),
		TEST(a_note_goes_to_its_row_and_its_offender),
		TEST(a_later_note_replaces_its_parts_only_and_counts_once),
		TEST(what_was_learnt_of_a_repeat_is_its_offenders_and_not_the_rows),
		TEST(an_offender_has_its_latest_site_and_keeps_one_when_none_is_known),
		TEST(a_foreign_holders_note_is_not_its_offenders),
		TEST(triggers_of_an_offender_are_bounded_and_the_frequent_one_stays),
		TEST(triggers_of_all_are_bounded_and_those_of_the_oldest_go),
		TEST(notes_go_with_their_rows_and_triggers_with_their_offenders),
		TEST(hostile_notes_come_back_byte_for_byte),
		TEST(a_store_of_version_1_is_upgraded_and_keeps_its_rows),
		TEST(who_called_connect_and_who_poses_come_back),
		TEST(a_file_of_evidence_is_dropped_from_its_rows),
		TEST(counters_add_up_over_epochs),
		TEST(what_went_with_a_table_is_counted_apart),
		TEST(a_table_that_could_not_be_read_once_is_the_same),
		TEST(a_counter_never_runs_over),
		TEST(what_the_recorder_lost_is_told),
		TEST(records_of_a_judge_that_died_hide_no_loss),
		TEST(old_rows_and_offenders_are_removed_but_stay_counted),
		TEST(the_oldest_rows_go_above_the_size),
		TEST(destinations_go_when_no_row_is_left),
		TEST(long_names_take_no_rows_room),
		TEST(so_many_uids_that_no_program_has_room),
		TEST(destinations_take_no_rows_room),
		TEST(a_reader_is_not_held_up_or_led_elsewhere),
		TEST(damaged_files_are_set_aside),
		TEST(another_programs_database_is_set_aside),
		TEST(damage_while_it_runs_begins_a_new_one),
		TEST(a_newer_version_is_refused_untouched),
		TEST(there_is_nothing_to_read_before_the_first_run),
		TEST(a_group_member_reads_with_and_without_the_recorder),
		TEST(what_a_killed_recorder_left_is_read),
		TEST(a_reader_sees_whole_batches_while_it_is_written),
		TEST(it_opens_where_its_folder_has_no_way_to_it),
		TEST(a_file_that_may_not_grow_loses_only_the_batch),
		TEST(a_reader_that_never_ends_does_not_fill_the_disk),
		TEST(a_full_disk_says_so_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
