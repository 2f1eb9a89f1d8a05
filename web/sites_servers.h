/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which configurations the running servers were told to read: the masters of nginx, apache and
 * php-fpm that root runs in this root folder, by their command lines. What these do not tell is a
 * doubt, never a guess.
 */
#ifndef WEB_SITES_SERVERS_H
#define WEB_SITES_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "sites.h"

enum sites_program { SITES_PROGRAM_NGINX, SITES_PROGRAM_APACHE, SITES_PROGRAM_FPM };

#define SITES_RUNNING_BYTES 1024 /* a longer path is not known */

struct sites_running {
	enum sites_program program;
	char conf[SITES_RUNNING_BYTES];	  /* absolute */
	char prefix[SITES_RUNNING_BYTES]; /* nginx's prefix, apache's ServerRoot; php-fpm: "" */
};

#define SITES_RUNNING_MAX 64

struct sites_servers {
	struct sites_running running[SITES_RUNNING_MAX]; /* no two alike */
	unsigned n;
	bool unclear; /* a server runs whose configuration is not known, or can't be read here */
};

/* Looks at every process below proc_fd (/proc). root_fd: what "/" is; those of another root,
 * containers, are not looked at. -1: all are. */
void sites_servers_find(int proc_fd, int root_fd, struct sites_servers *servers);
/* One process, by its executable's path and its command line (proc(5)). False: nothing is known of
 * its configuration. Pure. */
bool sites_servers_take(struct sites_servers *servers, const char *exe, const char *cmdline,
			size_t len);
/* Are they the same? */
bool sites_servers_same(const struct sites_servers *a, const struct sites_servers *b);

#endif
