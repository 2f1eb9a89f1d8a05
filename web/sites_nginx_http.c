/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nginx's directives say of its servers: names, roots, where PHP goes, logs and their formats
 * (ngx_http_core_module, ngx_http_log_module, ngx_http_fastcgi_module, ngx_http_upstream_module).
 * Takes directives that are split already; reads nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sites_nginx.h"

/* ngx_http_log_module.c, ngx_http_combined_fmt */
static char combined[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status "
			 "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

static bool is(const struct sites_words *words, unsigned i, const char *text)
{
	return !strcmp(words_at(words, i), text);
}

static bool is_server_part(enum nginx_place place)
{
	return place == NGINX_SERVER || place == NGINX_LOCATION;
}

static char *kept_file(struct nginx *nginx)
{
	if (!nginx->kept_file)
		nginx->kept_file = build_text(nginx->build, nginx->file);
	return nginx->kept_file;
}

static void take_root(struct nginx *nginx, struct draft *draft)
{
	draft->root_said = true;
	draft->root = build_path(nginx->build, nginx->prefix, words_at(&nginx->words, 1));
	if (!draft->root)
		build_skip(nginx->build);
}

/* access_log PATH [FORMAT [buffer= gzip= flush= if=]]; a path with variables can't be known. A
 * location's are among the server's, but only what level says tells of all its requests. */
static void take_log(struct nginx *nginx, struct draft_logs *logs, struct draft_logs *level)
{
	const struct sites_words *words = &nginx->words;
	const char *path = words_at(words, 1);
	struct draft_log log = { 0 };

	logs->said = level->said = true;
	level->off |= !strcmp(path, "off");
	if (!strcmp(path, "off") || !strncmp(path, "/dev/", 5))
		return;
	log.whole = true;
	for (unsigned i = 3; i < words->n; i++) {
		const char *word = words_at(words, i);

		if (!strncmp(word, "gzip", 4))
			path = "";
		if (!strncmp(word, "if=", 3) || !strncmp(word, "buffer=", 7) ||
		    !strncmp(word, "flush=", 6))
			log.whole = false; /* not each, or late */
	}
	if (!strncmp(path, "syslog:", 7) || !strncmp(path, "memory:", 7))
		path = "";
	log.path = build_path(nginx->build, nginx->prefix, path);
	log.format = build_text(nginx->build, words->n > 2 ? words_at(words, 2) : "combined");
	if (!log.path || !log.format) {
		build_skip(nginx->build);
		return;
	}
	level->any_whole |= log.whole;
	level->any_conditional |= !log.whole;
	log.whole &= logs == level;
	draft_log(nginx->build, logs, &log);
}

static void take_format(struct nginx *nginx)
{
	const struct sites_words *words = &nginx->words;
	struct nginx_format *format = build_bytes(nginx->build, sizeof(*format));
	unsigned first = 2;
	size_t len = 0;
	char *end;

	if (!format)
		return;
	if (is(words, 2, "escape=json"))
		format->escape = SITES_ESCAPE_JSON;
	else if (is(words, 2, "escape=none"))
		format->escape = SITES_ESCAPE_NONE;
	first += !strncmp(words_at(words, 2), "escape=", 7);
	for (unsigned i = first; i < words->n; i++)
		len += strlen(words_at(words, i));
	format->name = build_text(nginx->build, words_at(words, 1));
	format->text = build_bytes(nginx->build, len + 1);
	if (!format->name || !format->text)
		return;
	end = format->text;
	for (unsigned i = first; i < words->n; i++)
		end = stpcpy(end, words_at(words, i));
	format->next = nginx->formats;
	nginx->formats = format;
}

/* Either an address, or the name of an upstream, which may come later. */
static void take_pass(struct nginx *nginx)
{
	char *pool = NULL;

	if (strchr(words_at(&nginx->words, 1), '$'))
		build_skip(nginx->build);
	else
		pool = build_text(nginx->build, words_at(&nginx->words, 1));
	draft_pool(nginx->server, pool, nginx->levels[nginx->depth].is_php);
}

static void take_upstream_server(struct nginx *nginx)
{
	struct nginx_upstream *upstream = nginx->upstream;
	char *listen = build_listen(nginx->build, words_at(&nginx->words, 1));

	if (!upstream->said)
		upstream->listen = listen;
	else if (!listen || !upstream->listen || strcmp(listen, upstream->listen))
		upstream->twice = true;
	upstream->said = true;
}

static void server_directive(struct nginx *nginx, enum nginx_place place)
{
	const struct sites_words *words = &nginx->words;
	struct draft *server = nginx->server;

	if (is(words, 0, "access_log")) {
		if (place == NGINX_SERVER)
			take_log(nginx, &server->logs, &server->logs);
		else
			take_log(nginx, &server->more_logs, &nginx->levels[nginx->depth].logs);
	} else if (is(words, 0, "fastcgi_pass")) {
		take_pass(nginx);
	} else if (place != NGINX_SERVER) {
		return; /* a location's root is not the site's */
	} else if (is(words, 0, "root")) {
		take_root(nginx, server);
	} else if (is(words, 0, "server_name")) {
		for (unsigned i = 1; i < words->n; i++)
			draft_name(nginx->build, server, words_at(words, i));
	}
}

bool nginx_directive(struct nginx *nginx)
{
	enum nginx_place place = nginx->levels[nginx->depth].place;
	const struct sites_words *words = &nginx->words;

	if (place == NGINX_OTHER)
		return false;
	if (words->bad || words->n < 2) {
		if (words->bad || !words->n)
			build_skip(nginx->build);
		return false;
	}
	if (is(words, 0, "include"))
		return true;
	if (is_server_part(place)) {
		if (nginx->server)
			server_directive(nginx, place);
	} else if (place == NGINX_UPSTREAM) {
		if (is(words, 0, "server"))
			take_upstream_server(nginx);
	} else if (place == NGINX_HTTP) {
		if (is(words, 0, "access_log"))
			take_log(nginx, &nginx->http.logs, &nginx->http.logs);
		else if (is(words, 0, "log_format"))
			take_format(nginx);
		else if (is(words, 0, "root"))
			take_root(nginx, &nginx->http);
	}
	return false;
}

static enum nginx_place begin_server(struct nginx *nginx)
{
	struct draft *server = build_bytes(nginx->build, sizeof(*server));

	if (!server || !(server->file = kept_file(nginx)))
		return NGINX_OTHER;
	server->line = nginx->line;
	nginx->server = server;
	return NGINX_SERVER;
}

static enum nginx_place begin_upstream(struct nginx *nginx)
{
	struct nginx_upstream *upstream = build_bytes(nginx->build, sizeof(*upstream)), **bucket;

	if (!upstream || !(upstream->name = build_text(nginx->build, words_at(&nginx->words, 1))))
		return NGINX_OTHER;
	bucket = &nginx->named[words_hash(upstream->name) % NGINX_BUCKETS];
	upstream->next = *bucket;
	*bucket = nginx->upstream = upstream;
	return NGINX_UPSTREAM;
}

struct nginx_level nginx_block(struct nginx *nginx)
{
	const struct nginx_level *outer = &nginx->levels[nginx->depth];
	const struct sites_words *words = &nginx->words;
	struct nginx_level level = { .place = NGINX_OTHER, .is_php = outer->is_php };

	if (words->bad || !words->n) {
		build_skip(nginx->build);
	} else if (outer->place == NGINX_MAIN && is(words, 0, "http")) {
		level.place = NGINX_HTTP;
	} else if (outer->place == NGINX_HTTP && is(words, 0, "server")) {
		level.place = begin_server(nginx);
	} else if (outer->place == NGINX_HTTP && is(words, 0, "upstream")) {
		level.place = begin_upstream(nginx);
	} else if (is_server_part(outer->place) &&
		   (is(words, 0, "location") || is(words, 0, "if") ||
		    is(words, 0, "limit_except"))) {
		level.place = NGINX_LOCATION;
		if (is(words, 0, "location"))
			level.is_php |= strstr(words_at(words, words->n - 1), "php") != NULL;
	}
	return level;
}

void nginx_leave(struct nginx *nginx, bool dropped)
{
	const struct nginx_level *level = &nginx->levels[nginx->depth--];
	struct draft *server = nginx->server;

	if (level->place == NGINX_LOCATION && level->logs.said && server)
		draft_level(server, &level->logs);
	if (level->place != NGINX_SERVER)
		return;
	nginx->server = NULL;
	if (dropped)
		return;
	if (nginx->servers_last)
		nginx->servers_last->next = server;
	else
		nginx->servers = server;
	nginx->servers_last = server;
}

static bool find_format(struct nginx *nginx, const char *name, struct sites_log *log)
{
	const struct nginx_format *format = nginx->formats;

	for (; format && strcmp(format->name, name); format = format->next)
		nginx->work++;
	log->format = format ? format->text : combined;
	log->escape = format ? format->escape : SITES_ESCAPE_DEFAULT;
	return format || !strcmp(name, "combined");
}

static void add_logs(struct nginx *nginx, const struct draft_logs *logs,
		     struct sites_log out[DRAFT_LOGS], unsigned *n)
{
	for (const struct draft_log *log = logs->first; log; log = log->next) {
		struct sites_log one = { .path = log->path, .whole = log->whole };

		nginx->work += 1 + *n;
		if (!find_format(nginx, log->format, &one) || !draft_add_log(out, n, &one))
			build_skip(nginx->build);
	}
}

static const char *find_pool(struct nginx *nginx, const char *pass)
{
	const struct nginx_upstream *upstream;

	if (!pass)
		return NULL;
	upstream = nginx->named[words_hash(pass) % NGINX_BUCKETS];
	while (upstream && strcmp(upstream->name, pass))
		upstream = upstream->next;
	if (upstream)
		return upstream->twice ? NULL : upstream->listen;
	return build_listen(nginx->build, pass);
}

static void finish_server(struct nginx *nginx, struct draft *server)
{
	const struct draft_logs *own = server->logs.said ? &server->logs : &nginx->http.logs;
	struct sites_log logs[DRAFT_LOGS];
	unsigned n = 0;

	draft_level(server, own);
	add_logs(nginx, own, logs, &n);
	add_logs(nginx, &server->more_logs, logs, &n);
	if (!server->root_said)
		server->root = nginx->http.root;
	server->pool = (char *)find_pool(nginx, server->pool);
	draft_end(nginx->build, SITES_NGINX, server, logs, n);
}

void nginx_finish(struct nginx *nginx)
{
	struct draft_log log = { .path = (char *)nginx->default_log,
				 .format = "combined",
				 .whole = true };

	/* What was cut may say it yet. */
	if (!nginx->http.logs.said && !nginx->build->sites->cut && nginx->default_log)
		draft_log(nginx->build, &nginx->http.logs, &log);
	for (struct draft *server = nginx->servers; server; server = server->next) {
		if (nginx->work > DRAFT_WORK) {
			nginx->build->sites->cut = true;
			return;
		}
		finish_server(nginx, server);
	}
}
