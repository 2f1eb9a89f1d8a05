/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the configurations of a box: what comes of them is whole, in the forms that
 * web/sites.h says, and can be asked. The files that they include are further parts of the bytes.
 */
#include <string.h>

#include "take.h"
#include "web/sites_read.h"

#define MAX_DEEP  8
#define MAX_FILES 200

struct world {
	struct sites_build build;
	const uint8_t *at, *end; /* the files, each to a byte 0xff */
	unsigned deep, files;
};

/* The next file, in an allocation of its own size. */
static void include(void *context, const char *pattern, enum sites_include how, sites_take *take,
		    void *reader)
{
	struct world *world = context;
	const uint8_t *stop = memchr(world->at, 0xff, (size_t)(world->end - world->at));
	size_t len = (size_t)((stop ? stop : world->end) - world->at);
	char *text;

	(void)how;
	must(pattern[0] == '/' && strlen(pattern) < SITES_PATH_BYTES);
	if (world->deep == MAX_DEEP || ++world->files > MAX_FILES || world->at == world->end)
		return;
	text = malloc(len ? len : 1);
	must(text);
	memcpy(text, world->at, len);
	world->at += len + (stop != NULL);
	world->deep++;
	take(reader, pattern, text, len);
	world->deep--;
	free(text);
}

static bool exists(void *context, const char *path)
{
	(void)context;
	must(path[0] == '/');
	return path[1] == 'a';
}

static bool expired(void *context)
{
	struct world *world = context;

	return world->build.no_memory;
}

static void check_path(const char *path)
{
	size_t len = strlen(path);

	must(path[0] == '/' && len < SITES_PATH_BYTES);
	must(len == 1 || path[len - 1] != '/');
	must(!strstr(path, "//") && !strstr(path, "/../") && !strchr(path, '\n') &&
	     !strchr(path, '$'));
}

static void check_name(const char *name)
{
	must(*name && strlen(name) < SITES_NAME_BYTES);
	for (; *name; name++)
		must((*name < 'A' || *name > 'Z') && *name != '~');
}

static void check_pool(const char *pool)
{
	must(strchr(pool, ':'));
	if (!strncmp(pool, "unix:", 5))
		check_path(pool + 5);
}

static void check_vhost(const struct sites_vhost *vhost)
{
	bool wild_before = false;

	must(vhost->server < SITES_SERVER_N && vhost->file && vhost->line);
	for (unsigned i = 0; i < vhost->n_names; i++) {
		bool is_wild = strpbrk(vhost->names[i], "*?");

		check_name(vhost->names[i]);
		must(is_wild || !wild_before);
		wild_before |= is_wild;
	}
	if (vhost->root)
		check_path(vhost->root);
	if (vhost->pool)
		check_pool(vhost->pool);
	for (unsigned i = 0; i < vhost->n_logs; i++) {
		check_path(vhost->logs[i].path);
		must(vhost->logs[i].format && vhost->logs[i].escape <= SITES_ESCAPE_NONE);
	}
}

static void check_sites(const struct sites *sites)
{
	for (unsigned i = 0; i < sites->n_vhosts; i++)
		check_vhost(&sites->vhosts[i]);
	for (unsigned i = 0; i < sites->n_pools; i++) {
		must(sites->pools[i].name && sites->pools[i].file && sites->pools[i].line);
		check_pool(sites->pools[i].listen);
	}
	for (unsigned i = 0; i < sites->n_accounts; i++) {
		must(*sites->accounts[i].user && *sites->accounts[i].domain);
		if (sites->accounts[i].root)
			check_path(sites->accounts[i].root);
	}
}

/* A question made of what was found, or of the bytes. */
static void ask(const struct sites *sites, const char *text)
{
	struct sites_question question = { text, text, text, text, text };
	struct sites_answer answer;
	unsigned at = (unsigned char)*text;

	if (sites->n_vhosts) {
		const struct sites_vhost *vhost = &sites->vhosts[at % sites->n_vhosts];

		question.script = vhost->root ? vhost->root : "/";
		question.host = vhost->n_names ? vhost->names[0] : "x";
		question.user = vhost->user ? vhost->user : "u";
		question.home = "/a";
	}
	if (sites->n_pools)
		question.pool_name = sites->pools[at % sites->n_pools].name;
	memset(&answer, 0x5a, sizeof(answer));
	sites_find(sites, &question, &answer);
	must(answer.from < SITES_FROM_N);
	must(!answer.vhost ||
	     (answer.vhost >= sites->vhosts && answer.vhost < sites->vhosts + sites->n_vhosts));
	must(answer.from != SITES_VHOST || sites_is_below(question.script, answer.root));
	must(answer.from != SITES_HOST || answer.vhost->n_names);
	must(answer.from != SITES_POOL || answer.vhost->pool);
	must((answer.from == SITES_NONE) == !answer.file);
	must(answer.from == SITES_NONE || answer.from == SITES_HOME || answer.from == SITES_PANEL ||
	     answer.vhost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { .at = data, .end = data + size };
	struct sites_source source = { &world, include, exists, expired };
	struct panel_user *users;
	struct take take = { data, size };
	unsigned kind, n_users;
	char text[64];

	if (!size)
		return 0;
	must(!build_begin(&world.build));
	kind = *world.at++;
	if (kind & 1)
		nginx_read(&world.build, &source, "/etc/nginx/nginx.conf", "/usr/share/nginx",
			   "/log");
	if (kind & 2)
		apache_read(&world.build, &source, "/etc/apache2/apache2.conf",
			    kind & 16 ? "/etc/apache2/envvars" : NULL, "/etc/apache2");
	if (kind & 4)
		fpm_read(&world.build, &source, "/etc/php-fpm.d/*.conf");
	if (kind & 8)
		include(&world, "/etc/userdatadomains", SITES_INCLUDE_OPTIONAL, panel_take_domains,
			&world.build);
	must(!panel_users((const char *)data, size, &users, &n_users));
	for (unsigned i = 1; i < n_users; i++)
		must(users[i - 1].uid < users[i].uid && users[i].name[0]);
	must(!n_users || !strcmp(panel_user(users, n_users, users[0].uid), users[0].name));
	free(users);
	build_end(&world.build);
	check_sites(world.build.sites);
	take_text(&take, text, sizeof(text));
	ask(world.build.sites, text);
	sites_free(world.build.sites);
	return 0;
}
