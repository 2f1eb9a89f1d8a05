/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script and the request of a process: what its arguments, title and environment say, checked
 * against its own file system. It never prints a folder as a script. */
#include <stdio.h>
#include <string.h>

#include "cgi.h"
#include "describe.h"
#include "paths.h"
#include "proc.h"
#include "script.h"

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
	owner->cut &= ~(uint32_t)OWNER_CUT_SCRIPT;
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

	if (!strcmp(path, "/dev/stdin"))
		return "0";
	if (!strncmp(path, "/dev/fd/", 8))
		at = path + 8;
	else if (!strncmp(path, "/proc/self/fd/", 14))
		at = path + 14;
	return at && *at && strlen(at) < 10 && !at[strspn(at, "0123456789")] ? at : NULL;
}

/* The last two of stat's numbers that begin and end the arguments (proc(5), 48 and 49). */
static bool args_span(int pid_fd, uint64_t *bytes)
{
	unsigned long long begin, end;
	char text[1024];
	const char *at;
	size_t len;

	if (proc_read(pid_fd, "stat", text, sizeof(text) - 1, &len))
		return false;
	text[len] = 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 48; field++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at || sscanf(at, "%llu %llu", &begin, &end) != 2 || end < begin)
		return false;
	*bytes = end - begin;
	return true;
}

/* perl's $0 = "perl" leaves one word of a command line that was longer: it says nothing of what
 * stood there (get_mm_cmdline(), fs/proc/base.c). */
static bool args_are_whole(int pid_fd, const struct owner *owner)
{
	uint64_t bytes;

	return args_span(pid_fd, &bytes) && (!bytes || bytes == owner->cmdline_bytes);
}

static void from_stdin(int pid_fd, struct owner *owner)
{
	char path[OWNER_PATH_BYTES];

	if (args_are_whole(pid_fd, owner))
		set_script(owner, OWNER_SCRIPT_STDIN,
			   descriptor_file(pid_fd, "0", path, sizeof(path)) ? path : "");
	else
		no_script(owner, OWNER_WHY_NOT_TOLD);
}

static bool is_file(int pid_fd, const char *folder, const char *name, char out[OWNER_PATH_BYTES])
{
	return script_join(folder, name, out, OWNER_PATH_BYTES) &&
	       path_kind(pid_fd, out) == PATH_FILE;
}

/* python DIR runs DIR/__main__.py (python3(1)). node NAME runs NAME.js, or DIR/index.js where no
 * package.json says otherwise (Module._findPath(), lib/internal/modules/cjs/loader.js). For all
 * others a folder is no script. */
static bool found_by_name(int pid_fd, enum interp interp, const char *path, enum path_kind kind,
			  char out[OWNER_PATH_BYTES])
{
	if (interp == INTERP_PYTHON)
		return kind == PATH_FOLDER && is_file(pid_fd, path, "__main__.py", out);
	if (interp != INTERP_NODE)
		return false;
	if (snprintf(out, OWNER_PATH_BYTES, "%s.js", path) < OWNER_PATH_BYTES &&
	    path_kind(pid_fd, out) == PATH_FILE)
		return true;
	return kind == PATH_FOLDER && script_join(path, "package.json", out, OWNER_PATH_BYTES) &&
	       path_kind(pid_fd, out) == PATH_GONE && is_file(pid_fd, path, "index.js", out);
}

/* A shell leaves the folder it was in as PWD. Where that is another than now, and has such a file
 * too, the process went elsewhere since, or PWD is somebody else's: which file it was is not
 * known. */
static bool has_namesake(int pid_fd, struct cgi_env *env, const struct owner *owner,
			 const char *name, const char *path)
{
	char other[OWNER_PATH_BYTES];
	const char *pwd;

	if (cgi_env_read(pid_fd, env))
		return false;
	pwd = cgi_env_value(env, "PWD");
	return pwd && pwd[0] == '/' && strcmp(pwd, owner->cwd) != 0 &&
	       is_file(pid_fd, pwd, name, other) && strcmp(path, other) != 0 &&
	       !path_same(pid_fd, path, other);
}

/* As it stands in argv; without its folder when it is relative. */
static void as_it_stands(struct owner *owner, const struct script_args *args)
{
	set_script(owner, OWNER_SCRIPT_ARGV, args->path);
	if (args->path[0] != '/')
		owner->cut |= OWNER_CUT_SCRIPT;
}

static void from_relative(int pid_fd, enum interp interp, const struct script_args *args,
			  struct cgi_env *env, struct owner *owner)
{
	char path[OWNER_PATH_BYTES], found[OWNER_PATH_BYTES];
	enum path_kind kind;

	/* Without a cwd it is not the whole path, and a namesake elsewhere is another script.
	 * php-cgi goes to the script's folder. */
	if (owner->cwd[0] != '/' || (owner->cut & OWNER_CUT_CWD) || args->moved ||
	    (interp == INTERP_PHP_CGI && strchr(args->path, '/')) ||
	    !script_join(owner->cwd, args->path, path, sizeof(path))) {
		as_it_stands(owner, args);
		return;
	}
	/* Not there: it was removed, or the process went elsewhere since. Which of them is not
	 * known, so the argument stays as it is. */
	kind = path_kind(pid_fd, path);
	if (kind == PATH_FILE && has_namesake(pid_fd, env, owner, args->path, path))
		as_it_stands(owner, args);
	else if (kind == PATH_FILE)
		set_script(owner, OWNER_SCRIPT_ARGV, path);
	else if (found_by_name(pid_fd, interp, path, kind, found))
		set_script(owner, OWNER_SCRIPT_ARGV, found);
	else if (kind == PATH_FOLDER)
		no_script(owner, OWNER_WHY_NOT_TOLD);
	else
		set_script(owner, OWNER_SCRIPT_ARGV, args->path);
}

static void from_absolute(int pid_fd, enum interp interp, const struct script_args *args,
			  struct owner *owner)
{
	char path[OWNER_PATH_BYTES], found[OWNER_PATH_BYTES];
	enum path_kind kind;

	if (!script_join("", args->path, path, sizeof(path))) {
		as_it_stands(owner, args);
		return;
	}
	kind = path_kind(pid_fd, path);
	if (kind != PATH_FILE && found_by_name(pid_fd, interp, path, kind, found))
		set_script(owner, OWNER_SCRIPT_ARGV, found);
	else if (kind == PATH_FOLDER)
		no_script(owner, OWNER_WHY_NOT_TOLD);
	else
		set_script(owner, OWNER_SCRIPT_ARGV, path);
}

static void from_argv(int pid_fd, enum interp interp, const struct script_args *args,
		      struct cgi_env *env, struct owner *owner)
{
	const char *number = descriptor_number(args->path);
	char path[OWNER_PATH_BYTES];

	if (number && !strcmp(number, "0")) {
		from_stdin(pid_fd, owner);
		return;
	}
	if (args->cut)
		owner->cut |= OWNER_CUT_SCRIPT;
	if (number && descriptor_file(pid_fd, number, path, sizeof(path)))
		set_script(owner, OWNER_SCRIPT_ARGV, path);
	else if (args->path[0] == '/')
		from_absolute(pid_fd, interp, args, owner);
	else
		from_relative(pid_fd, interp, args, env, owner);
	if (args->if_file &&
	    (owner->script[0] != '/' || path_kind(pid_fd, owner->script) != PATH_FILE))
		no_script(owner, OWNER_WHY_NOT_TOLD);
}

static void from_args(int pid_fd, enum interp interp, struct cgi_env *env, struct owner *owner)
{
	struct script_args args;

	script_of_args(interp, owner->cmdline, owner->cmdline_bytes, owner->cut & OWNER_CUT_CMDLINE,
		       &args);
	switch (args.from) {
	case OWNER_SCRIPT_ARGV:
		from_argv(pid_fd, interp, &args, env, owner);
		break;
	case OWNER_SCRIPT_MODULE:
		if (args.cut)
			owner->cut |= OWNER_CUT_SCRIPT;
		set_script(owner, OWNER_SCRIPT_MODULE, args.path);
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
}

/* The title has the path's end only, but the SAPI goes to the script's folder
 * (php_execute_script(), main/main.c): both together are the path. */
static bool from_title(int pid_fd, struct owner *owner)
{
	const char *title = script_lsphp_title(owner->cmdline, owner->cmdline_bytes);
	const char *name = title ? strrchr(title, '/') : NULL;
	size_t cwd = strlen(owner->cwd), folder = name ? (size_t)(name - title) : 0;
	char path[OWNER_PATH_BYTES];

	if (!title)
		return false;
	if (title[0] == '/' && strlen(title) < SCRIPT_LSPHP_TITLE)
		return title[1] && path_kind(pid_fd, title) != PATH_FOLDER &&
		       (set_script(owner, OWNER_SCRIPT_TITLE, title), true);
	if (strlen(title) < SCRIPT_LSPHP_TITLE || !name || (owner->cut & OWNER_CUT_CWD) ||
	    cwd < folder || memcmp(owner->cwd + cwd - folder, title, folder) ||
	    !is_file(pid_fd, owner->cwd, name + 1, path))
		return false;
	set_script(owner, OWNER_SCRIPT_TITLE, path);
	return true;
}

/* As a CGI program it runs what the environment says; else what its arguments say, or without
 * any the environment again. As a FastCGI server it serves many, and nothing tells which. */
static void of_php_cgi(int pid_fd, struct cgi_env *env, struct owner *owner)
{
	char path[OWNER_PATH_BYTES];

	if (cgi_is_fastcgi(pid_fd) || cgi_env_read(pid_fd, env)) {
		no_script(owner, OWNER_WHY_NOT_TOLD);
		return;
	}
	cgi_take_request(pid_fd, env, owner);
	if (!cgi_is_cgi(env)) {
		from_args(pid_fd, INTERP_PHP_CGI, env, owner);
		if (owner->script_from != OWNER_SCRIPT_STDIN)
			return;
		if (!env->cut && !cgi_env_value(env, "SCRIPT_FILENAME") &&
		    !cgi_env_value(env, "PATH_TRANSLATED"))
			return;
	}
	if (cgi_php_script(pid_fd, env, owner, path))
		set_script(owner, OWNER_SCRIPT_ENVIRON, path);
	else
		no_script(owner, OWNER_WHY_NOT_TOLD);
}

/* The environment is read where it can be a request's: below a web server that runs CGI programs,
 * whatever the program. Others pay nothing for it. */
static void of_cgi_program(int pid_fd, struct cgi_env *env, struct owner *owner)
{
	if (cgi_may_serve(owner) && !cgi_env_read(pid_fd, env) &&
	    cgi_env_value(env, "REQUEST_METHOD") && !cgi_is_fastcgi(pid_fd))
		cgi_take_request(pid_fd, env, owner);
}

void describe_script(int pid_fd, bool spared, struct owner *owner)
{
	enum interp interp = script_interp(owner->exe, owner->cmdline, owner->cmdline_bytes);
	struct cgi_env env;

	if (spared) {
		if (interp != INTERP_NONE)
			no_script(owner, OWNER_WHY_DEADLINE);
		return;
	}
	/* A pool's worker can be asked about, if its pool has a status page (fpm.h). */
	if (interp == INTERP_PHP_FPM) {
		no_script(owner, script_fpm_pool(owner->cmdline, owner->cmdline_bytes)
					 ? OWNER_WHY_NO_STATUS_PAGE
					 : OWNER_WHY_NOT_TOLD);
		return;
	}
	cgi_env_begin(&env);
	if (interp == INTERP_PHP_CGI) {
		of_php_cgi(pid_fd, &env, owner);
	} else {
		of_cgi_program(pid_fd, &env, owner);
		if (interp != INTERP_NONE && !(interp == INTERP_LSPHP && from_title(pid_fd, owner)))
			from_args(pid_fd, interp, &env, owner);
	}
	cgi_env_free(&env);
}
