/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual hosts while they are read, until it is known what they inherit; opens no file. */
#include <string.h>

#include "sites_build.h"

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
	logs->any_whole |= log->whole;
	if (logs->last)
		logs->last->next = one;
	else
		logs->first = one;
	logs->last = one;
}

void draft_level(struct draft *draft, const struct draft_logs *level)
{
	if (level->any_whole && !level->off)
		return;
	draft->unlogged = true;
	draft->conditional |= !level->off && level->any_conditional;
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
		if (!strcmp(logs[i].path, log->path) && !strcmp(logs[i].format, log->format)) {
			logs[i].whole |= log->whole;
			return true;
		}
	if (*n == DRAFT_LOGS)
		return false;
	logs[(*n)++] = *log;
	return true;
}

static bool same_logs(const struct sites_log *a, const struct sites_log *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a[i].path != b[i].path || a[i].format != b[i].format ||
		    a[i].escape != b[i].escape || a[i].whole != b[i].whole)
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
	vhost->pool_unclear = draft->pool_said && !vhost->pool;
	vhost->unlogged = draft->unlogged;
	vhost->conditional = draft->conditional;
	take_names(build, draft, vhost);
	vhost->logs = keep_logs(build, logs, n_logs);
	vhost->n_logs = vhost->logs ? n_logs : 0;
}
