/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads Apache's configuration line by line (ap_build_config(), server/config.c): continued lines,
 * sections and conditions, includes. What directives mean is sites_apache_host.c's affair.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sites_apache.h"

#define MAX_LINE      (1u << 20)
#define MAX_USES_DEEP 20 /* of macros within one another */

char *apache_path(struct apache *apache, const char *text)
{
	return build_path(apache->build, apache->root, text);
}

static bool line_put(struct apache *apache, const char *text, size_t len)
{
	if (len >= MAX_LINE - apache->line_used)
		return false;
	if (apache->line_used + len >= apache->line_size) {
		size_t size = 2 * (apache->line_used + len) + 4096;
		char *grown = realloc(apache->line_text, size);

		if (!grown) {
			apache->build->no_memory = true;
			return false;
		}
		apache->line_text = grown;
		apache->line_size = size;
	}
	memcpy(apache->line_text + apache->line_used, text, len);
	apache->line_used += len;
	apache->line_text[apache->line_used] = 0;
	return true;
}

struct cursor {
	const char *at, *end;
	unsigned line;
};

/* One logical line, blanks behind it off; false when it can't be used. */
static bool next_line(struct apache *apache, struct cursor *in)
{
	bool more = true, good = true;

	apache->line_used = 0;
	apache->line = apache->use_line ? apache->use_line : in->line;
	while (more && in->at < in->end) {
		const char *newline = memchr(in->at, '\n', (size_t)(in->end - in->at));
		size_t len = (size_t)((newline ? newline : in->end) - in->at);

		if (len && in->at[len - 1] == '\r')
			len--;
		more = len && in->at[len - 1] == '\\';
		good = line_put(apache, in->at, len - more) && good && !memchr(in->at, 0, len);
		in->at = newline ? newline + 1 : in->end;
		in->line++;
	}
	while (good && apache->line_used &&
	       isspace((unsigned char)apache->line_text[apache->line_used - 1]))
		apache->line_text[--apache->line_used] = 0;
	return good;
}

static bool is_any(const char *name, const char *const names[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

static void open_section(struct apache *apache)
{
	static const char *const elsewhere[] = { "directory",	  "directorymatch", "location",
						 "locationmatch", "proxy",	    "proxymatch" };
	const struct sites_words *words = &apache->words;
	struct apache_section *outer = &apache->sections[apache->depth], *section = outer + 1;
	const char *name = words_at(words, 0);

	*section = *outer;
	section->name[0] = 0;
	strncat(section->name, name, sizeof(section->name) - 1);
	apache->depth++;
	if (apache->false_from)
		return;
	if (!apache_condition(apache, name, words_at(words, 1)))
		apache->false_from = apache->depth;
	else if (!strcasecmp(name, "virtualhost"))
		apache_begin_vhost(apache);
	section->is_elsewhere |= is_any(name, elsewhere, sizeof(elsewhere) / sizeof(elsewhere[0]));
	if (!strncasecmp(name, "files", 5) || !strcasecmp(name, "locationmatch"))
		for (unsigned i = 1; i < words->n; i++)
			section->is_php |= strstr(words_at(words, i), "ph") != NULL;
}

/* dropped: the end of its file comes first. */
static void close_section(struct apache *apache, bool dropped)
{
	const struct apache_section *section = &apache->sections[apache->depth];

	if (apache->false_from == apache->depth)
		apache->false_from = 0;
	else if (!apache->false_from && !strcasecmp(section->name, "virtualhost"))
		apache_end_vhost(apache, dropped);
	apache->depth--;
}

static sites_take take_text;

static void include(struct apache *apache, bool optional)
{
	char *path = apache_path(apache, words_at(&apache->words, 1));

	if (path)
		apache->source->include(apache->source->context, path,
					optional ? SITES_INCLUDE_OPTIONAL : SITES_INCLUDE_FOLDERS,
					take_text, apache);
	else
		build_skip(apache->build);
}

/* "<Name arguments>": what is between the signs, in words. False when it ends otherwise. */
static bool section_words(struct apache *apache, char *line)
{
	char *close = strrchr(line, '>');

	if (!close || close[1])
		return false;
	*close = 0;
	apache_words(apache, line);
	return apache->words.n && !apache->words.bad;
}

static void take_section(struct apache *apache, char *line, struct cursor *in)
{
	if (!section_words(apache, line) || apache->depth + 1 == APACHE_NEST) {
		build_skip(apache->build); /* where it would end can't be known */
		in->at = in->end;
	} else if (!apache->false_from && !strcasecmp(words_at(&apache->words, 0), "macro")) {
		const char *end = in->at + apache_macro(apache, in->at, (size_t)(in->end - in->at));

		for (; in->at < end; in->at++)
			in->line += *in->at == '\n';
		open_section(apache); /* its end is the next line */
	} else {
		open_section(apache);
	}
}

static void use(struct apache *apache)
{
	struct apache_macro *macro = NULL;
	size_t len;
	char *text;

	if (apache->n_uses < MAX_USES_DEEP)
		macro = apache_use(apache, &text, &len);
	if (!macro) {
		build_skip(apache->build);
		return;
	}
	if (!apache->n_uses++)
		apache->use_line = apache->line;
	macro->is_used = true;
	take_text(apache, apache->file, text, len);
	macro->is_used = false;
	if (!--apache->n_uses)
		apache->use_line = 0;
	free(text);
}

static void take_directive(struct apache *apache)
{
	const char *name = words_at(&apache->words, 0);

	if (apache->words.bad || !apache->words.n)
		build_skip(apache->build);
	else if (!strcasecmp(name, "include"))
		include(apache, false);
	else if (!strcasecmp(name, "includeoptional"))
		include(apache, true);
	else if (!strcasecmp(name, "use"))
		use(apache);
	else
		apache_directive(apache);
}

static void take_line(struct apache *apache, char *line, unsigned base, struct cursor *in)
{
	if (line[0] == '<' && line[1] == '/') {
		if (!section_words(apache, line + 2) || apache->depth == base ||
		    strcasecmp(words_at(&apache->words, 0), apache->sections[apache->depth].name))
			build_skip(apache->build);
		else
			close_section(apache, false);
	} else if (line[0] == '<') {
		take_section(apache, line + 1, in);
	} else if (!apache->false_from) {
		apache_words(apache, line);
		take_directive(apache);
	}
}

/* One file, or macro. A section ends in the file where it began. */
static void take_text(void *reader, const char *file, const char *text, size_t len)
{
	struct apache *apache = reader;
	const char *outer_file = apache->file;
	char *line, *outer_kept = apache->kept_file;
	struct cursor in = { text, text + len, 1 };
	unsigned base = apache->depth;

	if (file != outer_file)
		apache->kept_file = NULL;
	apache->file = file;
	while (in.at < in.end && !apache->source->expired(apache->source->context)) {
		if (!next_line(apache, &in)) {
			build_skip(apache->build);
			continue;
		}
		line = apache->line_text;
		while (isspace((unsigned char)*line))
			line++;
		if (*line && *line != '#')
			take_line(apache, line, base, &in);
	}
	while (apache->depth > base) {
		build_skip(apache->build);
		close_section(apache, true);
	}
	if (file != outer_file)
		apache->kept_file = outer_kept;
	apache->file = outer_file;
}

void apache_read(struct sites_build *build, const struct sites_source *source, const char *conf,
		 const char *envvars, const char *root)
{
	struct apache *apache = calloc(1, sizeof(*apache));

	if (!apache) {
		build->no_memory = true;
		return;
	}
	apache->build = build;
	apache->source = source;
	apache->root = root;
	if (envvars) { /* Debian's defaults, for what envvars does not say */
		apache_define(apache, "APACHE_LOG_DIR", "/var/log/apache2");
		apache_define(apache, "SUFFIX", "");
		source->include(source->context, envvars, SITES_INCLUDE_OPTIONAL,
				apache_take_envvars, apache);
	}
	source->include(source->context, conf, SITES_INCLUDE_OPTIONAL, take_text, apache);
	apache_finish(apache);
	build->no_memory |= apache->words.no_memory;
	words_free(&apache->words);
	free(apache->line_text);
	free(apache);
}
