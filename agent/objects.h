/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder's part in keeping a suspicious program: takes the copies that come with the
 * witness's notes, believes nothing of them, and writes them into the folder in small steps, so
 * that records don't wait. A note's object part is final only when its copy is on the disk.
 */
#ifndef AGENT_OBJECTS_H
#define AGENT_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "note.h"

#define OBJECTS_FOLDER "objects" /* in state_dir */

struct objects;

/* dir_fd: the folder, taken over; -1: no copy is kept. From config: object_bytes, objects_bytes,
 * evidence, keep_days. 0 or -ENOMEM (dir_fd is closed); a folder that can't be listed is none. */
int objects_open(struct objects **objects, int dir_fd, const struct config *config, int64_t now_ns);
/* What was not written yet is lost, without a note. Takes NULL. */
void objects_free(struct objects *objects);
void objects_options(struct objects *objects, const struct config *config);

/*
 * The NOTE_OBJECT part of a note, and the descriptor that came with it (closed in any case) or -1.
 * has_copy and why may change: has_copy says that the folder has it. true: the part is final.
 * false: objects_step() gives it back in a note of its own. Times are CLOCK_REALTIME.
 */
bool objects_take(struct objects *objects, struct note *note, int fd, int64_t now_ns);
bool objects_busy(const struct objects *objects);
/* Writes at most so many bytes. true: *note has a final NOTE_OBJECT part, and nothing else. */
bool objects_step(struct objects *objects, uint64_t bytes, int64_t now_ns, struct note *note);
/* Removes what no record named for keep_days. */
void objects_prune(struct objects *objects, int64_t now_ns);

/* How many copies could not be written, and how many were not what the note said, since the last
 * call; *error: why the last write failed, 0 when it did not. */
void objects_counts(struct objects *objects, uint64_t *lost, uint64_t *bad, int *error);

#endif
