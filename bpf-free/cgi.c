/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a CGI environment says of the request. It never takes the environment of a server's
 * start for a request's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgi.h"
#include "describe.h"
#include "paths.h"
#include "proc.h"
#include "script.h"

/* A client's headers stand before the server's own keys, and fill what a server lets them:
 * apache's limits allow 800 kB. */
#define ENV_BYTES_MAX (1u << 20)
#define PATH_INFO_MAX 16 /* components behind a script's name that are looked behind */

void cgi_env_begin(struct cgi_env *env)
{
	env->text = env->first;
	env->len = 0;
	env->read = env->cut = false;
}

void cgi_env_free(struct cgi_env *env)
{
	if (env->text != env->first)
		free(env->text);
	cgi_env_begin(env);
}

int cgi_env_read(int pid_fd, struct cgi_env *env)
{
	size_t len = 0;
	char *more;
	int error;

	if (env->read)
		return 0;
	error = proc_read(pid_fd, "environ", env->first, sizeof(env->first), &len);
	if (error)
		return error;
	env->read = true;
	env->len = len;
	if (len < sizeof(env->first))
		return 0;
	env->cut = true;
	more = malloc(ENV_BYTES_MAX);
	if (!more)
		return 0;
	if (proc_read(pid_fd, "environ", more, ENV_BYTES_MAX, &len)) {
		free(more);
		return 0;
	}
	env->text = more;
	env->len = len;
	env->cut = len == ENV_BYTES_MAX;
	return 0;
}

const char *cgi_env_value(const struct cgi_env *env, const char *key)
{
	return proc_env_value(env->text, env->len, key);
}

static const char *const servers[] = {
	"apache2",  "httpd", /* apache's elsewhere, busybox's */
	"fcgiwrap", "php-cgi", "lighttpd",   "litespeed", "lshttpd",  "openlitespe",
	"lscgid",   "thttpd",  "mini_httpd", "boa",	  "cherokee", "hiawatha",
	"uwsgi",    "caddy",   "bozohttpd",  "miniserv",
};

static bool is_server(const struct owner_ref *ref)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (!strncmp(ref->comm, servers[i], strlen(servers[i])))
			return true;
	return false;
}

bool cgi_may_serve(const struct owner *owner)
{
	for (unsigned i = 0; i < owner->n_parents; i++)
		if (is_server(&owner->parents[i]))
			return true;
	return false;
}

bool cgi_is_fastcgi(int pid_fd)
{
	char link[64];

	return proc_link(pid_fd, "fd/0", link, sizeof(link), NULL) || !strncmp(link, "socket:", 7);
}

/* The outermost of the servers was started by somebody's request, as a panel does that restarts
 * it: then what its children have may be that request, not one of its own. */
static bool server_has_request(int pid_fd, const struct owner *owner)
{
	const struct owner_ref *server = NULL;
	struct cgi_env *env;
	int proc_fd, server_fd;
	bool has = true;

	for (unsigned i = 0; i < owner->n_parents; i++)
		if (is_server(&owner->parents[i]))
			server = &owner->parents[i];
	if (!server) /* php-cgi of a server that has no known name */
		return false;
	proc_fd = openat(pid_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return true;
	env = malloc(sizeof(*env));
	if (env && !proc_open_pid(proc_fd, server->pid, &server_fd)) {
		cgi_env_begin(env);
		if (!cgi_env_read(server_fd, env))
			has = cgi_env_value(env, "REQUEST_METHOD") != NULL;
		cgi_env_free(env);
		close(server_fd);
	}
	free(env);
	close(proc_fd);
	return has;
}

static void copy_value(const struct cgi_env *env, const char *key, char *out, size_t size,
		       struct owner *owner)
{
	const char *value = cgi_env_value(env, key);

	if (value && describe_copy(out, size, value))
		owner->cut |= OWNER_CUT_REQUEST;
}

void cgi_take_request(int pid_fd, const struct cgi_env *env, struct owner *owner)
{
	if (!cgi_env_value(env, "REQUEST_METHOD") || server_has_request(pid_fd, owner))
		return;
	copy_value(env, "REQUEST_METHOD", owner->request_method, sizeof(owner->request_method),
		   owner);
	copy_value(env, "REQUEST_URI", owner->request_uri, sizeof(owner->request_uri), owner);
	copy_value(env, "HTTP_HOST", owner->request_host, sizeof(owner->request_host), owner);
	if (!owner->request_host[0])
		copy_value(env, "SERVER_NAME", owner->request_host, sizeof(owner->request_host),
			   owner);
	copy_value(env, "REMOTE_ADDR", owner->request_client, sizeof(owner->request_client), owner);
}

bool cgi_is_cgi(const struct cgi_env *env)
{
	static const char *const keys[] = { "SERVER_SOFTWARE", "SERVER_NAME", "GATEWAY_INTERFACE",
					    "REQUEST_METHOD" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (cgi_env_value(env, keys[i]))
			return true;
	return false;
}

/* "/srv/x.php/path/info" is /srv/x.php. One that is gone stands as it is: it was removed. */
static bool without_path_info(int pid_fd, char path[OWNER_PATH_BYTES])
{
	char part[OWNER_PATH_BYTES];
	enum path_kind kind = path_kind(pid_fd, path);

	if (kind == PATH_FOLDER)
		return false;
	if (kind != PATH_GONE)
		return true;
	strcpy(part, path);
	for (unsigned i = 0; i < PATH_INFO_MAX; i++) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part)
			break;
		*slash = 0;
		kind = path_kind(pid_fd, part);
		if (kind == PATH_FILE)
			strcpy(path, part);
		if (kind != PATH_GONE)
			break;
	}
	return true;
}

/* With an Action of apache's, SCRIPT_FILENAME is php-cgi itself, and PATH_TRANSLATED the page. */
bool cgi_php_script(int pid_fd, const struct cgi_env *env, const struct owner *owner,
		    char path[OWNER_PATH_BYTES])
{
	const char *script = cgi_env_value(env, "SCRIPT_FILENAME");
	const char *translated = cgi_env_value(env, "PATH_TRANSLATED");
	const char *name;

	if (env->cut && (!script || !translated))
		return false;
	if (translated && (!script || cgi_env_value(env, "REDIRECT_URL")))
		script = translated;
	if (!script || !*script)
		return false;
	if (*script == '/')
		return script_join("", script, path, OWNER_PATH_BYTES) &&
		       without_path_info(pid_fd, path);
	/* It went to the script's folder (php_execute_script(), main/main.c). */
	name = strrchr(script, '/');
	return owner->cwd[0] == '/' && !(owner->cut & OWNER_CUT_CWD) &&
	       script_join(owner->cwd, name ? name + 1 : script, path, OWNER_PATH_BYTES) &&
	       path_kind(pid_fd, path) == PATH_FILE;
}
