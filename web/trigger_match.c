/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of access logs may be the request behind a connect, and how sure that is. Pure. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "trigger.h"

/* --- names and paths ------------------------------------------------------------------------- */

/* Without a port (digits behind the last colon; an address in brackets keeps its own). */
static size_t name_length(const char *name)
{
	const char *colon = strrchr(name, ':');

	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1))
		return (size_t)(colon - name);
	return strlen(name);
}

static bool is_one_name(const char *name, size_t len, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n > 2 && !strncmp(pattern, "*.", 2))
		return len > n - 1 && !strncasecmp(name + len - (n - 1), pattern + 1, n - 1);
	if (n > 1 && *pattern == '.') /* nginx: the domain and all below it */
		return (len == n - 1 && !strncasecmp(name, pattern + 1, len)) ||
		       (len > n && !strncasecmp(name + len - n, pattern, n));
	if (n > 2 && !strcmp(pattern + n - 2, ".*"))
		return len > n - 1 && !strncasecmp(name, pattern, n - 1);
	return len == n && !strncasecmp(name, pattern, n);
}

bool trigger_is_name(const char *name, char *const *names, unsigned n_names)
{
	size_t len = name_length(name);

	for (unsigned i = 0; i < n_names; i++)
		if (is_one_name(name, len, names[i]))
			return true;
	return false;
}

static size_t path_length(const char *uri)
{
	return strcspn(uri, "?#");
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

int trigger_uri_path(const char *uri, char *path, size_t size)
{
	size_t len = path_length(uri), used = 0;

	if (*uri != '/')
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		char byte = uri[i];

		if (byte == '%') {
			int high = i + 2 < len ? hex_digit(uri[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(uri[i + 2]);

			if (low < 0 || !(high | low))
				return -EINVAL;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (used + 1 >= size)
			return -EINVAL;
		path[used++] = byte;
	}
	path[used] = '\0';
	return strstr(path, "/../") || (used >= 3 && !strcmp(path + used - 3, "/..")) ? -EINVAL : 0;
}

bool trigger_looks_static(const char *path)
{
	static const char *const ends[] = {
		".css",	 ".js",	 ".mjs",  ".map",  ".png",  ".jpg",   ".jpeg", ".gif",
		".webp", ".svg", ".ico",  ".avif", ".woff", ".woff2", ".ttf",  ".otf",
		".eot",	 ".mp4", ".webm", ".mp3",  ".pdf",  ".zip",   ".gz",
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcasecmp(dot, ends[i]))
			return true;
	return false;
}

/* --- one line -------------------------------------------------------------------------------- */

static bool open_at(const struct trigger_line *line, int64_t ns)
{
	return line->end_max_ns >= ns - TRIGGER_SLACK_NS &&
	       line->start_min_ns <= ns + TRIGGER_SLACK_NS;
}

/* Open by both ends of its times: no other request of that process was. */
static bool surely_open_at(const struct trigger_line *line, int64_t ns)
{
	return line->start_max_ns <= ns && line->end_min_ns >= ns;
}

static bool same_uri(const struct trigger_question *question, const struct trigger_line *line)
{
	size_t known = strlen(question->uri);

	if (question->path_only)
		return path_length(line->uri) == known && !memcmp(question->uri, line->uri, known);
	if (!question->uri_cut && !line->uri_cut)
		return !strcmp(question->uri, line->uri);
	if (question->uri_cut)
		return !strncmp(question->uri, line->uri, known);
	return !strncmp(question->uri, line->uri, strlen(line->uri));
}

/* A script named /shop/index.php may serve every URI below /shop/. */
static bool may_serve(const char *script, const char *uri)
{
	size_t len = path_length(script), folder = len;

	while (folder && script[folder - 1] != '/')
		folder--;
	return folder && len - folder > 6 && !strncmp(script + folder, "index.", 6) &&
	       !strncmp(script, uri, folder);
}

enum trigger_fit trigger_fit(const struct trigger_question *question,
			     const struct trigger_line *line, const struct trigger_place *place)
{
	bool same;

	if (line->no_request || !open_at(line, question->syn_ns) || place->is_static)
		return TRIGGER_FIT_NO;
	if (line->vhost[0] && question->n_names &&
	    !trigger_is_name(line->vhost, question->names, question->n_names))
		return TRIGGER_FIT_NO;
	if (question->method[0] && strcmp(question->method, line->method))
		return TRIGGER_FIT_NO;
	same = question->uri[0] && same_uri(question, line);
	if (question->uri[0] && !same &&
	    (!question->uri_is_script || !may_serve(question->uri, line->uri)))
		return TRIGGER_FIT_NO;
	if (question->pid && line->pid)
		return line->pid == question->pid ? TRIGGER_FIT_PID : TRIGGER_FIT_NO;
	return same ? TRIGGER_FIT_REQUEST : TRIGGER_FIT_TIME;
}

/* --- all lines ------------------------------------------------------------------------------- */

/* FNV-1a: only to find lines alike; one that is taken for another's twin lowers a count. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

/* How far from the SYN it ended; lines that do not tell that come as their requests end. */
static int64_t distance(const struct trigger_question *question, const struct trigger_line *line)
{
	int64_t after = line->end_max_ns - question->syn_ns;

	if (line->end_max_ns == INT64_MAX)
		return INT64_MAX;
	return after < 0 ? -after : after;
}

/* The one that ended next after the SYN is given, of several the first in its log; of a request's
 * twins the one whose client is no proxy on this box. */
static bool is_better(const struct trigger_best *best, const struct trigger_question *question,
		      const struct trigger_line *line)
{
	bool local = !strncmp(line->client, "127.", 4) || !strcmp(line->client, "::1");
	bool twin = !strcmp(best->line.uri, line->uri) && !strcmp(best->line.method, line->method);

	if (!best->set)
		return true;
	if (question->client[0] && strcmp(best->line.client, line->client) &&
	    (!strcmp(best->line.client, question->client) ||
	     !strcmp(line->client, question->client)))
		return !strcmp(line->client, question->client);
	if (twin && local)
		return false;
	if (twin && (!strncmp(best->line.client, "127.", 4) || !strcmp(best->line.client, "::1")))
		return true;
	return distance(question, line) < distance(question, &best->line);
}

void trigger_tally_add(struct trigger_tally *tally, const struct trigger_question *question,
		       const struct trigger_line *line, const struct trigger_place *place)
{
	enum trigger_fit fit;
	struct trigger_best *best;

	if (line->odd && !line->no_request && open_at(line, question->syn_ns) &&
	    (line->status < 400 || line->status > 499)) {
		tally->unread++;
		return;
	}
	fit = line->odd ? TRIGGER_FIT_NO : trigger_fit(question, line, place);
	if (fit == TRIGGER_FIT_NO)
		return;
	if (tally->n_twins < TRIGGER_TWINS)
		tally->twins[tally->n_twins++] = (struct trigger_twin){
			.fit = fit,
			.log = place->log,
			.hash = hash_text(hash_text(0xcbf29ce484222325, line->method), line->uri),
		};
	else
		tally->n_more++;
	best = &tally->best[fit];
	if (is_better(best, question, line))
		*best = (struct trigger_best){ true, *line, *place };
}

/* Requests told by lines of this fit: of those alike, as many as the log that has most of them. */
static uint32_t count(const struct trigger_tally *tally, enum trigger_fit fit)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < tally->n_twins; i++) {
		const struct trigger_twin *one = &tally->twins[i];
		uint32_t here = 0, before = 0;

		if (one->fit != fit)
			continue;
		/* The k-th of its log counts where no log that came before has k of them. */
		for (unsigned j = 0; j <= i; j++) {
			const struct trigger_twin *other = &tally->twins[j];

			here += other->fit == fit && other->hash == one->hash &&
				other->log == one->log;
		}
		for (unsigned j = 0; j < i; j++) {
			uint32_t there = 0;

			if (tally->twins[j].log == one->log || tally->twins[j].hash != one->hash)
				continue;
			for (unsigned k = 0; k < i; k++)
				there += tally->twins[k].fit == fit &&
					 tally->twins[k].hash == one->hash &&
					 tally->twins[k].log == tally->twins[j].log;
			before = there > before ? there : before;
		}
		n += here > before;
	}
	return n;
}

enum trigger_match trigger_tally_answer(const struct trigger_tally *tally,
					const struct trigger_question *question,
					const struct trigger_best **best, uint32_t *n)
{
	uint32_t pids = count(tally, TRIGGER_FIT_PID), requests = count(tally, TRIGGER_FIT_REQUEST);
	uint32_t times = count(tally, TRIGGER_FIT_TIME) + tally->n_more;
	enum trigger_fit fit = pids	  ? TRIGGER_FIT_PID
			       : requests ? TRIGGER_FIT_REQUEST
			       : times	  ? TRIGGER_FIT_TIME
					  : TRIGGER_FIT_NO;
	uint32_t many = fit == TRIGGER_FIT_PID ? pids : requests;
	const struct trigger_best *given = &tally->best[fit];
	bool sure = !tally->n_more && !tally->partial;

	/* A line of a front controller's own name may be another's; so may each of the others. */
	if (fit == TRIGGER_FIT_REQUEST && times)
		many += times;
	if (fit == TRIGGER_FIT_TIME)
		many = times;
	*n = many;
	*best = NULL;
	if (fit == TRIGGER_FIT_NO)
		return TRIGGER_NONE;
	if (!given->set) /* only among those without room: the latest is not known */
		return TRIGGER_NONE;
	*best = given;
	if (many > 1)
		return TRIGGER_CANDIDATES;
	if (fit == TRIGGER_FIT_PID &&
	    (!question->unlogged || surely_open_at(&given->line, question->syn_ns)))
		return TRIGGER_EXACT;
	if (question->unlogged && (fit != TRIGGER_FIT_REQUEST || question->conditional))
		return TRIGGER_CANDIDATES;
	if (fit == TRIGGER_FIT_REQUEST && question->method[0] && !question->uri_cut &&
	    !question->path_only && !given->line.uri_cut && !tally->n_more &&
	    (given->place.site_proven || !question->unlogged))
		return given->place.site_proven && !question->claimed ? TRIGGER_EXACT
								      : TRIGGER_PROBABLE;
	if (!question->unlogged && sure && !tally->unread && given->place.site_proven)
		return TRIGGER_PROBABLE;
	*n += tally->unread;
	return TRIGGER_CANDIDATES;
}
