/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mod_macro's <Macro NAME PARAMETER…> and Use NAME VALUE…, as text; reads nothing else. */
#include <stdlib.h>
#include <string.h>

#include "sites_apache.h"

#define MAX_TEXT       (1u << 20)
#define MAX_PARAMETERS 64
#define MAX_USES       (1u << 16)

/* The line "</Macro>", or NULL. */
static const char *find_end(const char *text, const char *end)
{
	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line)), *at = line;

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if (end - at >= 8 && !strncasecmp(at, "</macro>", 8))
			return line;
		line = newline ? newline + 1 : end;
	}
	return NULL;
}

static bool take_parameters(struct apache *apache, struct apache_macro *macro)
{
	const struct sites_words *words = &apache->words;
	unsigned n = words->n - 2;

	if (n > MAX_PARAMETERS)
		return false;
	macro->parameters = build_bytes(apache->build, (n + 1) * sizeof(*macro->parameters));
	for (unsigned i = 0; macro->parameters && i < n; i++) {
		char *parameter = build_text(apache->build, words_at(words, 2 + i));

		if (!parameter || !*parameter)
			return false;
		macro->parameters[macro->n_parameters++] = parameter;
	}
	return macro->n_parameters == n;
}

size_t apache_macro(struct apache *apache, const char *text, size_t len)
{
	const char *end = find_end(text, text + len);
	struct apache_macro *macro = build_bytes(apache->build, sizeof(*macro));

	if (!end)
		end = text + len;
	if (macro && apache->words.n >= 2 && end < text + len && take_parameters(apache, macro)) {
		macro->len = (size_t)(end - text);
		macro->text = build_span(apache->build, text, macro->len);
		macro->name = build_text(apache->build, words_at(&apache->words, 1));
	}
	if (macro && macro->text && macro->name) {
		macro->next = apache->macros;
		apache->macros = macro;
	} else {
		build_skip(apache->build);
	}
	return (size_t)(end - text);
}

/* The longest parameter that stands at text; -1: none. */
static int parameter_at(const struct apache_macro *macro, const char *text, const char *end)
{
	size_t longest = 0;
	int found = -1;

	for (unsigned i = 0; i < macro->n_parameters; i++) {
		size_t len = strlen(macro->parameters[i]);

		if (len > longest && len <= (size_t)(end - text) &&
		    !memcmp(text, macro->parameters[i], len)) {
			longest = len;
			found = (int)i;
		}
	}
	return found;
}

/* The macro's text with values for its parameters, into out unless that is NULL. Its length, at
 * most a little more than MAX_TEXT. */
static size_t put_values(const struct apache_macro *macro, const struct sites_words *words,
			 char *out)
{
	const char *at = macro->text, *end = at + macro->len;
	size_t used = 0;

	while (at < end && used <= MAX_TEXT) {
		int i = parameter_at(macro, at, end);
		const char *value = i < 0 ? at : words_at(words, 2 + (unsigned)i);
		size_t n = i < 0 ? 1 : strlen(value);

		if (out)
			memcpy(out + used, value, n);
		used += n;
		at += i < 0 ? 1 : strlen(macro->parameters[i]);
	}
	return used;
}

struct apache_macro *apache_use(struct apache *apache, char **text, size_t *len)
{
	const struct sites_words *words = &apache->words;
	struct apache_macro *macro = apache->macros;
	size_t size;

	while (macro && strcasecmp(macro->name, words_at(words, 1)))
		macro = macro->next;
	if (!macro || macro->is_used || words->n - 2 != macro->n_parameters)
		return NULL;
	if (apache->all_uses++ >= MAX_USES) {
		apache->build->sites->cut = true;
		return NULL;
	}
	size = put_values(macro, words, NULL);
	if (size > MAX_TEXT)
		return NULL;
	*text = malloc(size + 1);
	if (!*text) {
		apache->build->no_memory = true;
		return NULL;
	}
	*len = put_values(macro, words, *text);
	return macro;
}
