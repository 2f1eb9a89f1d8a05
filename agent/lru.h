/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of bounded size from a 128-bit name to a value of fixed size; when it is full, the value
 * that was used longest ago goes. Values stay where they are while they live. Pure.
 */
#ifndef AGENT_LRU_H
#define AGENT_LRU_H

#include <stdint.h>

#include "keyhash.h"

struct lru;

/* evicted is called with a value that has to go for another one; may be NULL. NULL: no memory. */
struct lru *lru_new(uint32_t slots, size_t value_bytes, void (*evicted)(void *context, void *value),
		    void *context);
void lru_free(struct lru *lru);			     /* takes NULL; evicted is not called */
void *lru_get(struct lru *lru, struct keyhash name); /* NULL: not there; else now the youngest */
void *lru_put(struct lru *lru, struct keyhash name); /* zeroed; the name must not be there */
void lru_drop(struct lru *lru, struct keyhash name); /* evicted is not called */
void lru_clear(struct lru *lru);		     /* evicted is not called */

#endif
