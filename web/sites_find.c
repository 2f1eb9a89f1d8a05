/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which site a process works for, by what the box's configurations say. Pure; never a guess. */
#include <string.h>

#include "sites.h"

static const char *known(const char *text)
{
	return text && *text ? text : NULL;
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

static bool has_name(const struct sites_vhost *vhost, const char *name)
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
	return has_name(a, name_b) || has_name(b, name_a);
}

/* A path with empty, `.` or `..` components may be anywhere. */
static bool is_plain(const char *path)
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

/* What is asked, in the form that it is compared in. */
struct asked {
	const struct sites *sites;
	const char *user, *home, *script, *pool_name;
	char host[SITES_NAME_BYTES]; /* without port, in lower case; "": not known */
};

static void take_host(const char *host, char out[SITES_NAME_BYTES])
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

/*
 * How well a vhost's names fit the host; 0: not. The whole name before "*.example.com" before
 * "mail.*", longer ones first (nginx.org/en/docs/http/server_names.html).
 */
static unsigned host_fits(const struct sites_vhost *vhost, const char *host)
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

static bool is_asked_pool(const struct asked *asked, const struct sites_pool *pool)
{
	return !strcmp(pool->name, asked->pool_name) &&
	       (!asked->user || !pool->user || !strcmp(pool->user, asked->user));
}

static bool pool_fits(const struct asked *asked, const char *listen)
{
	for (unsigned i = 0; i < asked->sites->n_pools; i++)
		if (!strcmp(asked->sites->pools[i].listen, listen) &&
		    is_asked_pool(asked, &asked->sites->pools[i]))
			return true;
	return false;
}

/* How much of the script's path is this vhost's root; 0: it is not below it. */
static size_t root_fits(const struct sites_vhost *vhost, const char *script)
{
	size_t best = 0;

	if (vhost->root && sites_is_below(script, vhost->root))
		best = strlen(vhost->root);
	if (vhost->real && sites_is_below(script, vhost->real) && strlen(vhost->real) > best)
		best = strlen(vhost->real);
	return best;
}

/* Vhosts that fit, as one site, or as more than one. */
struct pick {
	const struct sites_vhost *vhost;
	bool several;
};

static void pick(struct pick *pick, const struct sites_vhost *vhost)
{
	if (!pick->vhost)
		pick->vhost = vhost;
	else if (!sites_same(pick->vhost, vhost))
		pick->several = true;
	else if (!pick->vhost->root && vhost->root)
		pick->vhost = vhost;
}

static bool say(struct sites_answer *answer, enum sites_from from, const struct pick *pick)
{
	if (!pick->vhost || pick->several)
		return false;
	*answer = (struct sites_answer){ .from = from,
					 .vhost = pick->vhost,
					 .name = sites_name(pick->vhost),
					 .root = pick->vhost->root,
					 .file = pick->vhost->file,
					 .line = pick->vhost->line };
	return true;
}

/* What can decide between several vhosts with one root; each where the ones before did not. */
enum narrow { NARROW_NOT, NARROW_HOST, NARROW_POOL, NARROW_USER, NARROW_N };

/* What is not said of a vhost does not exclude it. */
static bool still_fits(const struct asked *asked, const struct sites_vhost *vhost,
		       enum narrow narrow, unsigned host_best)
{
	switch (narrow) {
	case NARROW_HOST:
		return host_fits(vhost, asked->host) == host_best;
	case NARROW_POOL:
		return !vhost->pool || pool_fits(asked, vhost->pool);
	case NARROW_USER:
		return !vhost->user || !strcmp(vhost->user, asked->user);
	default:
		return true;
	}
}

static bool can_narrow(const struct asked *asked, enum narrow narrow, unsigned host_best)
{
	return narrow == NARROW_NOT || (narrow == NARROW_HOST && host_best) ||
	       (narrow == NARROW_POOL && asked->pool_name) ||
	       (narrow == NARROW_USER && asked->user);
}

static bool by_root(const struct asked *asked, struct sites_answer *answer)
{
	const struct sites *sites = asked->sites;
	unsigned host_best = 0;
	size_t longest = 0;

	for (unsigned i = 0; i < sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &sites->vhosts[i];
		size_t fits = root_fits(vhost, asked->script);

		if (fits > longest)
			host_best = 0;
		longest = fits > longest ? fits : longest;
		if (fits && fits == longest && asked->host[0]) {
			unsigned host = host_fits(vhost, asked->host);

			host_best = host > host_best ? host : host_best;
		}
	}
	for (enum narrow narrow = NARROW_NOT; longest && narrow < NARROW_N; narrow++) {
		struct pick found = { 0 };

		if (!can_narrow(asked, narrow, host_best))
			continue;
		for (unsigned i = 0; i < sites->n_vhosts; i++)
			if (root_fits(&sites->vhosts[i], asked->script) == longest &&
			    still_fits(asked, &sites->vhosts[i], narrow, host_best))
				pick(&found, &sites->vhosts[i]);
		if (say(answer, SITES_VHOST, &found))
			return true;
	}
	return false;
}

static bool by_host(const struct asked *asked, struct sites_answer *answer)
{
	struct pick found = { 0 };
	unsigned best = 1;

	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		unsigned fits = host_fits(&asked->sites->vhosts[i], asked->host);

		if (fits > best)
			found = (struct pick){ 0 };
		best = fits > best ? fits : best;
		if (fits == best)
			pick(&found, &asked->sites->vhosts[i]);
	}
	return say(answer, SITES_HOST, &found);
}

static bool by_pool(const struct asked *asked, struct sites_answer *answer)
{
	const struct sites *sites = asked->sites;
	struct pick found = { 0 };

	for (unsigned i = 0; i < sites->n_pools; i++) {
		if (!is_asked_pool(asked, &sites->pools[i]))
			continue;
		for (unsigned v = 0; v < sites->n_vhosts; v++)
			if (sites->vhosts[v].pool &&
			    !strcmp(sites->vhosts[v].pool, sites->pools[i].listen))
				pick(&found, &sites->vhosts[v]);
	}
	return say(answer, SITES_POOL, &found);
}

static bool is_in_domain(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	return len >= domain_len && !strcmp(name + len - domain_len, domain) &&
	       (len == domain_len || name[len - domain_len - 1] == '.');
}

/* A vhost of that user which has nothing of the domain. */
static bool has_other_vhost(const struct asked *asked, const char *domain)
{
	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &asked->sites->vhosts[i];
		const char *name = sites_name(vhost);

		if (name && vhost->user && !strcmp(vhost->user, asked->user) &&
		    !is_in_domain(name, domain) && !has_name(vhost, domain))
			return true;
	}
	return false;
}

/* How surely the account's domain is the one: by the script, by the host, or only by the account.
 */
static size_t account_fits(const struct asked *asked, const struct sites_account *account)
{
	if (strcmp(account->user, asked->user))
		return 0;
	if (asked->script && account->root && sites_is_below(asked->script, account->root))
		return 2 + strlen(account->root);
	return 1 + (asked->host[0] && is_in_domain(asked->host, account->domain));
}

static bool by_panel(const struct asked *asked, struct sites_answer *answer)
{
	const struct sites_account *found = NULL;
	struct pick vhost = { 0 };
	bool several = false;
	size_t best = 1;

	for (unsigned i = 0; i < asked->sites->n_accounts; i++) {
		const struct sites_account *account = &asked->sites->accounts[i];
		size_t fits = account_fits(asked, account);

		if (fits < best)
			continue;
		if (fits > best || !found) {
			found = account;
			several = false;
		} else if (strcmp(account->domain, found->domain)) {
			several = true;
		} else if (!found->root) {
			found = account;
		}
		best = fits;
	}
	if (!found || several || (best == 1 && has_other_vhost(asked, found->domain)))
		return false;
	for (unsigned i = 0; i < asked->sites->n_vhosts; i++)
		if (has_name(&asked->sites->vhosts[i], found->domain))
			pick(&vhost, &asked->sites->vhosts[i]);
	if (vhost.several)
		vhost.vhost = NULL;
	*answer = (struct sites_answer){ .from = SITES_PANEL,
					 .vhost = vhost.vhost,
					 .name = found->domain,
					 .root = found->root,
					 .file = found->file,
					 .line = found->line };
	if (!answer->root && vhost.vhost)
		answer->root = vhost.vhost->root;
	return true;
}

/* Owned by the user, or in the user's home and not said to be another's. */
static bool is_users(const struct asked *asked, const struct sites_vhost *vhost)
{
	if (asked->user && vhost->user)
		return !strcmp(vhost->user, asked->user);
	return asked->home && vhost->root && sites_is_below(vhost->root, asked->home);
}

static bool by_user(const struct asked *asked, struct sites_answer *answer)
{
	struct pick found = { 0 };

	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &asked->sites->vhosts[i];

		if (is_users(asked, vhost))
			pick(&found, vhost);
	}
	return say(answer, SITES_USER, &found);
}

/* passwd(5) of Debian and RHEL has these for users that have no home. */
static const char *usable_home(const char *home)
{
	static const char *const none[] = { "/",     "/bin",	     "/dev",	  "/dev/null",
					    "/etc",  "/nonexistent", "/proc",	  "/run",
					    "/sbin", "/usr/bin",     "/usr/sbin", "/tmp" };

	if (!home || *home != '/')
		return NULL;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (!strcmp(home, none[i]))
			return NULL;
	return home;
}

static void by_home(const struct asked *asked, struct sites_answer *answer)
{
	if (asked->home)
		*answer = (struct sites_answer){ .from = SITES_HOME,
						 .root = asked->home,
						 .file = "/etc/passwd" };
}

void sites_find(const struct sites *sites, const struct sites_question *question,
		struct sites_answer *answer)
{
	struct asked asked = { .sites = sites,
			       .user = known(question->user),
			       .home = usable_home(known(question->home)),
			       .script = known(question->script),
			       .pool_name = known(question->pool_name) };

	memset(answer, 0, sizeof(*answer));
	if (known(question->host))
		take_host(question->host, asked.host);
	if (asked.script && !is_plain(asked.script))
		asked.script = NULL;
	if (asked.script && by_root(&asked, answer))
		return;
	if (asked.host[0] && by_host(&asked, answer))
		return;
	/* These say that there is no other, which is not known where the reading was cut. */
	if (!sites->cut && asked.pool_name && by_pool(&asked, answer))
		return;
	if (!sites->cut && asked.user && by_panel(&asked, answer))
		return;
	if (!sites->cut && (asked.user || asked.home) && by_user(&asked, answer))
		return;
	by_home(&asked, answer);
}
