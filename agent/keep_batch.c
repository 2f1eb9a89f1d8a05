/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of records: whole ones are kept as single ones are, references are counted where the
 * whole one went. One whose whole is not known here is kept as a record of nobody, exactly counted.
 */
#include "keep_internal.h"

#include <assert.h>
#include <string.h>

#include "log.h"

void keep_batch_forget(struct keep *keep)
{
	if (keep->slots)
		memset(keep->slots, 0, WIRE_SLOTS * sizeof(*keep->slots));
}

static void take_whole(struct keep *keep, const struct wire_item *item, int64_t now_ns)
{
	const struct keep_body body = { item->body, item->len };
	struct keep_kept *slot = item->slot < WIRE_SLOTS ? &keep->slots[item->slot] : NULL;

	if (slot)
		slot->serial = 0;
	if (wire_read_record(item->body, item->len, &keep->record) < 0)
		keep_bad_message(keep);
	else if (keep_record(keep, body, now_ns, slot) && slot)
		slot->serial = item->serial;
}

/* Its whole went with an earlier recorder, or with a transaction that failed. */
static void take_unknown(struct keep *keep, const struct wire_again *again, int64_t now_ns)
{
	uint8_t bytes[1024];
	int len;

	if (!keep->unknown_said)
		log_warning("records that repeat what an earlier recorder had: counted by user "
			    "and destination alone");
	keep->unknown_said = true;
	wire_again_record(again, &keep->record);
	len = wire_encode_record(&keep->record, bytes, sizeof(bytes));
	if (len < 0) {
		keep_bad_message(keep);
		return;
	}
	keep_record(keep,
		    (struct keep_body){ bytes + WIRE_HEAD_BYTES, (size_t)len - WIRE_HEAD_BYTES },
		    now_ns, NULL);
}

static bool is_known(const struct keep_kept *slot, const struct wire_item *item)
{
	int64_t after_ns = item->again.ts_ns - slot->ts_ns;

	return slot->serial == item->serial && after_ns >= 0 && after_ns < STORE_AGAIN_NS;
}

static void take_again(struct keep *keep, const struct wire_item *item, int64_t now_ns)
{
	const struct wire_again *again = &item->again;
	struct keep_kept *slot = &keep->slots[item->slot];
	int64_t row = 0;
	int got;

	if (!is_known(slot, item)) {
		take_unknown(keep, again, now_ns);
		return;
	}
	if (!keep_begin(keep, now_ns)) { /* beginning may have failed: *slot is forgotten then */
		keep->lost[LOST_COMMIT]++;
		return;
	}
	got = store_again(keep->store, &slot->row, again->ts_ns, again->verdict, &row);
	if (got < 0) {
		keep_fail(keep, got, 1, now_ns);
		return;
	}
	if (got == 0) {
		slot->serial = 0;
		take_unknown(keep, again, now_ns);
		return;
	}
	keep->in_batch++;
	keep_notes_record(keep->notes, again->id, row, false);
	if (slot->notice)
		journal_repeat(keep->journal, slot->pace);
}

void keep_batch(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	struct wire_item item;
	size_t at = 0;
	int got;

	while ((got = wire_next_item(bytes, len, &at, &item)) > 0) {
		if (item.body)
			take_whole(keep, &item, now_ns);
		else
			take_again(keep, &item, now_ns);
	}
	if (got < 0)
		keep_bad_message(keep);
}
static_assert(STORE_AGAIN_NS == WIRE_AGAIN_NS, "one meaning of `again`");
