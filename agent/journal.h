/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One structured line per event in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * MESSAGE, MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER and EGRESSD_* fields. At most one line per
 * offender in journal_s; what was held back is said as a count on the next one.
 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* Stable ids, in the catalog: one verdict against an offender; a foreign holder of a mail socket. */
#define JOURNAL_ID_REFUSED "5b1d1c7cbbf04e43ae8d1b1f6d4e9a52"
#define JOURNAL_ID_WOULD_REFUSE "0c7d0f2f8f7c4a7bb1e5ccdb0b8d2b93"
#define JOURNAL_ID_FOREIGN_HOLDER "d4c7b1d0c0fb4f5f9f0a1c7d8f0e6a31"

struct journal;

struct journal *journal_new(int fd, uint32_t per_offender_s); /* fd -1: lines go to stderr */
void journal_free(struct journal *journal);
/* 0: written; 1: held back and counted for the offender; -errno: lost. user: name or NULL. */
int journal_verdict(struct journal *journal, const struct record *record, int64_t id,
		    int64_t offender, const char *user);
/* The datagram, for tests: bytes written to out as snprintf(3) counts. Pure. */
size_t journal_format(const struct record *record, int64_t id, const char *user, uint64_t held_back,
		      char *out, size_t size);

#endif
