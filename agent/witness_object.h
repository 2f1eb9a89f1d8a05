/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness's part in keeping a suspicious program: its SHA-256 and, within a byte budget, a
 * copy, as a note about the record (note.h). A flood of one program's records is read once. It
 * works in small steps and for a share of each second only, so whoever runs it does not stand
 * still, and it reads nothing that a FUSE daemon or a network would answer (object_fs.h).
 *
 * Needs CAP_DAC_READ_SEARCH to read others' files. Times are CLOCK_MONOTONIC and given.
 */
#ifndef AGENT_WITNESS_OBJECT_H
#define AGENT_WITNESS_OBJECT_H

#include <stdint.h>

#include "config.h"
#include "note.h"
#include "record.h"

struct witness_object;

/* A note with NOTE_OBJECT alone. copy_fd: the sealed copy, to be sent with it; -1: none. It stays
 * ours. 0 or -errno: it could not be sent. */
typedef int (*witness_object_say)(void *context, const struct note *note, int copy_fd);

/* From config: object_bytes, objects_bytes, evidence. 0 or -ENOMEM. */
int witness_object_open(struct witness_object **objects, const struct config *config,
			witness_object_say say, void *context);
/* What waited is forgotten, without a note. Takes NULL. */
void witness_object_close(struct witness_object *objects);
void witness_object_options(struct witness_object *objects, const struct config *config);

/* A record came, with the executable as O_PATH (taken over: closed in any case) or -1. Says at once
 * what is known already, or why nothing will be; else later, in a step. */
void witness_object(struct witness_object *objects, int fd, const struct record *record,
		    int64_t now_ns);

/* When the next step is due, in ms as for poll(2): -1, nothing to do. */
int witness_object_wait_ms(struct witness_object *objects, int64_t now_ns);
/* Reads at most so many bytes (256 KiB take about a millisecond). */
void witness_object_step(struct witness_object *objects, uint64_t bytes, int64_t now_ns);

#endif
