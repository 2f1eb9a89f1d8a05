/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the store, begins and ends its transactions; what is in them is the other files' work. */
#include "clock.h"
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID	    1701278308 /* as in store_schema[] */
#define BUSY_MS		    5000
#define CHECKPOINT_PAGES    1000	  /* SQLite's own default */
#define WAL_KEPT_BYTES	    (16LL << 20)  /* the WAL is cut to this when it starts over */
#define WAL_LEAST_BYTES	    (64ULL << 20) /* a reader may hold back at least this much of it */
#define CHECKED_WHOLE_BYTES (64 << 20)	  /* a larger file would hold up the start for seconds */
#define FOLDS_MAX	    65536
#define OFFENDERS_CACHED    4096
#define METERS_MAX	    32768

static int dirty_new(struct store_dirty *dirty, uint32_t max)
{
	dirty->max = max;
	dirty->values = calloc(max, sizeof(*dirty->values));
	return dirty->values ? 0 : -ENOMEM;
}

/* Checkpoints as SQLite's own hook does, and keeps the WAL's length in view. */
static int wal_grew(void *context, sqlite3 *db, const char *name, int pages)
{
	struct store *store = context;

	store->wal_pages = (uint32_t)pages;
	/* The commit is safe in the WAL already: a checkpoint that fails is tried again. */
	if (pages >= CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static int execute(struct store *store, const char *sql)
{
	return store_errno(store, sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

static int quick_check(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	struct stat st;
	int got, err;

	if (stat(STORE_FILE, &st) < 0)
		return -errno;
	if (st.st_size > CHECKED_WHOLE_BYTES)
		return 0;
	sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	got = store_step(store, statement);
	err = got < 0 ? got : 0;
	if (got > 0 && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
		err = -EUCLEAN;
	sqlite3_finalize(statement);
	return err;
}

/* 0: ours, or empty (*fresh); -EPROTO: a newer version's; -EUCLEAN: to be set aside. */
static int inspect(struct store *store, bool *fresh, int64_t *version_kept)
{
	int64_t version = 0, application = 0, tables = 0;
	int err;

	err = store_pragma(store, "user_version", &version);
	if (!err)
		err = store_pragma(store, "application_id", &application);
	/* schema_version is 0 in a file without any content only */
	if (!err)
		err = store_pragma(store, "schema_version", &tables);
	if (err)
		return err;
	*fresh = version == 0 && tables == 0;
	if (*fresh)
		return 0;
	if (application != APPLICATION_ID || version < 1)
		return -EUCLEAN;
	if (version > STORE_VERSION)
		return -EPROTO;
	*version_kept = version;
	return quick_check(store);
}

/* From the version the file has to ours, whole or not at all. */
static int upgrade(struct store *store, int64_t version)
{
	int64_t from = version;
	int err;

	if (version == STORE_VERSION)
		return 0;
	err = execute(store, "BEGIN IMMEDIATE");
	for (; version < STORE_VERSION && !err; version++)
		err = execute(store, store_upgrades[version]);
	if (!err)
		err = execute(store, "COMMIT");
	if (err)
		execute(store, "ROLLBACK");
	else
		store->upgraded_from = from;
	return err;
}

int64_t store_upgraded_from(const struct store *store)
{
	return store->upgraded_from;
}

/* For a store of a version that did not keep these numbers. */
static int reckon_offenders(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	int got;

	sqlite3_prepare_v2(store->db, store_sql_reckon, -1, &statement, NULL);
	got = store_step(store, statement);
	if (got > 0) {
		store->meta[META_OFFENDER_BYTES] = sqlite3_column_int64(statement, 0);
		store->meta[META_ADDRESS_BYTES] = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	return got < 0 ? got : 0;
}

static int load_meta(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	const char *word;
	int got, i;

	store->meta[META_NEXT_ID] = 1;
	store->meta[META_OFFENDER_BYTES] = -1;
	sqlite3_prepare_v2(store->db, "SELECT word, value FROM meta", -1, &statement, NULL);
	while ((got = store_step(store, statement)) > 0) {
		word = (const char *)sqlite3_column_text(statement, 0);
		for (i = 0; word && i < META_N; i++)
			if (strcmp(word, store_meta_words[i]) == 0)
				store->meta[i] = sqlite3_column_int64(statement, 1);
	}
	sqlite3_finalize(statement);
	if (got < 0)
		return got;
	memcpy(store->meta_kept, store->meta, sizeof(store->meta));
	store->recorded_at_open = store->meta[META_RECORDED];
	got = store->meta[META_OFFENDER_BYTES] < 0 ? reckon_offenders(store) : 0;
	if (got)
		return got;

	statement = NULL;
	sqlite3_prepare_v2(store->db, "SELECT count(*) FROM offender", -1, &statement, NULL);
	got = store_step(store, statement);
	if (got > 0)
		store->n_offenders = store->n_offenders_kept = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return got < 0 ? got : 0;
}

static int open_for_writing(struct store *store)
{
	char pragma[96];
	int64_t version = STORE_VERSION;
	int persist = 1, err;
	bool fresh;
	const char *vfs;

	err = store_file_make();
	if (!err)
		err = store_vfs(&vfs);
	if (err)
		return err;
	err = store_errno(store, sqlite3_open_v2(STORE_FILE, &store->db,
						 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
							 SQLITE_OPEN_PRIVATECACHE,
						 vfs));
	if (err)
		return err;
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	err = execute(store, "PRAGMA temp_store = MEMORY");
	if (!err)
		err = inspect(store, &fresh, &version);
	snprintf(pragma, sizeof(pragma), "PRAGMA journal_size_limit = %lld", WAL_KEPT_BYTES);
	if (!err)
		err = execute(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				     "PRAGMA cache_size = -16384");
	if (!err)
		err = execute(store, pragma);
	sqlite3_wal_hook(store->db, wal_grew, store);
	if (!err && fresh) {
		err = execute(store, "BEGIN IMMEDIATE");
		if (!err)
			err = execute(store, store_schema);
		if (!err)
			err = execute(store, "COMMIT");
	}
	if (!err && !fresh)
		err = upgrade(store, version);
	if (!err)
		err = load_meta(store);
	return err;
}

static void close_database(struct store *store)
{
	int i;

	for (i = 0; i < SQL_N; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

static int make_tables(struct store *store)
{
	if (getrandom(store->key, sizeof(store->key), 0) != sizeof(store->key))
		return -EIO;
	store->folds = lru_new(FOLDS_MAX, sizeof(struct store_fold), store_fold_evicted, store);
	store->meters = lru_new(METERS_MAX, sizeof(struct store_meter), NULL, NULL);
	store->offenders = lru_new(OFFENDERS_CACHED, sizeof(struct store_offender_entry),
				   store_offender_evicted, store);
	store->programs = lru_new(OFFENDERS_CACHED, sizeof(struct store_programs), NULL, NULL);
	if (!store->folds || !store->meters || !store->offenders || !store->programs)
		return -ENOMEM;
	if (dirty_new(&store->dirty_folds, FOLDS_MAX) ||
	    dirty_new(&store->dirty_offenders, OFFENDERS_CACHED))
		return -ENOMEM;
	return 0;
}

int store_create(struct store **store, const struct config *config, char **what)
{
	struct store *made = calloc(1, sizeof(*made));
	char *aside = NULL;
	int err;

	if (!made)
		return -ENOMEM;
	store_options(made, config);
	err = make_tables(made);
	if (!err)
		err = open_for_writing(made);
	if (err == -EUCLEAN) {
		close_database(made);
		err = store_file_set_aside(&aside);
		if (!err)
			err = open_for_writing(made);
	}
	if (err) {
		store_free(made);
		free(aside);
		return err;
	}
	if (what)
		*what = aside;
	else
		free(aside);
	*store = made;
	return 0;
}

int store_set_aside(struct store **store, const struct config *config, char **what)
{
	int err;

	store_free(*store);
	*store = NULL;
	err = store_file_set_aside(what);
	return err ? err : store_create(store, config, NULL);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	if (store->in_transaction)
		store_rollback(store);
	close_database(store);
	lru_free(store->folds);
	lru_free(store->meters);
	lru_free(store->offenders);
	lru_free(store->programs);
	free(store->dirty_folds.values);
	free(store->dirty_offenders.values);
	free(store);
}

void store_options(struct store *store, const struct config *config)
{
	store->fold_ns = config->fold_s * 1000000000LL;
	store->rows_per_offender = config->rows_per_offender;
	store->keep_ns = config->keep_days * 86400LL * 1000000000LL;
	store->store_bytes = config->store_bytes;
}

/* A reader that does not end holds back every checkpoint; the disk must not fill for it. */
static int wal_within_bounds(struct store *store)
{
	uint64_t most = store->store_bytes > WAL_LEAST_BYTES ? store->store_bytes : WAL_LEAST_BYTES;
	int code;

	if (store->wal_pages * 4096ULL <= most)
		return 0;
	sqlite3_busy_timeout(store->db, 0);
	code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	if (code != SQLITE_OK)
		return -ENOSPC;
	store->wal_pages = 0;
	return 0;
}

int store_begin(struct store *store)
{
	int err = wal_within_bounds(store);

	if (!err)
		err = store_run(store, store_statement(store, SQL_BEGIN));
	if (err)
		return err;
	store->in_transaction = true;
	store->flush_error = 0;
	if (store->meta[META_FOLD_NS] < store->fold_ns + STORE_AGAIN_NS)
		store->meta[META_FOLD_NS] = store->fold_ns + STORE_AGAIN_NS;
	return 0;
}

static int flush_meta(struct store *store)
{
	sqlite3_stmt *statement = store_statement(store, SQL_META_SET);
	int i, err = 0;

	for (i = 0; i < META_N && !err; i++) {
		if (store->meta[i] == store->meta_kept[i])
			continue;
		sqlite3_bind_text(statement, 1, store_meta_words[i], -1, SQLITE_STATIC);
		sqlite3_bind_int64(statement, 2, store->meta[i]);
		err = store_run(store, statement);
	}
	return err;
}

int store_commit(struct store *store)
{
	int err = store->flush_error;

	store->meta[META_LAST_COMMIT_NS] = clock_ns(CLOCK_REALTIME);
	if (!err)
		err = store_flush_folds(store);
	if (!err)
		err = store_flush_offenders(store);
	if (!err)
		err = flush_meta(store);
	if (!err)
		err = store_run(store, store_statement(store, SQL_COMMIT));
	if (err) {
		store_rollback(store);
		return err;
	}
	memcpy(store->meta_kept, store->meta, sizeof(store->meta));
	store->n_offenders_kept = store->n_offenders;
	store->in_transaction = false;
	return 0;
}

int store_end_unchanged(struct store *store)
{
	store->in_transaction = false;
	return store_run(store, store_statement(store, SQL_ROLLBACK));
}

/* What is in memory may say more than the file now: it is read again when it is needed. An id
 * that was given out is not given again: evidence may carry it. */
void store_rollback(struct store *store)
{
	int64_t next_id = store->meta[META_NEXT_ID];

	if (!sqlite3_get_autocommit(store->db))
		store_run(store, store_statement(store, SQL_ROLLBACK));
	store->in_transaction = false;
	memcpy(store->meta, store->meta_kept, sizeof(store->meta));
	store->meta[META_NEXT_ID] = next_id;
	store->n_offenders = store->n_offenders_kept;
	store->dirty_folds.n = store->dirty_offenders.n = 0;
	lru_clear(store->folds);
	lru_clear(store->offenders);
	lru_clear(store->programs);
}
