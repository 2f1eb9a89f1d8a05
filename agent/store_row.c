/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record's fields to the columns of one new row; it decides nothing. */
#include "store_internal.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

static void bind_number(sqlite3_stmt *row, enum store_column column, int64_t value)
{
	sqlite3_bind_int64(row, column + 1, value);
}

static void bind_uid(sqlite3_stmt *row, enum store_column column, bool known, uint32_t uid)
{
	bind_number(row, column, known && uid != OWNER_UID_NONE ? (int64_t)uid : -1);
}

static void bind_bytes(sqlite3_stmt *row, enum store_column column, const void *bytes, size_t len)
{
	/* a NULL pointer would bind NULL, a length of 0 must not */
	sqlite3_bind_blob64(row, column + 1, bytes ? bytes : "", len, SQLITE_STATIC);
}

static void bind_raw_text(sqlite3_stmt *row, enum store_column column, const char *text)
{
	bind_bytes(row, column, text, strlen(text));
}

static void bind_word(sqlite3_stmt *row, enum store_column column, const char *word)
{
	sqlite3_bind_text(row, column + 1, word, -1, SQLITE_STATIC);
}

static void bind_or_null(sqlite3_stmt *row, enum store_column column, bool known, int64_t value)
{
	if (known)
		sqlite3_bind_int64(row, column + 1, value);
	else
		sqlite3_bind_null(row, column + 1);
}

static json_t *ref_json(const struct owner_ref *ref)
{
	char comm[4 * OWNER_COMM_BYTES + 1];

	escape_bytes(ref->comm, strnlen(ref->comm, sizeof(ref->comm)), comm, sizeof(comm));
	return json_pack("{s:i, s:I, s:s, s:I}", "pid", (int)ref->pid, "uid",
			 ref->uid == OWNER_UID_NONE ? (json_int_t)-1 : (json_int_t)ref->uid, "comm",
			 comm, "start_ticks", (json_int_t)ref->start_ticks);
}

/* malloc'd; NULL: no memory. */
static char *refs_json(const struct owner_ref *refs, unsigned n, unsigned max)
{
	json_t *array = json_array();
	char *text;
	unsigned i;

	for (i = 0; i < n && i < max; i++)
		json_array_append_new(array, ref_json(&refs[i]));
	text = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	return text;
}

/* Empty when there is none. malloc'd; NULL: no memory. */
static char *caller_json(const struct owner_ref *caller)
{
	json_t *one;
	char *text;

	if (!caller->pid)
		return strdup("");
	one = ref_json(caller);
	text = json_dumps(one, JSON_COMPACT);
	json_decref(one);
	return text;
}

static void bind_flow(sqlite3_stmt *row, const struct flow *flow)
{
	size_t address = flow->family == AF_INET ? 4 : flow->family == AF_INET6 ? 16 : 0;

	bind_number(row, COLUMN_FAMILY, flow->family);
	bind_bytes(row, COLUMN_SRC, flow->src, address);
	bind_bytes(row, COLUMN_DST, flow->dst, address);
	bind_number(row, COLUMN_SPORT, flow->has_ports ? flow->sport : -1);
	bind_number(row, COLUMN_DPORT, flow->has_ports ? flow->dport : -1);
}

static void bind_process(sqlite3_stmt *row, const struct owner *owner)
{
	bool known = owner->proc.pid != 0;

	bind_number(row, COLUMN_PID, owner->proc.pid);
	bind_number(row, COLUMN_START_NS, known && owner->start_ns > 0 ? owner->start_ns : -1);
	bind_uid(row, COLUMN_RUID, known, owner->proc.uid);
	bind_uid(row, COLUMN_EUID, known, owner->euid);
	bind_uid(row, COLUMN_LOGIN_UID, known, owner->login_uid);
	bind_number(row, COLUMN_EXE_DELETED, owner->exe_deleted);
	bind_number(row, COLUMN_EXE_MEMFD, owner->exe_memfd);
	bind_raw_text(row, COLUMN_COMM, owner->proc.comm);
	bind_raw_text(row, COLUMN_EXE, owner->exe);
	bind_raw_text(row, COLUMN_SCRIPT, owner->script);
	bind_raw_text(row, COLUMN_UNIT, owner->unit);
	bind_raw_text(row, COLUMN_CONTAINER, owner->container);
	bind_raw_text(row, COLUMN_CWD, owner->cwd);
	bind_bytes(row, COLUMN_CMDLINE, owner->cmdline, owner->cmdline_bytes);
	bind_raw_text(row, COLUMN_REQUEST_METHOD, owner->request_method);
	bind_raw_text(row, COLUMN_REQUEST_URI, owner->request_uri);
	bind_raw_text(row, COLUMN_REQUEST_HOST, owner->request_host);
	bind_raw_text(row, COLUMN_REQUEST_CLIENT, owner->request_client);
}

static void bind_owner(sqlite3_stmt *row, const struct owner *owner)
{
	bool socket = owner->has_socket;

	bind_uid(row, COLUMN_SOCKET_UID, socket, owner->socket_uid);
	bind_number(row, COLUMN_INODE, socket ? (int64_t)owner->inode : -1);
	bind_number(row, COLUMN_COOKIE, socket ? (int64_t)owner->cookie : -1);
	bind_number(row, COLUMN_CGROUP_ID,
		    socket && owner->cgroup_id ? (int64_t)owner->cgroup_id : -1);
	bind_number(row, COLUMN_CUT, owner->cut);
	bind_number(row, COLUMN_N_HOLDERS, owner->n_holders);
	bind_number(row, COLUMN_LOOKUP_US, owner->lookup_us);
	bind_number(row, COLUMN_LOOKUP_FDS, owner->lookup_fds);
	bind_word(row, COLUMN_OWNER_HOW, owner_how_words[owner->how]);
	bind_word(row, COLUMN_OWNER_WHY, owner_why_words[owner->why]);
	bind_word(row, COLUMN_SCRIPT_FROM, owner_script_from_words[owner->script_from]);
	bind_word(row, COLUMN_SCRIPT_WHY, owner_why_words[owner->script_why]);
	bind_process(row, owner);
}

static void bind_verdict(sqlite3_stmt *row, const struct record *record)
{
	uint32_t charged = 0;
	bool has_charged = record_charged_uid(record, &charged);

	bind_word(row, COLUMN_VERDICT, verdict_words[record->verdict]);
	bind_word(row, COLUMN_REASON, reason_words[record->reason]);
	bind_word(row, COLUMN_VIA, record_via_words[record->via]);
	bind_word(row, COLUMN_MODE, policy_mode_words[record->mode]);
	bind_word(row, COLUMN_RULE, record->rule);
	bind_word(row, COLUMN_FLOW_ERROR, flow_error_words[record->flow_error]);
	bind_or_null(row, COLUMN_UID, record->has_uid, record->uid);
	bind_or_null(row, COLUMN_GID, record->has_uid, record->gid);
	bind_or_null(row, COLUMN_CHARGED_UID, has_charged, charged);
	bind_number(row, COLUMN_FOREIGN_HOLDER, record->foreign_holder);
	bind_raw_text(row, COLUMN_INDEV, record->indev);
	bind_number(row, COLUMN_PACKET_BYTES, record->packet_bytes);
	bind_bytes(row, COLUMN_EXCERPT, record->excerpt, record->excerpt_bytes);
}

int store_row_insert(struct store *store, const struct record *record, const char *user, int64_t id,
		     int64_t offender, bool many_dst)
{
	const struct owner *owner = &record->owner;
	sqlite3_stmt *row = store_statement(store, SQL_ROW_INSERT);
	char *parents = refs_json(owner->parents, owner->n_parents, OWNER_PARENTS);
	char *holders = refs_json(owner->holders, owner->n_holders, OWNER_HOLDERS);
	char *caller = caller_json(&owner->caller);
	int err = -ENOMEM;

	if (!parents || !holders || !caller)
		goto out;
	bind_number(row, COLUMN_ID, id);
	bind_number(row, COLUMN_OFFENDER, offender);
	bind_number(row, COLUMN_FIRST_NS, record->ts_ns);
	bind_number(row, COLUMN_LAST_NS, record->ts_ns);
	bind_number(row, COLUMN_COUNT, 1);
	bind_number(row, COLUMN_MANY_DST, many_dst);
	bind_raw_text(row, COLUMN_USER, user ? user : "");
	bind_word(row, COLUMN_PARENTS, parents);
	bind_word(row, COLUMN_HOLDERS, holders);
	bind_word(row, COLUMN_CALLER, caller);
	bind_number(row, COLUMN_POSES, owner->poses);
	bind_verdict(row, record);
	bind_flow(row, &record->flow);
	bind_owner(row, owner);
	err = store_run(store, row);
out:
	free(parents);
	free(holders);
	free(caller);
	return err;
}
