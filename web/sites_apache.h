/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apache's configuration while it is read: lines and sections (sites_apache.c), variables
 * (sites_apache_define.c), what directives mean (sites_apache_host.c). Private to these. */
#ifndef WEB_SITES_APACHE_H
#define WEB_SITES_APACHE_H

#include "sites_read.h"
#include "sites_words.h"

#define APACHE_NEST    128
#define APACHE_BUCKETS 256

struct apache_define { /* Define and the environment; also the modules that are loaded */
	struct apache_define *next;
	char *name, *value; /* value NULL: taken back */
};

struct apache_format {
	struct apache_format *next;
	char *name, *text;
	unsigned scope; /* of a vhost; 0: of the server */
};

struct apache_macro {
	struct apache_macro *next;
	char *name, **parameters;
	unsigned n_parameters;
	char *text;
	size_t len;
	bool is_used; /* just now: it can't be used in itself */
};

struct apache_section {
	char name[24];
	bool is_php;	   /* <FilesMatch "\.php$"> or in one */
	bool is_elsewhere; /* in <Directory>, <Location> or <Proxy>: not the whole of a vhost */
};

struct apache {
	struct sites_build *build;
	const struct sites_source *source;
	const char *conf, *root; /* ServerRoot */
	struct sites_words words;
	char *line_text; /* the logical line; grows */
	size_t line_used, line_size;

	struct apache_section sections[APACHE_NEST];
	unsigned depth;	     /* sections[0] is the server */
	unsigned false_from; /* 0, or the depth of the section whose condition is false */

	struct apache_define *defines[APACHE_BUCKETS], *modules[APACHE_BUCKETS];
	bool any_module;

	struct draft *vhosts, *vhosts_last;
	struct draft *vhost; /* the one that is open */
	struct draft server;
	struct draft_logs global_logs;
	bool logs_late;		       /* BufferedLogs */
	struct apache_format *formats; /* the newest first */
	struct apache_macro *macros;   /* likewise */
	unsigned n_uses, all_uses;     /* within one another; ever */
	unsigned n_scopes;

	unsigned work; /* of finishing, see DRAFT_WORK */

	const char *file;
	char *kept_file;
	unsigned line, use_line; /* use_line: of the outermost Use that is read; 0: none */
};

/* A folder or file below the server's root. NULL as build_path(). */
char *apache_path(struct apache *apache, const char *text);

/* Splits a line into words, variables put in; those that are not known stay as they are. */
void apache_words(struct apache *apache, const char *line);
void apache_define(struct apache *apache, const char *name, const char *value);
void apache_module(struct apache *apache, const char *name);
/* The condition of <IfDefine>, <IfModule>, <IfFile>; true for others, which can't be known. */
bool apache_condition(struct apache *apache, const char *section, const char *argument);
/* Debian's envvars: a shell file of assignments; what is more than that is not understood. */
void apache_take_envvars(void *apache, const char *file, const char *text, size_t len);

/* mod_macro: <Macro> whose words are split; text is what follows it. How much of that it is. */
size_t apache_macro(struct apache *apache, const char *text, size_t len);
/* Use: the macro and its text, which the caller frees; NULL when it can't be used. */
struct apache_macro *apache_use(struct apache *apache, char **text, size_t *len);

void apache_begin_vhost(struct apache *apache);
void apache_end_vhost(struct apache *apache, bool dropped);
/* A directive that is no section and no include. */
void apache_directive(struct apache *apache);
void apache_finish(struct apache *apache);

#endif
