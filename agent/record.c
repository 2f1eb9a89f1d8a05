/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record says about whom it is charged to; nothing here makes or shows one. Pure. */
#include "record.h"

#include <assert.h>

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

bool record_is_alarm(const struct record *record)
{
	return record->foreign_holder && record->verdict == VERDICT_ALLOW &&
	       record->reason == REASON_MAIL_SERVER;
}
