/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which row of the store a record went to, for the newest records: those that began a row and
 * those that were folded into one are remembered apart, so that a flood of repeats makes no fresh
 * one forgotten. Pure.
 */
#ifndef AGENT_RECENT_H
#define AGENT_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define RECENT_FRESH  16384
#define RECENT_FOLDED 65536

struct recent;

struct recent_row {
	uint64_t id;   /* record.id */
	int64_t row;   /* of the store */
	int64_t group; /* as store_note() keeps it */
	bool fresh;    /* it began the row: the row's fields are this record's */
};

struct recent *recent_new(void);
void recent_free(struct recent *recent); /* takes NULL */
void recent_clear(struct recent *recent);
/* Ids ascend; one that does not is another judge's: all before it is forgotten. id 0: none. */
void recent_add(struct recent *recent, uint64_t id, int64_t row, bool fresh);
/* Good until the next recent_add(); NULL: not known (any more). */
struct recent_row *recent_find(struct recent *recent, uint64_t id);
uint64_t recent_last(const struct recent *recent); /* 0: none since it was cleared */

#endif
