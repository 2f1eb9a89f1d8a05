/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathers records and sends them; says nothing of what is in them, and waits for nobody. */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "keyhash.h"
#include "wire_batch.h"

#define WAYS 4
#define SETS (WIRE_SLOTS / WAYS)

/* A record that was sent whole, by its likeness. */
struct known {
	struct keyhash name;
	int64_t ts_ns;	 /* of the whole one */
	uint32_t serial; /* 0: none */
	uint32_t used;	 /* when it last served: batch.uses then */
};

struct batch {
	int fd;
	uint64_t *sent, *lost;
	uint8_t key[16];
	struct known known[SETS][WAYS];
	uint32_t serial, uses;
	uint32_t n; /* records in bytes[] */
	size_t at;
	int64_t begun_ns;
	uint8_t bytes[WIRE_BYTES_MAX];
};

struct batch *batch_new(int fd, const uint8_t key[16], uint64_t *sent, uint64_t *lost)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->fd = fd;
	batch->sent = sent;
	batch->lost = lost;
	memcpy(batch->key, key, sizeof(batch->key));
	batch->at = (size_t)wire_batch_head(batch->bytes, sizeof(batch->bytes));
	return batch;
}

void batch_free(struct batch *batch)
{
	free(batch);
}

void batch_flush(struct batch *batch)
{
	if (batch->n == 0)
		return;
	if (send(batch->fd, batch->bytes, batch->at, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)batch->at) {
		*batch->sent += batch->n;
	} else {
		*batch->lost += batch->n;
		memset(batch->known, 0, sizeof(batch->known)); /* some were in it */
	}
	batch->n = 0;
	batch->at = WIRE_HEAD_BYTES;
}

int64_t batch_due_ns(const struct batch *batch)
{
	return batch->n ? batch->begun_ns + BATCH_DELAY_NS : INT64_MAX;
}

/* The one of that name, or the one whose place it may take. */
static struct known *find(struct known *set, struct keyhash name)
{
	struct known *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].serial && set[i].name.half[0] == name.half[0] &&
		    set[i].name.half[1] == name.half[1])
			return &set[i];
		if (!set[i].serial || (oldest->serial && set[i].used < oldest->used))
			oldest = &set[i];
	}
	return oldest;
}

static bool serves(const struct known *known, struct keyhash name, int64_t ts_ns)
{
	return known->serial && known->name.half[0] == name.half[0] &&
	       known->name.half[1] == name.half[1] && ts_ns >= known->ts_ns &&
	       ts_ns - known->ts_ns < WIRE_AGAIN_NS;
}

static int put_whole(struct batch *batch, const struct record *record, struct known *known,
		     struct keyhash name)
{
	uint16_t slot = known ? (uint16_t)(known - &batch->known[0][0]) : WIRE_SLOT_NONE;
	uint32_t serial = batch->serial + 1 ? batch->serial + 1 : 1;
	int len = wire_put_whole(batch->bytes, sizeof(batch->bytes), batch->at, slot,
				 known ? serial : 0, record);

	if (len > 0 && known) {
		batch->serial = serial;
		*known = (struct known){ name, record->ts_ns, serial, ++batch->uses };
	}
	return len;
}

static int put(struct batch *batch, const struct record *record)
{
	uint8_t like[RECORD_LIKENESS_BYTES];
	size_t like_bytes = record_likeness(record, like);
	struct known *known;
	struct keyhash name;

	if (like_bytes == 0)
		return put_whole(batch, record, NULL, (struct keyhash){ { 0, 0 } });
	name = keyhash_of(batch->key, like, like_bytes);
	known = find(batch->known[name.half[0] % SETS], name);
	if (!serves(known, name, record->ts_ns))
		return put_whole(batch, record, known, name);
	known->used = ++batch->uses;
	return wire_put_again(batch->bytes, sizeof(batch->bytes), batch->at,
			      (uint16_t)(known - &batch->known[0][0]), known->serial, record);
}

void batch_add(struct batch *batch, const struct record *record)
{
	int len = put(batch, record);

	if (len < 0) { /* full; and what it was like may be lost with it */
		batch_flush(batch);
		len = put(batch, record);
		assert(len > 0); /* the fields' own sizes bound it */
	}
	if (batch->n++ == 0)
		batch->begun_ns = clock_ns(CLOCK_MONOTONIC);
	batch->at += (size_t)len;
}
