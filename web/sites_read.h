/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of configurations, one for each kind. They take texts: where these come from, files
 * below a root or a test's own, is the source's affair. Pure but for what the source does. What
 * can't be understood is counted in sites->skipped. Private to web/sites*.c and their tests.
 */
#ifndef WEB_SITES_READ_H
#define WEB_SITES_READ_H

#include "sites_build.h"

enum sites_include {
	SITES_INCLUDE_SORTED,	/* as glob(3) does: all paths in one order (nginx, php-fpm) */
	SITES_INCLUDE_FOLDERS,	/* folder by folder, and all of a folder that is named (apache) */
	SITES_INCLUDE_OPTIONAL, /* the same; that nothing fits is no fault */
};

/* One file's text. Its pointers are gone when it returns. */
typedef void sites_take(void *reader, const char *file, const char *text, size_t len);

struct sites_source {
	void *context;
	/* Gives take each file that an absolute pattern with wildcards (glob(7)) means. */
	void (*include)(void *context, const char *pattern, enum sites_include how,
			sites_take *take, void *reader);
	bool (*exists)(void *context, const char *path);
	/* Is it time to stop? Then the source has set sites->cut. */
	bool (*expired)(void *context);
};

/* nginx: reads conf and what it includes. Relative paths are below prefix. log: the one that is
 * compiled in; NULL: not known. */
void nginx_read(struct sites_build *build, const struct sites_source *source, const char *conf,
		const char *prefix, const char *log);
/* Apache: envvars is a shell file of variables, or NULL; root the ServerRoot that is compiled in.
 */
void apache_read(struct sites_build *build, const struct sites_source *source, const char *conf,
		 const char *envvars, const char *root);
/* php-fpm's pools; pattern as for include. */
void fpm_read(struct sites_build *build, const struct sites_source *source, const char *pattern);

/* cPanel's and DirectAdmin's files of lines "DOMAIN: USER", with "==" and more behind it in
 * userdatadomains. A sites_take; reader is a struct sites_build. */
void panel_take_domains(void *build, const char *file, const char *text, size_t len);
struct panel_user {
	uint32_t uid;
	char name[64];
};

/* The users of a passwd(5), by uid; of two with one uid the first. *users is the caller's. 0, or
 * -ENOMEM. */
int panel_users(const char *text, size_t len, struct panel_user **users, unsigned *n);
/* NULL: nobody has that uid. */
const char *panel_user(const struct panel_user *users, unsigned n, uint32_t uid);

#endif
