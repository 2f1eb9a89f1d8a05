/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One record as a line of JSON for Wireshark; every text in it is escaped first. */
#include "comment.h"

#include <jansson.h>
#include <string.h>

#include "escape.h"

#define TEXT_BYTES 4096 /* of one text when escaped; JSON may double its backslashes */

static json_t *text_json(const char *raw)
{
	char escaped[TEXT_BYTES];

	if (!raw || !*raw)
		return json_null();
	escape_bytes(raw, strlen(raw), escaped, sizeof(escaped));
	return json_string(escaped);
}

static json_t *caller_json(const struct owner_ref *caller)
{
	json_t *object = json_object();

	json_object_set_new(object, "pid", json_integer(caller->pid));
	json_object_set_new(object, "uid",
			    caller->uid == OWNER_UID_NONE ? json_null()
							  : json_integer(caller->uid));
	json_object_set_new(object, "comm", text_json(caller->comm));
	return object;
}

char *comment_text(const struct record *record, int64_t id, const char *user)
{
	const struct owner *owner = &record->owner;
	json_t *object = json_object();
	uint32_t uid;
	char *text;

	json_object_set_new(object, "id", json_integer(id));
	json_object_set_new(object, "verdict", json_string(verdict_words[record->verdict]));
	json_object_set_new(object, "reason", json_string(reason_words[record->reason]));
	json_object_set_new(object, "rule", text_json(record->rule));
	json_object_set_new(object, "uid",
			    record_charged_uid(record, &uid) ? json_integer(uid) : json_null());
	json_object_set_new(object, "user", text_json(user));
	json_object_set_new(object, "pid",
			    owner->proc.pid ? json_integer(owner->proc.pid) : json_null());
	json_object_set_new(object, "exe", text_json(owner->exe));
	json_object_set_new(object, "script", text_json(owner->script));
	if (owner->poses)
		json_object_set_new(object, "poses", json_true());
	if (owner->caller.pid)
		json_object_set_new(object, "caller", caller_json(&owner->caller));
	json_object_set_new(object, "owner_how", json_string(owner_how_words[owner->how]));
	if (owner->why != OWNER_WHY_NONE)
		json_object_set_new(object, "owner_why", json_string(owner_why_words[owner->why]));
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}
