/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which row's packet lies where; the packets themselves are evidence.c's. */
#include "store_internal.h"

#include <errno.h>

int store_set_evidence(struct store *store, int64_t id, const char *file, uint64_t offset)
{
	sqlite3_stmt *statement = store_statement(store, SQL_FILE_UPSERT);
	int64_t file_id = 0;
	int got;

	sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, id);
	got = store_step(store, statement);
	if (got > 0)
		file_id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (got <= 0)
		return got < 0 ? got : -EUCLEAN;
	statement = store_statement(store, SQL_EVIDENCE_INSERT);
	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, file_id);
	sqlite3_bind_int64(statement, 3, (int64_t)offset);
	return store_run(store, statement);
}

int store_evidence_last(struct store *store, const char *file, uint64_t *offset)
{
	static const char sql[] =
		"SELECT e.offset FROM evidence_file f JOIN evidence e"
		" ON e.id BETWEEN f.first_verdict AND f.last_verdict"
		" AND e.file = f.id WHERE f.name = ? ORDER BY e.offset DESC LIMIT 1";
	sqlite3_stmt *statement = NULL;
	int got;

	sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
	sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
	got = store_step(store, statement);
	if (got > 0)
		*offset = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return got;
}

int store_drop_evidence(struct store *store, const char *file)
{
	sqlite3_stmt *statement = store_statement(store, SQL_FILE_FIND);
	int64_t file_id = 0, first = 0, last = 0;
	int got;

	sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
	got = store_step(store, statement);
	if (got > 0) {
		file_id = sqlite3_column_int64(statement, 0);
		first = sqlite3_column_int64(statement, 1);
		last = sqlite3_column_int64(statement, 2);
	}
	sqlite3_reset(statement);
	if (got <= 0)
		return got;
	/* a file's rows have neighbouring ids, so this needs no index of its own */
	statement = store_statement(store, SQL_EVIDENCE_DROP);
	sqlite3_bind_int64(statement, 1, file_id);
	sqlite3_bind_int64(statement, 2, first);
	sqlite3_bind_int64(statement, 3, last);
	got = store_run(store, statement);
	if (got)
		return got;
	statement = store_statement(store, SQL_FILE_DELETE);
	sqlite3_bind_int64(statement, 1, file_id);
	return store_run(store, statement);
}

int store_evidence_files(struct store *store, int (*each)(void *context, const char *file),
			 void *context)
{
	sqlite3_stmt *statement = NULL;
	int got, result = 0;

	sqlite3_prepare_v2(store->db, "SELECT name FROM evidence_file ORDER BY id", -1, &statement,
			   NULL);
	while (result == 0 && (got = store_step(store, statement)) != 0)
		result = got < 0 ? got
				 : each(context, (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return result;
}

void store_set_evidence_bytes(struct store *store, uint64_t bytes)
{
	store->meta[META_EVIDENCE_BYTES] = (int64_t)bytes;
}
