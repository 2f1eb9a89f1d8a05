/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was learnt of a record after it was kept: to its row and to its offender. It finds no row
 * by itself: which one a record went to is told by the caller.
 */
#include "store_internal.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

#define IN_NO_GROUP (-1) /* counted, but there was no room for its group */

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_blob(statement, at, text, (int)strlen(text), SQLITE_STATIC);
}

static void bind_word(sqlite3_stmt *statement, int at, const char *word)
{
	sqlite3_bind_text(statement, at, word, -1, SQLITE_STATIC);
}

/* One number of a statement about `id`: 1, 0 or -errno. */
static int number_for(struct store *store, enum store_statement what, int64_t id, int64_t *number)
{
	sqlite3_stmt *statement = store_statement(store, what);
	int got;

	sqlite3_bind_int64(statement, 1, id);
	got = store_step(store, statement);
	if (got > 0)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return got;
}

/* --- the row ------------------------------------------------------------------------------- */

/* The row's offender, 0 where the note is none of its business. 1, 0: no such row, -errno. */
static int find_row(struct store *store, int64_t id, int64_t *offender)
{
	sqlite3_stmt *statement = store_statement(store, SQL_NOTE_ROW);
	int got;

	sqlite3_bind_int64(statement, 1, id);
	got = store_step(store, statement);
	if (got > 0) {
		bool foreign = sqlite3_column_int(statement, 1);
		bool pruned = sqlite3_column_type(statement, 2) == SQLITE_NULL;
		bool everybody = sqlite3_column_int64(statement, 2) == STORE_UID_EVERYBODY;

		*offender = foreign || pruned || everybody ? 0 : sqlite3_column_int64(statement, 0);
	}
	sqlite3_reset(statement);
	return got;
}

static int begin_note(struct store *store, int64_t id, int64_t ts_ns)
{
	sqlite3_stmt *statement = store_statement(store, SQL_NOTE_BEGIN);

	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, ts_ns);
	return store_run(store, statement);
}

static int row_site(struct store *store, int64_t id, const struct note_site *site)
{
	sqlite3_stmt *statement = store_statement(store, SQL_NOTE_SITE);

	sqlite3_bind_int64(statement, 1, id);
	bind_word(statement, 2, note_site_from_words[site->from]);
	bind_text(statement, 3, site->account);
	bind_text(statement, 4, site->vhost);
	bind_text(statement, 5, site->root);
	bind_text(statement, 6, site->source);
	return store_run(store, statement);
}

static int row_trigger(struct store *store, int64_t id, const struct note_trigger *trigger)
{
	sqlite3_stmt *statement = store_statement(store, SQL_NOTE_TRIGGER);

	sqlite3_bind_int64(statement, 1, id);
	bind_word(statement, 2, note_match_words[trigger->match]);
	sqlite3_bind_int64(statement, 3, trigger->n);
	bind_text(statement, 4, trigger->method);
	bind_text(statement, 5, trigger->uri);
	bind_text(statement, 6, trigger->client);
	bind_text(statement, 7, trigger->vhost);
	sqlite3_bind_int64(statement, 8, trigger->status);
	sqlite3_bind_int64(statement, 9, trigger->ts_ns);
	bind_text(statement, 10, trigger->log);
	return store_run(store, statement);
}

static int row_object(struct store *store, int64_t id, const struct note_object *object)
{
	sqlite3_stmt *statement = store_statement(store, SQL_NOTE_OBJECT);
	int64_t bytes = object->bytes < INT64_MAX ? (int64_t)object->bytes : INT64_MAX;

	sqlite3_bind_int64(statement, 1, id);
	bind_word(statement, 2, note_object_why_words[object->why]);
	sqlite3_bind_blob(statement, 3, object->sha256,
			  object->has_digest ? sizeof(object->sha256) : 0, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, bytes);
	sqlite3_bind_int(statement, 5, object->has_copy);
	return store_run(store, statement);
}

/* --- the offender -------------------------------------------------------------------------- */

static const char *unless_long(const char *text)
{
	return strlen(text) <= STORE_SITE_TEXT_MAX ? text : "";
}

static int offender_site(struct store *store, int64_t offender, const struct note_site *site)
{
	const char *root = unless_long(site->root), *source = unless_long(site->source);
	int64_t had = 0, has = (int64_t)(strlen(site->account) + strlen(site->vhost) +
					 strlen(root) + strlen(source));
	sqlite3_stmt *statement;
	int got;

	if (site->from == SITE_FROM_NONE)
		return 0;
	got = number_for(store, SQL_OFFENDER_SITE_BYTES, offender, &had);
	if (got <= 0)
		return got;
	if (has > had &&
	    store->meta[META_OFFENDER_BYTES] + has - had > STORE_OFFENDERS_BYTES(store))
		return 0;
	statement = store_statement(store, SQL_OFFENDER_SITE);
	sqlite3_bind_int64(statement, 1, offender);
	bind_word(statement, 2, note_site_from_words[site->from]);
	bind_text(statement, 3, site->account);
	bind_text(statement, 4, site->vhost);
	bind_text(statement, 5, root);
	bind_text(statement, 6, source);
	store->meta[META_OFFENDER_BYTES] += has - had;
	return store_run(store, statement);
}

static int count_triggers(struct store *store, int64_t offender, int more)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_TRIGGERS);

	sqlite3_bind_int64(statement, 1, offender);
	sqlite3_bind_int(statement, 2, more);
	return store_run(store, statement);
}

/* Runs a DELETE of groups that returns what each took. */
static int delete_groups(struct store *store, enum store_statement what, int64_t id)
{
	sqlite3_stmt *statement = store_statement(store, what);
	int got;

	sqlite3_bind_int64(statement, 1, id);
	while ((got = store_step(store, statement)) > 0)
		store->meta[META_TRIGGER_BYTES] -= sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return got;
}

int store_forget_triggers(struct store *store, int64_t offender)
{
	return delete_groups(store, SQL_TRIGGER_DELETE_ALL, offender);
}

/* An earlier note of the same record named another request. */
static int take_back(struct store *store, int64_t group)
{
	int64_t left = 0;
	int got = number_for(store, SQL_TRIGGER_LESS, group, &left);

	return got > 0 && left <= 0 ? delete_groups(store, SQL_TRIGGER_DELETE, group)
	       : got < 0	    ? got
				    : 0;
}

static void bind_group(sqlite3_stmt *statement, int64_t offender,
		       const struct note_trigger *trigger, int64_t ts_ns)
{
	sqlite3_bind_int64(statement, 1, offender);
	bind_text(statement, 2, trigger->method);
	bind_text(statement, 3, trigger->uri);
	bind_text(statement, 4, trigger->client);
	bind_word(statement, 5, note_match_words[trigger->match]);
	sqlite3_bind_int64(statement, 6, trigger->n);
	sqlite3_bind_int64(statement, 7, trigger->status);
	sqlite3_bind_int64(statement, 8, ts_ns);
}

/* As TRIGGER_COST in store_schema.c. */
static int64_t cost_of(const struct note_trigger *trigger)
{
	return (int64_t)(STORE_TRIGGER_COST + 2 * (strlen(trigger->method) + strlen(trigger->uri) +
						   strlen(trigger->client)));
}

/* May the offender have one more group? 1, 0 or -errno. */
static int make_room(struct store *store, int64_t offender, int64_t cost)
{
	int64_t groups = 0, weakest = 0;
	int got = number_for(store, SQL_TRIGGER_COUNT, offender, &groups);

	if (got < 0)
		return got;
	if (groups >= STORE_TRIGGERS_MAX) {
		got = number_for(store, SQL_TRIGGER_WEAKEST, offender, &weakest);
		if (got <= 0)
			return got;
		got = delete_groups(store, SQL_TRIGGER_DELETE, weakest);
		if (got < 0)
			return got;
	}
	return store->meta[META_TRIGGER_BYTES] + cost <= STORE_TRIGGERS_BYTES(store);
}

static int add_to_group(struct store *store, int64_t offender, const struct note_trigger *trigger,
			int64_t ts_ns, int64_t *group)
{
	sqlite3_stmt *statement = store_statement(store, SQL_TRIGGER_ADD);
	int got;

	*group = IN_NO_GROUP;
	bind_group(statement, offender, trigger, ts_ns);
	got = store_step(store, statement);
	if (got > 0)
		*group = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	if (got != 0)
		return got < 0 ? got : 0;
	got = make_room(store, offender, cost_of(trigger));
	if (got <= 0)
		return got;
	statement = store_statement(store, SQL_TRIGGER_INSERT);
	bind_group(statement, offender, trigger, ts_ns);
	got = store_run(store, statement);
	if (got)
		return got;
	*group = sqlite3_last_insert_rowid(store->db);
	store->meta[META_TRIGGER_BYTES] += cost_of(trigger);
	return 0;
}

static int offender_trigger(struct store *store, int64_t offender, const struct note *note,
			    int64_t *group)
{
	int err = 0;

	if (*group) {
		err = *group > 0 ? take_back(store, *group) : 0;
		if (!err)
			err = count_triggers(store, offender, -1);
	}
	*group = 0;
	if (err || note->trigger.match == MATCH_NONE)
		return err;
	err = count_triggers(store, offender, 1);
	return err ? err : add_to_group(store, offender, &note->trigger, note->ts_ns, group);
}

static int note_row(struct store *store, int64_t id, const struct note *note)
{
	int err = begin_note(store, id, note->ts_ns);

	if (!err && note->parts & NOTE_SITE)
		err = row_site(store, id, &note->site);
	if (!err && note->parts & NOTE_TRIGGER)
		err = row_trigger(store, id, &note->trigger);
	if (!err && note->parts & NOTE_OBJECT)
		err = row_object(store, id, &note->object);
	return err;
}

int store_note(struct store *store, int64_t id, bool first, const struct note *note, int64_t *group,
	       int64_t *offender)
{
	int64_t of = 0, counted = *group;
	int err, got = find_row(store, id, &of);

	if (got <= 0)
		return got;
	err = first ? note_row(store, id, note) : 0;
	if (!err && of && note->parts & NOTE_SITE)
		err = offender_site(store, of, &note->site);
	if (!err && of && note->parts & NOTE_TRIGGER)
		err = offender_trigger(store, of, note, &counted);
	if (err)
		return err;
	*group = counted;
	*offender = of;
	return 1;
}

/* --- reading ------------------------------------------------------------------------------- */

static json_t *escaped_column(sqlite3_stmt *row, int column)
{
	struct store_bytes bytes = store_column_bytes(row, column);
	char *text = bytes.len > 0 ? escape_dup(bytes.bytes, (size_t)bytes.len) : NULL;
	json_t *value = text ? json_string(text) : json_null();

	free(text);
	return value;
}

static json_t *group_json(sqlite3_stmt *row)
{
	json_t *group = json_object();
	int64_t status = sqlite3_column_int64(row, 5);

	json_object_set_new(group, "match", json_string(store_column_text(row, 0)));
	json_object_set_new(group, "n", json_integer(sqlite3_column_int64(row, 1)));
	json_object_set_new(group, "method", escaped_column(row, 2));
	json_object_set_new(group, "uri", escaped_column(row, 3));
	json_object_set_new(group, "client", escaped_column(row, 4));
	json_object_set_new(group, "status", status ? json_integer(status) : json_null());
	json_object_set_new(group, "count", json_integer(sqlite3_column_int64(row, 6)));
	json_object_set_new(group, "last_ns", json_integer(sqlite3_column_int64(row, 7)));
	return group;
}

int store_trigger_groups(struct store *store, int64_t offender, char **json)
{
	sqlite3_stmt *statement = store_statement(store, SQL_TRIGGER_LIST);
	json_t *groups = json_array();
	char *text;
	int got;

	sqlite3_bind_int64(statement, 1, offender);
	while ((got = store_step(store, statement)) > 0)
		json_array_append_new(groups, group_json(statement));
	sqlite3_reset(statement);
	text = got < 0 ? NULL : json_dumps(groups, JSON_COMPACT);
	json_decref(groups);
	if (got < 0)
		return got;
	if (!text)
		return -ENOMEM;
	*json = text;
	return 0;
}
