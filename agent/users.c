/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded memory of getpwuid_r(3), which may ask the network each time. */
#include "users.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"

#define USERS_MAX   1024
#define KNOWN_NS    (300 * 1000000000LL)
#define UNKNOWN_NS  (60 * 1000000000LL)
#define ENTRY_BYTES 16384 /* a longer entry counts as none */

struct user {
	int64_t until_ns;
	char name[256]; /* empty: none */
};

struct users {
	struct lru *known;
	char entry[ENTRY_BYTES];
};

struct users *users_new(void)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users)
		users->known = lru_new(USERS_MAX, sizeof(struct user), NULL, NULL);
	if (users && !users->known) {
		free(users);
		users = NULL;
	}
	return users;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	lru_free(users->known);
	free(users);
}

static void look_up(struct users *users, uint32_t uid, struct user *user)
{
	struct passwd passwd, *found = NULL;

	user->name[0] = '\0';
	if (getpwuid_r(uid, &passwd, users->entry, sizeof(users->entry), &found) == 0 && found &&
	    strlen(found->pw_name) < sizeof(user->name))
		strcpy(user->name, found->pw_name);
}

const char *users_name(struct users *users, uint32_t uid, int64_t now_ns)
{
	struct keyhash name = { { uid, 0 } };
	struct user *user = lru_get(users->known, name);

	if (!user)
		user = lru_put(users->known, name);
	else if (now_ns < user->until_ns)
		return user->name[0] ? user->name : NULL;
	look_up(users, uid, user);
	user->until_ns = now_ns + (user->name[0] ? KNOWN_NS : UNKNOWN_NS);
	return user->name[0] ? user->name : NULL;
}
