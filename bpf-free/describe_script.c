/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script and the request of a process: what its arguments, title and environment say, checked
 * against its own file system. It never prints a folder as a script. */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "paths.h"
#include "proc.h"
#include "script.h"

/* A CGI environment is some kilobytes; what lies behind is not read. */
#define ENVIRON_BYTES 32768

static void set_script(struct owner *owner, enum owner_script_from from, const char *path)
{
	owner->script_from = from;
	owner->script_why = OWNER_WHY_NONE;
	if (describe_copy(owner->script, sizeof(owner->script), path))
		owner->cut |= OWNER_CUT_SCRIPT;
}

static void no_script(struct owner *owner, enum owner_why why)
{
	owner->script_from = OWNER_SCRIPT_NONE;
	owner->script_why = why;
	owner->script[0] = 0;
}

/* The file behind one of its descriptors, if it is a file with a path. */
static bool descriptor_file(int pid_fd, const char *number, char *out, size_t size)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%s", number);
	return !proc_link(pid_fd, name, out, size, NULL) && out[0] == '/' &&
	       strncmp(out, "/dev/", 5) && path_kind(pid_fd, out) == PATH_FILE;
}

/* "/dev/fd/N" as fexecve(3) and the kernel's own script loading write it. */
static const char *descriptor_number(const char *path)
{
	const char *at = NULL;

	if (!strncmp(path, "/dev/fd/", 8))
		at = path + 8;
	else if (!strncmp(path, "/proc/self/fd/", 14))
		at = path + 14;
	return at && *at && strlen(at) < 10 && !at[strspn(at, "0123456789")] ? at : NULL;
}

/* python DIR runs DIR/__main__.py (python3(1)); for all others a folder is no script. */
static void folder_script(int pid_fd, enum interp interp, const char *folder, struct owner *owner)
{
	char main[OWNER_PATH_BYTES];

	if (interp == INTERP_PYTHON && script_join(folder, "__main__.py", main, sizeof(main)) &&
	    path_kind(pid_fd, main) == PATH_FILE)
		set_script(owner, OWNER_SCRIPT_ARGV, main);
	else
		no_script(owner, OWNER_WHY_NOT_TOLD);
}

static void from_args(int pid_fd, enum interp interp, const struct script_args *args,
		      struct owner *owner)
{
	const char *number = descriptor_number(args->path);
	bool relative = args->path[0] != '/';
	char path[OWNER_PATH_BYTES];
	enum path_kind kind;

	if (args->cut)
		owner->cut |= OWNER_CUT_SCRIPT;
	if (number && descriptor_file(pid_fd, number, path, sizeof(path))) {
		set_script(owner, OWNER_SCRIPT_ARGV, path);
		return;
	}
	/* Without a cwd it is not the whole path, and a namesake elsewhere is another script. */
	if ((relative && (owner->cwd[0] != '/' || (owner->cut & OWNER_CUT_CWD))) ||
	    !script_join(owner->cwd, args->path, path, sizeof(path))) {
		set_script(owner, OWNER_SCRIPT_ARGV, args->path);
		if (relative)
			owner->cut |= OWNER_CUT_SCRIPT;
		return;
	}
	/* Relative, and not there: it was removed, or the process went elsewhere since. Which of
	 * them is not known, so the argument stays as it is. One that can't be asked about stays
	 * as it is too: it may be a folder of python's, but it is what stands there. */
	kind = path_kind(pid_fd, path);
	if (kind == PATH_FOLDER)
		folder_script(pid_fd, interp, path, owner);
	else
		set_script(owner, OWNER_SCRIPT_ARGV,
			   relative && kind != PATH_FILE ? args->path : path);
}

static void from_stdin(int pid_fd, struct owner *owner)
{
	char path[OWNER_PATH_BYTES];

	set_script(owner, OWNER_SCRIPT_STDIN,
		   descriptor_file(pid_fd, "0", path, sizeof(path)) ? path : "");
}

static void copy_value(const char *environ, size_t len, const char *key, char *out, size_t size,
		       struct owner *owner)
{
	const char *value = proc_env_value(environ, len, key);

	if (value && describe_copy(out, size, value))
		owner->cut |= OWNER_CUT_REQUEST;
}

static void describe_request(const char *environ, size_t len, struct owner *owner)
{
	copy_value(environ, len, "REQUEST_METHOD", owner->request_method,
		   sizeof(owner->request_method), owner);
	copy_value(environ, len, "REQUEST_URI", owner->request_uri, sizeof(owner->request_uri),
		   owner);
	copy_value(environ, len, "HTTP_HOST", owner->request_host, sizeof(owner->request_host),
		   owner);
	copy_value(environ, len, "REMOTE_ADDR", owner->request_client,
		   sizeof(owner->request_client), owner);
}

/* php-cgi runs what SCRIPT_FILENAME says, if there is one (cgi_main.c init_request_info()). */
static bool from_environ(int pid_fd, const char *environ, size_t len, struct owner *owner)
{
	const char *value = proc_env_value(environ, len, "SCRIPT_FILENAME");
	char path[OWNER_PATH_BYTES];

	if (!value || value[0] != '/' || !script_join("", value, path, sizeof(path)) ||
	    path_kind(pid_fd, path) == PATH_FOLDER)
		return false;
	set_script(owner, OWNER_SCRIPT_ENVIRON, path);
	return true;
}

static bool from_title(int pid_fd, struct owner *owner)
{
	const char *path = script_lsphp_title(owner->cmdline, owner->cmdline_bytes);

	if (!path || path_kind(pid_fd, path) == PATH_FOLDER)
		return false;
	set_script(owner, OWNER_SCRIPT_TITLE, path);
	return true;
}

void describe_script(int pid_fd, bool spared, struct owner *owner)
{
	enum interp interp = script_interp(owner->exe, owner->cmdline, owner->cmdline_bytes);
	char environ[ENVIRON_BYTES];
	struct script_args args;
	size_t len;

	if (spared) {
		if (interp != INTERP_NONE)
			no_script(owner, OWNER_WHY_DEADLINE);
		return;
	}
	if (proc_read(pid_fd, "environ", environ, sizeof(environ), &len))
		len = 0;
	describe_request(environ, len, owner);
	if (interp == INTERP_NONE)
		return;
	if (interp == INTERP_PHP_CGI && from_environ(pid_fd, environ, len, owner))
		return;
	if (interp == INTERP_LSPHP && from_title(pid_fd, owner))
		return;
	script_of_args(interp, owner->cmdline, owner->cmdline_bytes, owner->cut & OWNER_CUT_CMDLINE,
		       &args);
	switch (args.from) {
	case OWNER_SCRIPT_ARGV:
		from_args(pid_fd, interp, &args, owner);
		break;
	case OWNER_SCRIPT_STDIN:
		from_stdin(pid_fd, owner);
		break;
	case OWNER_SCRIPT_INLINE:
		set_script(owner, OWNER_SCRIPT_INLINE, "");
		break;
	default:
		no_script(owner, args.why);
	}
	/* A pool's worker can be asked about, if its pool has a status page (fpm.h). */
	if (interp == INTERP_PHP_FPM && script_fpm_pool(owner->cmdline, owner->cmdline_bytes))
		no_script(owner, OWNER_WHY_NO_STATUS_PAGE);
}
