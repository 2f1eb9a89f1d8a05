/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an interpreter's arguments and title: the script is one of them, whole, or not
 * known. */
#include <string.h>

#include "bpf-free/script.h"
#include "take.h"

static const char *const programs[] = {
	"/bin/sh",
	"/usr/bin/php8.2",
	"/usr/bin/php-cgi",
	"/usr/sbin/php-fpm8.2",
	"/bin/busybox",
	"/usr/bin/perl5.36-x86_64-linux-gnu",
	"/usr/bin/python3.11",
	"/usr/bin/ruby3.1",
	"/usr/bin/node",
	"/usr/local/lsws/lsphp",
	"/usr/lib/jvm/java-17/bin/java",
	"/usr/bin/lua5.4",
	"/usr/bin/tclsh8.6",
	"/usr/bin/gawk",
	"/usr/lib/R/bin/exec/R",
	"/usr/bin/deno",
	"/usr/local/bin/bun",
};

static void check_args(enum interp interp, const char *cmdline, size_t len, bool cut)
{
	struct script_args args;

	memset(&args, 0x5a, sizeof(args));
	script_of_args(interp, cmdline, len, cut, &args);
	switch (args.from) {
	case OWNER_SCRIPT_ARGV:
	case OWNER_SCRIPT_MODULE:
		must(args.from == OWNER_SCRIPT_ARGV || (!args.moved && !args.if_file));
		must(args.path > cmdline && args.path < cmdline + len && *args.path);
		must(args.why == OWNER_WHY_NONE && (!args.cut || cut));
		break;
	case OWNER_SCRIPT_STDIN:
		must(!cut);
		/* fall through */
	case OWNER_SCRIPT_INLINE:
		must(!args.path && args.why == OWNER_WHY_NONE && !args.cut);
		must(!args.moved && !args.if_file);
		break;
	default:
		must(args.from == OWNER_SCRIPT_NONE && !args.path && !args.cut);
		must(args.why == (interp == INTERP_NONE ? OWNER_WHY_NONE : OWNER_WHY_NOT_TOLD));
	}
}

static void check_titles(const char *cmdline, size_t len)
{
	const char *pool = script_fpm_pool(cmdline, len), *path = NULL;
	size_t n = script_fpm_config(cmdline, len, &path);

	must(!pool ||
	     (pool > cmdline && *pool && memchr(pool, '\0', (size_t)(cmdline + len - pool))));
	must((n > 0) == (path != NULL));
	must(!n || (path > cmdline && *path == '/' && path + n < cmdline + len && path[n] == ')'));
	path = script_lsphp_title(cmdline, len);
	must(!path || (path > cmdline && *path && path[-1] == ':' &&
		       memchr(path, '\0', (size_t)(cmdline + len - path)) &&
		       strlen(path) <= SCRIPT_LSPHP_TITLE));
}

static void check_join(const char *dir, const char *path, size_t size)
{
	char *out = malloc(size + 1), *again = malloc(size + 1);
	const char *part;

	must(out && again);
	out[size] = 0x55;
	if (script_join(dir, path, out, size)) {
		must(memchr(out, '\0', size) && *out == '/');
		must(!strstr(out, "//") && !strstr(out, "/./"));
		part = strrchr(out, '/');
		must(!out[1] || (part[1] && strcmp(part, "/.") != 0));
		must(script_join("/elsewhere", out, again, size) && !strcmp(again, out));
		must(strlen(out) <= strlen(path) + (*path == '/' ? 0 : strlen(dir)) + 2);
	} else {
		must(size < strlen(dir) + strlen(path) + 3);
	}
	must(out[size] == 0x55);
	free(again);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t which = take_u8(&take), flags = take_u8(&take);
	size_t len = take.left;
	char *cmdline = take_rest(&take);
	enum interp interp;

	check_args(which % INTERP_N, cmdline, len, flags & 1);
	interp = script_interp(programs[which % (sizeof(programs) / sizeof(programs[0]))], cmdline,
			       len);
	must(interp < INTERP_N);
	check_args(interp, cmdline, len, flags & 1);
	must(script_interp(cmdline, cmdline, len) < INTERP_N);
	check_titles(cmdline, len);
	check_join("/home/u/./x//", cmdline, flags / 2);
	if (strlen(cmdline) < len)
		check_join(cmdline, cmdline + strlen(cmdline) + 1, flags * 2U);
	free(cmdline);
	return 0;
}
