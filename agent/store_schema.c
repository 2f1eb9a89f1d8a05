/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's tables and statements as SQL; it runs none of it. */
#include "store_internal.h"

#include <assert.h>

const char *const store_meta_words[META_N] = {
	[META_NEXT_ID] = "next_id",
	[META_ROWS] = "rows",
	[META_RECORDED] = "recorded",
	[META_PRUNED] = "pruned",
	[META_LAST_RECORD_NS] = "last_record_ns",
	[META_LAST_COMMIT_NS] = "last_commit_ns",
	[META_FOLD_NS] = "fold_ns",
	[META_EVIDENCE_BYTES] = "evidence_bytes",
	[META_RECORDED_AT_REPORT] = "recorded_at_report",
	[META_UNSEEN] = "unseen",
	[META_OFFENDER_BYTES] = "offender_bytes",
	[META_ADDRESS_BYTES] = "address_bytes",
	[META_TRIGGER_BYTES] = "trigger_bytes",
};
static_assert(META_N == 13, "store_meta_words[] names every store_meta");

#define TEXT(number)   #number
#define NUMBER(number) TEXT(number)
/* clang-format off */
#define OFFENDER_COST \
	"(" NUMBER(STORE_OFFENDER_COST) " + 2 * length(program) + length(user) + length(unit)" \
	" + length(site) + length(script) + length(exe) + length(account) + length(vhost)" \
	" + length(vhost_root) + length(site_source) + CASE WHEN length(program) > " \
	NUMBER(STORE_LONG_PROGRAM) " THEN " NUMBER(STORE_LONG_COST) " ELSE 0 END)"
#define TRIGGER_COST \
	"(" NUMBER(STORE_TRIGGER_COST) " + 2 * (length(method) + length(uri) + length(client)))"

/* What version 2 has beside version 1's. NULL in a note: that part was not noted. An offender's
 * site is the last that was noted; its triggers counts all that were, trigger_group those of the
 * groups that are kept. */
#define OFFENDER_NOTED(column) \
	column("site_from", "TEXT NOT NULL DEFAULT 'none'") \
	column("account", "BLOB NOT NULL DEFAULT x''") \
	column("vhost", "BLOB NOT NULL DEFAULT x''") \
	column("vhost_root", "BLOB NOT NULL DEFAULT x''") \
	column("site_source", "BLOB NOT NULL DEFAULT x''") \
	column("triggers", "INTEGER NOT NULL DEFAULT 0")
#define NOTE_TABLES \
	"CREATE TABLE note(id INTEGER PRIMARY KEY, ts_ns INTEGER NOT NULL," \
	" site_from TEXT, account BLOB, vhost BLOB, root BLOB, source BLOB," \
	" match TEXT, n INTEGER, method BLOB, uri BLOB, client BLOB, asked_vhost BLOB," \
	" status INTEGER, asked_ns INTEGER, log BLOB," \
	" object_why TEXT, sha256 BLOB, bytes INTEGER, copied INTEGER) STRICT;" \
	"CREATE TABLE trigger_group(id INTEGER PRIMARY KEY AUTOINCREMENT," \
	" offender INTEGER NOT NULL, method BLOB NOT NULL, uri BLOB NOT NULL," \
	" client BLOB NOT NULL, match TEXT NOT NULL, n INTEGER NOT NULL," \
	" status INTEGER NOT NULL, count INTEGER NOT NULL, last_ns INTEGER NOT NULL," \
	" UNIQUE(offender, method, uri, client)) STRICT;"
#define OFFENDER_COLUMN(name, type) ", " name " " type
#define OFFENDER_ADD(name, type) "ALTER TABLE offender ADD COLUMN " name " " type ";"
#define VERSION "PRAGMA user_version = " NUMBER(STORE_VERSION) ";"
/* clang-format on */

#define COLUMN_CREATE(word, name, type) ", " name " " type
#define COLUMN_NAME(word, name, type)	", " name
#define COLUMN_MARK(word, name, type)	", ?"

/* application_id: "egrd". The version is written last: a file without it is not finished. */
const char store_schema[] = "CREATE TABLE verdict(id INTEGER PRIMARY KEY" STORE_COLUMNS(
	COLUMN_CREATE) ") STRICT;"
		       "CREATE INDEX verdict_first ON verdict(first_ns);"
		       "CREATE INDEX verdict_offender ON verdict(offender);"
		       "CREATE TABLE offender(id INTEGER PRIMARY KEY, uid INTEGER NOT NULL,"
		       " many_programs INTEGER NOT NULL, program BLOB NOT NULL, attempts INTEGER "
		       "NOT NULL,"
		       " destinations INTEGER NOT NULL, networks INTEGER NOT NULL,"
		       " destinations_capped INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
		       " last_ns INTEGER NOT NULL, verdict TEXT NOT NULL, ports TEXT NOT NULL,"
		       " user BLOB NOT NULL, unit BLOB NOT NULL, site BLOB NOT NULL, script BLOB "
		       "NOT NULL,"
		       " exe BLOB NOT NULL, works_in BLOB NOT NULL" OFFENDER_NOTED(
			       OFFENDER_COLUMN) ", UNIQUE(uid, many_programs, program)) STRICT;"
						"CREATE INDEX offender_last ON offender(last_ns);"
						"CREATE TABLE destination(offender INTEGER NOT "
						"NULL, address BLOB NOT NULL,"
						" PRIMARY KEY(offender, address)) STRICT, WITHOUT "
						"ROWID;"
						"CREATE TABLE network(offender INTEGER NOT NULL, "
						"prefix BLOB NOT NULL,"
						" PRIMARY KEY(offender, prefix)) STRICT, WITHOUT "
						"ROWID;"
						"CREATE TABLE evidence_file(id INTEGER PRIMARY "
						"KEY, name TEXT NOT NULL "
						"UNIQUE,"
						" first_verdict INTEGER NOT NULL, last_verdict "
						"INTEGER NOT NULL) STRICT;"
						"CREATE TABLE evidence(id INTEGER PRIMARY KEY, "
						"file INTEGER NOT NULL,"
						" offset INTEGER NOT NULL, offender INTEGER NOT "
						"NULL) STRICT;"
						"CREATE TABLE counter(word TEXT PRIMARY KEY, last "
						"INTEGER NOT NULL,"
						" total INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
						"CREATE TABLE report(id INTEGER PRIMARY KEY "
						"CHECK(id = 1), judge_epoch TEXT "
						"NOT NULL,"
						" kernel_epoch TEXT NOT NULL, ts_ns INTEGER NOT "
						"NULL, started_ns INTEGER "
						"NOT NULL,"
						" judge_pid INTEGER NOT NULL, queue_form INTEGER "
						"NOT NULL, mode INTEGER NOT "
						"NULL,"
						" n_mail_uids INTEGER NOT NULL, rules_whole "
						"INTEGER NOT NULL,"
						" queue_waiting INTEGER NOT NULL, queue_portid "
						"INTEGER NOT NULL) STRICT;"
						"CREATE TABLE lost(word TEXT PRIMARY KEY, n "
						"INTEGER NOT NULL) STRICT, "
						"WITHOUT ROWID;"
						"CREATE TABLE meta(word TEXT PRIMARY KEY, value "
						"INTEGER NOT NULL) STRICT, "
						"WITHOUT ROWID;" NOTE_TABLES
						"PRAGMA application_id = 1701278308;" VERSION;

const char *const store_upgrades[STORE_VERSION] = {
	[1] = "ALTER TABLE verdict ADD COLUMN poses INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE verdict ADD COLUMN caller TEXT NOT NULL DEFAULT '';" OFFENDER_NOTED(
		      OFFENDER_ADD) NOTE_TABLES "PRAGMA user_version = 2;",
};
static_assert(STORE_VERSION == 2,
	      "store_schema[] makes this version, store_upgrades[] leads there");

const char store_sql_reckon[] =
	"SELECT ifnull(sum(" OFFENDER_COST
	"), 0), " NUMBER(STORE_ADDRESS_COST) " *"
					     " ((SELECT count(*) FROM destination) + (SELECT "
					     "count(*) FROM network)) FROM offender";

const char *const store_sql[SQL_N] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_META_SET] = "INSERT INTO meta(word, value) VALUES(?, ?)"
			 " ON CONFLICT(word) DO UPDATE SET value = excluded.value",
	[SQL_ROW_INSERT] = "INSERT INTO verdict(id" STORE_COLUMNS(
		COLUMN_NAME) ") VALUES(?" STORE_COLUMNS(COLUMN_MARK) ")",
	[SQL_ROW_UPDATE] = "UPDATE verdict SET count = ?2, first_ns = ?3, last_ns = ?4"
			   " WHERE id = ?1",
	[SQL_ROW_AGAIN] = "UPDATE verdict SET count = count + 1, first_ns = min(first_ns, ?2),"
			  " last_ns = max(last_ns, ?2) WHERE id = ?1",
	[SQL_OFFENDER_AGAIN] = "UPDATE offender SET attempts = attempts + 1,"
			       " first_ns = min(first_ns, ?2), last_ns = max(last_ns, ?2)"
			       " WHERE id = ?1",
	[SQL_OFFENDER_FIND] = "SELECT id, attempts, destinations, networks, first_ns, last_ns,"
			      " verdict, destinations_capped, ports, length(user) > 0,"
			      " length(unit) > 0, works_in FROM offender"
			      " WHERE uid = ? AND many_programs = ? AND program = ?",
	[SQL_OFFENDER_COUNT] = "SELECT count(*), ifnull(sum(" OFFENDER_COST "), 0) FROM offender"
			       " WHERE uid = ? AND many_programs = 0",
	[SQL_OFFENDER_INSERT] =
		"INSERT INTO offender(uid, many_programs, program, first_ns, last_ns, user, unit,"
		" site, script, exe, works_in, attempts, destinations, networks,"
		" destinations_capped, verdict, ports)"
		" VALUES(?, ?, ?, ?4, ?4, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, '', '')",
	[SQL_OFFENDER_UPDATE] =
		"UPDATE offender SET attempts = ?2, destinations = ?3, networks = ?4,"
		" first_ns = ?5, last_ns = ?6, verdict = ?7, destinations_capped = ?8,"
		" ports = ?9 WHERE id = ?1",
	[SQL_OFFENDER_NAME] =
		"UPDATE offender SET user = CASE length(user) WHEN 0 THEN ?2 ELSE user END,"
		" unit = CASE length(unit) WHEN 0 THEN ?3 ELSE unit END WHERE id = ?1",
	[SQL_OFFENDER_MOVED] = "UPDATE offender SET works_in = x'' WHERE id = ?",
	[SQL_DESTINATION_INSERT] = "INSERT OR IGNORE INTO destination VALUES(?, ?)",
	[SQL_DESTINATION_FIND] = "SELECT 1 FROM destination WHERE offender = ? AND address = ?",
	[SQL_NETWORK_INSERT] = "INSERT OR IGNORE INTO network VALUES(?, ?)",
	[SQL_FILE_UPSERT] = "INSERT INTO evidence_file(name, first_verdict, last_verdict)"
			    " VALUES(?1, ?2, ?2) ON CONFLICT(name) DO UPDATE SET"
			    " first_verdict = min(first_verdict, ?2),"
			    " last_verdict = max(last_verdict, ?2) RETURNING id",
	[SQL_FILE_FIND] = "SELECT id, first_verdict, last_verdict FROM evidence_file"
			  " WHERE name = ?",
	[SQL_FILE_DELETE] = "DELETE FROM evidence_file WHERE id = ?",
	[SQL_EVIDENCE_INSERT] = "INSERT OR REPLACE INTO evidence(id, file, offset, offender)"
				" SELECT id, ?2, ?3, offender FROM verdict WHERE id = ?1",
	[SQL_EVIDENCE_DROP] = "DELETE FROM evidence WHERE file = ? AND id BETWEEN ? AND ?",
	[SQL_EVIDENCE_DELETE] = "DELETE FROM evidence WHERE id = ?",
	[SQL_COUNTER_GET] = "SELECT last, total FROM counter WHERE word = ?",
	[SQL_COUNTER_SET] = "INSERT INTO counter(word, last, total) VALUES(?, ?, ?)"
			    " ON CONFLICT(word) DO UPDATE SET last = excluded.last,"
			    " total = excluded.total",
	[SQL_REPORT_GET] = "SELECT judge_epoch, kernel_epoch FROM report WHERE id = 1",
	[SQL_REPORT_SET] = "INSERT OR REPLACE INTO report VALUES(1, ?,"
			   " coalesce(?, (SELECT kernel_epoch FROM report), ''),"
			   " ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_LOST_ADD] = "INSERT INTO lost(word, n) VALUES(?, ?)"
			 " ON CONFLICT(word) DO UPDATE SET n = n + excluded.n",
	[SQL_PRUNE_OLD] = "DELETE FROM verdict WHERE id IN (SELECT id FROM verdict"
			  " WHERE first_ns < ?1 AND last_ns < ?1 ORDER BY first_ns LIMIT ?2)"
			  " RETURNING id, count, last_ns",
	[SQL_PRUNE_OLDEST] = "DELETE FROM verdict WHERE id IN (SELECT id FROM verdict"
			     " ORDER BY first_ns LIMIT ?2) RETURNING id, count, last_ns",
	[SQL_OFFENDER_PRUNE] = "DELETE FROM offender WHERE id IN (SELECT id FROM offender"
			       " WHERE last_ns < ? ORDER BY last_ns LIMIT ?)"
			       " RETURNING id, " OFFENDER_COST,
	[SQL_OFFENDER_OLDEST] = "SELECT id FROM offender o WHERE destinations > 0 AND EXISTS"
				" (SELECT 1 FROM destination d WHERE d.offender = o.id)"
				" ORDER BY last_ns LIMIT ?",
	[SQL_OFFENDER_CAP] = "UPDATE offender SET destinations_capped = 1 WHERE id = ?",
	[SQL_DESTINATION_DELETE] = "DELETE FROM destination WHERE offender = ?",
	[SQL_NETWORK_DELETE] = "DELETE FROM network WHERE offender = ?",
	[SQL_NOTE_ROW] =
		"SELECT v.offender, v.foreign_holder, o.uid FROM verdict v LEFT JOIN offender o"
		" ON o.id = v.offender WHERE v.id = ?",
	[SQL_NOTE_BEGIN] = "INSERT INTO note(id, ts_ns) VALUES(?, ?)"
			   " ON CONFLICT(id) DO UPDATE SET ts_ns = excluded.ts_ns",
	[SQL_NOTE_SITE] = "UPDATE note SET site_from = ?2, account = ?3, vhost = ?4, root = ?5,"
			  " source = ?6 WHERE id = ?1",
	[SQL_NOTE_TRIGGER] =
		"UPDATE note SET match = ?2, n = ?3, method = ?4, uri = ?5, client = ?6,"
		" asked_vhost = ?7, status = ?8, asked_ns = ?9, log = ?10"
		" WHERE id = ?1",
	[SQL_NOTE_OBJECT] = "UPDATE note SET object_why = ?2, sha256 = ?3, bytes = ?4, copied = ?5"
			    " WHERE id = ?1",
	[SQL_NOTE_DELETE] = "DELETE FROM note WHERE id = ?",
	[SQL_OFFENDER_SITE_BYTES] = "SELECT length(account) + length(vhost) + length(vhost_root)"
				    " + length(site_source) FROM offender WHERE id = ?",
	[SQL_OFFENDER_SITE] = "UPDATE offender SET site_from = ?2, account = ?3, vhost = ?4,"
			      " vhost_root = ?5, site_source = ?6 WHERE id = ?1",
	[SQL_OFFENDER_TRIGGERS] =
		"UPDATE offender SET triggers = max(0, triggers + ?2) WHERE id = ?1",
	[SQL_TRIGGER_ADD] = "UPDATE trigger_group SET count = count + 1, match = ?5, n = ?6,"
			    " status = ?7, last_ns = max(last_ns, ?8) WHERE offender = ?1"
			    " AND method = ?2 AND uri = ?3 AND client = ?4 RETURNING id",
	[SQL_TRIGGER_LESS] = "UPDATE trigger_group SET count = count - 1 WHERE id = ?"
			     " RETURNING count",
	[SQL_TRIGGER_COUNT] = "SELECT count(*) FROM trigger_group WHERE offender = ?",
	[SQL_TRIGGER_WEAKEST] = "SELECT id FROM trigger_group WHERE offender = ? AND count < 2"
				" ORDER BY last_ns, id LIMIT 1",
	[SQL_TRIGGER_INSERT] = "INSERT INTO trigger_group(offender, method, uri, client, match, n,"
			       " status, last_ns, count) VALUES(?, ?, ?, ?, ?, ?, ?, ?, 1)",
	[SQL_TRIGGER_DELETE] = "DELETE FROM trigger_group WHERE id = ? RETURNING " TRIGGER_COST,
	[SQL_TRIGGER_DELETE_ALL] = "DELETE FROM trigger_group WHERE offender = ?"
				   " RETURNING " TRIGGER_COST,
	[SQL_TRIGGER_OLDEST] = "SELECT id FROM offender o WHERE EXISTS"
			       " (SELECT 1 FROM trigger_group t WHERE t.offender = o.id)"
			       " ORDER BY last_ns LIMIT ?",
	[SQL_TRIGGER_LIST] = "SELECT match, n, method, uri, client, status, count, last_ns"
			     " FROM trigger_group WHERE offender = ?"
			     " ORDER BY count DESC, last_ns DESC, id DESC",
};
static_assert(SQL_N == 53, "store_sql[] has every store_statement");
