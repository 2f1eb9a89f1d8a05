/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory and the arrays of struct sites, within a bound; opens no file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sites_build.h"

#define CHUNK_BYTES (256u << 10)
#define MAX_BYTES   (64u << 20)
#define MAX_EACH    (1u << 18) /* vhosts, accounts, pools */

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

static struct sites_vhost *build_vhost(struct sites_build *build)
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
	struct sites_seen *seen;
	char *copy = build_text(build, path);

	if (!copy)
		return;
	seen = one_more(build, &sites->seen, sites->n_seen, &build->room_seen, sizeof(*seen));
	if (!seen)
		return;
	*seen = (struct sites_seen){ copy, is_root, hash };
	sites->n_seen++;
}

static int seen_order(const void *left, const void *right)
{
	const struct sites_seen *a = left, *b = right;
	int order = strcmp(a->path, b->path);

	return order ? order : a->is_root - b->is_root;
}

void build_end(struct sites_build *build)
{
	struct sites *sites = build->sites;
	unsigned kept = 0;

	if (sites->n_seen)
		qsort(sites->seen, sites->n_seen, sizeof(*sites->seen), seen_order);
	for (unsigned i = 0; i < sites->n_seen; i++)
		if (!kept || seen_order(&sites->seen[kept - 1], &sites->seen[i]))
			sites->seen[kept++] = sites->seen[i];
	sites->n_seen = kept;
	for (unsigned i = 0; i < kept; i++)
		sites->stamp += sites->seen[i].hash;
}

static void append_name(struct draft_name **first, struct draft_name **last,
			struct draft_name *name)
{
	if (*last)
		(*last)->next = name;
	else
		*first = name;
	*last = name;
}

static void one_name(struct sites_build *build, struct draft *draft, const char *name, size_t len)
{
	struct draft_name *one;
	bool is_wild = memchr(name, '*', len) || memchr(name, '?', len);

	if (!len || len >= SITES_NAME_BYTES || (len == 1 && *name == '_'))
		return;
	one = build_bytes(build, sizeof(*one));
	if (!one || !(one->name = build_span(build, name, len)))
		return;
	for (char *c = one->name; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	if (is_wild)
		append_name(&draft->wild, &draft->wild_last, one);
	else
		append_name(&draft->plain, &draft->plain_last, one);
	draft->n_names++;
}

void draft_name(struct sites_build *build, struct draft *draft, const char *name)
{
	size_t len = strlen(name);
	char wild[SITES_NAME_BYTES + 1] = "*";

	if (strpbrk(name, "~$") || len >= SITES_NAME_BYTES) {
		build_skip(build);
		return;
	}
	if (len > 1 && name[len - 1] == '.')
		len--;
	if (name[0] == '.') { /* nginx: the name itself and all below it */
		one_name(build, draft, name + 1, len - 1);
		memcpy(wild + 1, name, len);
		one_name(build, draft, wild, len + 1);
	} else {
		one_name(build, draft, name, len);
	}
}

void draft_log(struct sites_build *build, struct draft_logs *logs, const struct draft_log *log)
{
	struct draft_log *one = build_bytes(build, sizeof(*one));

	if (!one)
		return;
	*one = *log;
	one->next = NULL;
	if (logs->last)
		logs->last->next = one;
	else
		logs->first = one;
	logs->last = one;
}

void draft_pool(struct draft *draft, char *pool, bool is_php)
{
	if (draft->pool_said && draft->pool_is_php && !is_php)
		return;
	if (!draft->pool_said || (is_php && !draft->pool_is_php)) {
		draft->pool_said = true;
		draft->pool_is_php = is_php;
		draft->pool_twice = false;
		draft->pool = pool;
	} else if (!pool || !draft->pool || strcmp(pool, draft->pool)) {
		draft->pool_twice = true;
	}
}

static void take_names(struct sites_build *build, const struct draft *draft,
		       struct sites_vhost *vhost)
{
	vhost->names = build_bytes(build, (draft->n_names + 1) * sizeof(*vhost->names));
	if (!vhost->names)
		return;
	for (struct draft_name *name = draft->plain; name; name = name->next)
		vhost->names[vhost->n_names++] = name->name;
	for (struct draft_name *name = draft->wild; name; name = name->next)
		vhost->names[vhost->n_names++] = name->name;
}

bool draft_add_log(struct sites_log logs[DRAFT_LOGS], unsigned *n, const struct sites_log *log)
{
	for (unsigned i = 0; i < *n; i++)
		if (!strcmp(logs[i].path, log->path) && !strcmp(logs[i].format, log->format))
			return true;
	if (*n == DRAFT_LOGS)
		return false;
	logs[(*n)++] = *log;
	return true;
}

static bool same_logs(const struct sites_log *a, const struct sites_log *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].path != b[i].path || a[i].format != b[i].format ||
		    a[i].escape != b[i].escape)
			return false;
	return true;
}

/* Vhosts that inherit have the same logs as the one before them, most often. */
static struct sites_log *keep_logs(struct sites_build *build, const struct sites_log *logs,
				   unsigned n)
{
	const struct sites *sites = build->sites;
	const struct sites_vhost *before =
		sites->n_vhosts > 1 ? &sites->vhosts[sites->n_vhosts - 2] : NULL;
	struct sites_log *kept;

	if (before && before->n_logs == n && n && same_logs(before->logs, logs, n))
		return before->logs;
	kept = build_bytes(build, n * sizeof(*logs));
	if (kept)
		memcpy(kept, logs, n * sizeof(*logs));
	return kept;
}

void draft_end(struct sites_build *build, enum sites_server server, const struct draft *draft,
	       const struct sites_log *logs, unsigned n_logs)
{
	struct sites_vhost *vhost = build_vhost(build);

	if (!vhost)
		return;
	vhost->server = server;
	vhost->file = draft->file;
	vhost->line = draft->line;
	vhost->root = draft->root;
	vhost->user = draft->user;
	vhost->pool = draft->pool_twice ? NULL : draft->pool;
	take_names(build, draft, vhost);
	vhost->logs = keep_logs(build, logs, n_logs);
	vhost->n_logs = vhost->logs ? n_logs : 0;
}
