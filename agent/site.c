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
	"/var/www/vhosts/*",		  /* Plesk */
	"/var/www/clients/*/*",		  /* ISPConfig */
	"/var/www/*",			  /* Debian, most hand-made boxes */
	"/srv/www/*",			  /* SUSE, many others */
	"/srv/http/*",			  /* Arch */
	"/home*/*/domains/*/public_html", /* DirectAdmin */
	"/home*/*/web/*/public_html",	  /* Hestia, Vesta */
	"/home*/*/htdocs/*",		  /* CloudPanel */
	"/home*/*/public_html",		  /* cPanel, userdir */
	"/usr/local/www/*",		  /* FreeBSD-like layouts */
	"/usr/share/nginx/*",
};

/* Their programs and scripts are the distribution's or the admin's. A star as above. */
static const char *const systems[] = {
	"/bin",		  "/sbin",
	"/lib",		  "/lib*",
	"/libx32",	  "/etc",
	"/usr/bin",	  "/usr/sbin",
	"/usr/lib",	  "/usr/lib*",
	"/usr/libx32",	  "/usr/libexec",
	"/usr/share",	  "/usr/games",
	"/usr/local/bin", "/usr/local/sbin",
	"/usr/local/lib", "/usr/local/share",
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

/* How much of path the form covers, 0 if it does not fit. */
static size_t form_length(const char *form, const char *path)
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
	return (size_t)(at - path);
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

/* A folder, if_bare also when it is the root itself; otherwise something must come below it. */
static size_t root_length(const char *path, bool if_bare)
{
	for (size_t i = 0; path_is_plain(path) && i < sizeof(roots) / sizeof(roots[0]); i++) {
		size_t len = form_length(roots[i], path);

		if (len > 0 && ((path[len] == '/' && path[len + 1]) || (if_bare && !path[len])))
			return len;
	}
	return 0;
}

static bool is_systems(const char *script)
{
	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		size_t len = form_length(systems[i], script);

		if (len > 0 && script[len] == '/')
			return true;
	}
	return false;
}

size_t site_of_folder(const char *folder)
{
	return folder[0] == '/' ? root_length(folder, true) : 0;
}

size_t site_length(const char *script)
{
	const char *slash = strrchr(script, '/');
	size_t len;

	if (script[0] != '/')
		return 0;
	len = root_length(script, false);
	if (len > 0 || is_systems(script))
		return len;
	return (size_t)(slash - script);
}
