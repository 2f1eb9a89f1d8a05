/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Knows the web roots of common hosting layouts by their form; never looks at a disk. Pure. */
#include "site.h"

#include <stdbool.h>
#include <string.h>

/*
 * A star stands for one whole component, `home*` for home and what cPanel calls its further disks
 * (home2, home3). The first that fits and has something below it counts.
 */
static const char *const roots[] = {
	"/var/www/vhosts/*",			/* Plesk */
	"/var/www/clients/*/*",			/* ISPConfig */
	"/var/www/*",				/* Debian, most hand-made boxes */
	"/srv/www/*",				/* SUSE, many others */
	"/srv/http/*",				/* Arch */
	"/home*/*/domains/*/public_html",	/* DirectAdmin */
	"/home*/*/web/*/public_html",		/* Hestia, Vesta */
	"/home*/*/htdocs/*",			/* CloudPanel */
	"/home*/*/public_html",			/* cPanel, userdir */
	"/usr/local/www/*",			/* FreeBSD-like layouts */
	"/usr/share/nginx/*",
};

static bool component_fits(const char *form, size_t form_len, const char *name, size_t len)
{
	size_t i;

	if (form_len == 1 && form[0] == '*')
		return len > 0;
	if (form_len > 1 && form[form_len - 1] == '*') {
		form_len--;
		if (len < form_len)
			return false;
		for (i = form_len; i < len; i++)
			if (name[i] < '0' || name[i] > '9')
				return false;
		return memcmp(form, name, form_len) == 0;
	}
	return form_len == len && memcmp(form, name, len) == 0;
}

/* How much of path the form covers, 0 if it does not fit or nothing comes after. */
static size_t root_length(const char *form, const char *path)
{
	const char *at = path;
	size_t form_len, len;

	while (*form == '/') {
		if (*at != '/')
			return 0;
		form_len = strcspn(form + 1, "/");
		len = strcspn(at + 1, "/");
		if (!component_fits(form + 1, form_len, at + 1, len))
			return 0;
		form += 1 + form_len;
		at += 1 + len;
	}
	return at[0] == '/' && at[1] != '\0' ? (size_t)(at - path) : 0;
}

/* A path with empty, `.` or `..` components may be anywhere: its form says nothing. */
static bool path_is_plain(const char *path)
{
	size_t len;

	while (*path == '/') {
		len = strcspn(path + 1, "/");
		if (len == 0 || (len == 1 && path[1] == '.') ||
		    (len == 2 && path[1] == '.' && path[2] == '.'))
			return false;
		path += 1 + len;
	}
	return true;
}

size_t site_length(const char *script)
{
	const char *slash = strrchr(script, '/');
	size_t i, len;

	if (script[0] != '/')
		return 0;
	for (i = 0; path_is_plain(script) && i < sizeof(roots) / sizeof(roots[0]); i++) {
		len = root_length(roots[i], script);
		if (len > 0)
			return len;
	}
	return slash == script ? 1 : (size_t)(slash - script);
}
