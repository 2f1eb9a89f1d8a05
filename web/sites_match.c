/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a path, a host or a name fits what a vhost has. Decides nothing. Pure. */
#include <string.h>

#include "sites_match.h"

bool sites_is_service(uint32_t uid, const char *user)
{
	static const char *const names[] = { "apache",	 "caddy",     "http",	  "httpd",
					     "lighttpd", "litespeed", "lsadm",	  "nginx",
					     "nobody",	 "www",	      "www-data", "wwwrun" };

	for (size_t i = 0; user && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(user, names[i]))
			return true;
	return uid < 1000 || uid == 65534;
}

static bool is_wild(const char *name)
{
	return strpbrk(name, "*?") != NULL;
}

const char *sites_name(const struct sites_vhost *vhost)
{
	return vhost->n_names && !is_wild(vhost->names[0]) ? vhost->names[0] : NULL;
}

bool sites_is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len && folder[len - 1] == '/')
		len--;
	return len && !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

bool match_has_name(const struct sites_vhost *vhost, const char *name)
{
	for (unsigned i = 0; i < vhost->n_names; i++)
		if (!strcmp(vhost->names[i], name))
			return true;
	return false;
}

bool sites_same(const struct sites_vhost *a, const struct sites_vhost *b)
{
	const char *name_a = sites_name(a), *name_b = sites_name(b);

	if (a->root && b->root && strcmp(a->root, b->root))
		return false;
	if (!name_a || !name_b)
		return !name_a && !name_b && !a->n_names && !b->n_names && a->root && b->root;
	return match_has_name(a, name_b) || match_has_name(b, name_a);
}

bool match_is_plain(const char *path)
{
	if (*path != '/')
		return false;
	while (*path == '/') {
		size_t len = strcspn(path + 1, "/");

		if (!len || (len == 1 && path[1] == '.') ||
		    (len == 2 && path[1] == '.' && path[2] == '.'))
			return false;
		path += 1 + len;
	}
	return true;
}

void match_take_host(const char *host, char out[SITES_NAME_BYTES])
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	out[0] = 0;
	if (len > 1 && len <= strlen(host) && host[len - 1] == '.')
		len--;
	if (len >= SITES_NAME_BYTES || len > strlen(host))
		return;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 'a' - 'A' : host[i]);
	out[len] = 0;
}

/* Does text fit the pattern of `*` and `?`? In time of one length by the other. */
static bool wild_fits(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

unsigned match_host(const struct sites_vhost *vhost, const char *host)
{
	unsigned best = 0;

	for (unsigned i = 0; i < vhost->n_names; i++) {
		const char *name = vhost->names[i];
		unsigned fits = 0;

		if (!is_wild(name))
			fits = !strcmp(name, host) ? 4 * SITES_NAME_BYTES : 0;
		else if (wild_fits(name, host))
			fits = (unsigned)strlen(name) + (*name == '*' ? 2 * SITES_NAME_BYTES : 0);
		best = fits > best ? fits : best;
	}
	return best;
}

bool match_in_domain(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	return len >= domain_len && !strcmp(name + len - domain_len, domain) &&
	       (len == domain_len || name[len - domain_len - 1] == '.');
}

size_t match_root(const struct sites_vhost *vhost, const char *script)
{
	size_t best = 0;

	if (vhost->root && sites_is_below(script, vhost->root))
		best = strlen(vhost->root);
	if (vhost->real && sites_is_below(script, vhost->real) && strlen(vhost->real) > best)
		best = strlen(vhost->real);
	return best;
}
