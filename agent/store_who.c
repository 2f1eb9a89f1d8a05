/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds an offender in the store, or makes it one while there is room; counts nothing of what it
 * does. */
#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "site.h"

/* Who an offender is, in the table's own terms. */
struct identity {
	int64_t uid;
	bool many_programs;
	const char *program;
};

#define WORKS_IN_MAX 256 /* a web root; a longer one is somebody's who wants to fill the store */

size_t store_works_in(const struct record *record)
{
	size_t len = *record->owner.script ? 0 : site_of_folder(record->owner.cwd);

	return len <= WORKS_IN_MAX ? len : 0;
}

void store_set_works_in(const struct store *store, struct store_offender_entry *entry,
			const void *folder, size_t len)
{
	entry->works_in_one = len > 0;
	if (len > 0)
		entry->works_in = keyhash_of(store->key, folder, len);
}

static void read_ports(struct store_offender_entry *entry, const char *text)
{
	char *end;
	long port;

	while (text && *text && entry->n_ports < STORE_PORTS_MAX) {
		port = strtol(text, &end, 10);
		if (end == text || port < 0 || port > 65535)
			return;
		entry->ports[entry->n_ports++] = (uint16_t)port;
		text = *end == ',' ? end + 1 : end;
	}
}

static void bind_identity(sqlite3_stmt *statement, const struct identity *who)
{
	sqlite3_bind_int64(statement, 1, who->uid);
	sqlite3_bind_int64(statement, 2, who->many_programs);
	sqlite3_bind_blob(statement, 3, who->program, (int)strlen(who->program), SQLITE_STATIC);
}

/* 1: *entry is filled; 0: the store does not know it; -errno. */
static int find(struct store *store, const struct identity *who, struct store_offender_entry *entry)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_FIND);
	int got;

	bind_identity(statement, who);
	got = store_step(store, statement);
	if (got > 0) {
		memset(entry, 0, sizeof(*entry));
		entry->id = sqlite3_column_int64(statement, 0);
		entry->attempts = sqlite3_column_int64(statement, 1);
		entry->destinations = sqlite3_column_int64(statement, 2);
		entry->networks = sqlite3_column_int64(statement, 3);
		entry->first_ns = sqlite3_column_int64(statement, 4);
		entry->last_ns = sqlite3_column_int64(statement, 5);
		entry->capped = sqlite3_column_int(statement, 7);
		read_ports(entry, (const char *)sqlite3_column_text(statement, 8));
		entry->has_user = sqlite3_column_int(statement, 9);
		entry->has_unit = sqlite3_column_int(statement, 10);
		store_set_works_in(store, entry, sqlite3_column_blob(statement, 11),
				   (size_t)sqlite3_column_bytes(statement, 11));
	}
	sqlite3_reset(statement);
	return got;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text, size_t len)
{
	sqlite3_bind_blob(statement, at, text, (int)len, SQLITE_STATIC);
}

/* What an offender's row says of who it is. */
struct texts {
	const char *user, *unit, *script, *exe, *folder;
	size_t folder_len; /* of the site it works in, if it is told */
};

static struct texts texts_of(const struct identity *who, const struct record *record,
			     const char *user)
{
	bool named = !who->many_programs && !record->foreign_holder;

	return (struct texts){
		.user = who->uid == STORE_UID_EVERYBODY || !user ? "" : user,
		.unit = named ? record->owner.unit : "",
		.script = named ? record->owner.script : "",
		.exe = named ? record->owner.exe : "",
		.folder = record->owner.cwd,
		.folder_len = named ? store_works_in(record) : 0,
	};
}

/* As OFFENDER_COST in store_schema.c. */
static int64_t cost_of(const struct identity *who, const struct texts *texts)
{
	size_t program = strlen(who->program);

	return (int64_t)(STORE_OFFENDER_COST + 2 * program + strlen(texts->user) +
			 strlen(texts->unit) + site_length(texts->script) + strlen(texts->script) +
			 strlen(texts->exe) + (program > STORE_LONG_PROGRAM ? STORE_LONG_COST : 0));
}

static int insert(struct store *store, const struct identity *who, const struct texts *texts,
		  int64_t ts_ns, struct store_offender_entry *entry)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_INSERT);
	int err;

	bind_identity(statement, who);
	sqlite3_bind_int64(statement, 4, ts_ns);
	bind_text(statement, 5, texts->user, strlen(texts->user));
	bind_text(statement, 6, texts->unit, strlen(texts->unit));
	bind_text(statement, 7, texts->script, site_length(texts->script));
	bind_text(statement, 8, texts->script, strlen(texts->script));
	bind_text(statement, 9, texts->exe, strlen(texts->exe));
	bind_text(statement, 10, texts->folder, texts->folder_len);
	err = store_run(store, statement);
	if (err)
		return err;
	memset(entry, 0, sizeof(*entry));
	entry->id = sqlite3_last_insert_rowid(store->db);
	entry->first_ns = entry->last_ns = ts_ns;
	entry->has_user = who->uid == STORE_UID_EVERYBODY || *texts->user;
	entry->has_unit = who->many_programs || *texts->unit;
	store_set_works_in(store, entry, texts->folder, texts->folder_len);
	store->n_offenders++;
	store->meta[META_OFFENDER_BYTES] += cost_of(who, texts);
	return 0;
}

/* How many programs of this uid are offenders already; -errno. */
static int count_programs(struct store *store, int64_t uid, struct store_programs **programs)
{
	struct keyhash name = keyhash_of(store->key, &uid, sizeof(uid));
	sqlite3_stmt *statement;
	int got;

	*programs = lru_get(store->programs, name);
	if (*programs)
		return 0;
	statement = store_statement(store, SQL_OFFENDER_COUNT);
	sqlite3_bind_int64(statement, 1, uid);
	got = store_step(store, statement);
	if (got > 0) {
		*programs = lru_put(store->programs, name);
		(*programs)->n = sqlite3_column_int64(statement, 0);
		(*programs)->bytes = sqlite3_column_int64(statement, 1);
	}
	sqlite3_reset(statement);
	return got < 0 ? got : 0;
}

/* The offender that stands for those above a bound; of everybody when there is no room for one of
 * the uid's either. */
static int get_collective(struct store *store, int64_t uid, const struct record *record,
			  int64_t ts_ns, const char *user, struct keyhash *owner,
			  struct store_offender_entry **entry)
{
	struct identity who = { .uid = uid, .many_programs = true, .program = "" };
	struct texts texts = texts_of(&who, record, user);
	struct {
		char kind[8];
		int64_t uid;
	} key = { "many", uid };
	struct keyhash name = keyhash_of(store->key, &key, sizeof(key));
	struct store_offender_entry fresh;
	int got;

	*owner = name;
	*entry = lru_get(store->offenders, name);
	if (*entry)
		return 0;
	got = find(store, &who, &fresh);
	if (got == 0 && uid != STORE_UID_EVERYBODY &&
	    store->meta[META_OFFENDER_BYTES] + cost_of(&who, &texts) > STORE_OFFENDERS_BYTES(store))
		return get_collective(store, STORE_UID_EVERYBODY, record, ts_ns, user, owner,
				      entry);
	if (got == 0)
		got = insert(store, &who, &texts, ts_ns, &fresh);
	if (got < 0)
		return got;
	*entry = lru_put(store->offenders, name);
	**entry = fresh;
	return 0;
}

/* May the uid have an offender of this cost for one more program? */
static bool has_room(const struct store *store, const struct store_programs *programs, int64_t cost)
{
	return programs->n < STORE_OFFENDERS_PER_UID &&
	       programs->bytes + cost <= STORE_UID_PROGRAMS_BYTES(store) &&
	       store->meta[META_OFFENDER_BYTES] + cost <= STORE_PROGRAMS_BYTES(store);
}

int store_offender_get(struct store *store, const struct record *record, struct keyhash *owner,
		       int64_t ts_ns, const char *user, struct store_offender_entry **entry)
{
	struct identity who = { .uid = STORE_UID_NONE, .program = record_charged_program(record) };
	struct store_programs *programs = NULL;
	struct store_offender_entry found;
	struct texts texts;
	int64_t cost;
	uint32_t uid;
	int got, err;

	*entry = lru_get(store->offenders, *owner);
	if (*entry)
		return 0;
	texts = texts_of(&who, record, user);
	cost = cost_of(&who, &texts);
	if (record_charged_uid(record, &uid))
		who.uid = uid;
	got = find(store, &who, &found);
	if (got < 0)
		return got;
	if (got == 0) {
		err = count_programs(store, who.uid, &programs);
		if (err)
			return err;
		if (!has_room(store, programs, cost))
			return get_collective(store, who.uid, record, ts_ns, user, owner, entry);
		if (store->n_offenders >= STORE_OFFENDERS_MAX)
			return get_collective(store, STORE_UID_EVERYBODY, record, ts_ns, user,
					      owner, entry);
		err = insert(store, &who, &texts, ts_ns, &found);
		if (err)
			return err;
		programs->n++;
		programs->bytes += cost;
	}
	*entry = lru_put(store->offenders, *owner);
	**entry = found;
	return store->flush_error;
}
