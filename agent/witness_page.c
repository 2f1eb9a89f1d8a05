/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a web request may be behind a process, and what Apache's own page says of it. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "witness_internal.h"

/* --- is it a web request's process? ---------------------------------------------------------- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_apache(const char *name)
{
	return !strcmp(name, "apache2") || !strcmp(name, "httpd") || begins(name, "httpd-");
}

static bool is_web(const char *name)
{
	return is_apache(name) || begins(name, "php-fpm") || begins(name, "php-cgi") ||
	       begins(name, "lsphp") || begins(name, "lsapi") || begins(name, "litespeed") ||
	       begins(name, "uwsgi") || begins(name, "fcgi");
}

static const char *exe_name(const struct owner *owner)
{
	const char *slash = strrchr(owner->exe, '/');

	return slash ? slash + 1 : owner->exe;
}

/* A name that a user gave itself only gets its own question asked. */
bool witness_has_request(const struct record *record)
{
	const struct owner *owner = &record->owner;

	if (!owner->proc.pid || record->foreign_holder)
		return false;
	if (owner->request_uri[0] || owner->script_from == OWNER_SCRIPT_ENVIRON ||
	    owner->script_from == OWNER_SCRIPT_FPM_STATUS ||
	    owner->script_from == OWNER_SCRIPT_TITLE || is_web(exe_name(owner)))
		return true;
	for (unsigned i = 0; i < owner->n_parents && i < OWNER_PARENTS; i++)
		if (is_web(owner->parents[i].comm))
			return true;
	return false;
}

const struct owner_ref *witness_apache_worker(const struct owner *owner)
{
	if (is_apache(exe_name(owner)))
		return &owner->proc;
	for (unsigned i = 0; i < owner->n_parents && i < OWNER_PARENTS; i++)
		if (is_apache(owner->parents[i].comm) && owner->parents[i].uid == owner->proc.uid)
			return &owner->parents[i];
	return NULL;
}

/* --- mod_status ------------------------------------------------------------------------------ */

void witness_fill_trigger(struct note_trigger *out, const struct trigger_line *line)
{
	snprintf(out->method, sizeof(out->method), "%s", line->method);
	snprintf(out->uri, sizeof(out->uri), "%s", line->uri);
	snprintf(out->client, sizeof(out->client), "%s", line->client);
	snprintf(out->vhost, sizeof(out->vhost), "%s", line->vhost);
	out->status = line->status;
	out->ts_ns = line->time_ns;
}

struct other_lines {
	struct trigger_question what; /* the worker's pid and the time, no more */
	const char *page;	      /* the URI of mod_status's page */
	unsigned n;
};

static void count_other(void *context, unsigned log, const struct trigger_line *line)
{
	const struct trigger_place place = { .log = log };
	struct other_lines *lines = context;

	if (!line || line->odd ||
	    (strcmp(line->uri, lines->page) && trigger_fit(&lines->what, line, &place)))
		lines->n++;
}

/* mod_status tells which request the worker was at when the page was made. If a request that could
 * be open at the SYN has ended since, it may have been this worker's, which went on to another one.
 * Servers write the line before they take the next request. */
static unsigned count_others(struct witness *witness, const struct record *record, pid_t worker)
{
	const char *host = witness->config->server_status + strlen("http://");
	struct other_lines lines = {
		.what = { .syn_ns = record->ts_ns, .pid = worker },
		.page = strchrnul(host, '/'),
	};

	if (!trigger_logs_end(witness->logs) ||
	    !trigger_logs_past(witness->logs, record->ts_ns, clock_ns(CLOCK_REALTIME), count_other,
			       &lines))
		lines.n++;
	return lines.n;
}

/* The script that the request's URI names, where there is such a file: the site by its path. */
static void find_site_of(const struct witness *witness, const struct record *record,
			 const struct trigger_line *row, struct witness_site *site)
{
	char path[OWNER_PATH_BYTES], script[2 * OWNER_PATH_BYTES];

	witness_site_find(witness, record, NULL, row->vhost, site);
	if (row->uri_cut || !site->answer.vhost || !site->answer.root ||
	    trigger_uri_path(row->uri, path, sizeof(path)) ||
	    !trigger_is_file(witness->root_fd, site->answer.root, path))
		return;
	snprintf(script, sizeof(script), "%s%s", site->answer.root, path);
	witness_site_find(witness, record, script, row->vhost, site);
	site->question.script = NULL; /* it was this function's own */
}

void witness_page_ask(struct witness *witness, const struct record *record,
		      struct note_trigger *page, struct trigger_line *row,
		      struct witness_site *site)
{
	const struct owner_ref *apache = witness_apache_worker(&record->owner);
	unsigned others;

	if (!apache || !witness->config->server_status[0] ||
	    witness_status_ask(witness, apache, row) < 0)
		return;
	others = count_others(witness, record, apache->pid);
	witness_fill_trigger(page, row);
	strcpy(page->log, "server-status");
	page->match = others ? MATCH_CANDIDATES : MATCH_EXACT;
	page->n = 1 + others;
	if (others)
		return;
	find_site_of(witness, record, row, site);
	if (!site->answer.vhost)
		return;
	memset(&witness->note, 0, sizeof(witness->note));
	witness->note.id = record->id;
	witness_site_note(site, &witness->note);
	witness_tell(witness, &witness->note);
}
