/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two rings of rows by the ids of their records, each in ascending order; they know no store. */
#include "recent.h"

#include <stdlib.h>
#include <string.h>

struct ring {
	struct recent_row *rows;
	uint32_t max;	/* a power of two */
	uint64_t added; /* ever; the newest is rows[(added - 1) % max] */
};

struct recent {
	struct ring fresh, folded;
	uint64_t last;
};

struct recent *recent_new(void)
{
	struct recent *recent = calloc(1, sizeof(*recent));

	if (!recent)
		return NULL;
	recent->fresh.max = RECENT_FRESH;
	recent->folded.max = RECENT_FOLDED;
	recent->fresh.rows = calloc(RECENT_FRESH, sizeof(struct recent_row));
	recent->folded.rows = calloc(RECENT_FOLDED, sizeof(struct recent_row));
	if (!recent->fresh.rows || !recent->folded.rows) {
		recent_free(recent);
		return NULL;
	}
	return recent;
}

void recent_free(struct recent *recent)
{
	if (!recent)
		return;
	free(recent->fresh.rows);
	free(recent->folded.rows);
	free(recent);
}

void recent_clear(struct recent *recent)
{
	recent->fresh.added = recent->folded.added = recent->last = 0;
}

void recent_add(struct recent *recent, uint64_t id, int64_t row, bool fresh)
{
	struct ring *ring = fresh ? &recent->fresh : &recent->folded;

	if (id == 0)
		return;
	if (id <= recent->last)
		recent_clear(recent);
	recent->last = id;
	ring->rows[ring->added++ % ring->max] =
		(struct recent_row){ .id = id, .row = row, .fresh = fresh };
}

static struct recent_row *find(struct ring *ring, uint64_t id)
{
	uint64_t low = ring->added > ring->max ? ring->added - ring->max : 0, high = ring->added;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (ring->rows[middle % ring->max].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ring->added || ring->rows[low % ring->max].id != id)
		return NULL;
	return &ring->rows[low % ring->max];
}

struct recent_row *recent_find(struct recent *recent, uint64_t id)
{
	struct recent_row *row = find(&recent->fresh, id);

	return row ? row : find(&recent->folded, id);
}

uint64_t recent_last(const struct recent *recent)
{
	return recent->last;
}
