/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises interpreters by the executable's name, and reads process titles. Pure. */
#include <string.h>

#include "script.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "perl5.36-x86_64-linux-gnu" -> 4, "php-fpm8.2" -> 7: the name without its version. */
static size_t stem_len(const char *name)
{
	const char *dash = strstr(name, "-linux-") ? strchr(name, '-') : NULL;
	size_t len = dash ? (size_t)(dash - name) : strlen(name);

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
	{ "php", INTERP_PHP },	       { "php-cli", INTERP_PHP }, { "php-cgi", INTERP_PHP_CGI },
	{ "php-fpm", INTERP_PHP_FPM }, { "lsphp", INTERP_LSPHP }, { "apache", INTERP_APACHE },
	{ "httpd", INTERP_APACHE },    { "perl", INTERP_PERL },	  { "python", INTERP_PYTHON },
	{ "pypy", INTERP_PYTHON },     { "ruby", INTERP_RUBY },	  { "node", INTERP_NODE },
	{ "nodejs", INTERP_NODE },     { "sh", INTERP_SHELL },	  { "bash", INTERP_SHELL },
	{ "rbash", INTERP_SHELL },     { "dash", INTERP_SHELL },  { "ash", INTERP_SHELL },
	{ "zsh", INTERP_SHELL },       { "ksh", INTERP_SHELL },	  { "mksh", INTERP_SHELL },
	{ "lksh", INTERP_SHELL },
};

static enum interp by_stem(const char *name)
{
	size_t len = stem_len(name);

	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
		if (strlen(stems[i].stem) == len && !memcmp(stems[i].stem, name, len))
			return stems[i].interp;
	return INTERP_NONE;
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
	return by_stem(name) == INTERP_SHELL ? INTERP_SHELL : INTERP_NONE;
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

const char *script_lsphp_title(const char *cmdline, size_t len)
{
	const char *at = cmdline + 5;

	if (len < 8 || memcmp(cmdline, "lsphp", 5) || !memchr(cmdline, 0, len))
		return NULL;
	while ((*at >= '0' && *at <= '9') || *at == '.')
		at++;
	if (*at++ != ':')
		return NULL;
	return *at == '/' && at[1] ? at : NULL;
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
