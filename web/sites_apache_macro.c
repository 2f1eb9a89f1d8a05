/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mod_macro's <Macro NAME PARAMETER…> and Use NAME VALUE…, as text; reads nothing else. */
#include <stdlib.h>
#include <string.h>

#include "sites_apache.h"

#define MAX_TEXT       (1u << 20)
#define MAX_PARAMETERS 64

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

char *apache_use(struct apache *apache, size_t *len)
{
	const struct sites_words *words = &apache->words;
	const struct apache_macro *macro = apache->macros;
	const char *at, *end;
	size_t used = 0;
	char *text;

	while (macro && strcasecmp(macro->name, words_at(words, 1)))
		macro = macro->next;
	if (!macro || words->n - 2 != macro->n_parameters)
		return NULL;
	text = malloc(MAX_TEXT);
	if (!text) {
		apache->build->no_memory = true;
		return NULL;
	}
	for (at = macro->text, end = at + macro->len; at < end;) {
		int i = parameter_at(macro, at, end);
		const char *value = i < 0 ? at : words_at(words, 2 + (unsigned)i);
		size_t n = i < 0 ? 1 : strlen(value);

		if (n > MAX_TEXT - used) {
			free(text);
			return NULL;
		}
		memcpy(text + used, value, n);
		used += n;
		at += i < 0 ? 1 : strlen(macro->parameters[i]);
	}
	*len = used;
	return text;
}
