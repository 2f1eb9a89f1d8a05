/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was learnt of an attempt, as a line of the journal; it sends nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "escape.h"
#include "journal.h"
#include "journal_text.h"
#include "note_text.h"

#define SHA256_HEX 65

static const char *hex_of(const struct note_object *object, char out[SHA256_HEX])
{
	out[0] = '\0';
	for (size_t i = 0; object->has_digest && i < sizeof(object->sha256); i++)
		sprintf(out + 2 * i, "%02x", object->sha256[i]);
	return out;
}

/* Escaped, cut to what a field takes; the buffers live as long as the request. */
struct escaped_request {
	char method[65], uri[JOURNAL_LONG_BYTES], client[257], vhost[JOURNAL_LONG_BYTES];
	struct note_request request;
};

#define ESCAPE(raw, out) escape_bytes(raw, strlen(raw), out, sizeof(out))

static const struct note_request *request_of(const struct note_trigger *trigger,
					     struct escaped_request *escaped)
{
	ESCAPE(trigger->method, escaped->method);
	ESCAPE(trigger->uri, escaped->uri);
	ESCAPE(trigger->client, escaped->client);
	ESCAPE(trigger->vhost, escaped->vhost);
	escaped->request = (struct note_request){
		.match = note_match_words[trigger->match],
		.n = trigger->n,
		.method = escaped->method,
		.uri = escaped->uri,
		.client = escaped->client,
		.vhost = escaped->vhost,
		.log = trigger->log, /* only compared, not printed */
	};
	return &escaped->request;
}

static char *site_text(const struct note_site *site)
{
	const char *raw = *site->vhost ? site->vhost : site->root;
	char name[JOURNAL_LONG_BYTES], account[257], *text;

	ESCAPE(raw, name);
	ESCAPE(site->account, account);
	if (asprintf(&text, "site %s (%s)%s%s", *name ? name : "unknown",
		     note_site_from_words[site->from], *account ? ", account " : "", account) < 0)
		abort();
	return text;
}

/* "Learnt of attempt 7: site …; probable trigger: …; program: sha256 …". malloc'd. */
static char *message_text(const struct note *note, int64_t id, bool repeat)
{
	struct escaped_request escaped;
	char hex[SHA256_HEX], *site = NULL, *trigger = NULL, *object = NULL, *text;

	if (note->parts & NOTE_SITE)
		site = site_text(&note->site);
	if (note->parts & NOTE_TRIGGER)
		trigger = note_trigger_text(request_of(&note->trigger, &escaped));
	if (note->parts & NOTE_OBJECT)
		object = note_object_text(note_object_why_words[note->object.why],
					  hex_of(&note->object, hex), (int64_t)note->object.bytes,
					  note->object.has_copy);
	if (asprintf(&text, "Learnt of %sattempt %lld: %s%s%s%s%s%s", repeat ? "a repeat of " : "",
		     (long long)id, site ? site : "", site && (trigger || object) ? "; " : "",
		     trigger ? trigger : "", trigger && object ? "; " : "",
		     object ? "program's file: " : "", object ? object : "") < 0)
		abort();
	free(site);
	free(trigger);
	free(object);
	return text;
}

static void add_site(struct journal_text *text, const struct note_site *site)
{
	journal_add_field(text, "EGRESSD_SITE_FROM", note_site_from_words[site->from]);
	journal_add_escaped(text, "EGRESSD_ACCOUNT", site->account);
	journal_add_escaped(text, "EGRESSD_SITE", site->vhost);
	journal_add_escaped(text, "EGRESSD_SITE_ROOT", site->root);
	journal_add_escaped(text, "EGRESSD_SITE_SOURCE", site->source);
}

static void add_trigger(struct journal_text *text, const struct note_trigger *trigger)
{
	journal_add_field(text, "EGRESSD_TRIGGER", note_match_words[trigger->match]);
	if (trigger->match == MATCH_NONE)
		return;
	journal_add_number(text, "EGRESSD_TRIGGER_N", trigger->n);
	journal_add_escaped(text, "EGRESSD_TRIGGER_METHOD", trigger->method);
	journal_add_escaped(text, "EGRESSD_TRIGGER_URI", trigger->uri);
	journal_add_escaped(text, "EGRESSD_TRIGGER_CLIENT", trigger->client);
	journal_add_escaped(text, "EGRESSD_TRIGGER_VHOST", trigger->vhost);
	if (trigger->status)
		journal_add_number(text, "EGRESSD_TRIGGER_STATUS", trigger->status);
	journal_add_escaped(text, "EGRESSD_TRIGGER_LOG", trigger->log);
}

static void add_object(struct journal_text *text, const struct note_object *object)
{
	char hex[SHA256_HEX];

	if (object->why != OBJECT_WHY_NONE)
		journal_add_field(text, "EGRESSD_OBJECT_WHY", note_object_why_words[object->why]);
	if (!object->has_digest)
		return;
	journal_add_field(text, "EGRESSD_OBJECT_SHA256", hex_of(object, hex));
	journal_add_number(text, "EGRESSD_OBJECT_BYTES", (int64_t)object->bytes);
	journal_add_field(text, "EGRESSD_OBJECT_COPIED", object->has_copy ? "1" : "0");
}

size_t journal_format_note(const struct note *note, int64_t id, bool repeat, char *out, size_t size)
{
	struct journal_text text = { .out = out, .size = size };
	char *message = message_text(note, id, repeat);

	journal_add_field(&text, "MESSAGE", message);
	free(message);
	journal_add_field(&text, "MESSAGE_ID", JOURNAL_ID_LEARNT);
	journal_add_number(&text, "PRIORITY", LOG_NOTICE);
	journal_add_field(&text, "SYSLOG_IDENTIFIER", "egressd");
	journal_add_number(&text, "EGRESSD_ID", id);
	if (repeat)
		journal_add_field(&text, "EGRESSD_REPEAT", "1");
	if (note->parts & NOTE_SITE)
		add_site(&text, &note->site);
	if (note->parts & NOTE_TRIGGER)
		add_trigger(&text, &note->trigger);
	if (note->parts & NOTE_OBJECT)
		add_object(&text, &note->object);
	return text.len;
}

size_t journal_line_note(const struct note *note, int64_t id, bool repeat, char *out, size_t size)
{
	char *message = message_text(note, id, repeat);
	int len = snprintf(out, size, "<%d>%s\n", LOG_NOTICE, message);

	free(message);
	return len < (int)size ? (size_t)len : size - 1;
}
