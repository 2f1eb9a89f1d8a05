/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The request of a CGI program (RFC 3875), and the script that php-cgi makes of it, from the
 * environment that it was started with. The process may have written that itself.
 */
#ifndef BPF_FREE_CGI_H
#define BPF_FREE_CGI_H

#include <stdbool.h>
#include <stddef.h>

#include "owner.h"

#define CGI_ENV_BYTES 16384

/* An environment as it was at execve(2). */
struct cgi_env {
	char *text; /* `first`, or allocated when that is too small */
	size_t len;
	bool read, cut; /* cut: there may be more of it */
	char first[CGI_ENV_BYTES];
};

/* Reads it unless it was read before. 0 or -errno. May wait as describe_process() says. */
int cgi_env_read(int pid_fd, struct cgi_env *env);
void cgi_env_begin(struct cgi_env *env);
void cgi_env_free(struct cgi_env *env);
/* The first value of the key, as getenv(3); NULL: not there, or cut. */
const char *cgi_env_value(const struct cgi_env *env, const char *key);

/* Is a web server that runs CGI programs among the parents, by their names? Names are free to
 * choose: it says where to look, not what is true. */
bool cgi_may_serve(const struct owner *owner);
/* Is descriptor 0 a socket? Then it may be where FastCGI requests come from, and the environment
 * is that of its start, not of a request (FastCGI Specification 1.0, section 2.2). */
bool cgi_is_fastcgi(int pid_fd);

/* Fills the owner's request, unless the server itself had one already when it was started. */
void cgi_take_request(int pid_fd, const struct cgi_env *env, struct owner *owner);

/* Does php-cgi take itself for a CGI program? (cgi_main.c, main()) */
bool cgi_is_cgi(const struct cgi_env *env);
/* The script that php-cgi runs for it (init_request_info()); false: not told. */
bool cgi_php_script(int pid_fd, const struct cgi_env *env, const struct owner *owner,
		    char path[OWNER_PATH_BYTES]);

#endif
