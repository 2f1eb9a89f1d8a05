/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sites of this box: which virtual hosts the web servers' configurations describe, which user
 * and which php-fpm pool is behind each, where their access logs are and in which format, and what
 * the panels' own files say of an account's domain. From nginx (nginx.org/en/docs), apache
 * (httpd.apache.org/docs/2.4/mod/directives.html), php-fpm.conf(5), cPanel's
 * /etc/trueuserdomains and /etc/userdatadomains, DirectAdmin's /etc/virtual/domainowners, Plesk's
 * /var/www/vhosts/system/DOMAIN/. Configurations are others' and hostile: bounded in files, depth,
 * bytes and time; what can't be read or understood is skipped and counted.
 */
#ifndef WEB_SITES_H
#define WEB_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sites_server { SITES_NGINX, SITES_APACHE, SITES_SERVER_N };

#define SITES_NAME_BYTES 256
#define SITES_PATH_BYTES 4096

enum sites_escape { /* how the server writes what the client chose; apache has the default only */
		    SITES_ESCAPE_DEFAULT, /* \xHH, and apache's \" \\ \n */
		    SITES_ESCAPE_JSON,
		    SITES_ESCAPE_NONE
};

struct sites_log {
	char *path;   /* absolute; never a pipe, syslog: or memory: */
	char *format; /* the format's text (log_format, LogFormat), not its name */
	enum sites_escape escape;
	bool whole; /* each request of the vhost is written here, but for vhost.unlogged */
};

struct sites_vhost {
	enum sites_server server;
	char **names; /* server_name / ServerName, ServerAlias; may be none. Lower case; plain names
		       * in their order, the first of them is the main one; then those with
		       * wildcards. nginx's regular expressions, "_" and "" are left out */
	unsigned n_names;
	char *root; /* document root, absolute, without a slash at its end; NULL: none, or not known
		     */
	char *real; /* where root is, links followed; NULL when that is root itself, or not known */
	char *pool; /* what PHP is handed to: "unix:/run/php/x.sock" or "127.0.0.1:9000"; NULL */
	bool pool_unclear; /* PHP is handed on, but to several, or to what is not known */
	char *user;	   /* suexec, AssignUserId (mpm-itk), or the pool's user; NULL: not said */
	struct sites_log *logs; /* those of the server level when the vhost has none */
	unsigned n_logs;
	/* Some of its requests, those of a location or under a condition, come to no log that can
	 * be read, or late; which, does not follow from their URI: conditional. */
	bool unlogged, conditional;
	char *file; /* configuration file and line that begin it */
	unsigned line;
};

struct sites_account { /* from a panel's file */
	char *user, *domain, *file;
	unsigned line; /* 0: a folder's owner says it */
	char *root;    /* the domain's document root, or folder (Plesk); NULL: not said */
};

struct sites_pool { /* of php-fpm */
	char *name, *user, *file;
	unsigned line;
	char *listen; /* as in sites_vhost.pool */
};

struct sites_seen; /* a file or folder that was looked at (sites_build.h) */
struct sites_chunk;

struct sites {
	struct sites_vhost *vhosts;
	unsigned n_vhosts;
	struct sites_account *accounts;
	unsigned n_accounts;
	struct sites_pool *pools;
	unsigned n_pools;
	unsigned skipped; /* files, lines and blocks that could not be used */
	bool unclear;	  /* a server runs with a configuration that is not among what was read */
	bool cut;	  /* the deadline or a bound ended the reading: there may be more */
	uint64_t stamp;	  /* sites_stamp() as of the reading */
	struct sites_seen *seen;
	unsigned n_seen;
	struct sites_chunk *memory;
};

struct sites_servers; /* sites_servers.h */

/*
 * Reads everything below root_fd as if it were "/", until deadline_ns (CLOCK_MONOTONIC); what
 * was read whole until then is kept, and cut is set. Files on a FUSE mount are skipped: its server
 * may let us wait for ever. servers, or NULL: what runs, whose configurations are read too. *sites
 * is the caller's. 0, or -ENOMEM.
 */
int sites_load(int root_fd, const struct sites_servers *servers, uint64_t deadline_ns,
	       struct sites **sites);
void sites_free(struct sites *sites); /* takes NULL */
/* Differs from sites->stamp when any file that was read, or a folder that was searched, changed. */
uint64_t sites_stamp(int root_fd, const struct sites *sites);

/* What is known of a process, raw; NULL or "" for what is not. */
struct sites_question {
	const char *user, *home; /* of passwd(5) */
	const char *script;	 /* absolute path */
	const char *host;	 /* the request's Host */
	const char *pool_name;	 /* php-fpm's */
	bool is_service;	 /* sites_is_service() of the user: nobody's account */
};

/* Is this a user of the system, as which a server works for everybody (login.defs(5), UID_MIN;
 * nobody's uid is high)? */
bool sites_is_service(uint32_t uid, const char *user);

enum sites_from { /* agent/note.h has the same order */
		  SITES_NONE,
		  SITES_VHOST,
		  SITES_HOST,
		  SITES_POOL,
		  SITES_PANEL,
		  SITES_USER,
		  SITES_HOME,
		  SITES_FROM_N
};

struct sites_answer {
	enum sites_from from;
	const struct sites_vhost *vhost; /* NULL unless a vhost is behind it */
	const char *name, *root;	 /* inside sites or question; NULL: not known */
	const char *file;		 /* what says so; NULL: none */
	unsigned line;			 /* 0: the file as a whole */
};

/*
 * Never a guess: two vhosts that fit equally well are none, and the next way is tried. Several
 * vhosts of one site (sites_same()) are one; the answer then has the first of them with a root.
 * A script that is known decides: no way names a site whose root it does not lie below, or a home
 * that it does not lie in. What is not said of a vhost, its user or pool, may be the one asked for,
 * so it is one more that fits. Pure.
 */
void sites_find(const struct sites *sites, const struct sites_question *question,
		struct sites_answer *answer);

/* Does nothing that is known of both, pool and user, say that the process works for another? */
bool sites_may_be(const struct sites *sites, const struct sites_question *question,
		  const struct sites_vhost *vhost);

/* The plain name that the site goes by, or NULL. */
const char *sites_name(const struct sites_vhost *vhost);
/* Are they one site, on two ports or behind two servers: the main name of one is a name of the
 * other, or neither has one, and the roots do not differ? */
bool sites_same(const struct sites_vhost *a, const struct sites_vhost *b);
/* Is path folder itself or something below it, by whole components? Never for "/". */
bool sites_is_below(const char *path, const char *folder);

#endif
