/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apache's variables and conditions: Define, the environment that envvars makes, loaded modules
 * (ap_resolve_env() and ap_getword_conf() of server/util.c, server/core.c). Opens nothing itself.
 */
#include <ctype.h>
#include <string.h>

#include "sites_apache.h"

static struct apache_define *lookup(struct apache_define **table, const char *name, size_t len)
{
	char key[SITES_NAME_BYTES];
	struct apache_define *define;

	if (len >= sizeof(key))
		return NULL;
	memcpy(key, name, len);
	key[len] = 0;
	define = table[words_hash(key) % APACHE_BUCKETS];
	while (define && strcmp(define->name, key))
		define = define->next;
	return define;
}

static void set(struct apache *apache, struct apache_define **table, const char *name,
		const char *value)
{
	struct apache_define *define = lookup(table, name, strlen(name));
	char *kept = value ? build_text(apache->build, value) : NULL;

	if (!define) {
		struct apache_define **bucket = &table[words_hash(name) % APACHE_BUCKETS];

		define = build_bytes(apache->build, sizeof(*define));
		if (!define || !(define->name = build_text(apache->build, name)))
			return;
		define->next = *bucket;
		*bucket = define;
	}
	define->value = kept;
}

void apache_define(struct apache *apache, const char *name, const char *value)
{
	set(apache, apache->defines, name, value);
}

/* mod_suexec.c and suexec_module, event.c and mpm_event_module: one name each. */
static void module_name(const char *name, char plain[SITES_NAME_BYTES])
{
	size_t len;

	if (!strncasecmp(name, "mod_", 4) || !strncasecmp(name, "mpm_", 4))
		name += 4;
	len = strlen(name);
	if (len > 7 && !strcasecmp(name + len - 7, "_module"))
		len -= 7;
	else if (len > 2 && !strcasecmp(name + len - 2, ".c"))
		len -= 2;
	if (len >= SITES_NAME_BYTES)
		len = SITES_NAME_BYTES - 1;
	for (size_t i = 0; i < len; i++)
		plain[i] = (char)tolower((unsigned char)name[i]);
	plain[len] = 0;
}

void apache_module(struct apache *apache, const char *name)
{
	char plain[SITES_NAME_BYTES];

	module_name(name, plain);
	set(apache, apache->modules, plain, "");
	apache->any_module = true;
}

static bool module_is_there(struct apache *apache, const char *name)
{
	static const char *const built_in[] = { "core",	 "http_core", "so",    "log_config",
						"logio", "version",   "unixd", "watchdog" };
	char plain[SITES_NAME_BYTES];

	module_name(name, plain);
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (!strcmp(plain, built_in[i]))
			return true;
	return lookup(apache->modules, plain, strlen(plain)) != NULL;
}

bool apache_condition(struct apache *apache, const char *section, const char *argument)
{
	bool is_not = *argument == '!', is;
	struct apache_define *define;

	argument += is_not;
	if (!strcasecmp(section, "ifdefine")) {
		define = lookup(apache->defines, argument, strlen(argument));
		is = define && define->value;
	} else if (!strcasecmp(section, "ifmodule")) {
		if (!apache->any_module)
			return true; /* all may be built in */
		is = module_is_there(apache, argument);
	} else if (!strcasecmp(section, "iffile")) {
		char *path = apache_path(apache, argument);

		is = path && apache->source->exists(apache->source->context, path);
	} else {
		return true;
	}
	return is != is_not;
}

/* What stands at "${": its value goes into the word. NULL: it is not known, and stays text. */
static const char *put_variable(struct apache *apache, const char *at)
{
	const char *close = strchr(at, '}');
	struct apache_define *define;

	if (!close)
		return NULL;
	define = lookup(apache->defines, at + 2, (size_t)(close - at - 2));
	if (!define || !define->value)
		return NULL;
	for (const char *c = define->value; *c; c++)
		words_put(&apache->words, *c);
	return close + 1;
}

static const char *one_word(struct apache *apache, const char *at)
{
	char quote = *at == '"' || *at == '\'' ? *at++ : 0;
	const char *behind;

	words_begin(&apache->words);
	while (*at && (quote ? *at != quote : !isspace((unsigned char)*at))) {
		if (*at == '\\' && (at[1] == '\\' || (quote && at[1] == quote))) {
			at++;
		} else if (at[0] == '$' && at[1] == '{') {
			behind = put_variable(apache, at);
			if (behind) {
				at = behind;
				continue;
			}
		}
		words_put(&apache->words, *at++);
	}
	words_end(&apache->words);
	return at + (quote && *at);
}

void apache_words(struct apache *apache, const char *line)
{
	words_clear(&apache->words);
	for (;;) {
		while (isspace((unsigned char)*line))
			line++;
		if (!*line || apache->words.bad)
			return;
		line = one_word(apache, line);
	}
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "$NAME" and "${NAME}" of what is known put in; false where the shell would do more. */
static bool shell_value(struct apache *apache, const char *at, const char *end,
			char value[SITES_PATH_BYTES])
{
	size_t used = 0;
	char quote = 0;

	while (at < end && (quote || !isspace((unsigned char)*at))) {
		struct apache_define *define;
		bool braced;
		const char *name;

		if ((*at == '"' || *at == '\'') && (!quote || quote == *at)) {
			quote = quote ? 0 : *at;
			at++;
			continue;
		}
		if (memchr("`\\;|&<>()", *at, 10) || used + 1 >= SITES_PATH_BYTES || !*at)
			return false;
		if (*at != '$' || quote == '\'') {
			value[used++] = *at++;
			continue;
		}
		at++;
		braced = at < end && *at == '{';
		name = at += braced;
		while (at < end && is_name(*at))
			at++;
		define = lookup(apache->defines, name, (size_t)(at - name));
		if (at == name || !define || !define->value ||
		    (braced && (at == end || *at++ != '}')) ||
		    used + strlen(define->value) >= SITES_PATH_BYTES)
			return false;
		memcpy(value + used, define->value, strlen(define->value));
		used += strlen(define->value);
	}
	value[used] = 0;
	return !quote;
}

static void shell_line(struct apache *apache, const char *at, const char *end)
{
	char name[SITES_NAME_BYTES], value[SITES_PATH_BYTES];
	const char *begin;

	while (at < end && isspace((unsigned char)*at))
		at++;
	if (end - at > 7 && !memcmp(at, "export ", 7))
		at += 7;
	for (begin = at; at < end && is_name(*at);)
		at++;
	if (at == begin || at == end || *at != '=' || (size_t)(at - begin) >= sizeof(name))
		return;
	memcpy(name, begin, (size_t)(at - begin));
	name[at - begin] = 0;
	if (shell_value(apache, at + 1, end, value))
		apache_define(apache, name, value);
}

void apache_take_envvars(void *reader, const char *file, const char *text, size_t len)
{
	(void)file;
	for (const char *line = text, *end = text + len; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		shell_line(reader, line, stop);
		line = stop + 1;
	}
}
