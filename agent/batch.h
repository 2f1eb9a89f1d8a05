/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge's end of the channel: records gathered into one message, and those that are like one
 * of the last ones sent as references to it (wire_batch.h). A whole one is sent again after each
 * second, so that a recorder that was started anew lacks none for longer. It never waits: a message
 * that the channel does not take is lost and counted, whole.
 */
#ifndef AGENT_BATCH_H
#define AGENT_BATCH_H

#include <stdint.h>

#include "record.h"

#define BATCH_DELAY_NS 2000000LL /* the oldest record in it waits no longer */

struct batch;

/* *sent and *lost count records, when their message is sent. key: random. NULL: no memory, or no
 * timer. */
struct batch *batch_new(int fd, const uint8_t key[16], uint64_t *sent, uint64_t *lost);
void batch_free(struct batch *batch); /* takes NULL; sends nothing */
void batch_add(struct batch *batch, const struct record *record);
/* Before a report of the counters, and at the end; and when it is due. */
void batch_flush(struct batch *batch);
int64_t batch_due_ns(const struct batch *batch); /* CLOCK_MONOTONIC; INT64_MAX: it is empty */

#endif
