/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removes what is too old, and the oldest of what is too much; in steps that hold nobody up. */
#include "store_internal.h"

#include <errno.h>

#define ROWS_A_STEP  500
#define STEPS_A_CALL 40
#define LARGE_ROW_BYTES                                                                            \
	32768 /* with its note. So many rows at least are worth an excess: never one too many */
#define OFFENDERS_A_STEP 20

static uint64_t store_used_bytes(struct store *store)
{
	int64_t pages = 0, unused = 0, page_bytes = 0;

	/* The file does not shrink; its free pages are used again. */
	if (store_pragma(store, "page_count", &pages) ||
	    store_pragma(store, "freelist_count", &unused) ||
	    store_pragma(store, "page_size", &page_bytes))
		return 0;
	return (uint64_t)((pages - unused) * page_bytes);
}

static int run_for(struct store *store, enum store_statement id, int64_t key)
{
	sqlite3_stmt *statement = store_statement(store, id);

	sqlite3_bind_int64(statement, 1, key);
	return store_run(store, statement);
}

/* Runs a DELETE of rows that returns them; *rows of them, *last_ns the youngest. */
static int delete_rows(struct store *store, sqlite3_stmt *statement, uint64_t *rows,
		       int64_t *last_ns)
{
	int got, err = 0;

	while (!err && (got = store_step(store, statement)) != 0) {
		if (got < 0) {
			err = got;
			break;
		}
		err = run_for(store, SQL_EVIDENCE_DELETE, sqlite3_column_int64(statement, 0));
		if (!err)
			err = run_for(store, SQL_NOTE_DELETE, sqlite3_column_int64(statement, 0));
		store->meta[META_PRUNED] += sqlite3_column_int64(statement, 1);
		if (sqlite3_column_int64(statement, 2) > *last_ns)
			*last_ns = sqlite3_column_int64(statement, 2);
		++*rows;
	}
	sqlite3_reset(statement);
	return err;
}

static int forget_addresses(struct store *store, enum store_statement id, int64_t offender)
{
	int err = run_for(store, id, offender);

	if (!err)
		store->meta[META_ADDRESS_BYTES] -=
			STORE_ADDRESS_COST * (int64_t)sqlite3_changes(store->db);
	return err;
}

static int forget_destinations(struct store *store, int64_t offender)
{
	int err = forget_addresses(store, SQL_DESTINATION_DELETE, offender);

	return err ? err : forget_addresses(store, SQL_NETWORK_DELETE, offender);
}

/* Offenders not seen since `before`, with all that is known of them. */
static int delete_offenders(struct store *store, int64_t before, unsigned *n)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_PRUNE);
	int64_t ids[OFFENDERS_A_STEP];
	unsigned i, found = 0;
	int got, err = 0;

	sqlite3_bind_int64(statement, 1, before);
	sqlite3_bind_int64(statement, 2, OFFENDERS_A_STEP);
	while ((got = store_step(store, statement)) > 0) {
		ids[found++] = sqlite3_column_int64(statement, 0);
		store->meta[META_OFFENDER_BYTES] -= sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	for (i = 0; i < found && !err; i++)
		err = forget_destinations(store, ids[i]);
	for (i = 0; i < found && !err; i++)
		err = store_forget_triggers(store, ids[i]);
	store->n_offenders -= found;
	*n = found;
	return got < 0 ? got : err;
}

/* The destinations of those not seen for longest: their numbers stay, as lower bounds. */
static int cap_offenders(struct store *store, unsigned *n)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_OLDEST);
	int64_t ids[OFFENDERS_A_STEP];
	unsigned i, found = 0;
	int got, err = 0;

	sqlite3_bind_int64(statement, 1, OFFENDERS_A_STEP);
	while ((got = store_step(store, statement)) > 0)
		ids[found++] = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	for (i = 0; i < found && !err; i++) {
		err = forget_destinations(store, ids[i]);
		if (!err)
			err = run_for(store, SQL_OFFENDER_CAP, ids[i]);
	}
	*n = found;
	return got < 0 ? got : err;
}

/* The triggers of those not seen for longest: how many there were stays. */
static int forget_triggers(struct store *store, unsigned *n)
{
	sqlite3_stmt *statement = store_statement(store, SQL_TRIGGER_OLDEST);
	int64_t ids[OFFENDERS_A_STEP];
	unsigned i, found = 0;
	int got, err = 0;

	sqlite3_bind_int64(statement, 1, OFFENDERS_A_STEP);
	while ((got = store_step(store, statement)) > 0)
		ids[found++] = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	for (i = 0; i < found && !err; i++)
		err = store_forget_triggers(store, ids[i]);
	*n = found;
	return got < 0 ? got : err;
}

/* How many of the oldest rows have to go in this step; 0: the store is small enough. */
static int64_t rows_in_excess(struct store *store)
{
	uint64_t used = store_used_bytes(store), rows;

	if (used <= store->store_bytes)
		return 0;
	rows = (used - store->store_bytes) / LARGE_ROW_BYTES + 1;
	return rows < ROWS_A_STEP ? (int64_t)rows : ROWS_A_STEP;
}

static int prune_step(struct store *store, int64_t before, uint64_t *rows, int64_t *last_ns)
{
	sqlite3_stmt *statement;
	unsigned offenders = 0;
	uint64_t found = 0;
	int64_t excess;
	int err = 0;

	if (store->keep_ns > 0) {
		statement = store_statement(store, SQL_PRUNE_OLD);
		sqlite3_bind_int64(statement, 1, before);
		sqlite3_bind_int64(statement, 2, ROWS_A_STEP);
		err = delete_rows(store, statement, &found, last_ns);
		if (!err && found == 0)
			err = delete_offenders(store, before, &offenders);
	}
	/* before there is no room left: who comes then would have no destinations at all */
	if (!err && store->meta[META_ADDRESS_BYTES] > STORE_ADDRESSES_BYTES(store) / 6 * 5)
		err = cap_offenders(store, &offenders);
	if (!err && offenders == 0 &&
	    store->meta[META_TRIGGER_BYTES] > STORE_TRIGGERS_BYTES(store) / 6 * 5)
		err = forget_triggers(store, &offenders);
	excess = !err && found + offenders == 0 ? rows_in_excess(store) : 0;
	if (excess > 0) {
		statement = store_statement(store, SQL_PRUNE_OLDEST);
		sqlite3_bind_int64(statement, 2, excess);
		err = delete_rows(store, statement, &found, last_ns);
		if (!err && found == 0)
			err = cap_offenders(store, &offenders);
	}
	*rows += found;
	return err ? err : found + offenders > 0;
}

/* What is remembered of rows and offenders may be gone now. */
static void forget_removed(struct store *store, int64_t now_ns, int64_t last_ns)
{
	lru_clear(store->offenders);
	lru_clear(store->programs);
	if (last_ns > now_ns - store->fold_ns)
		lru_clear(store->folds);
}

int store_prune(struct store *store, int64_t now_ns, uint64_t *removed)
{
	int64_t last_ns = INT64_MIN;
	uint64_t rows = 0;
	int step, more = 1, err = 0;

	for (step = 0; step < STEPS_A_CALL && more > 0 && !err; step++) {
		err = store_begin(store);
		if (err)
			return err;
		more = prune_step(store, now_ns - store->keep_ns, &rows, &last_ns);
		if (more < 0)
			err = more;
		if (more > 0)
			err = store_commit(store);
		else if (more < 0)
			store_rollback(store);
		else
			err = store_end_unchanged(store);
		if (more > 0)
			forget_removed(store, now_ns, last_ns);
	}
	if (err)
		return err;
	*removed = rows;
	return 0;
}
