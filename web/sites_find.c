/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which site a process works for, by what the box's configurations say. Pure; never a guess. */
#include <string.h>

#include "sites_match.h"

static const char *known(const char *text)
{
	return text && *text ? text : NULL;
}

/* What is asked, in the form that it is compared in. */
struct asked {
	const struct sites *sites;
	const char *user, *home, *script, *pool_name;
	bool is_service;
	bool lost;		     /* there is a script, but where it lies can't be told */
	char host[SITES_NAME_BYTES]; /* without port, in lower case; "": not known */
};

static bool is_asked_pool(const struct asked *asked, const struct sites_pool *pool)
{
	return !strcmp(pool->name, asked->pool_name) &&
	       (!asked->user || !pool->user || !strcmp(pool->user, asked->user));
}

/* Is the script in a root of this site, and in no other's? Where nothing is said, it may be. */
static bool script_allows(const struct asked *asked, const struct sites_vhost *site,
			  const char *root)
{
	bool is_below = false, has_root = root != NULL;

	if (asked->lost)
		return false;
	if (!asked->script)
		return true;
	if (root && sites_is_below(asked->script, root))
		is_below = true;
	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &asked->sites->vhosts[i];
		bool is_site = site && sites_same(vhost, site);

		has_root |= is_site && vhost->root;
		if (!match_root(vhost, asked->script))
			continue;
		if (!is_site)
			return false;
		is_below |= is_site;
	}
	return is_below || !has_root;
}

static bool pool_fits(const struct asked *asked, const char *listen)
{
	for (unsigned i = 0; i < asked->sites->n_pools; i++)
		if (!strcmp(asked->sites->pools[i].listen, listen) &&
		    is_asked_pool(asked, &asked->sites->pools[i]))
			return true;
	return false;
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
		return match_host(vhost, asked->host) == host_best;
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
		size_t fits = match_root(vhost, asked->script);

		if (fits > longest)
			host_best = 0;
		longest = fits > longest ? fits : longest;
		if (fits && fits == longest && asked->host[0]) {
			unsigned host = match_host(vhost, asked->host);

			host_best = host > host_best ? host : host_best;
		}
	}
	for (enum narrow narrow = NARROW_NOT; longest && narrow < NARROW_N; narrow++) {
		struct pick found = { 0 };

		if (!can_narrow(asked, narrow, host_best))
			continue;
		for (unsigned i = 0; i < sites->n_vhosts; i++)
			if (match_root(&sites->vhosts[i], asked->script) == longest &&
			    still_fits(asked, &sites->vhosts[i], narrow, host_best))
				pick(&found, &sites->vhosts[i]);
		if (say(answer, SITES_VHOST, &found))
			return true;
	}
	return false;
}

/* Does the script lie in a root of other sites only? */
static bool is_anothers(const struct asked *asked, const struct sites_vhost *site)
{
	bool is_others = false;

	for (unsigned i = 0; asked->script && i < asked->sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &asked->sites->vhosts[i];

		if (!match_root(vhost, asked->script))
			continue;
		if (sites_same(vhost, site))
			return false;
		is_others = true;
	}
	return is_others;
}

static bool by_host(const struct asked *asked, struct sites_answer *answer)
{
	struct pick found = { 0 };
	unsigned best = 1;

	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		unsigned fits = match_host(&asked->sites->vhosts[i], asked->host);

		if (fits > best)
			found = (struct pick){ 0 };
		best = fits > best ? fits : best;
		if (fits == best)
			pick(&found, &asked->sites->vhosts[i]);
	}
	/* A process may have put the host there itself: it does not make it another user's. */
	if (found.vhost && found.vhost->user && asked->user &&
	    strcmp(found.vhost->user, asked->user) != 0)
		return false;
	if (found.vhost && is_anothers(asked, found.vhost))
		return false;
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
	for (unsigned v = 0; found.vhost && v < sites->n_vhosts; v++)
		if (sites->vhosts[v].pool_unclear)
			pick(&found, &sites->vhosts[v]);
	return found.vhost && script_allows(asked, found.vhost, NULL) &&
	       say(answer, SITES_POOL, &found);
}

/* A vhost of that user which has nothing of the domain. */
static bool has_other_vhost(const struct asked *asked, const char *domain)
{
	for (unsigned i = 0; i < asked->sites->n_vhosts; i++) {
		const struct sites_vhost *vhost = &asked->sites->vhosts[i];
		const char *name = sites_name(vhost);

		if (name && vhost->user && !strcmp(vhost->user, asked->user) &&
		    !match_in_domain(name, domain) && !match_has_name(vhost, domain))
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
	return 1 + (asked->host[0] && match_in_domain(asked->host, account->domain));
}

static bool in_home(const struct asked *asked)
{
	return asked->home && sites_is_below(asked->script, asked->home);
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
		if (match_has_name(&asked->sites->vhosts[i], found->domain))
			pick(&vhost, &asked->sites->vhosts[i]);
	if (vhost.several)
		vhost.vhost = NULL;
	if (!script_allows(asked, vhost.vhost, found->root) ||
	    (asked->script && !found->root && !(vhost.vhost && vhost.vhost->root) &&
	     !in_home(asked)))
		return false;
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

/* Said to be the user's; or not said to be another's, and in the user's home. */
static bool is_users(const struct asked *asked, const struct sites_vhost *vhost)
{
	if (asked->user && vhost->user)
		return !strcmp(vhost->user, asked->user);
	return asked->home && vhost->root && sites_is_below(vhost->root, asked->home);
}

static bool by_user(const struct asked *asked, struct sites_answer *answer)
{
	struct pick found = { 0 };

	for (unsigned i = 0; i < asked->sites->n_vhosts; i++)
		if (is_users(asked, &asked->sites->vhosts[i]))
			pick(&found, &asked->sites->vhosts[i]);
	if (!found.vhost)
		return false;
	for (unsigned i = 0; i < asked->sites->n_vhosts; i++)
		if (!asked->sites->vhosts[i].user)
			pick(&found, &asked->sites->vhosts[i]);
	return script_allows(asked, found.vhost, NULL) && say(answer, SITES_USER, &found);
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
	if (asked->home && !asked->is_service && !asked->lost && (!asked->script || in_home(asked)))
		*answer = (struct sites_answer){ .from = SITES_HOME,
						 .root = asked->home,
						 .file = "/etc/passwd" };
}

/* suexec's user is that of CGI programs; what the server itself runs is still the server's. */
static bool may_be_users(const struct asked *asked, const struct sites_vhost *vhost)
{
	return !asked->user || !vhost->user || !strcmp(vhost->user, asked->user) ||
	       (asked->is_service && vhost->server == SITES_APACHE && !vhost->pool);
}

bool sites_may_be(const struct sites *sites, const struct sites_question *question,
		  const struct sites_vhost *vhost)
{
	const struct asked asked = { .sites = sites,
				     .user = known(question->user),
				     .pool_name = known(question->pool_name),
				     .is_service = question->is_service };
	bool any = false;

	if (!may_be_users(&asked, vhost))
		return false;
	/* A pool whose file was not found says nothing of where it listens. */
	for (unsigned i = 0; asked.pool_name && vhost->pool && i < sites->n_pools; i++)
		any |= is_asked_pool(&asked, &sites->pools[i]);
	return !any || pool_fits(&asked, vhost->pool);
}

void sites_find(const struct sites *sites, const struct sites_question *question,
		struct sites_answer *answer)
{
	struct asked asked = { .sites = sites,
			       .user = known(question->user),
			       .home = usable_home(known(question->home)),
			       .script = known(question->script),
			       .pool_name = known(question->pool_name),
			       .is_service = question->is_service };
	bool whole = !sites->cut && !sites->unclear;

	memset(answer, 0, sizeof(*answer));
	if (known(question->host))
		match_take_host(question->host, asked.host);
	if (asked.script && !match_is_plain(asked.script)) {
		asked.script = NULL;
		asked.lost = true;
	}
	if (asked.script && by_root(&asked, answer))
		return;
	if (asked.host[0] && by_host(&asked, answer))
		return;
	/* These say that there is no other, which is not known where not all was read. */
	if (whole && asked.pool_name && by_pool(&asked, answer))
		return;
	if (whole && asked.user && by_panel(&asked, answer))
		return;
	if (whole && !asked.is_service && (asked.user || asked.home) && by_user(&asked, answer))
		return;
	by_home(&asked, answer);
}
