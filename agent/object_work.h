/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's part in keeping a suspicious program: its SHA-256 and, within a byte budget, a
 * copy, as a note about the record (note.h). A flood of one program's records is read once. It
 * works in small steps and for a share of each second only, so whoever runs it does not stand
 * still, and it reads nothing that a FUSE daemon or a network would answer (object_fs.h).
 *
 * Needs CAP_DAC_READ_SEARCH to read others' files. Times are CLOCK_MONOTONIC and given.
 */
#ifndef AGENT_OBJECT_WORK_H
#define AGENT_OBJECT_WORK_H

#include <stdint.h>

#include "config.h"
#include "note.h"
#include "record.h"

struct object_work;

/* A note with NOTE_OBJECT alone. copy_fd: the sealed copy, to be sent with it; -1: none. It stays
 * ours. 0 or -errno: it could not be sent. */
typedef int (*object_work_say)(void *context, const struct note *note, int copy_fd);

/* From config: object_bytes, objects_bytes, evidence. 0 or -ENOMEM. */
int object_work_open(struct object_work **objects, const struct config *config, object_work_say say,
		     void *context);
/* What waited is forgotten, without a note. Takes NULL. */
void object_work_close(struct object_work *objects);
void object_work_options(struct object_work *objects, const struct config *config);

/* A record came, with the executable as O_PATH (taken over: closed in any case) or -1. Says at once
 * what is known already, or why nothing will be; else later, in a step. */
void object_work_add(struct object_work *objects, int fd, const struct record *record,
		     int64_t now_ns);

/* When the next step is due, in ms as for poll(2): -1, nothing to do. */
int object_work_wait_ms(struct object_work *objects, int64_t now_ns);
/* Reads at most so many bytes (256 KiB take about a millisecond). */
void object_work_step(struct object_work *objects, uint64_t bytes, int64_t now_ns);

#endif
