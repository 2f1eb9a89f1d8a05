/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says about whom it is charged to; nothing here makes or shows one. Pure. */
#include "record.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

const char *const record_via_words[VIA_N] = {
	[VIA_QUEUE] = "queue", [VIA_FORWARD] = "forward", [VIA_MAIL] = "mail",
	[VIA_LOCAL] = "local", [VIA_GUARD] = "guard",	  [VIA_REPLAY] = "replay",
};
static_assert(VIA_N == 6, "record_via_words[] names every record_via");

bool record_charged_uid(const struct record *record, uint32_t *uid)
{
	const struct owner *owner = &record->owner;

	if (record->has_uid)
		*uid = record->uid;
	else if (owner->has_socket && owner->socket_uid != OWNER_UID_NONE)
		*uid = owner->socket_uid;
	else if (owner->proc.pid != 0)
		*uid = owner->proc.uid;
	else
		return false;
	return true;
}

const char *record_program(const struct record *record)
{
	return record->owner.script[0] ? record->owner.script : record->owner.exe;
}

const char *record_charged_program(const struct record *record)
{
	return record->foreign_holder ? "" : record_program(record);
}

/* Compared as bytes: it is zeroed as a whole first. */
struct likeness {
	uint32_t uid, charged_uid;
	uint16_t dport, program_bytes, folder_bytes, unit_bytes;
	uint8_t has_uid, has_charged_uid, via, verdict, reason, family, has_ports, has_script;
	uint8_t dst[16];
};

static size_t append(uint8_t *out, size_t at, const char *text, uint16_t len)
{
	memcpy(out + at, text, len);
	return at + len;
}

size_t record_likeness(const struct record *record, uint8_t out[RECORD_LIKENESS_BYTES])
{
	const struct owner *owner = &record->owner;
	const struct flow *flow = &record->flow;
	const char *program = record_program(record), *folder = *owner->script ? "" : owner->cwd;
	size_t program_bytes = strlen(program), folder_bytes = strlen(folder);
	size_t unit_bytes = strlen(owner->unit), at = sizeof(struct likeness);
	struct likeness like;

	/* A forwarded one's row rests on where it came from, too. */
	if (record->foreign_holder || record->flow_error != FLOW_OK || flow->family == 0 ||
	    *record->indev ||
	    at + program_bytes + folder_bytes + unit_bytes > RECORD_LIKENESS_BYTES)
		return 0;
	memset(&like, 0, sizeof(like));
	like.has_uid = record->has_uid;
	like.uid = record->has_uid ? record->uid : 0;
	like.has_charged_uid = record_charged_uid(record, &like.charged_uid);
	like.via = (uint8_t)record->via;
	like.verdict = (uint8_t)record->verdict;
	like.reason = (uint8_t)record->reason;
	like.family = flow->family;
	like.has_ports = flow->has_ports;
	like.dport = flow->has_ports ? flow->dport : 0;
	memcpy(like.dst, flow->dst, flow->family == AF_INET6 ? 16 : 4);
	like.has_script = *owner->script != '\0';
	like.program_bytes = (uint16_t)program_bytes;
	like.folder_bytes = (uint16_t)folder_bytes;
	like.unit_bytes = (uint16_t)unit_bytes;
	memcpy(out, &like, sizeof(like));
	at = append(out, at, program, like.program_bytes);
	at = append(out, at, folder, like.folder_bytes);
	return append(out, at, owner->unit, like.unit_bytes);
}

bool record_is_alarm(const struct record *record)
{
	return record->foreign_holder && record->verdict == VERDICT_ALLOW &&
	       record->reason == REASON_MAIL_SERVER;
}
