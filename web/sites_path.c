/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and addresses of configurations in one spelling each. Pure. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "sites_build.h"

/* Appends the components of text to path; false for "..", or when it gets too long. */
static bool append_components(char path[SITES_PATH_BYTES], size_t *used, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "/");

		if (len == 2 && !memcmp(text, "..", 2))
			return false;
		if (len && !(len == 1 && *text == '.')) {
			if (*used + 1 + len >= SITES_PATH_BYTES)
				return false;
			path[(*used)++] = '/';
			memcpy(path + *used, text, len);
			*used += len;
		}
		text += len;
		text += *text == '/';
	}
	return true;
}

char *build_path(struct sites_build *build, const char *base, const char *text)
{
	char path[SITES_PATH_BYTES];
	size_t used = 0;

	if (!*text || strpbrk(text, "$\n"))
		return NULL;
	if (*text != '/' && (!base || *base != '/' || !append_components(path, &used, base)))
		return NULL;
	if (!append_components(path, &used, text))
		return NULL;
	return used ? build_span(build, path, used) : build_text(build, "/");
}

/* Debian and RHEL have /var/run as a link to /run; configurations have both. */
static char *unix_listen(struct sites_build *build, const char *path)
{
	char spelled[SITES_PATH_BYTES + 8];
	char *plain = build_path(build, NULL, path);

	if (!plain)
		return NULL;
	if (!strncmp(plain, "/var/run/", 9))
		plain += 4;
	snprintf(spelled, sizeof(spelled), "unix:%s", plain);
	return build_text(build, spelled);
}

static bool port_is_good(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len && len <= 5 && !text[len];
}

/* Who listens on every address is asked on the loopback. */
char *build_listen(struct sites_build *build, const char *text)
{
	static const char *const local[] = { "", "*", "0.0.0.0", "[::]", "localhost" };
	const char *colon = strrchr(text, ':');
	char spelled[SITES_NAME_BYTES + 16];
	size_t host;

	if (!strncasecmp(text, "unix:", 5))
		return unix_listen(build, text + 5);
	if (*text == '/')
		return unix_listen(build, text);
	if (!port_is_good(colon ? colon + 1 : text))
		return NULL;
	host = colon ? (size_t)(colon - text) : 0;
	if (host >= SITES_NAME_BYTES || strpbrk(text, "$/\n"))
		return NULL;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (host == strlen(local[i]) && !strncasecmp(text, local[i], host)) {
			snprintf(spelled, sizeof(spelled), "127.0.0.1:%s",
				 colon ? colon + 1 : text);
			return build_text(build, spelled);
		}
	return build_text(build, text);
}
