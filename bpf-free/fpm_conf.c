/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads php-fpm's configuration lines for one pool's status page. Pure: it opens no file. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpm_conf.h"

void fpm_conf_begin(struct fpm_conf *conf, const char *pool_name)
{
	memset(conf, 0, sizeof(*conf));
	conf->pool_name = pool_name;
	conf->in_global = true; /* lines before the first section are global */
}

static void trim(const char **at, const char **end)
{
	while (*at < *end && strchr(" \t\r", **at) && **at)
		(*at)++;
	while (*at < *end && strchr(" \t\r", (*end)[-1]) && (*end)[-1])
		(*end)--;
}

/* Appends; an overlong value becomes empty, never another one. */
static bool append(char out[FPM_CONF_VALUE], size_t *n, const char *text, size_t len)
{
	if (*n + len >= FPM_CONF_VALUE || memchr(text, 0, len)) {
		out[0] = 0;
		return false;
	}
	memcpy(out + *n, text, len);
	*n += len;
	out[*n] = 0;
	return true;
}

/* A value: quotes off, a comment behind it off, $pool put in. ${ENV} can't be known here. */
static void take_value(const char *at, const char *end, const char *pool, char out[FPM_CONF_VALUE])
{
	size_t n = 0;

	out[0] = 0;
	trim(&at, &end);
	if (at < end && (*at == '"' || *at == '\'')) {
		const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));

		if (!close)
			return;
		at++;
		end = close;
	} else {
		const char *comment = memchr(at, ';', (size_t)(end - at));

		if (comment)
			end = comment;
		trim(&at, &end);
	}
	if (memmem(at, (size_t)(end - at), "${", 2))
		return;
	while (at < end) {
		const char *mark = memmem(at, (size_t)(end - at), "$pool", 5);
		const char *stop = mark ? mark : end;

		if (!append(out, &n, at, (size_t)(stop - at)))
			return;
		if (mark && !append(out, &n, pool, strlen(pool)))
			return;
		at = mark ? mark + 5 : end;
	}
}

static bool key_is(const char *at, const char *end, const char *key)
{
	return (size_t)(end - at) == strlen(key) && !memcmp(at, key, (size_t)(end - at));
}

static void take_section(struct fpm_conf *conf, const char *at, const char *end)
{
	const char *close = memchr(at, ']', (size_t)(end - at));

	conf->in_global = conf->in_pool = false;
	if (!close)
		return;
	end = close;
	trim(&at, &end);
	conf->in_global = key_is(at, end, "global");
	conf->in_pool = !conf->in_global && key_is(at, end, conf->pool_name);
	conf->pool.found |= conf->in_pool;
}

bool fpm_conf_line(struct fpm_conf *conf, const char *line, size_t len,
		   char include[FPM_CONF_VALUE])
{
	const char *at = line, *end = line + len, *equals, *key_end;
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "listen", offsetof(struct fpm_pool, listen) },
		{ "pm.status_path", offsetof(struct fpm_pool, status_path) },
		{ "pm.status_listen", offsetof(struct fpm_pool, status_listen) },
		{ "prefix", offsetof(struct fpm_pool, prefix) },
	};

	trim(&at, &end);
	if (at == end || *at == ';')
		return false;
	if (*at == '[') {
		take_section(conf, at + 1, end);
		return false;
	}
	equals = memchr(at, '=', (size_t)(end - at));
	if (!equals)
		return false;
	key_end = equals;
	trim(&at, &key_end);
	if (key_is(at, key_end, "include")) { /* allowed in every section */
		take_value(equals + 1, end, conf->pool_name, include);
		return include[0] != 0;
	}
	for (size_t i = 0; conf->in_pool && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (key_is(at, key_end, keys[i].key))
			take_value(equals + 1, end, conf->pool_name,
				   (char *)&conf->pool + keys[i].offset);
	return false;
}

static int take_port(const char *text, unsigned short *port)
{
	char *end;
	unsigned long number;

	if (*text < '0' || *text > '9')
		return -EADDRNOTAVAIL;
	number = strtoul(text, &end, 10);
	if (*end || !number || number > 65535)
		return -EADDRNOTAVAIL;
	*port = (unsigned short)number;
	return 0;
}

static bool is_loopback(int family, const unsigned char address[16])
{
	static const unsigned char loopback6[16] = { [15] = 1 };

	return family == AF_INET ? address[0] == 127 : !memcmp(address, loopback6, 16);
}

/* "9000", "127.0.0.1:9000", "[::1]:9000"; the wildcard addresses are asked on the loopback. */
static int take_address(const char *listen, struct fpm_page *page)
{
	static const unsigned char any[16], local4[16] = { 127, 0, 0, 1 },
					    local6[16] = { [15] = 1 };
	const char *colon = strrchr(listen, ':');
	char host[64];
	size_t n;

	page->family = AF_INET;
	memcpy(page->address, local4, sizeof(local4));
	if (!colon)
		return take_port(listen, &page->port);
	n = (size_t)(colon - listen);
	if (n >= 2 && listen[0] == '[' && colon[-1] == ']') {
		page->family = AF_INET6;
		listen++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return -EADDRNOTAVAIL;
	memcpy(host, listen, n);
	host[n] = 0;
	if (n && !(n == 1 && host[0] == '*')) {
		memset(page->address, 0, sizeof(page->address));
		if (inet_pton(page->family, host, page->address) != 1)
			return -EADDRNOTAVAIL;
		if (!memcmp(page->address, any, sizeof(any)))
			memcpy(page->address, page->family == AF_INET ? local4 : local6, 16);
	}
	if (!is_loopback(page->family, page->address))
		return -EADDRNOTAVAIL;
	return take_port(colon + 1, &page->port);
}

/* A unix socket has a slash or no port (fpm_sockets.c fpm_sockets_domain_from_address()). */
int fpm_conf_page(const struct fpm_conf *conf, struct fpm_page *page)
{
	const struct fpm_pool *pool = &conf->pool;
	const char *listen = pool->status_listen[0] ? pool->status_listen : pool->listen;
	struct fpm_page p = { 0 };
	const char *digit = listen + strspn(listen, "0123456789");
	int error = 0;

	if (!pool->found || pool->status_path[0] != '/' || !listen[0])
		return -ENOENT;
	memcpy(p.status_path, pool->status_path, sizeof(p.status_path));
	if (!strchr(listen, '/') && (strchr(listen, ':') || !*digit)) {
		error = take_address(listen, &p);
	} else {
		p.is_unix = true;
		if (listen[0] == '/')
			memcpy(p.unix_path, listen, sizeof(p.unix_path));
		else if (pool->prefix[0] != '/' ||
			 snprintf(p.unix_path, sizeof(p.unix_path), "%s/%s", pool->prefix,
				  listen) >= (int)sizeof(p.unix_path))
			error = -EADDRNOTAVAIL;
	}
	if (!error)
		*page = p;
	return error;
}
