/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the store for reading and walks its rows; it changes nothing, whoever runs it. */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
#define UNMADE	1 /* the file is there, but its recorder did not come so far yet */

static int open_database(struct store *store, const char *name, int more_flags)
{
	int64_t version = 0;
	int err;

	err = store_errno(store, sqlite3_open_v2(name, &store->db,
						 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
							 SQLITE_OPEN_PRIVATECACHE | more_flags,
						 NULL));
	if (err)
		return err;
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_exec(store->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	err = store_pragma(store, "user_version", &version);
	if (err)
		return err;
	if (version == 0)
		return UNMADE;
	if (version < STORE_VERSION)
		return -ESTALE;
	return version > STORE_VERSION ? -EPROTO : 0;
}

/*
 * A file in WAL mode can't be opened without the WAL's index by somebody who may not make one.
 * Where there is no WAL, or an empty one, nothing but the file counts and nobody is writing it.
 */
static int open_without_wal(struct store *store, const char *path)
{
	char *uri, wal[CONFIG_PATH_BYTES + 64];
	struct stat st;
	size_t at = 5, i;
	int err;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (lstat(wal, &st) == 0 && st.st_size > 0)
		return -EACCES;
	uri = malloc(3 * strlen(path) + 32);
	if (!uri)
		return -ENOMEM;
	memcpy(uri, "file:", 5);
	for (i = 0; path[i]; i++)
		at += (size_t)sprintf(uri + at, "%%%02x", (unsigned char)path[i]);
	strcpy(uri + at, "?immutable=1");
	sqlite3_close(store->db);
	store->db = NULL;
	err = open_database(store, uri, SQLITE_OPEN_URI);
	free(uri);
	return err;
}

/* Whoever owns the folder may put there what blocks its reader (a FIFO) or leads elsewhere. */
static int check_files(const char *path)
{
	static const char *const more[] = { "", "-wal", "-shm" };
	char name[CONFIG_PATH_BYTES + 64];
	struct stat st;
	unsigned i;

	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, more[i]);
		if (lstat(name, &st) < 0) {
			if (i == 0)
				return -errno;
		} else if (!S_ISREG(st.st_mode)) {
			return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
		}
	}
	return access(path, R_OK) < 0 ? -errno : 0;
}

int store_open_read(struct store **store, const char *state_dir)
{
	char path[CONFIG_PATH_BYTES + 32];
	struct store *opened;
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", state_dir, STORE_FILE) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = check_files(path);
	if (err)
		return err;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	err = open_database(opened, path, 0);
	if (err < 0 && err != -EPROTO && err != -ESTALE && err != -EUCLEAN &&
	    open_without_wal(opened, path) == 0)
		err = 0;
	if (err == UNMADE)
		err = -ENOENT;
	if (err) {
		store_free(opened);
		return err;
	}
	*store = opened;
	return 0;
}

struct store_bytes store_column_bytes(sqlite3_stmt *row, int column)
{
	const char *bytes = sqlite3_column_blob(row, column);

	return (struct store_bytes){ bytes ? bytes : "", sqlite3_column_bytes(row, column) };
}

const char *store_column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

/*
 * Ids grow with the time of insertion, and first_ns has an index: the ids that can matter are
 * found there, so that the walk by id needs no sorting. A row whose first attempt lies before
 * `since` may end after it, by less than the window it was folded with (:fold).
 */
void store_where(char out[STORE_WHERE_BYTES], const struct store_filter *filter)
{
	snprintf(out, STORE_WHERE_BYTES, "v.id > :after%s%s%s%s",
		 filter->since_ns
			 ? " AND v.last_ns >= :since AND v.id >= (SELECT min(id) FROM"
			   " verdict INDEXED BY verdict_first WHERE first_ns >= :since - :fold)"
			 : "",
		 filter->until_ns ? " AND v.first_ns < :until AND v.id <= (SELECT max(id) FROM"
				    " verdict INDEXED BY verdict_first WHERE first_ns < :until)"
				  : "",
		 filter->has_uid ? " AND v.charged_uid = :uid" : "",
		 filter->offender ? " AND v.offender = :offender" : "");
}

static void bind_named(sqlite3_stmt *statement, const char *name, int64_t value)
{
	int at = sqlite3_bind_parameter_index(statement, name);

	if (at > 0)
		sqlite3_bind_int64(statement, at, value);
}

int store_bind_filter(struct store *store, sqlite3_stmt *statement,
		      const struct store_filter *filter)
{
	sqlite3_stmt *fold = NULL;
	int64_t fold_ns = 0;
	int got;

	sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE word = 'fold_ns'", -1, &fold,
			   NULL);
	got = store_step(store, fold);
	if (got > 0)
		fold_ns = sqlite3_column_int64(fold, 0);
	sqlite3_finalize(fold);
	if (got < 0)
		return got;
	bind_named(statement, ":fold", fold_ns);
	bind_named(statement, ":after", filter->after_id);
	bind_named(statement, ":since", filter->since_ns);
	bind_named(statement, ":until", filter->until_ns);
	bind_named(statement, ":uid", filter->uid);
	bind_named(statement, ":offender", filter->offender);
	bind_named(statement, ":limit", filter->limit > 0 ? filter->limit : -1);
	return 0;
}

static int64_t number(sqlite3_stmt *row, enum store_column column)
{
	return sqlite3_column_int64(row, column);
}

static void read_verdict(sqlite3_stmt *row, struct store_verdict *verdict)
{
	verdict->id = number(row, COLUMN_ID);
	verdict->first_ns = number(row, COLUMN_FIRST_NS);
	verdict->last_ns = number(row, COLUMN_LAST_NS);
	verdict->count = number(row, COLUMN_COUNT);
	verdict->via = store_column_text(row, COLUMN_VIA);
	verdict->verdict = store_column_text(row, COLUMN_VERDICT);
	verdict->reason = store_column_text(row, COLUMN_REASON);
	verdict->rule = store_column_text(row, COLUMN_RULE);
	verdict->mode = store_column_text(row, COLUMN_MODE);
	verdict->flow_error = store_column_text(row, COLUMN_FLOW_ERROR);
	verdict->has_uid = sqlite3_column_type(row, COLUMN_UID) != SQLITE_NULL;
	verdict->uid = verdict->has_uid ? number(row, COLUMN_UID) : -1;
	verdict->gid = verdict->has_uid ? number(row, COLUMN_GID) : -1;
	verdict->has_charged_uid = sqlite3_column_type(row, COLUMN_CHARGED_UID) != SQLITE_NULL;
	verdict->charged_uid = verdict->has_charged_uid ? number(row, COLUMN_CHARGED_UID) : -1;
	verdict->user = store_column_bytes(row, COLUMN_USER);
	verdict->foreign_holder = number(row, COLUMN_FOREIGN_HOLDER);
	verdict->many_dst = number(row, COLUMN_MANY_DST);
	verdict->offender = number(row, COLUMN_OFFENDER);
	verdict->packet_bytes = number(row, COLUMN_PACKET_BYTES);
	verdict->excerpt = store_column_bytes(row, COLUMN_EXCERPT);
}

static void read_flow(sqlite3_stmt *row, struct store_verdict *verdict)
{
	verdict->family = (int)number(row, COLUMN_FAMILY);
	verdict->src = store_column_bytes(row, COLUMN_SRC);
	verdict->dst = store_column_bytes(row, COLUMN_DST);
	verdict->sport = number(row, COLUMN_SPORT);
	verdict->dport = number(row, COLUMN_DPORT);
}

static void read_owner(sqlite3_stmt *row, struct store_verdict *verdict)
{
	verdict->socket_uid = number(row, COLUMN_SOCKET_UID);
	verdict->inode = number(row, COLUMN_INODE);
	verdict->cookie = number(row, COLUMN_COOKIE);
	verdict->cgroup_id = number(row, COLUMN_CGROUP_ID);
	verdict->pid = number(row, COLUMN_PID);
	verdict->start_ns = number(row, COLUMN_START_NS);
	verdict->ruid = number(row, COLUMN_RUID);
	verdict->euid = number(row, COLUMN_EUID);
	verdict->login_uid = number(row, COLUMN_LOGIN_UID);
	verdict->exe_deleted = number(row, COLUMN_EXE_DELETED);
	verdict->exe_memfd = number(row, COLUMN_EXE_MEMFD);
	verdict->cut = number(row, COLUMN_CUT);
	verdict->comm = store_column_bytes(row, COLUMN_COMM);
	verdict->exe = store_column_bytes(row, COLUMN_EXE);
	verdict->cmdline = store_column_bytes(row, COLUMN_CMDLINE);
	verdict->cwd = store_column_bytes(row, COLUMN_CWD);
	verdict->script = store_column_bytes(row, COLUMN_SCRIPT);
	verdict->unit = store_column_bytes(row, COLUMN_UNIT);
	verdict->indev = store_column_bytes(row, COLUMN_INDEV);
	verdict->container = store_column_bytes(row, COLUMN_CONTAINER);
	verdict->request_method = store_column_bytes(row, COLUMN_REQUEST_METHOD);
	verdict->request_uri = store_column_bytes(row, COLUMN_REQUEST_URI);
	verdict->request_host = store_column_bytes(row, COLUMN_REQUEST_HOST);
	verdict->request_client = store_column_bytes(row, COLUMN_REQUEST_CLIENT);
	verdict->script_from = store_column_text(row, COLUMN_SCRIPT_FROM);
	verdict->script_why = store_column_text(row, COLUMN_SCRIPT_WHY);
	verdict->owner_how = store_column_text(row, COLUMN_OWNER_HOW);
	verdict->owner_why = store_column_text(row, COLUMN_OWNER_WHY);
	verdict->parents = store_column_bytes(row, COLUMN_PARENTS);
	verdict->holders = store_column_bytes(row, COLUMN_HOLDERS);
	verdict->caller = store_column_bytes(row, COLUMN_CALLER);
	verdict->poses = number(row, COLUMN_POSES);
	verdict->n_holders = number(row, COLUMN_N_HOLDERS);
	verdict->lookup_us = number(row, COLUMN_LOOKUP_US);
	verdict->lookup_fds = number(row, COLUMN_LOOKUP_FDS);
}

/* Columns of the note's, as walk() asks for them. */
enum {
	NOTE_AT = COLUMN_N + 2,
	NOTE_MATCH = NOTE_AT + 5,
	NOTE_WHY = NOTE_MATCH + 9,
};
#define NOTE_COLUMNS                                                                               \
	", n.site_from, n.account, n.vhost, n.root, n.source, n.match, n.n, n.method, n.uri,"      \
	" n.client, n.asked_vhost, n.status, n.asked_ns, n.log, n.object_why, n.sha256, n.bytes,"  \
	" n.copied"

static bool noted(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) != SQLITE_NULL;
}

static void read_note(sqlite3_stmt *row, struct store_verdict *verdict)
{
	if (noted(row, NOTE_AT))
		verdict->site = (struct store_site){
			.from = store_column_text(row, NOTE_AT),
			.account = store_column_bytes(row, NOTE_AT + 1),
			.vhost = store_column_bytes(row, NOTE_AT + 2),
			.root = store_column_bytes(row, NOTE_AT + 3),
			.source = store_column_bytes(row, NOTE_AT + 4),
		};
	if (noted(row, NOTE_MATCH))
		verdict->trigger = (struct store_trigger){
			.match = store_column_text(row, NOTE_MATCH),
			.n = sqlite3_column_int64(row, NOTE_MATCH + 1),
			.method = store_column_bytes(row, NOTE_MATCH + 2),
			.uri = store_column_bytes(row, NOTE_MATCH + 3),
			.client = store_column_bytes(row, NOTE_MATCH + 4),
			.vhost = store_column_bytes(row, NOTE_MATCH + 5),
			.status = sqlite3_column_int64(row, NOTE_MATCH + 6),
			.ts_ns = sqlite3_column_int64(row, NOTE_MATCH + 7),
			.log = store_column_bytes(row, NOTE_MATCH + 8),
		};
	if (noted(row, NOTE_WHY))
		verdict->object = (struct store_object){
			.why = store_column_text(row, NOTE_WHY),
			.sha256 = store_column_bytes(row, NOTE_WHY + 1),
			.bytes = sqlite3_column_int64(row, NOTE_WHY + 2),
			.copied = sqlite3_column_int(row, NOTE_WHY + 3),
		};
}

static void read_row(sqlite3_stmt *row, struct store_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	read_verdict(row, verdict);
	read_flow(row, verdict);
	read_owner(row, verdict);
	if (sqlite3_column_type(row, COLUMN_N) != SQLITE_NULL) {
		verdict->evidence_file = store_column_text(row, COLUMN_N);
		verdict->evidence_offset = sqlite3_column_int64(row, COLUMN_N + 1);
	}
	read_note(row, verdict);
}

#define COLUMN_NAME(word, name, type) ", v." name

static int walk(struct store *store, const char *tail, const struct store_filter *filter,
		store_verdict_fn each, void *context)
{
	static const char head[] = "SELECT v.id" STORE_COLUMNS(
		COLUMN_NAME) ", f.name, e.offset" NOTE_COLUMNS " FROM verdict v"
			     " LEFT JOIN evidence e ON e.id = v.id LEFT JOIN evidence_file f ON "
			     "f.id = e.file LEFT JOIN note n ON n.id = v.id";
	struct store_verdict verdict;
	sqlite3_stmt *statement = NULL;
	char *sql;
	int got, result;

	if (asprintf(&sql, "%s WHERE %s", head, tail) < 0)
		return -ENOMEM;
	got = store_errno(store, sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL));
	free(sql);
	if (!got)
		got = store_bind_filter(store, statement, filter);
	result = got;
	while (result == 0 && (got = store_step(store, statement)) != 0) {
		result = got;
		if (got > 0) {
			read_row(statement, &verdict);
			result = each(context, &verdict);
		}
	}
	sqlite3_finalize(statement);
	return result;
}

int store_verdicts(struct store *store, const struct store_filter *filter, store_verdict_fn each,
		   void *context)
{
	char where[STORE_WHERE_BYTES], tail[STORE_WHERE_BYTES + 64];

	store_where(where, filter);
	snprintf(tail, sizeof(tail), "%s ORDER BY v.id%s LIMIT :limit", where,
		 filter->newest_first ? " DESC" : "");
	return walk(store, tail, filter, each, context);
}

int store_verdict_by_id(struct store *store, int64_t id, store_verdict_fn each, void *context)
{
	struct store_filter filter = { .after_id = id };

	return walk(store, "v.id = :after", &filter, each, context);
}
