/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Panels' lists of domains and their accounts: cPanel's trueuserdomains and userdatadomains,
 * DirectAdmin's domainowners. Takes texts; opens no file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sites_read.h"

struct span {
	const char *at, *end;
};

static struct span trimmed(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (at < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return (struct span){ at, end };
}

/* The next of the fields that "==" parts; *rest is behind it. */
static struct span next_field(struct span *rest)
{
	const char *mark = memmem(rest->at, (size_t)(rest->end - rest->at), "==", 2);
	struct span field = trimmed(rest->at, mark ? mark : rest->end);

	rest->at = mark ? mark + 2 : rest->end;
	return field;
}

static bool is_name(struct span span)
{
	size_t len = (size_t)(span.end - span.at);

	if (!len || len >= SITES_NAME_BYTES)
		return false;
	for (const char *c = span.at; c < span.end; c++)
		if ((unsigned char)*c <= ' ' || *c == '/' || *c == '*' || *c == 0x7f)
			return false;
	return true;
}

static char *keep(struct sites_build *build, struct span span)
{
	return build_span(build, span.at, (size_t)(span.end - span.at));
}

/* userdatadomains: user==owner==kind==main domain==document root==ip:port… (cPanel's docs) */
static void take_line(struct sites_build *build, char *file, unsigned line, struct span text)
{
	const char *colon = memchr(text.at, ':', (size_t)(text.end - text.at));
	struct span domain, rest, user, root = { NULL, NULL };
	struct sites_account account = { .file = file, .line = line };
	struct sites_account *kept;

	if (!colon) {
		build_skip(build);
		return;
	}
	domain = trimmed(text.at, colon);
	rest = (struct span){ colon + 1, text.end };
	user = next_field(&rest);
	for (int i = 0; i < 4; i++)
		root = next_field(&rest);
	if (domain.end - domain.at == 1 && *domain.at == '*')
		return; /* cPanel's "*: nobody" */
	if (!is_name(domain) || !is_name(user)) {
		build_skip(build);
		return;
	}
	account.domain = keep(build, domain);
	account.user = keep(build, user);
	if (root.at < root.end && *root.at == '/' &&
	    !memchr(root.at, 0, (size_t)(root.end - root.at))) {
		char *path = keep(build, root);

		account.root = path ? build_path(build, NULL, path) : NULL;
	}
	if (!account.domain || !account.user || !(kept = build_account(build)))
		return;
	for (char *c = account.domain; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	*kept = account;
}

void panel_take_domains(void *context, const char *file, const char *text, size_t len)
{
	struct sites_build *build = context;
	char *kept = build_text(build, file);
	unsigned number = 0;

	for (const char *line = text, *end = text + len; kept && line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		struct span span = trimmed(line, newline ? newline : end);

		number++;
		if (span.at < span.end && *span.at != '#')
			take_line(build, kept, number, span);
		line = newline ? newline + 1 : end;
	}
}

#define MAX_USERS (1u << 17)

/* "NAME:password:UID:…" */
static bool take_user(struct span line, struct panel_user *user)
{
	const char *first = memchr(line.at, ':', (size_t)(line.end - line.at)), *second, *at;
	uint64_t uid = 0;
	size_t len;

	if (!first)
		return false;
	second = memchr(first + 1, ':', (size_t)(line.end - first - 1));
	if (!second)
		return false;
	for (at = second + 1; at < line.end && *at >= '0' && *at <= '9' && at - second <= 10; at++)
		uid = uid * 10 + (uint64_t)(*at - '0');
	len = (size_t)(first - line.at);
	if (at == second + 1 || at == line.end || *at != ':' || uid >= UINT32_MAX ||
	    len >= sizeof(user->name) || !is_name((struct span){ line.at, first }))
		return false;
	memset(user, 0, sizeof(*user));
	user->uid = (uint32_t)uid;
	memcpy(user->name, line.at, len);
	return true;
}

static int uid_order(const void *left, const void *right)
{
	const struct panel_user *a = left, *b = right;

	return (a->uid > b->uid) - (a->uid < b->uid);
}

int panel_users(const char *text, size_t len, struct panel_user **users, unsigned *n)
{
	struct panel_user *found = NULL, one;
	unsigned n_found = 0, room = 0, kept = 0;

	for (const char *line = text, *end = text + len; line < end && n_found < MAX_USERS;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		if (take_user((struct span){ line, stop }, &one)) {
			if (n_found == room) {
				struct panel_user *grown;

				room = room ? room * 2 : 64;
				grown = reallocarray(found, room, sizeof(*found));
				if (!grown) {
					free(found);
					return -ENOMEM;
				}
				found = grown;
			}
			found[n_found++] = one;
		}
		line = newline ? newline + 1 : end;
	}
	if (n_found) /* glibc's is a merge sort: it keeps the order of equals */
		qsort(found, n_found, sizeof(*found), uid_order);
	for (unsigned i = 0; i < n_found; i++)
		if (!kept || found[kept - 1].uid != found[i].uid)
			found[kept++] = found[i];
	*users = found;
	*n = kept;
	return 0;
}

const char *panel_user(const struct panel_user *users, unsigned n, uint32_t uid)
{
	struct panel_user key = { .uid = uid };
	const struct panel_user *user =
		n ? bsearch(&key, users, n, sizeof(*users), uid_order) : NULL;

	return user ? user->name : NULL;
}
