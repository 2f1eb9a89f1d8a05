/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes to the rows of their records. One that overtook its record waits for it a while, bounded;
 * one whose record is not known any more is a number. It commits nothing.
 */
#include "keep_internal.h"

#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define WAITING_MAX	  256
#define WAITING_BYTES_MAX (1U << 20)
#define WAITING_NS	  (2 * 1000000000LL)

struct waiting {
	uint8_t *bytes;
	size_t len;
	int64_t until_ns;
	uint64_t id;
};

struct keep_notes {
	struct recent *recent;
	struct note note; /* the one at hand */
	struct waiting waiting[WAITING_MAX];
	unsigned n;
	size_t bytes;
};

struct keep_notes *keep_notes_new(void)
{
	struct keep_notes *notes = calloc(1, sizeof(*notes));

	if (!notes)
		return NULL;
	notes->recent = recent_new();
	if (notes->recent)
		return notes;
	free(notes);
	return NULL;
}

void keep_notes_free(struct keep_notes *notes)
{
	if (!notes)
		return;
	while (notes->n)
		free(notes->waiting[--notes->n].bytes);
	recent_free(notes->recent);
	free(notes);
}

void keep_notes_record(struct keep_notes *notes, uint64_t id, int64_t row, bool fresh)
{
	recent_add(notes->recent, id, row, fresh);
}

void keep_notes_forget(struct keep_notes *notes)
{
	recent_clear(notes->recent);
}

static void wait_for_record(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	struct keep_notes *notes = keep->notes;
	struct waiting *waiting = &notes->waiting[notes->n];
	uint8_t *copy;

	if (notes->n == WAITING_MAX || notes->bytes + len > WAITING_BYTES_MAX ||
	    !(copy = malloc(len))) {
		keep->lost[LOST_NOTE]++;
		return;
	}
	memcpy(copy, bytes, len);
	*waiting = (struct waiting){ copy, len, now_ns + WAITING_NS, notes->note.id };
	notes->bytes += len;
	notes->n++;
}

/* The decoded note to its row; 0 or the store's error. */
static int keep_it(struct keep *keep, struct recent_row *row, const uint8_t *bytes, size_t len)
{
	const struct note *note = &keep->notes->note;
	int64_t offender = 0;
	int got = store_note(keep->store, row->row, row->fresh, note, &row->group, &offender);

	if (got < 0)
		return got;
	if (got == 0)
		keep->lost[LOST_NOTE]++;
	else if (offender > 0)
		keep_note_line(keep, note, (struct keep_body){ bytes, len }, row, offender);
	return 0;
}

int keep_notes_take(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	struct keep_notes *notes = keep->notes;
	struct recent_row *row;

	if (wire_decode_note(bytes, len, &notes->note) < 0) {
		keep_bad_message(keep);
		return 0;
	}
	row = recent_find(notes->recent, notes->note.id);
	if (row)
		return keep_it(keep, row, bytes, len);
	if (notes->note.id > recent_last(notes->recent))
		wait_for_record(keep, bytes, len, now_ns);
	else
		keep->lost[LOST_NOTE]++;
	return 0;
}

/* Is its record there now, or its time up? */
static bool is_due(const struct keep_notes *notes, const struct waiting *waiting, int64_t now_ns)
{
	return waiting->id <= recent_last(notes->recent) || now_ns >= waiting->until_ns;
}

bool keep_notes_due(const struct keep *keep, int64_t now_ns)
{
	const struct keep_notes *notes = keep->notes;
	unsigned i;

	for (i = 0; i < notes->n; i++)
		if (is_due(notes, &notes->waiting[i], now_ns))
			return true;
	return false;
}

int64_t keep_notes_due_ns(const struct keep *keep)
{
	return keep->notes->n ? keep->notes->waiting[0].until_ns : INT64_MAX;
}

int keep_notes_tick(struct keep *keep, int64_t now_ns)
{
	struct keep_notes *notes = keep->notes;
	unsigned i, left = 0;
	int err = 0;

	for (i = 0; i < notes->n; i++) {
		struct waiting waiting = notes->waiting[i];
		struct recent_row *row;

		if (err || !is_due(notes, &waiting, now_ns)) {
			notes->waiting[left++] = waiting;
			continue;
		}
		row = recent_find(notes->recent, waiting.id);
		if (!row)
			keep->lost[LOST_NOTE]++;
		else if (!wire_decode_note(waiting.bytes, waiting.len, &notes->note))
			err = keep_it(keep, row, waiting.bytes, waiting.len);
		if (err)
			keep->lost[LOST_NOTE]++;
		notes->bytes -= waiting.len;
		free(waiting.bytes);
	}
	notes->n = left;
	return err;
}

void keep_notes_lose(struct keep *keep)
{
	struct keep_notes *notes = keep->notes;

	keep->lost[LOST_NOTE] += notes->n;
	while (notes->n)
		free(notes->waiting[--notes->n].bytes);
	notes->bytes = 0;
}
