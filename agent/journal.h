/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One structured line per event in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER and EGRESSD_* fields. What is learnt of an
 * attempt later has a line of its own, with the same EGRESSD_ID. At most one line per
 * offender in journal_s; what was held back (repeats too) is said as a count on the next one. The
 * table of offenders is bounded: where it is full, the count of the one silent for longest goes.
 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "note.h"
#include "record.h"

/* Stable ids, in the catalog: one verdict against an offender; a mail server's socket that
 * went out from other hands (record_is_alarm()). */
#define JOURNAL_ID_REFUSED	  "5b1d1c7cbbf04e43ae8d1b1f6d4e9a52"
#define JOURNAL_ID_WOULD_REFUSE	  "0c7d0f2f8f7c4a7bb1e5ccdb0b8d2b93"
#define JOURNAL_ID_FOREIGN_HOLDER "d4c7b1d0c0fb4f5f9f0a1c7d8f0e6a31"
#define JOURNAL_ID_LEARNT	  "9e0f6a4f6c2b4d0d8d0c4b8e5f7a1c63" /* about such an attempt */

struct journal;

struct journal *journal_new(int fd, uint32_t per_offender_s); /* fd -1: lines go to stderr */
void journal_free(struct journal *journal);
void journal_options(struct journal *journal, uint32_t per_offender_s);
/* Is a line due for this offender at ts_ns (a record's time)? Then it counts as said, and what
 * was held back before is in *held_back; else this one is held back. */
bool journal_due(struct journal *journal, int64_t ts_ns, int64_t offender, uint64_t *held_back);
/* One more attempt that gets no line of its own. */
void journal_repeat(struct journal *journal, int64_t offender);
/* Says it. 0, or -errno: lost. id 0: it is in no store. user: name or NULL. Never waits. */
int journal_say(struct journal *journal, const struct record *record, int64_t id, const char *user,
		uint64_t held_back);
/* What was learnt of the attempt in row id, or of a repeat that was folded into it. */
int journal_say_note(struct journal *journal, const struct note *note, int64_t id, bool repeat);
/* Both. 0: written; 1: held back and counted for the offender; -errno: lost. */
int journal_verdict(struct journal *journal, const struct record *record, int64_t id,
		    int64_t offender, const char *user);
/* The datagram, for tests: bytes written to out as snprintf(3) counts. Pure. */
size_t journal_format(const struct record *record, int64_t id, const char *user, uint64_t held_back,
		      char *out, size_t size);
size_t journal_format_note(const struct note *note, int64_t id, bool repeat, char *out,
			   size_t size);

#endif
