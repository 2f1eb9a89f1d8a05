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

struct chosen {
	unsigned *logs, n;
	uint32_t *shared;
};

static void choose(struct chosen *chosen, int log, bool shared)
{
	unsigned i;

	for (i = 0; i < chosen->n && chosen->logs[i] != (unsigned)log; i++)
		;
	if (log < 0 || i == WITNESS_LOGS)
		return;
	chosen->logs[i] = (unsigned)log;
	if (shared)
		*chosen->shared |= 1u << i;
	if (i == chosen->n)
		chosen->n++;
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

static void choose_vhost(struct witness *witness, const struct sites_vhost *vhost, bool proven,
			 struct chosen *chosen)
{
	for (unsigned i = 0; i < vhost->n_logs; i++) {
		const char *path = vhost->logs[i].path;

		choose(chosen, trigger_logs_find(witness->logs, path),
		       !proven || is_shared(witness->sites, vhost, path));
	}
}

unsigned witness_logs_of(struct witness *witness, const struct witness_site *site,
			 unsigned logs[WITNESS_LOGS], uint32_t *shared)
{
	const struct sites *sites = witness->sites;
	const struct sites_vhost *vhost = site->answer.vhost;
	struct chosen chosen = { .logs = logs, .shared = shared };
	unsigned n = 0;

	*shared = 0;
	if (!sites)
		return 0;
	for (unsigned i = 0; i < sites->n_vhosts; i++) {
		const struct sites_vhost *one = &sites->vhosts[i];

		if (vhost ? sites_same(one, vhost)
			  : one->root && site->home[0] == '/' && site->home[1] &&
				    sites_is_below(one->root, site->home))
			choose_vhost(witness, one, vhost != NULL, &chosen);
	}
	/* Whose they are is not known, of those found through the servers' open files as well. */
	for (unsigned i = 0; !chosen.n && i < trigger_logs_end(witness->logs); i++)
		n += trigger_logs_path(witness->logs, i) != NULL;
	for (unsigned i = 0; n && n <= WITNESS_LOGS && i < trigger_logs_end(witness->logs); i++)
		if (trigger_logs_path(witness->logs, i))
			choose(&chosen, (int)i, true);
	return chosen.n;
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
