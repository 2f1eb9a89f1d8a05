/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the readers of configurations put together: texts and arrays that live as long as the
 * struct sites, within a bound, and drafts of virtual hosts until all that they inherit is read.
 * No file is opened here. Private to web/sites*.c and their tests.
 */
#ifndef WEB_SITES_BUILD_H
#define WEB_SITES_BUILD_H

#include "sites.h"

struct sites_seen {
	char *path;
	bool is_root;  /* only what it is counts, not what is in it */
	uint64_t hash; /* of path and its inode's times, as of the reading */
	unsigned next; /* while building: the next one in its bucket, from 1; 0: none */
};

#define BUILD_BUCKETS 8192

struct sites_build {
	struct sites *sites;
	size_t bytes; /* taken from memory so far */
	unsigned room_vhosts, room_accounts, room_pools, room_seen;
	unsigned seen[BUILD_BUCKETS]; /* by path: of each the newest, from 1 */
	bool no_memory;		      /* the only error; sites_load() reports it */
};

int build_begin(struct sites_build *build);

/* Zeroed memory of the sites; NULL when there is none, or no more is allowed. */
void *build_bytes(struct sites_build *build, size_t bytes);
char *build_text(struct sites_build *build, const char *text);
char *build_span(struct sites_build *build, const char *text, size_t len);
/* base/text unless text is absolute; without double slashes, `.` and a slash at the end. NULL for
 * what has "..", a `$`, a newline, or is too long. */
char *build_path(struct sites_build *build, const char *base, const char *text);
/* What PHP is handed to, in one spelling: "unix:/run/x", "127.0.0.1:9000", "[::1]:9000"; NULL for
 * what is neither a path nor an address with a port. */
char *build_listen(struct sites_build *build, const char *text);

static inline void build_skip(struct sites_build *build)
{
	build->sites->skipped++;
}

struct sites_vhost *build_vhost(struct sites_build *build);
struct sites_account *build_account(struct sites_build *build);
struct sites_pool *build_pool(struct sites_build *build);
/* The first of several readings of a path counts. */
void build_seen(struct sites_build *build, const char *path, bool is_root, uint64_t hash);
/* Makes the stamp of what was seen. */
void build_end(struct sites_build *build);

struct draft_name {
	struct draft_name *next;
	char *name;
};

struct draft_log {
	struct draft_log *next;
	char *path, *format;
	enum sites_escape escape;
	unsigned scope; /* apache: whose formats its name is of */
	bool whole;	/* every request of its level, at once */
};

struct draft_logs {
	struct draft_log *first, *last;
	bool said; /* also when nothing usable, or "off", was: nothing is inherited then */
	bool off, any_whole, any_conditional;
};

#define DRAFT_LOGS 64	     /* for one vhost */
#define DRAFT_WORK 50000000u /* comparisons to end all drafts of a server: about half a second */

struct draft {
	struct draft *next;
	char *file;
	unsigned line, scope;
	struct draft_name *plain, *plain_last, *wild, *wild_last;
	unsigned n_names;
	struct draft_logs logs, more_logs; /* more: of a part of the site, beside logs */
	char *root, *user, *pool;
	bool root_said, pool_is_php, pool_twice, pool_said;
	bool unlogged, conditional; /* as in sites_vhost */
};

/* A name as configured: sorts plain ones from those with wildcards, drops what is none. */
void draft_name(struct sites_build *build, struct draft *draft, const char *name);
void draft_log(struct sites_build *build, struct draft_logs *logs, const struct draft_log *log);
/* What one level's logs leave out of them is not in the draft's. */
void draft_level(struct draft *draft, const struct draft_logs *level);
/* Two places that PHP is handed to are none, unless only one of them is for PHP by its words. */
void draft_pool(struct draft *draft, char *pool, bool is_php);
/* Puts a log to a vhost's, unless it is there; false when these are DRAFT_LOGS already. */
bool draft_add_log(struct sites_log logs[DRAFT_LOGS], unsigned *n, const struct sites_log *log);
/* The draft becomes a vhost. */
void draft_end(struct sites_build *build, enum sites_server server, const struct draft *draft,
	       const struct sites_log *logs, unsigned n_logs);

#endif
