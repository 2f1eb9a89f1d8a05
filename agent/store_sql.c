/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's way to SQLite: statements that are prepared once, and what its errors mean. */
#include "store_internal.h"

#include <errno.h>

int store_errno(struct store *store, int code)
{
	int err = store->db ? sqlite3_system_errno(store->db) : 0;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return err ? -err : -EIO;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err ? -err : -EACCES;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR: /* our SQL is right: a table is not as we made it */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

const char *store_error(const struct store *store)
{
	return store && store->db ? sqlite3_errmsg(store->db) : "out of memory";
}

sqlite3_stmt *store_statement(struct store *store, enum store_statement id)
{
	if (!store->statements[id])
		sqlite3_prepare_v3(store->db, store_sql[id], -1, SQLITE_PREPARE_PERSISTENT,
				   &store->statements[id], NULL);
	return store->statements[id];
}

int store_step(struct store *store, sqlite3_stmt *statement)
{
	int code = statement ? sqlite3_step(statement) : sqlite3_errcode(store->db);

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : store_errno(store, code ? code : SQLITE_ERROR);
}

int store_run(struct store *store, sqlite3_stmt *statement)
{
	int got;

	do
		got = store_step(store, statement);
	while (got > 0);
	sqlite3_reset(statement);
	return got;
}

int store_mark_dirty(struct store_dirty *dirty, void *value)
{
	if (dirty->n == dirty->max)
		return -ENOBUFS;
	dirty->values[dirty->n++] = value;
	return 0;
}
