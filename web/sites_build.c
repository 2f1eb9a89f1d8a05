/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory and the arrays of struct sites, within a bound; opens no file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sites_build.h"
#include "sites_words.h"

#define CHUNK_BYTES (256u << 10)
#define MAX_BYTES   (64u << 20)
#define MAX_EACH    (1u << 18) /* vhosts, accounts, pools, files seen */

struct sites_chunk {
	struct sites_chunk *next;
	size_t used, size;
	char bytes[];
};

int build_begin(struct sites_build *build)
{
	memset(build, 0, sizeof(*build));
	build->sites = calloc(1, sizeof(*build->sites));
	return build->sites ? 0 : -ENOMEM;
}

void sites_free(struct sites *sites)
{
	if (!sites)
		return;
	for (struct sites_chunk *chunk = sites->memory, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(sites->vhosts);
	free(sites->accounts);
	free(sites->pools);
	free(sites->seen);
	free(sites);
}

void *build_bytes(struct sites_build *build, size_t bytes)
{
	struct sites_chunk *chunk = build->sites->memory;
	size_t size;
	char *at;

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes > MAX_BYTES - build->bytes) {
		build->sites->cut = true;
		return NULL;
	}
	if (!chunk || bytes > chunk->size - chunk->used) {
		size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
		chunk = calloc(1, sizeof(*chunk) + size);
		if (!chunk) {
			build->no_memory = true;
			return NULL;
		}
		chunk->size = size;
		chunk->next = build->sites->memory;
		build->sites->memory = chunk;
	}
	at = chunk->bytes + chunk->used;
	chunk->used += bytes;
	build->bytes += bytes;
	return at;
}

char *build_span(struct sites_build *build, const char *text, size_t len)
{
	char *copy = build_bytes(build, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

char *build_text(struct sites_build *build, const char *text)
{
	return build_span(build, text, strlen(text));
}

/* One more of n elements; NULL when there is no memory, or no more is allowed. */
static void *one_more(struct sites_build *build, void *array, unsigned n, unsigned *room,
		      size_t each)
{
	void *grown = *(void **)array;

	if (n >= MAX_EACH) {
		build->sites->cut = true;
		return NULL;
	}
	if (n == *room) {
		unsigned wanted = *room ? *room * 2 : 64;

		grown = reallocarray(grown, wanted, each);
		if (!grown) {
			build->no_memory = true;
			return NULL;
		}
		*(void **)array = grown;
		*room = wanted;
	}
	memset((char *)grown + n * each, 0, each);
	return (char *)grown + n * each;
}

struct sites_vhost *build_vhost(struct sites_build *build)
{
	struct sites *sites = build->sites;
	struct sites_vhost *vhost = one_more(build, &sites->vhosts, sites->n_vhosts,
					     &build->room_vhosts, sizeof(*vhost));

	sites->n_vhosts += vhost != NULL;
	return vhost;
}

struct sites_account *build_account(struct sites_build *build)
{
	struct sites *sites = build->sites;
	struct sites_account *account = one_more(build, &sites->accounts, sites->n_accounts,
						 &build->room_accounts, sizeof(*account));

	sites->n_accounts += account != NULL;
	return account;
}

struct sites_pool *build_pool(struct sites_build *build)
{
	struct sites *sites = build->sites;
	struct sites_pool *pool =
		one_more(build, &sites->pools, sites->n_pools, &build->room_pools, sizeof(*pool));

	sites->n_pools += pool != NULL;
	return pool;
}

void build_seen(struct sites_build *build, const char *path, bool is_root, uint64_t hash)
{
	struct sites *sites = build->sites;
	unsigned *bucket = &build->seen[words_hash(path) % BUILD_BUCKETS];
	struct sites_seen *seen;
	char *copy;

	for (unsigned i = *bucket; i; i = sites->seen[i - 1].next)
		if (sites->seen[i - 1].is_root == is_root && !strcmp(sites->seen[i - 1].path, path))
			return;
	copy = build_text(build, path);
	if (!copy)
		return;
	seen = one_more(build, &sites->seen, sites->n_seen, &build->room_seen, sizeof(*seen));
	if (!seen)
		return;
	*seen = (struct sites_seen){ copy, is_root, hash, *bucket };
	*bucket = ++sites->n_seen;
}

void build_end(struct sites_build *build)
{
	struct sites *sites = build->sites;

	for (unsigned i = 0; i < sites->n_seen; i++)
		sites->stamp += sites->seen[i].hash;
}
