/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record: its row, the packet of a fresh one into the evidence, its line for the journal. It
 * opens and ends no transaction by itself.
 */
#include "keep_internal.h"

#include <errno.h>

/* Whose lines are counted together when there is no offender: those of one uid. */
static int64_t pace_of(const struct record *record, int64_t offender)
{
	uint32_t uid;

	if (offender > 0)
		return offender;
	return record_charged_uid(record, &uid) ? -2 - (int64_t)uid : -1;
}

static bool deserves_notice(const struct record *record)
{
	return record->verdict != VERDICT_ALLOW || record_is_alarm(record);
}

static void add_line(struct keep *keep, const struct store_row *row, struct keep_body body,
		     const char *user)
{
	int64_t offender = pace_of(&keep->record, row->offender);
	struct keep_line line = { .body = body, .id = row->id, .user = user };

	if (!row->fresh)
		journal_repeat(keep->journal, offender);
	else if (journal_due(keep->journal, keep->record.ts_ns, offender, &line.held_back) &&
		 keep_lines_add(keep->lines, &line) < 0)
		keep->lost[LOST_JOURNAL]++;
}

/* Site, trigger and object of an offender have a pace each: those of several notes are said. */
void keep_note_line(struct keep *keep, const struct note *note, struct keep_body body,
		    const struct recent_row *row, int64_t offender)
{
	int64_t pace = -(INT64_C(1) << 40) - 8 * offender - note->parts;
	struct keep_line line = {
		.body = body, .is_note = true, .repeat = !row->fresh, .id = row->row
	};

	if (journal_due(keep->journal, note->ts_ns, pace, &line.held_back) &&
	    keep_lines_add(keep->lines, &line) < 0)
		keep->lost[LOST_JOURNAL]++;
}

/* The store can't take it: the journal still may, and its number is kept. */
static void keep_number(struct keep *keep, struct keep_body body, const char *user)
{
	struct store_row nowhere = { .fresh = true };

	keep->lost[LOST_COMMIT]++;
	if (deserves_notice(&keep->record)) {
		add_line(keep, &nowhere, body, user);
		keep_say_lines(keep, true);
	}
}

static int keep_row(struct keep *keep, struct keep_body body, const char *user,
		    struct keep_kept *kept)
{
	const struct record *record = &keep->record;
	struct store_row row;
	int err;

	err = store_add(keep->store, record, user, &row);
	if (err == -EINVAL) {
		keep->lost[LOST_BAD]++;
		return 0;
	}
	if (err)
		return err;
	keep->in_batch++;
	keep_notes_record(keep->notes, record->id, row.id, row.fresh);
	if (kept)
		*kept = (struct keep_kept){ .ts_ns = record->ts_ns,
					    .pace = pace_of(record, row.offender),
					    .notice = deserves_notice(record),
					    .row = row };
	/* What was allowed has one share of each file for all of it (offender 0). */
	if (row.fresh && keep->evidence && keep->config.evidence && record->excerpt_bytes > 0)
		err = keep_evidence_add(keep, &row, user);
	if (deserves_notice(record))
		add_line(keep, &row, body, user);
	return err;
}

bool keep_record(struct keep *keep, struct keep_body body, int64_t now_ns, struct keep_kept *kept)
{
	const char *user = NULL;
	uint64_t before;
	uint32_t uid;
	int err;

	if (record_charged_uid(&keep->record, &uid))
		user = users_name(keep->users, uid, now_ns);
	if (!keep_begin(keep, now_ns)) {
		keep_number(keep, body, user);
		return false;
	}
	before = keep->in_batch;
	err = keep_row(keep, body, user, kept);
	if (err)
		keep_fail(keep, err, keep->in_batch == before ? 1 : 0, now_ns);
	return !err && keep->in_batch > before;
}

void keep_single(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	const struct keep_body body = { bytes + WIRE_HEAD_BYTES, len - WIRE_HEAD_BYTES };

	if (wire_read_record(body.bytes, body.len, &keep->record) < 0)
		keep_bad_message(keep);
	else
		keep_record(keep, body, now_ns, NULL);
}
