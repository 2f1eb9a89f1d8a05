/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a message of the judge: refused and nothing touched, or what encodes to them again.
 */
#include <errno.h>
#include <string.h>

#include "agent/wire.h"
#include "fuzz.h"

#define MUST_END(field) must(memchr(field, '\0', sizeof(field)))

static uint8_t again[WIRE_BYTES_MAX];

static void check_owner(const struct owner *owner)
{
	must(owner->how < OWNER_HOW_N && owner->why < OWNER_WHY_N);
	must(owner->script_why < OWNER_WHY_N && owner->script_from < OWNER_SCRIPT_FROM_N);
	must(owner->n_parents <= OWNER_PARENTS); /* n_holders counts all, holders[] has the first */
	must(owner->cmdline_bytes <= OWNER_CMDLINE_BYTES);
	MUST_END(owner->proc.comm);
	MUST_END(owner->caller.comm);
	MUST_END(owner->exe);
	MUST_END(owner->cwd);
	MUST_END(owner->script);
	MUST_END(owner->unit);
	MUST_END(owner->container);
	MUST_END(owner->request_method);
	MUST_END(owner->request_uri);
	MUST_END(owner->request_host);
	MUST_END(owner->request_client);
	for (unsigned i = 0; i < owner->n_parents; i++)
		MUST_END(owner->parents[i].comm);
	for (unsigned i = 0; i < owner->n_holders && i < OWNER_HOLDERS; i++)
		MUST_END(owner->holders[i].comm);
}

static void check_same(const uint8_t *data, size_t size, int len)
{
	must(len > 0 && (size_t)len == size && !memcmp(again, data, size));
}

static int record(const uint8_t *data, size_t size)
{
	static struct record record, before;

	memset(&record, 0x5a, sizeof(record));
	before = record;
	if (wire_decode_record(data, size, &record)) {
		must(!memcmp(&record, &before, sizeof(record)));
		return -EBADMSG;
	}
	must(record.via < VIA_N && record.mode < MODE_N && record.verdict < VERDICT_N);
	must(record.reason < REASON_N && record.flow_error < FLOW_ERROR_N);
	must(record.excerpt_bytes <= RECORD_EXCERPT_BYTES);
	must(record.packet_bytes >= record.excerpt_bytes);
	MUST_END(record.rule);
	check_owner(&record.owner);
	check_same(data, size, wire_encode_record(&record, again, sizeof(again)));
	must(wire_encode_record(&record, again, size - 1) == -EMSGSIZE);
	return 0;
}

static int status(const uint8_t *data, size_t size)
{
	static struct wire_status status, before;

	memset(&status, 0x5a, sizeof(status));
	before = status;
	if (wire_decode_status(data, size, &status)) {
		must(!memcmp(&status, &before, sizeof(status)));
		return -EBADMSG;
	}
	MUST_END(status.stats.judge_epoch);
	MUST_END(status.stats.kernel_epoch);
	must(status.queue_form < RULESET_QUEUE_N && status.mode < MODE_N);
	check_same(data, size, wire_encode_status(&status, again, sizeof(again)));
	must(wire_encode_status(&status, again, size - 1) == -EMSGSIZE);
	return 0;
}

static int note(const uint8_t *data, size_t size)
{
	static struct note note, before;

	memset(&note, 0x5a, sizeof(note));
	before = note;
	if (wire_decode_note(data, size, &note)) {
		must(!memcmp(&note, &before, sizeof(note)));
		return -EBADMSG;
	}
	must(note.parts > 0 && note.parts <= (NOTE_SITE | NOTE_TRIGGER | NOTE_OBJECT));
	must(note.site.from < SITE_FROM_N && note.trigger.match < MATCH_N);
	must(note.object.why < OBJECT_WHY_N && (note.object.has_digest || !note.object.has_copy));
	MUST_END(note.site.account);
	MUST_END(note.site.vhost);
	MUST_END(note.site.root);
	MUST_END(note.site.source);
	MUST_END(note.trigger.method);
	MUST_END(note.trigger.uri);
	MUST_END(note.trigger.client);
	MUST_END(note.trigger.vhost);
	MUST_END(note.trigger.log);
	check_same(data, size, wire_encode_note(&note, again, sizeof(again)));
	must(wire_encode_note(&note, again, size - 1) == -EMSGSIZE);
	return 0;
}

static int options(const uint8_t *data, size_t size)
{
	static struct config config, before;

	config_defaults(&config);
	before = config;
	if (wire_decode_options(data, size, &config)) {
		must(!memcmp(&config, &before, sizeof(config)));
		return -EBADMSG;
	}
	must(config.excerpt_bytes <= RECORD_EXCERPT_BYTES);
	must(!strcmp(config.state_dir, before.state_dir) && config.mode == before.mode);
	check_same(data, size, wire_encode_options(&config, again, sizeof(again)));
	must(wire_encode_options(&config, again, size - 1) == -EMSGSIZE);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int kind = wire_kind(data, size);

	must(kind == -EBADMSG || (kind >= WIRE_RECORD && kind <= WIRE_BATCH));
	must(record(data, size) == 0 ? kind == WIRE_RECORD : true);
	must(status(data, size) == 0 ? kind == WIRE_STATS : true);
	must(options(data, size) == 0 ? kind == WIRE_OPTIONS : true);
	must(note(data, size) == 0 ? kind == WIRE_NOTE : true);
	return 0;
}
