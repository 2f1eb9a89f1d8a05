/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keep.c and the files keep_*.c share; nobody else includes it. */
#ifndef AGENT_KEEP_INTERNAL_H
#define AGENT_KEEP_INTERNAL_H

#include <stdbool.h>

#include "evidence.h"
#include "journal.h"
#include "keep.h"
#include "keep_lines.h"
#include "recent.h"
#include "store.h"
#include "users.h"
#include "wire.h"
#include "wire_batch.h"

enum lost { LOST_COMMIT, LOST_EVIDENCE, LOST_BAD, LOST_JOURNAL, LOST_NOTE, LOST_N };

struct keep_notes;
struct keep_objects;

/* Where a whole record went, for the references to it. */
struct keep_kept {
	uint32_t serial; /* 0: there is none */
	int64_t ts_ns, pace;
	bool notice;
	struct store_row row;
};

struct keep {
	struct config config;
	struct store *store;	   /* NULL: could not be made yet */
	struct evidence *evidence; /* NULL: none is kept */
	int evidence_fd;
	struct journal *journal;
	struct keep_lines *lines; /* journal lines that wait for the commit */
	struct keep_notes *notes;
	struct keep_objects *objects;
	struct keep_kept *slots; /* WIRE_SLOTS */
	bool unknown_said;
	struct users *users;
	struct record record; /* the one at hand; too big for a stack frame of each call */

	bool in_transaction;
	int64_t begun_ns;
	uint64_t in_batch, evidence_in_batch;
	int drop_error; /* of the store, while the evidence removed a file */
	bool pruned_since_message;
	int64_t pruned_ns;

	bool suspended;
	int64_t retry_ns;
	bool evidence_was_suspended;
	uint64_t lost[LOST_N]; /* not yet in the store */
	bool status_waits, status_in_batch;
	struct wire_status status; /* the last one, while it waits for its commit */
};

/* keep_record.c: keep->record, read from body; *kept (may be NULL) is set when it was kept: then
 * true. */
bool keep_record(struct keep *keep, struct keep_body body, int64_t now_ns, struct keep_kept *kept);
/* A message of one record. */
void keep_single(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns);
/* keep.c. A transaction is open, or could be opened. */
bool keep_begin(struct keep *keep, int64_t now_ns);
/* What the transaction had is lost, and `more` records. */
void keep_fail(struct keep *keep, int err, uint64_t more, int64_t now_ns);

/* Tells the journal what waited; not_kept: the store has no such rows. */
void keep_say_lines(struct keep *keep, bool not_kept);

/* keep_batch.c */
void keep_batch(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns);
void keep_batch_forget(struct keep *keep); /* rows that references name are gone */

/* keep_record.c: the journal's line about a note, when one is due. */
void keep_note_line(struct keep *keep, const struct note *note, struct keep_body body,
		    const struct recent_row *row, int64_t offender);

/* keep.c: a note in its own bytes, within a transaction that is begun if need be. */
void keep_note(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns);

/* keep_objects.c: before a note's object part is kept. 0 or -ENOMEM. */
int keep_objects_open(struct keep *keep);
void keep_objects_free(struct keep_objects *kept); /* takes NULL */
/* fd came with it (closed in any case), or -1. */
void keep_objects_note(struct keep *keep, const uint8_t *bytes, size_t len, int fd, int64_t now_ns);
bool keep_objects_busy(const struct keep *keep);
void keep_objects_tick(struct keep *keep, int64_t now_ns);   /* some milliseconds of work */
void keep_objects_finish(struct keep *keep, int64_t now_ns); /* all of it */
void keep_objects_options(struct keep *keep);
void keep_objects_prune(struct keep *keep);

/* keep_notes.c. Which row a record went to; and that no row of those may be named any more. */
struct keep_notes *keep_notes_new(void);
void keep_notes_free(struct keep_notes *notes); /* takes NULL */
void keep_notes_record(struct keep_notes *notes, uint64_t id, int64_t row, bool fresh);
void keep_notes_forget(struct keep_notes *notes);
/* Within a transaction: 0 or the store's error. The note is kept, waits for its record, or is
 * counted as late. */
int keep_notes_take(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns);
/* Those that wait: does one wait no longer? It is kept, or counted. When to ask at the latest. */
bool keep_notes_due(const struct keep *keep, int64_t now_ns);
int keep_notes_tick(struct keep *keep, int64_t now_ns);
int64_t keep_notes_due_ns(const struct keep *keep);
void keep_notes_lose(struct keep *keep); /* all that wait are counted as late */

/* keep_evidence.c */
void keep_evidence_open(struct keep *keep);
/* 0, or the store's error. Evidence that can't be kept is no error of the batch. */
int keep_evidence_add(struct keep *keep, const struct store_row *row, const char *user);
void keep_evidence_sync(struct keep *keep);
/* Files that went while nobody looked, or whose going could not be written: rows point to them. */
int keep_evidence_drop_gone(struct keep *keep);
/* A file cut while nobody looked: where rows point behind its end, others would be put there. */
int keep_evidence_drop_short(struct keep *keep);

#endif
