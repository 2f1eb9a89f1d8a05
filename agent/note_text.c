/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a note into words; escapes nothing and decides nothing. */
#include "note_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "note.h"

static const char *const sites[] = {
	[SITE_FROM_NONE] = "nothing on this box says which site it is",
	[SITE_FROM_VHOST] = "the script lies below its document root",
	[SITE_FROM_HOST] = "the request's host names it",
	[SITE_FROM_POOL] = "the only one that is handed to this php-fpm pool",
	[SITE_FROM_PANEL] = "the panel says that the account is its",
	[SITE_FROM_USER] = "the only one of this user",
	[SITE_FROM_HOME] = "the account's home folder: no site is known",
};
static_assert(sizeof(sites) / sizeof(sites[0]) == SITE_FROM_N, "a sentence for each");

static const char *const matches[] = {
	[MATCH_NONE] = "no request was open at that moment, or no log could be read",
	[MATCH_EXACT] =
		"its process, or its address and method, are those of the program's request",
	[MATCH_PROBABLE] = "the only request of that site that fits in time",
	[MATCH_CANDIDATES] = "several requests fit in time, this one ended next",
};
static_assert(sizeof(matches) / sizeof(matches[0]) == MATCH_N, "a sentence for each");

static const char *const objects[] = {
	[OBJECT_WHY_NONE] = "it was read",
	[OBJECT_WHY_EXITED] = "the process was gone before its file could be read",
	[OBJECT_WHY_TOO_BIG] = "too big to keep a copy",
	[OBJECT_WHY_BUDGET] = "no room left for copies",
	[OBJECT_WHY_NOT_ASKED] = "not read: its file system could let the reader wait for ever",
	[OBJECT_WHY_ERROR] = "an error; see egressd's log",
};
static_assert(sizeof(objects) / sizeof(objects[0]) == OBJECT_WHY_N, "a sentence for each");

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *print(const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	return text;
}

static const char *explain(const char *word, const char *const *words, const char *const *texts,
			   unsigned n)
{
	for (unsigned i = 0; word && i < n; i++)
		if (!strcmp(word, words[i]))
			return texts[i];
	return word ? word : "not known";
}

const char *note_explain_site(const char *word)
{
	return explain(word, note_site_from_words, sites, SITE_FROM_N);
}

const char *note_explain_match(const char *word)
{
	return explain(word, note_match_words, matches, MATCH_N);
}

const char *note_explain_object(const char *word)
{
	return explain(word, note_object_why_words, objects, OBJECT_WHY_N);
}

static bool has(const char *text)
{
	return text && *text;
}

char *note_trigger_text(const struct note_request *request)
{
	const char *match = request->match, *source = "";
	char *head, *text;

	if (!match || !strcmp(match, note_match_words[MATCH_NONE]))
		return print("no trigger known: %s",
			     note_explain_match(note_match_words[MATCH_NONE]));
	if (!strcmp(match, note_match_words[MATCH_CANDIDATES]))
		head = print("candidates for the trigger (%" PRId64 "), the next", request->n);
	else
		head = print("%s trigger", match);
	if (has(request->log))
		source = strcmp(request->log, "server-status") ? "access log" : "server-status";
	text = print("%s: %s%s%s%s%s%s%s%s%s%s", head, has(request->method) ? request->method : "",
		     has(request->method) ? " " : "", has(request->uri) ? request->uri : "?",
		     has(request->client) ? " from " : "",
		     has(request->client) ? request->client : "",
		     has(request->vhost) || *source ? " (" : "",
		     has(request->vhost) ? request->vhost : "",
		     has(request->vhost) && *source ? ", " : "", source,
		     has(request->vhost) || *source ? ")" : "");
	free(head);
	return text;
}

char *note_size_text(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = (double)bytes;
	int unit = -1;

	while (size >= 1024 && unit < 3) {
		size /= 1024;
		unit++;
	}
	if (unit < 0)
		return print("%" PRIu64 " bytes", bytes);
	return print("%.1f %s", size, units[unit]);
}

char *note_object_text(const char *why, const char *sha256, int64_t bytes, bool copied)
{
	bool missing = has(why) && strcmp(why, note_object_why_words[OBJECT_WHY_NONE]) != 0;
	char *size, *text;

	if (!has(sha256))
		return print("%s", note_explain_object(has(why) ? why : "not known"));
	size = note_size_text((uint64_t)bytes);
	if (copied)
		text = print("sha256 %s, %s, copy kept in objects/ by that name", sha256, size);
	else
		text = print("sha256 %s, %s, no copy kept%s%s", sha256, size, missing ? ": " : "",
			     missing ? note_explain_object(why) : "");
	free(size);
	return text;
}
