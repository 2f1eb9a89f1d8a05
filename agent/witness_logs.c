/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which access logs are watched, and which of them a site writes to; reads no line. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "witness_internal.h"

static void watch_log(struct witness *witness, const struct sites_vhost *vhost,
		      const struct sites_log *log)
{
	struct trigger_format *format;

	if (trigger_format_make(vhost->server, log->escape, log->format ? log->format : "",
				&format) < 0)
		return; /* it tells no request or no time: nothing to learn there */
	trigger_logs_add(witness->logs, log->path, format, clock_ns(CLOCK_REALTIME));
}

static void watch_found(void *context, enum sites_server server, const char *path)
{
	struct witness *witness = context;
	struct trigger_format *format;

	if (trigger_format_guess(server, &format) == 0)
		trigger_logs_add(witness->logs, path, format, clock_ns(CLOCK_REALTIME));
}

void witness_logs_renew(struct witness *witness)
{
	const struct sites *sites = witness->sites;
	unsigned n = 0;

	if (!witness->config->trigger_wait_s)
		return;
	trigger_logs_renew(witness->logs);
	for (unsigned i = 0; i < sites->n_vhosts; i++)
		for (unsigned j = 0; j < sites->vhosts[i].n_logs; j++, n++)
			watch_log(witness, &sites->vhosts[i], &sites->vhosts[i].logs[j]);
	if (!n)
		n = trigger_servers_logs(witness->proc_fd, watch_found, witness);
	trigger_logs_drop_old(witness->logs);
	log_debug("witness: %u logs of sites", n);
}

/* False: there is no room for it, or it is not watched. */
static bool choose(struct witness_watch *watch, int log, bool shared)
{
	unsigned i;

	for (i = 0; i < watch->n && watch->logs[i] != (unsigned)log; i++)
		;
	if (log < 0 || i == WITNESS_LOGS)
		return false;
	watch->logs[i] = (unsigned)log;
	if (shared)
		watch->shared |= 1u << i;
	if (i == watch->n)
		watch->n++;
	return true;
}

static bool has_log(const struct sites_vhost *vhost, const char *path)
{
	for (unsigned i = 0; i < vhost->n_logs; i++)
		if (!strcmp(vhost->logs[i].path, path))
			return true;
	return false;
}

/* Does a vhost of another site write to it as well? */
static bool is_shared(const struct sites *sites, const struct sites_vhost *vhost, const char *path)
{
	for (unsigned i = 0; i < sites->n_vhosts; i++)
		if (!sites_same(&sites->vhosts[i], vhost) && has_log(&sites->vhosts[i], path))
			return true;
	return false;
}

/* False: not each of its requests comes to a log that was chosen. */
static bool choose_vhost(struct witness *witness, const struct sites_vhost *vhost, bool proven,
			 struct witness_watch *watch)
{
	bool whole = false, parts = true;

	for (unsigned i = 0; i < vhost->n_logs; i++) {
		const struct sites_log *log = &vhost->logs[i];
		bool chosen = choose(watch, trigger_logs_find(witness->logs, log->path),
				     !proven || is_shared(witness->sites, vhost, log->path));

		whole |= chosen && log->whole;
		parts &= chosen || log->whole;
	}
	watch->alike &= !vhost->conditional;
	return whole && parts && !vhost->unlogged;
}

/* Those of vhosts that may be the process's; none when they are too many. */
static void choose_all(struct witness *witness, const struct witness_site *site,
		       struct witness_watch *watch)
{
	const struct sites *sites = witness->sites;
	bool any = false;

	watch->whole = !sites->cut && !sites->unclear;
	for (unsigned i = 0; i < sites->n_vhosts; i++) {
		const struct sites_vhost *one = &sites->vhosts[i];

		any |= one->n_logs > 0;
		if (sites_may_be(sites, &site->question, one))
			watch->whole &= choose_vhost(witness, one, false, watch);
	}
	if (any && watch->n < WITNESS_LOGS)
		return;
	watch->whole = false; /* some may have found no room; found ones are what happened to be */
	if (any)
		watch->n = 0;
	for (unsigned i = 0; any && !site->is_service && i < sites->n_vhosts; i++)
		if (sites->vhosts[i].root && sites_is_below(sites->vhosts[i].root, site->home) &&
		    sites_may_be(sites, &site->question, &sites->vhosts[i]))
			choose_vhost(witness, &sites->vhosts[i], false, watch);
	for (unsigned i = 0; !any && i < trigger_logs_end(witness->logs); i++)
		if (trigger_logs_path(witness->logs, i) && !choose(watch, (int)i, true)) {
			watch->n = 0;
			return;
		}
}

void witness_logs_of(struct witness *witness, const struct witness_site *site,
		     struct witness_watch *watch)
{
	const struct sites *sites = witness->sites;
	const struct sites_vhost *vhost = site->answer.vhost;

	memset(watch, 0, sizeof(*watch));
	if (!sites)
		return;
	watch->whole = watch->alike = true;
	for (unsigned i = 0; vhost && i < sites->n_vhosts; i++)
		if (sites_same(&sites->vhosts[i], vhost))
			watch->whole &= choose_vhost(witness, &sites->vhosts[i], true, watch);
	if (!vhost)
		choose_all(witness, site, watch);
}

#define ROOTS_MAX 8 /* of one log that are looked into */

bool witness_logs_have_file(const struct witness *witness, unsigned log, const char *path)
{
	const struct sites *sites = witness->sites;
	const char *file = trigger_logs_path(witness->logs, log);
	unsigned n = 0;

	for (unsigned i = 0; sites && i < sites->n_vhosts; i++) {
		const struct sites_vhost *one = &sites->vhosts[i];

		if (!has_log(one, file))
			continue;
		if (!one->root || n++ == ROOTS_MAX ||
		    !trigger_is_file(witness->root_fd, one->root, path))
			return false;
	}
	return n > 0;
}

bool witness_logs_is_anothers(const struct witness *witness, const struct sites_question *question,
			      const char *vhost)
{
	const struct sites *sites = witness->sites;
	bool any = false;

	for (unsigned i = 0; sites && i < sites->n_vhosts; i++) {
		const struct sites_vhost *one = &sites->vhosts[i];

		if (!trigger_is_name(vhost, one->names, one->n_names))
			continue;
		if (sites_may_be(sites, question, one))
			return false;
		any = true;
	}
	return any;
}

unsigned witness_logs_names(const struct witness *witness, const struct witness_site *site,
			    char *names[WITNESS_NAMES])
{
	const struct sites_vhost *vhost = site->answer.vhost;
	unsigned n = 0;

	if (!vhost)
		return 0;
	for (unsigned i = 0; i < witness->sites->n_vhosts; i++) {
		const struct sites_vhost *one = &witness->sites->vhosts[i];

		for (unsigned j = 0; sites_same(one, vhost) && j < one->n_names; j++) {
			if (n == WITNESS_NAMES) /* some would be missing: then no line is refused */
				goto too_many;
			names[n] = strdup(one->names[j]);
			if (!names[n])
				goto too_many;
			n++;
		}
	}
	return n;
too_many:
	while (n > 0)
		free(names[--n]);
	return 0;
}
