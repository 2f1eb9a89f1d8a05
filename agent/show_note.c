/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was learnt of an attempt after it was judged, as values and as lines; the words are
 * note_text.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "note_text.h"
#include "show.h"

static json_t *bytes_json(const struct store_bytes *bytes)
{
	return show_bytes(bytes->bytes, bytes->len > 0 ? (size_t)bytes->len : 0);
}

static json_t *word_json(const char *word)
{
	return show_bytes(word, strlen(word));
}

static json_t *number_json(int64_t value, bool known)
{
	return known ? show_need(json_integer(value)) : json_null();
}

json_t *show_site(const struct store_site *site)
{
	json_t *object;

	if (!site->from)
		return json_null();
	object = show_need(json_object());
	json_object_set_new(object, "from", word_json(site->from));
	json_object_set_new(object, "account", bytes_json(&site->account));
	json_object_set_new(object, "vhost", bytes_json(&site->vhost));
	json_object_set_new(object, "root", bytes_json(&site->root));
	json_object_set_new(object, "source", bytes_json(&site->source));
	return object;
}

json_t *show_trigger(const struct store_trigger *trigger, const struct show_options *options)
{
	char time_text[SHOW_TIME_BYTES];
	json_t *object;

	if (!trigger->match)
		return json_null();
	object = show_need(json_object());
	json_object_set_new(object, "match", word_json(trigger->match));
	json_object_set_new(object, "n", number_json(trigger->n, true));
	json_object_set_new(object, "method", bytes_json(&trigger->method));
	json_object_set_new(object, "uri", bytes_json(&trigger->uri));
	json_object_set_new(object, "client", bytes_json(&trigger->client));
	json_object_set_new(object, "vhost", bytes_json(&trigger->vhost));
	json_object_set_new(object, "status", number_json(trigger->status, trigger->status > 0));
	json_object_set_new(object, "ts",
			    trigger->ts_ns > 0 ? word_json(show_time(trigger->ts_ns, options->utc,
								     0, time_text))
					       : json_null());
	json_object_set_new(object, "log", bytes_json(&trigger->log));
	return object;
}

json_t *show_object_file(const struct store_object *object)
{
	char hex[2 * 32 + 1] = "";
	json_t *shown;

	if (!object->why)
		return json_null();
	for (int i = 0; object->sha256.len == 32 && i < 32; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)object->sha256.bytes[i]);
	shown = show_need(json_object());
	if (strcmp(object->why, note_object_why_words[OBJECT_WHY_NONE]) != 0)
		json_object_set_new(shown, "why", word_json(object->why));
	json_object_set_new(shown, "sha256", *hex ? word_json(hex) : json_null());
	json_object_set_new(shown, "bytes", number_json(object->bytes, *hex));
	json_object_set_new(shown, "copied", json_boolean(*hex && object->copied));
	return shown;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

char *show_site_text(const json_t *site)
{
	const char *name = string_of(site, "vhost");

	if (!*name)
		name = string_of(site, "root");
	return show_printf("%s (%s)", *name ? name : "unknown", string_of(site, "from"));
}

char *show_trigger_text(const json_t *trigger)
{
	const struct note_request request = {
		.match = string_of(trigger, "match"),
		.n = json_integer_value(json_object_get(trigger, "n")),
		.method = string_of(trigger, "method"),
		.uri = string_of(trigger, "uri"),
		.client = string_of(trigger, "client"),
		.vhost = string_of(trigger, "vhost"),
		.log = string_of(trigger, "log"),
	};

	return note_trigger_text(&request);
}

char *show_object_text(const json_t *object)
{
	return note_object_text(string_of(object, "why"), string_of(object, "sha256"),
				json_integer_value(json_object_get(object, "bytes")),
				json_is_true(json_object_get(object, "copied")));
}
