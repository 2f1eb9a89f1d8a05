/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store's own files share; nobody else includes it. store.c opens and commits,
 * store_sql.c runs statements, store_file.c keeps the file, store_schema.c its form, store_add.c
 * folds, store_row.c writes a row, store_who.c finds the offender, store_offender.c its aggregates,
 * store_note.c what is learnt later, store_evidence.c where packets lie, store_status.c the
 * counters, store_prune.c removes, store_read.c and store_rank.c read.
 */
#ifndef AGENT_STORE_INTERNAL_H
#define AGENT_STORE_INTERNAL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "keyhash.h"
#include "lru.h"
#include "store.h"

#define STORE_OFFENDERS_MAX	16384
#define STORE_OFFENDERS_PER_UID 1024
#define STORE_DESTINATIONS_MAX	4096
#define STORE_UID_ROWS_FACTOR	4 /* rows of one uid: so often rows_per_offender */
#define STORE_PORTS_MAX		64
#define STORE_TRIGGERS_MAX	16  /* groups of an offender's triggers */
#define STORE_SITE_TEXT_MAX	256 /* an offender's root and source: longer ones are in rows only */

/*
 * Shares of store_bytes, so that half of it is left for verdicts whatever their owners do. What an
 * offender or an address takes is reckoned, overflow pages and half-full ones included.
 */
#define STORE_UID_PROGRAMS_BYTES(store) ((int64_t)((store)->store_bytes / 16))
#define STORE_PROGRAMS_BYTES(store)	((int64_t)((store)->store_bytes / 4))
#define STORE_OFFENDERS_BYTES(store)	((int64_t)((store)->store_bytes / 32 * 9))
#define STORE_TRIGGERS_BYTES(store)	((int64_t)((store)->store_bytes / 32))
#define STORE_ADDRESSES_BYTES(store)	((int64_t)((store)->store_bytes / 16 * 3))
#define STORE_ADDRESS_COST		40
#define STORE_OFFENDER_COST		512 /* beside its texts, its row in the index included */
#define STORE_LONG_PROGRAM		900 /* from here on its index entry has a page of its own */
#define STORE_LONG_COST			8192
#define STORE_TRIGGER_COST		200 /* beside its texts, which its index has too */

#define STORE_UID_NONE	    (-1LL) /* in offender.uid: no uid known */
#define STORE_UID_EVERYBODY (-2LL) /* the offender of those above STORE_OFFENDERS_MAX */

/* Numbers of the table `meta`; kept in memory, written when they changed. */
enum store_meta {
	META_NEXT_ID,
	META_ROWS,     /* rows ever made */
	META_RECORDED, /* attempts ever recorded */
	META_PRUNED,   /* of these, in rows that were removed since */
	META_LAST_RECORD_NS,
	META_LAST_COMMIT_NS,
	META_FOLD_NS, /* the longest window rows were ever folded with */
	META_EVIDENCE_BYTES,
	META_RECORDED_AT_REPORT, /* recorded when the judge last reported */
	META_UNSEEN,		 /* store_status.unseen, as far as it is for good */
	META_OFFENDER_BYTES,	 /* what the offenders take, reckoned */
	META_ADDRESS_BYTES,	 /* what their destinations and networks take */
	META_TRIGGER_BYTES,	 /* what their triggers take */
	META_N
};
extern const char *const store_meta_words[META_N];

enum store_statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_META_SET,
	SQL_ROW_INSERT,
	SQL_ROW_UPDATE,
	SQL_ROW_AGAIN,
	SQL_OFFENDER_AGAIN,
	SQL_OFFENDER_FIND,
	SQL_OFFENDER_COUNT,
	SQL_OFFENDER_INSERT,
	SQL_OFFENDER_UPDATE,
	SQL_OFFENDER_NAME,
	SQL_OFFENDER_MOVED,
	SQL_DESTINATION_INSERT,
	SQL_DESTINATION_FIND,
	SQL_NETWORK_INSERT,
	SQL_FILE_UPSERT,
	SQL_FILE_FIND,
	SQL_FILE_DELETE,
	SQL_EVIDENCE_INSERT,
	SQL_EVIDENCE_DROP,
	SQL_EVIDENCE_DELETE,
	SQL_COUNTER_GET,
	SQL_COUNTER_SET,
	SQL_REPORT_GET,
	SQL_REPORT_SET,
	SQL_LOST_ADD,
	SQL_PRUNE_OLD,
	SQL_PRUNE_OLDEST,
	SQL_OFFENDER_PRUNE,
	SQL_OFFENDER_OLDEST,
	SQL_OFFENDER_CAP,
	SQL_DESTINATION_DELETE,
	SQL_NETWORK_DELETE,
	SQL_NOTE_ROW,
	SQL_NOTE_BEGIN,
	SQL_NOTE_SITE,
	SQL_NOTE_TRIGGER,
	SQL_NOTE_OBJECT,
	SQL_NOTE_DELETE,
	SQL_OFFENDER_SITE_BYTES,
	SQL_OFFENDER_SITE,
	SQL_OFFENDER_TRIGGERS,
	SQL_TRIGGER_ADD,
	SQL_TRIGGER_LESS,
	SQL_TRIGGER_COUNT,
	SQL_TRIGGER_WEAKEST,
	SQL_TRIGGER_INSERT,
	SQL_TRIGGER_DELETE,
	SQL_TRIGGER_DELETE_ALL,
	SQL_TRIGGER_OLDEST,
	SQL_TRIGGER_LIST,
	SQL_N
};
extern const char *const store_sql[SQL_N];
extern const char store_schema[];
extern const char *const store_upgrades[STORE_VERSION]; /* [n]: from version n to the next */
extern const char store_sql_reckon[]; /* META_OFFENDER_BYTES, META_ADDRESS_BYTES from the tables */

/*
 * Columns of `verdict` after id. The small ones come first, so that filters and sums need not
 * read the pages that long texts overflow to.
 */
#define STORE_COLUMNS(X)                                                                           \
	X(OFFENDER, "offender", "INTEGER NOT NULL")                                                \
	X(FIRST_NS, "first_ns", "INTEGER NOT NULL")                                                \
	X(LAST_NS, "last_ns", "INTEGER NOT NULL")                                                  \
	X(COUNT, "count", "INTEGER NOT NULL")                                                      \
	X(VERDICT, "verdict", "TEXT NOT NULL")                                                     \
	X(REASON, "reason", "TEXT NOT NULL")                                                       \
	X(VIA, "via", "TEXT NOT NULL")                                                             \
	X(MODE, "mode", "TEXT NOT NULL")                                                           \
	X(RULE, "rule", "TEXT NOT NULL")                                                           \
	X(FLOW_ERROR, "flow_error", "TEXT NOT NULL")                                               \
	X(UID, "uid", "INTEGER")                                                                   \
	X(GID, "gid", "INTEGER")                                                                   \
	X(CHARGED_UID, "charged_uid", "INTEGER")                                                   \
	X(FAMILY, "family", "INTEGER NOT NULL")                                                    \
	X(SRC, "src", "BLOB")                                                                      \
	X(DST, "dst", "BLOB")                                                                      \
	X(SPORT, "sport", "INTEGER NOT NULL")                                                      \
	X(DPORT, "dport", "INTEGER NOT NULL")                                                      \
	X(MANY_DST, "many_dst", "INTEGER NOT NULL")                                                \
	X(FOREIGN_HOLDER, "foreign_holder", "INTEGER NOT NULL")                                    \
	X(POSES, "poses", "INTEGER NOT NULL DEFAULT 0")                                            \
	X(INDEV, "indev", "BLOB NOT NULL")                                                         \
	X(SOCKET_UID, "socket_uid", "INTEGER NOT NULL")                                            \
	X(INODE, "inode", "INTEGER NOT NULL")                                                      \
	X(COOKIE, "cookie", "INTEGER NOT NULL")                                                    \
	X(CGROUP_ID, "cgroup_id", "INTEGER NOT NULL")                                              \
	X(PID, "pid", "INTEGER NOT NULL")                                                          \
	X(START_NS, "start_ns", "INTEGER NOT NULL")                                                \
	X(RUID, "ruid", "INTEGER NOT NULL")                                                        \
	X(EUID, "euid", "INTEGER NOT NULL")                                                        \
	X(LOGIN_UID, "login_uid", "INTEGER NOT NULL")                                              \
	X(EXE_DELETED, "exe_deleted", "INTEGER NOT NULL")                                          \
	X(EXE_MEMFD, "exe_memfd", "INTEGER NOT NULL")                                              \
	X(CUT, "cut", "INTEGER NOT NULL")                                                          \
	X(N_HOLDERS, "n_holders", "INTEGER NOT NULL")                                              \
	X(LOOKUP_US, "lookup_us", "INTEGER NOT NULL")                                              \
	X(LOOKUP_FDS, "lookup_fds", "INTEGER NOT NULL")                                            \
	X(PACKET_BYTES, "packet_bytes", "INTEGER NOT NULL")                                        \
	X(OWNER_HOW, "owner_how", "TEXT NOT NULL")                                                 \
	X(OWNER_WHY, "owner_why", "TEXT NOT NULL")                                                 \
	X(SCRIPT_FROM, "script_from", "TEXT NOT NULL")                                             \
	X(SCRIPT_WHY, "script_why", "TEXT NOT NULL")                                               \
	X(USER, "user", "BLOB NOT NULL")                                                           \
	X(COMM, "comm", "BLOB NOT NULL")                                                           \
	X(EXE, "exe", "BLOB NOT NULL")                                                             \
	X(SCRIPT, "script", "BLOB NOT NULL")                                                       \
	X(UNIT, "unit", "BLOB NOT NULL")                                                           \
	X(CONTAINER, "container", "BLOB NOT NULL")                                                 \
	X(CWD, "cwd", "BLOB NOT NULL")                                                             \
	X(CMDLINE, "cmdline", "BLOB NOT NULL")                                                     \
	X(REQUEST_METHOD, "request_method", "BLOB NOT NULL")                                       \
	X(REQUEST_URI, "request_uri", "BLOB NOT NULL")                                             \
	X(REQUEST_HOST, "request_host", "BLOB NOT NULL")                                           \
	X(REQUEST_CLIENT, "request_client", "BLOB NOT NULL")                                       \
	X(PARENTS, "parents", "TEXT NOT NULL")                                                     \
	X(HOLDERS, "holders", "TEXT NOT NULL")                                                     \
	X(CALLER, "caller", "TEXT NOT NULL DEFAULT ''")                                            \
	X(EXCERPT, "excerpt", "BLOB NOT NULL")

enum store_column {
	COLUMN_ID,
#define STORE_COLUMN_ENUM(word, name, type) COLUMN_##word,
	STORE_COLUMNS(STORE_COLUMN_ENUM)
#undef STORE_COLUMN_ENUM
		COLUMN_N
};

/* A row that repeats still fold into. */
struct store_fold {
	int64_t id, first_ns, last_ns, count;
	bool dirty; /* not yet written since it changed */
};

/* How many rows somebody was given since start_ns. */
struct store_meter {
	int64_t start_ns, rows;
};

/* The offenders of a uid that have a program of their own. */
struct store_programs {
	int64_t n, bytes;
};

struct store_offender_entry {
	int64_t id, attempts, destinations, networks, first_ns, last_ns;
	enum verdict verdict;
	bool capped, has_user, has_unit, dirty;
	bool works_in_one; /* all attempts so far, and this is where: */
	struct keyhash works_in;
	unsigned n_ports;
	uint16_t ports[STORE_PORTS_MAX]; /* ascending */
};

/* Values that changed since they were last written. */
struct store_dirty {
	void **values;
	uint32_t n, max;
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_N];
	bool in_transaction;
	uint32_t wal_pages; /* after the last commit */
	int64_t fold_ns, keep_ns, rows_per_offender;
	uint64_t store_bytes;

	uint8_t key[16];
	struct lru *folds, *meters, *offenders, *programs; /* programs: by uid */
	struct store_dirty dirty_folds, dirty_offenders;
	int flush_error; /* of a write that an eviction needed */
	int64_t n_offenders, n_offenders_kept;
	int64_t meta[META_N], meta_kept[META_N];
	int64_t recorded_at_open, upgraded_from;
};

/* store_sql.c */
int store_errno(struct store *store, int sqlite_code);			     /* 0 or -errno */
sqlite3_stmt *store_statement(struct store *store, enum store_statement id); /* NULL: see db */
/* Runs to the end and resets; 0 or -errno. */
int store_run(struct store *store, sqlite3_stmt *statement);
/* One row: 1, none: 0, or -errno. The caller resets. */
int store_step(struct store *store, sqlite3_stmt *statement);
int store_mark_dirty(struct store_dirty *dirty, void *value); /* -ENOBUFS: flush first */

/* store.c: ends a transaction that changed nothing, in the file or in memory. */
int store_end_unchanged(struct store *store);

/* store_file.c */
int store_file_make(void);	       /* the empty file, 0640 */
int store_file_set_aside(char **what); /* *what: its new name, malloc'd */
int store_vfs(const char **name);      /* takes names as they are */
int store_pragma(struct store *store, const char *name, int64_t *value);

/* store_add.c */
int store_flush_folds(struct store *store);
void store_fold_evicted(void *context, void *value);

/* store_row.c */
int store_row_insert(struct store *store, const struct record *record, const char *user, int64_t id,
		     int64_t offender, bool many_dst);

/* store_note.c: all groups of the offender's triggers */
int store_forget_triggers(struct store *store, int64_t offender);
/* As store_offender.trigger_groups. malloc'd. */
int store_trigger_groups(struct store *store, int64_t offender, char **json);

/* store_who.c */
/* *owner: the name of the charged program; then that of the entry. */
int store_offender_get(struct store *store, const struct record *record, struct keyhash *owner,
		       int64_t ts_ns, const char *user, struct store_offender_entry **entry);
/* How much of the process's folder names the site it works in; 0 where a script says it better. */
size_t store_works_in(const struct record *record);
void store_set_works_in(const struct store *store, struct store_offender_entry *entry,
			const void *folder, size_t len);

/* store_offender.c */
/* One that repeats what was counted for *entry already. */
int store_offender_repeat(struct store *store, struct store_offender_entry *entry, int64_t ts_ns,
			  enum verdict verdict);
int store_offender_attempt(struct store *store, struct store_offender_entry *entry,
			   const struct record *record, int64_t ts_ns, const char *user);
int store_offender_destination(struct store *store, struct store_offender_entry *entry,
			       const struct flow *flow);
int store_flush_offenders(struct store *store);
void store_offender_evicted(void *context, void *value);

/* store_read.c: conditions of a filter as SQL after "WHERE", for a table named v of verdicts */
#define STORE_WHERE_BYTES 512
void store_where(char out[STORE_WHERE_BYTES], const struct store_filter *filter);
int store_bind_filter(struct store *store, sqlite3_stmt *statement,
		      const struct store_filter *filter);
struct store_bytes store_column_bytes(sqlite3_stmt *row, int column);
const char *store_column_text(sqlite3_stmt *row, int column); /* never NULL */

#endif
