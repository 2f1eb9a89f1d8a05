/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the recorder does with a message: a record goes into the store, the packet of a fresh row
 * into the evidence (all that was allowed has one share of each file, as offender 0), a refusal or
 * an alarm into the journal; all of a while are one transaction. A store that can't be written
 * suspends it: each second it is tried again, and what came meanwhile is kept as a number. Times
 * are CLOCK_MONOTONIC and given.
 */
#ifndef AGENT_KEEP_H
#define AGENT_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct keep;

/* 0, or -errno after an error that was logged. A disk that is full or read-only is none. */
int keep_open(struct keep **keep, const struct config *config, int evidence_fd, int journal_fd,
	      int64_t now_ns);
/* Commits and frees. -errno: something could not be kept, not even as a number; logged. */
int keep_close(struct keep *keep, int64_t now_ns);
/* fd: that came with it, taken over; -1: none. */
void keep_message(struct keep *keep, const uint8_t *bytes, size_t len, int fd, int64_t now_ns);
void keep_bad_message(struct keep *keep);
/* When keep_tick() should run next. */
int64_t keep_due_ns(const struct keep *keep);
void keep_tick(struct keep *keep, int64_t now_ns);

#endif
