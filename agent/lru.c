/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded table with chains for the names and one list for the age; it knows no time. Pure. */
#include "lru.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX

struct node {
	struct keyhash name;
	uint32_t next_in_chain;
	uint32_t older, younger;
};

struct lru {
	uint32_t slots, used, chains_mask;
	uint32_t oldest, youngest;
	uint32_t free; /* list by next_in_chain */
	size_t value_bytes;
	uint32_t *chains;
	struct node *nodes;
	uint8_t *values;
	void (*evicted)(void *context, void *value);
	void *context;
};

static void *value_at(struct lru *lru, uint32_t at)
{
	return lru->values + (size_t)at * lru->value_bytes;
}

static uint32_t *chain_of(struct lru *lru, struct keyhash name)
{
	return &lru->chains[name.half[0] & lru->chains_mask];
}

void lru_clear(struct lru *lru)
{
	memset(lru->chains, 0xff, ((size_t)lru->chains_mask + 1) * sizeof(*lru->chains));
	lru->used = 0;
	lru->oldest = lru->youngest = lru->free = NOWHERE;
}

struct lru *lru_new(uint32_t slots, size_t value_bytes, void (*evicted)(void *context, void *value),
		    void *context)
{
	struct lru *lru = calloc(1, sizeof(*lru));
	uint32_t chains = 1;

	assert(slots > 0 && slots < NOWHERE / 4);
	if (!lru)
		return NULL;
	while (chains < slots)
		chains *= 2;
	lru->slots = slots;
	lru->chains_mask = chains - 1;
	lru->value_bytes = (value_bytes + 15) / 16 * 16;
	lru->evicted = evicted;
	lru->context = context;
	lru->chains = calloc(chains, sizeof(*lru->chains));
	lru->nodes = calloc(slots, sizeof(*lru->nodes));
	lru->values = calloc(slots, lru->value_bytes);
	if (!lru->chains || !lru->nodes || !lru->values) {
		lru_free(lru);
		return NULL;
	}
	lru_clear(lru);
	return lru;
}

void lru_free(struct lru *lru)
{
	if (!lru)
		return;
	free(lru->chains);
	free(lru->nodes);
	free(lru->values);
	free(lru);
}

static void age_out(struct lru *lru, uint32_t at)
{
	struct node *node = &lru->nodes[at];

	if (node->older != NOWHERE)
		lru->nodes[node->older].younger = node->younger;
	else
		lru->oldest = node->younger;
	if (node->younger != NOWHERE)
		lru->nodes[node->younger].older = node->older;
	else
		lru->youngest = node->older;
}

static void age_in(struct lru *lru, uint32_t at)
{
	struct node *node = &lru->nodes[at];

	node->older = lru->youngest;
	node->younger = NOWHERE;
	if (lru->youngest != NOWHERE)
		lru->nodes[lru->youngest].younger = at;
	else
		lru->oldest = at;
	lru->youngest = at;
}

/* The link that points to the name's node; its value is NOWHERE when there is none. */
static uint32_t *find(struct lru *lru, struct keyhash name)
{
	uint32_t *link = chain_of(lru, name);

	while (*link != NOWHERE && (lru->nodes[*link].name.half[0] != name.half[0] ||
				    lru->nodes[*link].name.half[1] != name.half[1]))
		link = &lru->nodes[*link].next_in_chain;
	return link;
}

static void take_out(struct lru *lru, uint32_t *link)
{
	uint32_t at = *link;

	*link = lru->nodes[at].next_in_chain;
	age_out(lru, at);
	lru->nodes[at].next_in_chain = lru->free;
	lru->free = at;
}

void *lru_get(struct lru *lru, struct keyhash name)
{
	uint32_t at = *find(lru, name);

	if (at == NOWHERE)
		return NULL;
	age_out(lru, at);
	age_in(lru, at);
	return value_at(lru, at);
}

void *lru_put(struct lru *lru, struct keyhash name)
{
	uint32_t at, *chain;

	assert(*find(lru, name) == NOWHERE);
	if (lru->free == NOWHERE && lru->used == lru->slots) {
		at = lru->oldest;
		if (lru->evicted)
			lru->evicted(lru->context, value_at(lru, at));
		take_out(lru, find(lru, lru->nodes[at].name));
	}
	if (lru->free != NOWHERE) {
		at = lru->free;
		lru->free = lru->nodes[at].next_in_chain;
	} else {
		at = lru->used++;
	}
	chain = chain_of(lru, name);
	lru->nodes[at].name = name;
	lru->nodes[at].next_in_chain = *chain;
	*chain = at;
	age_in(lru, at);
	return memset(value_at(lru, at), 0, lru->value_bytes);
}

void lru_drop(struct lru *lru, struct keyhash name)
{
	uint32_t *link = find(lru, name);

	if (*link != NOWHERE)
		take_out(lru, link);
}
