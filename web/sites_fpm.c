/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * php-fpm's pools: name, where it listens, and as whom it runs (php-fpm.conf(5),
 * sapi/fpm/fpm/fpm_conf.c). Takes texts; opens no file.
 */
#include <stdio.h>
#include <string.h>

#include "sites_read.h"

#define VALUE_BYTES 512

struct fpm {
	struct sites_build *build;
	const struct sites_source *source;
	bool in_pool;
	struct sites_pool pool;
	char listen[VALUE_BYTES], prefix[VALUE_BYTES];
};

static void trim(const char **at, const char **end)
{
	while (*at < *end && (**at == ' ' || **at == '\t'))
		(*at)++;
	while (*at < *end && strchr(" \t\r", (*end)[-1]) && (*end)[-1])
		(*end)--;
}

/* Quotes off, a comment behind it off, $pool put in. False for what can't be known or held. */
static bool take_value(const char *at, const char *end, const char *pool, char value[VALUE_BYTES])
{
	size_t used = 0, pool_len = strlen(pool);

	trim(&at, &end);
	if (at < end && (*at == '"' || *at == '\'')) {
		const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));

		if (!close)
			return false;
		at++;
		end = close;
	} else {
		const char *comment = memchr(at, ';', (size_t)(end - at));

		end = comment ? comment : end;
		trim(&at, &end);
	}
	if (memchr(at, 0, (size_t)(end - at)) || memmem(at, (size_t)(end - at), "${", 2))
		return false;
	while (at < end) {
		bool is_pool = end - at >= 5 && !memcmp(at, "$pool", 5);

		if (used + (is_pool ? pool_len : 1) >= VALUE_BYTES)
			return false;
		memcpy(value + used, is_pool ? pool : at, is_pool ? pool_len : 1);
		used += is_pool ? pool_len : 1;
		at += is_pool ? 5 : 1;
	}
	value[used] = 0;
	return used > 0;
}

/* A unix socket has a slash, or no port (fpm_sockets_domain_from_address()). */
static char *listen_of(struct fpm *fpm)
{
	char path[2 * VALUE_BYTES];
	const char *listen = fpm->listen;

	if (strchr(listen, '/') || strchr(listen, ':') || !listen[strspn(listen, "0123456789")])
		return build_listen(fpm->build, listen);
	if (fpm->prefix[0] != '/')
		return NULL;
	snprintf(path, sizeof(path), "%s/%s", fpm->prefix, listen);
	return build_listen(fpm->build, path);
}

static void end_pool(struct fpm *fpm)
{
	struct sites_pool *pool;

	if (!fpm->in_pool)
		return;
	fpm->in_pool = false;
	fpm->pool.listen = fpm->listen[0] ? listen_of(fpm) : NULL;
	if (!fpm->pool.listen || !fpm->pool.file) {
		build_skip(fpm->build);
		return;
	}
	pool = build_pool(fpm->build);
	if (pool)
		*pool = fpm->pool;
}

static void begin_pool(struct fpm *fpm, const char *at, const char *end, const char *file,
		       unsigned line)
{
	const char *close = memchr(at, ']', (size_t)(end - at));

	end_pool(fpm);
	if (!close) {
		build_skip(fpm->build);
		return;
	}
	trim(&at, &close);
	if (close - at == 6 && !memcmp(at, "global", 6))
		return;
	if (at == close || close - at >= VALUE_BYTES || memchr(at, 0, (size_t)(close - at))) {
		build_skip(fpm->build);
		return;
	}
	memset(&fpm->pool, 0, sizeof(fpm->pool));
	fpm->listen[0] = fpm->prefix[0] = 0;
	fpm->pool.name = build_span(fpm->build, at, (size_t)(close - at));
	fpm->pool.file = build_text(fpm->build, file);
	fpm->pool.line = line;
	fpm->in_pool = fpm->pool.name != NULL;
}

static sites_take take_text;

static void take_setting(struct fpm *fpm, const char *at, const char *end)
{
	const char *equals = memchr(at, '=', (size_t)(end - at)), *key_end = equals;
	char value[VALUE_BYTES];
	size_t len;

	if (!equals)
		return;
	trim(&at, &key_end);
	len = (size_t)(key_end - at);
	if (len == 7 && !memcmp(at, "include", 7)) {
		if (take_value(equals + 1, end, fpm->in_pool ? fpm->pool.name : "", value) &&
		    value[0] == '/')
			fpm->source->include(fpm->source->context, value, SITES_INCLUDE_SORTED,
					     take_text, fpm);
		else
			build_skip(fpm->build);
		return;
	}
	if (!fpm->in_pool || !take_value(equals + 1, end, fpm->pool.name, value))
		return;
	if (len == 4 && !memcmp(at, "user", 4))
		fpm->pool.user = build_text(fpm->build, value);
	else if (len == 6 && !memcmp(at, "listen", 6))
		strcpy(fpm->listen, value);
	else if (len == 6 && !memcmp(at, "prefix", 6))
		strcpy(fpm->prefix, value);
}

/* One file. What is included is read as files of their own: a pool begins and ends in one. */
static void take_text(void *reader, const char *file, const char *text, size_t len)
{
	struct fpm *fpm = reader, outer = *fpm;
	unsigned number = 0;

	fpm->in_pool = false;
	for (const char *line = text, *end = text + len; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *at = line, *stop = newline ? newline : end;

		if (fpm->source->expired(fpm->source->context))
			break;
		number++;
		trim(&at, &stop);
		if (at < stop && *at == '[')
			begin_pool(fpm, at + 1, stop, file, number);
		else if (at < stop && *at != ';' && *at != '#')
			take_setting(fpm, at, stop);
		line = newline ? newline + 1 : end;
	}
	end_pool(fpm);
	*fpm = outer;
}

void fpm_read(struct sites_build *build, const struct sites_source *source, const char *pattern)
{
	struct fpm fpm = { .build = build, .source = source };

	source->include(source->context, pattern, SITES_INCLUDE_OPTIONAL, take_text, &fpm);
}
