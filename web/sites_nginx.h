/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nginx's configuration while it is read: the tokens (sites_nginx.c) and what they mean
 * (sites_nginx_http.c). Private to these two. */
#ifndef WEB_SITES_NGINX_H
#define WEB_SITES_NGINX_H

#include "sites_read.h"
#include "sites_words.h"

#define NGINX_NEST    128
#define NGINX_BUCKETS 1024

enum nginx_place {
	NGINX_MAIN,
	NGINX_HTTP,
	NGINX_SERVER,
	NGINX_LOCATION, /* and `if`, limit_except: parts of a server */
	NGINX_UPSTREAM,
	NGINX_OTHER, /* events, types, map, mail, stream: nothing in it is ours */
};

struct nginx_level {
	enum nginx_place place;
	bool is_php;
	struct draft_logs logs; /* of a location: what it says of them, no more */
};

struct nginx_format {
	struct nginx_format *next;
	char *name, *text;
	enum sites_escape escape;
};

struct nginx_upstream {
	struct nginx_upstream *next;
	char *name, *listen;
	bool twice, said;
};

struct nginx {
	struct sites_build *build;
	const struct sites_source *source;
	const char *conf; /* the main file; absolute, shorter than SITES_PATH_BYTES - 1 */
	const char *prefix, *default_log;
	struct sites_words words;
	struct nginx_level levels[NGINX_NEST];
	unsigned depth; /* of the innermost; levels[0] is main */

	struct draft *servers, *servers_last;
	struct draft *server; /* the one that is open */
	struct draft http;    /* what servers inherit */
	struct nginx_format *formats;
	struct nginx_upstream *named[NGINX_BUCKETS], *upstream; /* the newest first; the open one */

	unsigned work; /* of finishing, see DRAFT_WORK */

	const char *file;
	char *kept_file; /* file, kept for the vhosts */
	unsigned line;	 /* where the directive began */
};

/* What a directive's words mean where the reader is. True: it is an include of words[1]. */
bool nginx_directive(struct nginx *nginx);
/* A block begins; its words are the directive's. */
struct nginx_level nginx_block(struct nginx *nginx);
/* The innermost block ends; dropped: its brace is missing. */
void nginx_leave(struct nginx *nginx, bool dropped);
/* Everything is read: the vhosts, with what they inherit. */
void nginx_finish(struct nginx *nginx);

#endif
