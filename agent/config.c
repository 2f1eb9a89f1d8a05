/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration text to struct config: config_scan finds the assignments, libconfuse reads their
 * values, the table of config_keys says what they may be. Reads no file and looks up no user.
 */
#include "config.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "config_keys.h"
#include "config_scan.h"

/* sun_path wants its NUL: unix(7) */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
static_assert(SOCKET_PATH_MAX < CONFIG_PATH_BYTES, "a socket's path fits its field");

/* One config_parse() under way. */
struct parse {
	struct config config; /* becomes the caller's when there was no error */
	const char *file;
	config_error_fn error;
	void *context;
	unsigned errors;
	unsigned line; /* of the assignment at hand */
	unsigned marks_line, evidence_line; /* the last that set one of them; 0: none did */
};

static void __attribute__((format(printf, 4, 5)))
complain(struct parse *parse, unsigned line, const char *key, const char *format, ...)
{
	char line_text[CONFIG_PATH_BYTES + 512], expected[384];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	snprintf(line_text, sizeof(line_text), "%.1023s:%u: %s: %s", parse->file, line, key,
		 expected);
	parse->error(parse->context, line_text);
	parse->errors++;
}

/* Decimal, or hex after 0x. A leading 0 is no octal number here, so it is none at all. */
static bool read_number(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") !=
				strlen(digits))
		return false;
	if (!hex && digits[0] == '0' && digits[1])
		return false;
	errno = 0;
	*out = strtoull(digits, &end, hex ? 16 : 10);
	return !errno && !*end;
}

static void set_number(struct parse *parse, const struct config_key *key, const char *text)
{
	void *field = (char *)&parse->config + key->offset;
	uint64_t number;

	if (!read_number(text, &number) || number < key->min || number > key->max) {
		if (key->kind == CONFIG_MARK)
			complain(parse, parse->line, key->name,
				 "expected a mark from 0x1 to 0xffffffff");
		else
			complain(parse, parse->line, key->name,
				 "expected a whole number from %llu to %llu%s%s",
				 (unsigned long long)key->min, (unsigned long long)key->max,
				 key->unit ? " " : "", key->unit ? key->unit : "");
		return;
	}
	switch (key->kind) {
	case CONFIG_U16:
		*(uint16_t *)field = (uint16_t)number;
		break;
	case CONFIG_MARK:
	case CONFIG_U32:
		*(uint32_t *)field = (uint32_t)number;
		break;
	default:
		*(uint64_t *)field = number;
	}
}

static void set_bool(struct parse *parse, const struct config_key *key, const char *text)
{
	bool *field = (bool *)((char *)&parse->config + key->offset);

	if (!strcmp(text, "true"))
		*field = true;
	else if (!strcmp(text, "false"))
		*field = false;
	else
		complain(parse, parse->line, key->name, "expected true or false");
}

static void set_mode(struct parse *parse, const struct config_key *key, const char *text)
{
	for (unsigned mode = 0; mode < MODE_N; mode++) {
		if (strcmp(text, policy_mode_words[mode]))
			continue;
		parse->config.mode = mode;
		return;
	}
	static_assert(MODE_N == 2, "the message names each mode");
	complain(parse, parse->line, key->name, "expected \"enforce\" or \"monitor\"");
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* nft's own grammar of an identifier, less what it would want quoted. */
static bool is_identifier(const char *text)
{
	if (!is_letter(*text))
		return false;
	for (; *text; text++)
		if (!is_letter(*text) && !(*text >= '0' && *text <= '9'))
			return false;
	return true;
}

/* What passwd(5) can hold in practice: POSIX's portable set, and what directory services add. */
static bool is_user(const char *text)
{
	size_t len = strlen(text);

	if (!len || len >= CONFIG_NAME_BYTES || *text == '-')
		return false;
	for (; *text; text++)
		if (!is_letter(*text) && !(*text >= '0' && *text <= '9') &&
		    !strchr(".-$@+\\", *text))
			return false;
	return true;
}

static void set_text(struct parse *parse, const struct config_key *key, const char *text)
{
	char *field = (char *)&parse->config + key->offset;
	size_t size = CONFIG_PATH_BYTES;
	const char *expected = NULL;

	switch (key->kind) {
	case CONFIG_IDENTIFIER:
		size = CONFIG_NAME_BYTES;
		if (!is_identifier(text) || strlen(text) >= size)
			expected = "expected a name of at most 63 letters, digits and _, "
				   "beginning with no digit";
		break;
	case CONFIG_USER:
		size = CONFIG_NAME_BYTES;
		if (!is_user(text))
			expected = "expected a user's name or number";
		break;
	case CONFIG_PATH:
		if (*text != '/' || strlen(text) >= size)
			expected = "expected an absolute path of at most 1023 bytes";
		break;
	case CONFIG_PATH_OR_EMPTY:
		if (*text && (*text != '/' || strlen(text) >= size))
			expected = "expected an absolute path of at most 1023 bytes, or \"\"";
		break;
	default:
		if (*text && (*text != '/' || strlen(text) > SOCKET_PATH_MAX))
			expected = "expected an absolute path of at most 107 bytes, or \"\"";
	}
	if (expected) {
		complain(parse, parse->line, key->name, "%s", expected);
		return;
	}
	memset(field, 0, size);
	memcpy(field, text, strlen(text));
}

static void set_ports(struct parse *parse, const struct config_key *key, cfg_t *values)
{
	uint16_t ports[POLICY_PORTS_MAX] = { 0 };
	unsigned n = cfg_size(values, "v");
	uint64_t number;

	if (!n || n > POLICY_PORTS_MAX) {
		complain(parse, parse->line, key->name, "expected 1 to %d ports", POLICY_PORTS_MAX);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!read_number(cfg_getnstr(values, "v", i), &number) || number < key->min ||
		    number > key->max) {
			complain(parse, parse->line, key->name, "expected ports from 1 to 65535");
			return;
		}
		for (unsigned j = 0; j < i; j++) {
			if (ports[j] != number)
				continue;
			complain(parse, parse->line, key->name, "expected each port once, %u is twice",
				 ports[j]);
			return;
		}
		ports[i] = (uint16_t)number;
	}
	memcpy(parse->config.ports, ports, sizeof(ports));
	parse->config.n_ports = n;
}

static void set_users(struct parse *parse, const struct config_key *key, cfg_t *values)
{
	char users[CONFIG_MAIL_USERS_MAX][CONFIG_NAME_BYTES] = { 0 };
	unsigned n = cfg_size(values, "v");

	if (n > CONFIG_MAIL_USERS_MAX) {
		complain(parse, parse->line, key->name, "expected at most %d users",
			 CONFIG_MAIL_USERS_MAX);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		const char *name = cfg_getnstr(values, "v", i);

		if (!is_user(name)) {
			complain(parse, parse->line, key->name, "expected users' names or numbers");
			return;
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(users[j], name))
				continue;
			complain(parse, parse->line, key->name, "expected each user once, %s is twice",
				 name);
			return;
		}
		memcpy(users[i], name, strlen(name));
	}
	memcpy(parse->config.mail_users, users, sizeof(users));
	parse->config.n_mail_users = n;
}

static void set_value(struct parse *parse, const struct config_key *key, cfg_t *values)
{
	switch (key->kind) {
	case CONFIG_PORTS:
		set_ports(parse, key, values);
		break;
	case CONFIG_USERS:
		set_users(parse, key, values);
		break;
	case CONFIG_MODE:
		set_mode(parse, key, cfg_getstr(values, "v"));
		break;
	case CONFIG_BOOL:
		set_bool(parse, key, cfg_getstr(values, "v"));
		break;
	case CONFIG_MARK:
	case CONFIG_U16:
	case CONFIG_U32:
	case CONFIG_U64:
		set_number(parse, key, cfg_getstr(values, "v"));
		break;
	default:
		set_text(parse, key, cfg_getstr(values, "v"));
	}
}

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

static void read_assignment(struct parse *parse, const struct config_key *key,
			    const struct config_assignment *assignment)
{
	bool list = key->kind == CONFIG_PORTS || key->kind == CONFIG_USERS;
	cfg_opt_t scalar_opts[] = { CFG_STR("v", NULL, CFGF_NODEFAULT), CFG_END() };
	cfg_opt_t list_opts[] = { CFG_STR_LIST("v", NULL, CFGF_NODEFAULT), CFG_END() };
	char *text;
	cfg_t *values;

	if (list != assignment->list) {
		complain(parse, parse->line, key->name,
			 list ? "expected a list, as %s = {%s}" : "expected one value, no list",
			 key->name, key->kind == CONFIG_PORTS ? "25, 465, 587" : "\"postfix\"");
		return;
	}
	text = assignment_text(assignment);
	values = cfg_init(list ? list_opts : scalar_opts, CFGF_NONE);
	if (!text || !values) {
		complain(parse, parse->line, key->name, "expected more memory than there is");
	} else {
		cfg_set_error_function(values, keep_silent);
		/* The scan lets through only what libconfuse can read: fuzz_config holds it to it. */
		if (cfg_parse_buf(values, text) != CFG_SUCCESS ||
		    (!list && !cfg_getstr(values, "v")))
			complain(parse, parse->line, key->name,
				 "expected a value that libconfuse can read");
		else
			set_value(parse, key, values);
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
static void check_together(struct parse *parse)
{
	const struct config *config = &parse->config;

	if (parse->marks_line) {
		if (config->mark_allow & ~config->mark_mask)
			complain(parse, parse->marks_line, "mark_allow",
				 "expected a mark within mark_mask 0x%08x", config->mark_mask);
		if (config->mark_deny & ~config->mark_mask)
			complain(parse, parse->marks_line, "mark_deny",
				 "expected a mark within mark_mask 0x%08x", config->mark_mask);
		if (config->mark_allow == config->mark_deny)
			complain(parse, parse->marks_line, "mark_deny",
				 "expected another mark than mark_allow");
	}
	if (parse->evidence_line) {
		if (config->evidence_offender_bytes > config->evidence_file_bytes)
			complain(parse, parse->evidence_line, "evidence_offender_bytes",
				 "expected at most evidence_file_bytes");
		if (config->evidence_file_bytes > config->evidence_total_bytes)
			complain(parse, parse->evidence_line, "evidence_file_bytes",
				 "expected at most evidence_total_bytes");
	}
}

static void read_all(struct parse *parse, const char *text)
{
	struct config_scan scan = { .at = text, .line = 1 };
	struct config_assignment assignment;
	const struct config_key *key;
	int result;

	while ((result = config_scan_next(&scan, &assignment)) > 0) {
		parse->line = assignment.line;
		key = find_key(assignment.key);
		if (!key) {
			complain(parse, parse->line, assignment.key,
				 "expected a key that egressd knows");
			continue;
		}
		if (key->kind == CONFIG_MARK)
			parse->marks_line = parse->line;
		if (!strncmp(key->name, "evidence_", 9))
			parse->evidence_line = parse->line;
		read_assignment(parse, key, &assignment);
	}
	if (result < 0) {
		/* An unknown key explains a form that the scan doesn't know: `include("x")`. */
		bool unknown = *assignment.key && is_letter(*assignment.key) &&
			       !find_key(assignment.key);

		complain(parse, assignment.line, assignment.key, "%s",
			 unknown ? "expected a key that egressd knows" : assignment.expected);
	}
}

int config_parse(struct config *config, const char *file, const char *text, config_error_fn error,
		 void *context)
{
	struct parse parse = {
		.config = *config,
		.file = file,
		.error = error,
		.context = context,
	};
	const char *expected;
	unsigned line;

	expected = config_scan_text(text, strlen(text), &line);
	if (expected) {
		complain(&parse, line, "text", "%s", expected);
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
