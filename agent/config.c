/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration text to struct config: config_scan finds the assignments, libconfuse reads their
 * values, config_value puts them in their places. Reads no file and looks up no user.
 */
#include "config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_scan.h"
#include "config_value.h"

static void keep_silent(cfg_t *values, const char *format, va_list args)
{
	(void)values, (void)format, (void)args;
}

/* `v = VALUE` for libconfuse, its comments blanked: it takes a//b for a word. malloc'd or NULL. */
static char *assignment_text(const struct config_assignment *assignment)
{
	char *text, *out, quote = 0;
	const char *value = assignment->value;

	if (asprintf(&text, "v = %.*s", (int)assignment->value_len, value) < 0)
		return NULL;
	for (out = text + 4; *out; out++) {
		if (quote && *out == '\\')
			out++;
		else if (quote)
			quote = *out == quote ? 0 : quote;
		else if (*out == '"' || *out == '\'')
			quote = *out;
		else if (*out == '#' || (out[0] == '/' && out[1] == '/'))
			for (; *out && *out != '\n'; out++)
				*out = ' ';
		if (!*out)
			break;
	}
	return text;
}

static void read_assignment(struct config_parse *parse, const struct config_key *key,
			    const struct config_assignment *assignment)
{
	bool list = key->kind == CONFIG_PORTS || key->kind == CONFIG_USERS;
	cfg_opt_t scalar_opts[] = { CFG_STR("v", NULL, CFGF_NODEFAULT), CFG_END() };
	cfg_opt_t list_opts[] = { CFG_STR_LIST("v", NULL, CFGF_NODEFAULT), CFG_END() };
	char *text;
	cfg_t *values;

	if (list != assignment->list) {
		config_complain(
			parse, parse->line, key->name,
			list ? "expected a list, as %s = {%s}" : "expected one value, no list",
			key->name, key->kind == CONFIG_PORTS ? "25, 465, 587" : "\"postfix\"");
		return;
	}
	text = assignment_text(assignment);
	values = cfg_init(list ? list_opts : scalar_opts, CFGF_NONE);
	if (!text || !values) {
		config_complain(parse, parse->line, key->name,
				"expected more memory than there is");
	} else {
		cfg_set_error_function(values, keep_silent);
		/* The scan lets through only what libconfuse can read: see fuzz_config. */
		if (cfg_parse_buf(values, text) != CFG_SUCCESS ||
		    (!list && !cfg_getstr(values, "v")))
			config_complain(parse, parse->line, key->name,
					"expected a value that libconfuse can read");
		else
			config_set_value(parse, key, values);
	}
	if (values)
		cfg_free(values);
	free(text);
}

static const struct config_key *find_key(const char *name)
{
	for (unsigned i = 0; i < config_keys_n; i++)
		if (!strcmp(config_keys[i].name, name))
			return &config_keys[i];
	return NULL;
}

/* What one value can't say: how they stand to each other. Only of keys that this text has set. */
static void check_together(struct config_parse *parse)
{
	const struct config *config = &parse->config;

	if (parse->marks_line) {
		if (config->mark_allow & ~config->mark_mask)
			config_complain(parse, parse->marks_line, "mark_allow",
					"expected a mark within mark_mask 0x%08x",
					config->mark_mask);
		if (config->mark_deny & ~config->mark_mask)
			config_complain(parse, parse->marks_line, "mark_deny",
					"expected a mark within mark_mask 0x%08x",
					config->mark_mask);
		if (config->mark_allow == config->mark_deny)
			config_complain(parse, parse->marks_line, "mark_deny",
					"expected another mark than mark_allow");
	}
	if (parse->evidence_line) {
		if (config->evidence_offender_bytes > config->evidence_file_bytes)
			config_complain(parse, parse->evidence_line, "evidence_offender_bytes",
					"expected at most evidence_file_bytes");
		if (config->evidence_file_bytes > config->evidence_total_bytes)
			config_complain(parse, parse->evidence_line, "evidence_file_bytes",
					"expected at most evidence_total_bytes");
		if (config->object_bytes > config->objects_bytes)
			config_complain(parse, parse->evidence_line, "object_bytes",
					"expected at most objects_bytes");
	}
}

static void read_all(struct config_parse *parse, const char *text)
{
	struct config_scan scan = { .at = text, .line = 1 };
	struct config_assignment assignment;
	const struct config_key *key;
	unsigned lines[CONFIG_KEYS_MAX] = { 0 }; /* where each key stands already */
	int result;

	assert(config_keys_n <= CONFIG_KEYS_MAX);
	while ((result = config_scan_next(&scan, &assignment)) > 0) {
		parse->line = assignment.line;
		key = find_key(assignment.key);
		if (!key) {
			config_complain(parse, parse->line, assignment.key,
					"expected a key that egressd knows");
			continue;
		}
		if (lines[key - config_keys]) {
			config_complain(parse, parse->line, key->name,
					"expected once in a file, it stands in line %u, too",
					lines[key - config_keys]);
			continue;
		}
		lines[key - config_keys] = parse->line;
		if (key->kind == CONFIG_MARK)
			parse->marks_line = parse->line;
		if (!strncmp(key->name, "evidence_", 9) || !strncmp(key->name, "object", 6))
			parse->evidence_line = parse->line;
		read_assignment(parse, key, &assignment);
	}
	if (result < 0) {
		/* An unknown key explains a form that the scan doesn't know: `include("x")`. */
		bool unknown = assignment.has_key && !find_key(assignment.key);

		config_complain(parse, assignment.line, assignment.key, "%s",
				unknown ? "expected a key that egressd knows"
					: assignment.expected);
	}
}

int config_parse(struct config *config, const char *file, const char *text, config_error_fn error,
		 void *context)
{
	struct config_parse parse = {
		.config = *config,
		.file = file,
		.error = error,
		.context = context,
	};
	const char *expected;
	unsigned line;

	expected = config_scan_text(text, strlen(text), &line);
	if (expected) {
		config_complain(&parse, line, "text", "%s", expected);
		return -EINVAL;
	}
	read_all(&parse, text);
	if (!parse.errors)
		check_together(&parse);
	if (parse.errors)
		return -EINVAL;
	*config = parse.config;
	return 0;
}
