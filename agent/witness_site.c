/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which site is behind a record; reads no configuration itself (web/sites.h does). */
#include <assert.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "witness_internal.h"

#define CHECK_NS (5 * INT64_C(1000000000))
#define LOAD_NS	 (10 * UINT64_C(1000000000)) /* one reading of all configurations */

static_assert((int)SITES_NONE == (int)SITE_FROM_NONE && (int)SITES_HOME == (int)SITE_FROM_HOME &&
		      (int)SITES_FROM_N == (int)SITE_FROM_N,
	      "one order");

void witness_site_renew(struct witness *witness, int64_t now_ns)
{
	struct sites_servers running;
	struct sites *sites;
	int error;

	if (witness->sites && now_ns - witness->sites_checked_ns < CHECK_NS)
		return;
	sites_servers_find(witness->proc_fd, witness->root_fd, &running);
	if (witness->sites) {
		witness->sites_checked_ns = now_ns;
		if (sites_servers_same(&running, &witness->servers) &&
		    sites_stamp(witness->root_fd, witness->sites) == witness->sites->stamp) {
			if (!witness->sites->n_vhosts)
				witness_logs_renew(witness); /* a server may run by now */
			return;
		}
	}
	error = sites_load(witness->root_fd, &running, (uint64_t)now_ns + LOAD_NS, &sites);
	witness->sites_checked_ns = clock_ns(CLOCK_MONOTONIC);
	if (error) {
		log_error("sites: %s", strerror(-error));
		return;
	}
	sites_free(witness->sites);
	witness->sites = sites;
	witness->servers = running;
	log_debug("sites: %u vhosts, %u accounts, %u skipped%s", sites->n_vhosts, sites->n_accounts,
		  sites->skipped, sites->cut ? ", cut" : "");
	witness_logs_renew(witness);
}

/* "php-fpm: pool NAME" is what php-fpm calls its workers; only its own unit of a worker whose
 * script it named itself is believed. */
static void find_pool(const struct record *record, char pool[OWNER_NAME_BYTES])
{
	static const char title[] = "php-fpm: pool ";
	const struct owner *owner = &record->owner;
	size_t len = strnlen(owner->cmdline, owner->cmdline_bytes);

	if (owner->script_from != OWNER_SCRIPT_FPM_STATUS || len <= sizeof(title) - 1 ||
	    memcmp(owner->cmdline, title, sizeof(title) - 1))
		return;
	len -= sizeof(title) - 1;
	while (len && owner->cmdline[sizeof(title) - 1 + len - 1] == ' ')
		len--;
	if (len < OWNER_NAME_BYTES) {
		memcpy(pool, owner->cmdline + sizeof(title) - 1, len);
		pool[len] = '\0';
	}
}

static void find_account(const struct record *record, struct witness_site *site)
{
	const struct passwd *entry;
	uint32_t uid;

	if (!record_charged_uid(record, &uid))
		return;
	entry = getpwuid(uid);
	if (!entry)
		return;
	snprintf(site->user, sizeof(site->user), "%s", entry->pw_name);
	site->is_service = sites_is_service(uid, site->user);
	if (strlen(entry->pw_dir) < sizeof(site->home))
		strcpy(site->home, entry->pw_dir);
}

void witness_site_find(const struct witness *witness, const struct record *record,
		       const char *script, const char *host, struct witness_site *site)
{
	static const struct sites none = { .cut = true };
	const struct owner *owner = &record->owner;

	memset(site, 0, sizeof(*site));
	find_account(record, site);
	/* A socket in another user's hands: that one's script says nothing of this account. */
	if (!record->foreign_holder) {
		find_pool(record, site->pool);
		/* A module's name and a relative name are no paths. */
		if (!script && owner->script[0] == '/' && !(owner->cut & OWNER_CUT_SCRIPT))
			script = owner->script;
		if (!host && owner->request_host[0])
			host = owner->request_host;
	}
	site->question = (struct sites_question){
		.user = site->user,
		.home = site->home,
		.script = script,
		.host = host,
		.pool_name = site->pool,
		.is_service = site->is_service,
	};
	sites_find(witness->sites ? witness->sites : &none, &site->question, &site->answer);
}

void witness_site_note(const struct witness_site *site, struct note *note)
{
	const struct sites_answer *answer = &site->answer;
	struct note_site *out = &note->site;

	memset(out, 0, sizeof(*out));
	note->parts |= NOTE_SITE;
	out->from = (enum note_site_from)answer->from;
	memcpy(out->account, site->user, sizeof(out->account));
	if (answer->name)
		snprintf(out->vhost, sizeof(out->vhost), "%s", answer->name);
	if (answer->root && strlen(answer->root) < sizeof(out->root))
		strcpy(out->root, answer->root);
	if (answer->file && answer->line)
		snprintf(out->source, sizeof(out->source), "%s:%u", answer->file, answer->line);
	else if (answer->file)
		snprintf(out->source, sizeof(out->source), "%s", answer->file);
}
