/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which script does an interpreter run? From its executable's name and its arguments; pure.
 *
 * The kind comes from the executable's path (the kernel's word), never from comm or argv[0],
 * except for busybox, where argv[0] names the applet. Arguments are what the process says of
 * itself: it can overwrite them (prctl(2) PR_SET_MM, or simply its memory).
 */
#ifndef BPF_FREE_SCRIPT_H
#define BPF_FREE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "owner.h"

enum interp {
	INTERP_NONE, /* no interpreter that we know */
	INTERP_PHP,
	INTERP_PHP_CGI,
	INTERP_PHP_FPM,
	INTERP_LSPHP,
	INTERP_APACHE, /* mod_php runs inside it */
	INTERP_PERL,
	INTERP_PYTHON,
	INTERP_RUBY,
	INTERP_NODE,
	INTERP_DENO,
	INTERP_BUN,
	INTERP_JAVA,
	INTERP_LUA,
	INTERP_TCL,
	INTERP_AWK,
	INTERP_R,
	INTERP_SHELL,
	INTERP_N
};

/* cmdline may be empty; it is read only for busybox. */
enum interp script_interp(const char *exe, const char *cmdline, size_t len);

struct script_args {
	enum owner_script_from from; /* ARGV, MODULE, INLINE, STDIN or NONE */
	enum owner_why why;	     /* when NONE: NOT_TOLD, or NONE if there is no script */
	const char *path; /* ARGV, MODULE: the argument, inside cmdline, NUL-terminated */
	bool cut;	  /* ARGV, MODULE: it reaches the end of a cut cmdline */
	bool moved;	  /* ARGV: it went to another folder after it opened the script */
	bool if_file;	  /* ARGV: that only if such a file is there, else not told */
};

/*
 * cmdline: arguments each ended by NUL, len bytes; the byte at cmdline[len] must be NUL too.
 * cut: there was more of it.
 */
void script_of_args(enum interp interp, const char *cmdline, size_t len, bool cut,
		    struct script_args *args);

/* "php-fpm: pool NAME" (fpm_env.c): the name, or NULL. Ends at NUL. */
const char *script_fpm_pool(const char *cmdline, size_t len);
/* "php-fpm: master process (/path/php-fpm.conf)": the path's length at *path, or 0. */
size_t script_fpm_config(const char *cmdline, size_t len, const char **path);

/* "lsphp:/path/x.php" (lsapi_execute_script(), sapi/litespeed/lsapi_main.c): the path's end, or
 * NULL. Its last SCRIPT_LSPHP_TITLE bytes at most: one of that length may lack its beginning, also
 * when it begins with a slash. */
#define SCRIPT_LSPHP_TITLE 45
const char *script_lsphp_title(const char *cmdline, size_t len);

/* dir + "/" + path, without "." and empty parts; ".." stays, as it is right only where no
 * symlink is. false: it does not fit. An absolute path is only cleaned. */
bool script_join(const char *dir, const char *path, char *out, size_t size);

/* Internal: arguments one by one, and launchers that don't read them as getopt(3) does
 * (script_launch.c). */
struct script_words {
	const char *at, *end;
};
/* The next argument; NULL at the end. A last one without NUL ends at the buffer's own NUL. */
const char *script_next_word(struct script_words *words);
/* "name|name|": is this one of them? "_" counts as "-". */
bool script_listed(const char *list, const char *name, size_t len);
/* Fills from, why and path; without a path ARGV and MODULE become NONE. */
void script_answer(struct script_args *args, enum owner_script_from from, const char *path);
void script_of_java(struct script_words *words, struct script_args *args);
void script_of_deno(struct script_words *words, struct script_args *args);
void script_of_bun(struct script_words *words, struct script_args *args);
void script_of_tcl(struct script_words *words, struct script_args *args);
void script_of_r(struct script_words *words, struct script_args *args);

#endif
