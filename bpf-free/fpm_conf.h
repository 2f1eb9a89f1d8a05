/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * php-fpm's configuration, as far as it says where a pool's status page is (php-fpm.conf(5),
 * sapi/fpm/fpm/fpm_conf.c). Takes lines, never files. Pure.
 */
#ifndef BPF_FREE_FPM_CONF_H
#define BPF_FREE_FPM_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define FPM_CONF_VALUE 512

struct fpm_pool {
	char listen[FPM_CONF_VALUE];
	char status_path[FPM_CONF_VALUE];
	char status_listen[FPM_CONF_VALUE]; /* since PHP 8.0 */
	char prefix[FPM_CONF_VALUE];
	bool found; /* there is a section of that name */
};

struct fpm_conf {
	const char *pool_name;
	struct fpm_pool pool;
	bool in_pool, in_global;
};

/* One line, without its newline. Lines carry the section over; begin a file with fpm_conf_begin.
 * When the line includes files, *include is the pattern (FPM_CONF_VALUE bytes) and true is
 * returned. */
void fpm_conf_begin(struct fpm_conf *conf, const char *pool_name);
bool fpm_conf_line(struct fpm_conf *conf, const char *line, size_t len,
		   char include[FPM_CONF_VALUE]);

/* Where to ask. */
struct fpm_page {
	bool is_unix;
	char unix_path[FPM_CONF_VALUE];
	unsigned char address[16]; /* TCP: network order */
	int family;
	unsigned short port;
	char status_path[FPM_CONF_VALUE];
};

/* 0; -ENOENT: the pool has no status page; -EADDRNOTAVAIL: it listens where we don't go: a host
 * name, an address that is not of the loopback, a relative path without prefix. */
int fpm_conf_page(const struct fpm_conf *conf, struct fpm_page *page);

#endif
