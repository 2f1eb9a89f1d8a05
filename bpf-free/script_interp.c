/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises interpreters by the executable's name, and reads process titles. Pure. */
#include <string.h>

#include "script.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The name without its version and build: "perl5.36-x86_64-linux-gnu" -> 4, "php-fpm8.2" -> 7,
 * "luajit-2.1.0-beta3" -> 6, "zsh-static" -> 3. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strchr(name, '-'); at; at = strchr(at + 1, '-'))
		if ((at[1] >= '0' && at[1] <= '9') || !strcmp(at, "-static") ||
		    strstr(at, "-linux-")) {
			len = (size_t)(at - name);
			break;
		}
	while (len && ((name[len - 1] >= '0' && name[len - 1] <= '9') || name[len - 1] == '.'))
		len--;
	if (len > 1 && name[len - 1] == '-')
		len--;
	return len;
}

static const struct {
	const char *stem;
	enum interp interp;
} stems[] = {
	{ "php", INTERP_PHP },
	{ "php-cli", INTERP_PHP },
	{ "zts-php", INTERP_PHP },
	{ "php-cgi", INTERP_PHP_CGI },
	{ "php-fpm", INTERP_PHP_FPM },
	{ "lsphp", INTERP_LSPHP },
	{ "apache", INTERP_APACHE },
	{ "httpd", INTERP_APACHE },
	{ "perl", INTERP_PERL },
	{ "python", INTERP_PYTHON },
	{ "platform-python", INTERP_PYTHON },
	{ "pypy", INTERP_PYTHON },
	{ "ruby", INTERP_RUBY },
	{ "ruby-mri", INTERP_RUBY },
	{ "node", INTERP_NODE },
	{ "nodejs", INTERP_NODE },
	{ "deno", INTERP_DENO },
	{ "bun", INTERP_BUN },
	{ "java", INTERP_JAVA },
	{ "lua", INTERP_LUA },
	{ "luajit", INTERP_LUA },
	{ "tclsh", INTERP_TCL },
	{ "awk", INTERP_AWK },
	{ "gawk", INTERP_AWK },
	{ "mawk", INTERP_AWK },
	{ "nawk", INTERP_AWK },
	{ "original-awk", INTERP_AWK },
	{ "R", INTERP_R },
	{ "sh", INTERP_SHELL },
	{ "bash", INTERP_SHELL },
	{ "rbash", INTERP_SHELL },
	{ "dash", INTERP_SHELL },
	{ "ash", INTERP_SHELL },
	{ "hush", INTERP_SHELL },
	{ "zsh", INTERP_SHELL },
	{ "ksh", INTERP_SHELL },
	{ "mksh", INTERP_SHELL },
	{ "lksh", INTERP_SHELL },
	{ "oksh", INTERP_SHELL },
	{ "loksh", INTERP_SHELL },
	{ "yash", INTERP_SHELL },
	{ "posh", INTERP_SHELL },
	{ "csh", INTERP_SHELL },
	{ "tcsh", INTERP_SHELL },
};

/* "python3.6m", "python3.13t": build flags behind the version (PEP 3149). */
static size_t without_flags(const char *name, size_t len)
{
	while (len && strchr("dmut", name[len - 1]))
		len--;
	return len && name[len - 1] >= '0' && name[len - 1] <= '9' ? len : 0;
}

static bool stem_is(const char *name, size_t len, const char *stem)
{
	return strlen(stem) == len && !memcmp(stem, name, len);
}

static enum interp by_stem(const char *name)
{
	size_t len = stem_len(name), flagged = without_flags(name, len);

	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
		if (stem_is(name, len, stems[i].stem))
			return stems[i].interp;
	while (flagged && strchr("0123456789.", name[flagged - 1]))
		flagged--;
	return stem_is(name, flagged, "python") || stem_is(name, flagged, "platform-python")
		       ? INTERP_PYTHON
		       : INTERP_NONE;
}

/* Only what busybox has of them. */
static enum interp applet(const char *name)
{
	enum interp interp = by_stem(name);

	return interp == INTERP_SHELL || interp == INTERP_AWK ? interp : INTERP_NONE;
}

static bool is_busybox(const char *name)
{
	return !strcmp(name, "busybox") || !strcmp(name, "busybox.static");
}

enum interp script_interp(const char *exe, const char *cmdline, size_t len)
{
	const char *name = base_name(exe);
	size_t first;

	if (!is_busybox(name))
		return by_stem(name);
	first = strnlen(cmdline, len);
	if (first == len)
		return INTERP_NONE;
	name = base_name(cmdline[0] == '-' ? cmdline + 1 : cmdline);
	if (is_busybox(name) && first + 1 < len)
		name = cmdline + first + 1;
	return applet(name);
}

const char *script_fpm_pool(const char *cmdline, size_t len)
{
	static const char title[] = "php-fpm: pool ";
	const size_t n = sizeof(title) - 1;

	if (len <= n + 1 || memcmp(cmdline, title, n) || !cmdline[n] ||
	    !memchr(cmdline + n, 0, len - n))
		return NULL;
	return cmdline + n;
}

size_t script_fpm_config(const char *cmdline, size_t len, const char **path)
{
	static const char title[] = "php-fpm: master process (";
	const size_t n = sizeof(title) - 1;
	size_t text = strnlen(cmdline, len);

	if (text <= n + 1 || text == len || memcmp(cmdline, title, n) || cmdline[text - 1] != ')' ||
	    cmdline[n] != '/')
		return 0;
	*path = cmdline + n;
	return text - 1 - n;
}

/* Older ones leave the folder before the name. */
const char *script_lsphp_title(const char *cmdline, size_t len)
{
	size_t text = strnlen(cmdline, len);
	const char *colon = memchr(cmdline, ':', text), *name;
	size_t n;

	if (text == len || !colon || !colon[1])
		return NULL;
	name = memrchr(cmdline, '/', (size_t)(colon - cmdline));
	name = name ? name + 1 : cmdline;
	n = (size_t)(colon - name);
	if (n < 5 || memcmp(name, "lsphp", 5) || strspn(name + 5, "0123456789.") != n - 5)
		return NULL;
	return text - (size_t)(colon + 1 - cmdline) <= SCRIPT_LSPHP_TITLE ? colon + 1 : NULL;
}

bool script_join(const char *dir, const char *path, char *out, size_t size)
{
	const char *parts[2] = { path[0] == '/' ? "" : dir, path };
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		const char *at = parts[i];

		for (;;) {
			size_t len;

			at += strspn(at, "/");
			len = strcspn(at, "/");
			if (!len)
				break;
			if (!(len == 1 && *at == '.')) {
				if (n + 1 + len + 1 > size)
					return false;
				out[n++] = '/';
				memcpy(out + n, at, len);
				n += len;
			}
			at += len;
		}
	}
	if (!n) {
		if (size < 2)
			return false;
		out[n++] = '/';
	}
	out[n] = 0;
	return true;
}
