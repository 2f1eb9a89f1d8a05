// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each kind of value may be, and where it goes in struct config. Knows no file and no order.
 */
#include "config_value.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* sun_path wants its NUL: unix(7) */
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
static_assert(SOCKET_PATH_MAX < CONFIG_PATH_BYTES, "a socket's path fits its field");

void config_complain(struct config_parse *parse, unsigned line, const char *key, const char *format,
		     ...)
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

	if (!*digits ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	if (!hex && digits[0] == '0' && digits[1])
		return false;
	errno = 0;
	*out = strtoull(digits, &end, hex ? 16 : 10);
	return !errno && !*end;
}

static void set_number(struct config_parse *parse, const struct config_key *key, const char *text)
{
	void *field = (char *)&parse->config + key->offset;
	uint64_t number;

	if (!read_number(text, &number) || number < key->min || number > key->max) {
		if (key->kind == CONFIG_MARK)
			config_complain(parse, parse->line, key->name,
					"expected a mark from 0x1 to 0xffffffff");
		else
			config_complain(parse, parse->line, key->name,
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

static void set_bool(struct config_parse *parse, const struct config_key *key, const char *text)
{
	bool *field = (bool *)((char *)&parse->config + key->offset);

	if (!strcmp(text, "true"))
		*field = true;
	else if (!strcmp(text, "false"))
		*field = false;
	else
		config_complain(parse, parse->line, key->name, "expected true or false");
}

static void set_mode(struct config_parse *parse, const struct config_key *key, const char *text)
{
	for (unsigned mode = 0; mode < MODE_N; mode++) {
		if (strcmp(text, policy_mode_words[mode]))
			continue;
		parse->config.mode = mode;
		return;
	}
	static_assert(MODE_N == 2, "the message names each mode");
	config_complain(parse, parse->line, key->name, "expected \"enforce\" or \"monitor\"");
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

/* http://127.0.0.1[:PORT]/PATH, or [::1]: nobody else is ever asked. */
static bool is_loopback_page(const char *text)
{
	const char *at;
	char *end;
	unsigned long port;

	if (strlen(text) >= CONFIG_PATH_BYTES || strncmp(text, "http://", 7))
		return false;
	for (at = text; *at; at++)
		if (*at <= ' ' || *at >= 0x7f)
			return false;
	at = text + 7;
	if (!strncmp(at, "127.0.0.1", 9))
		at += 9;
	else if (!strncmp(at, "[::1]", 5))
		at += 5;
	else
		return false;
	if (*at == ':') {
		if (at[1] < '1' || at[1] > '9')
			return false;
		port = strtoul(at + 1, &end, 10);
		if (port > UINT16_MAX)
			return false;
		at = end;
	}
	return *at == '/' && !strchr(at, '#');
}

static void set_text(struct config_parse *parse, const struct config_key *key, const char *text)
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
	case CONFIG_PAGE_OR_EMPTY:
		if (*text && !is_loopback_page(text))
			expected = "expected http://127.0.0.1/… or http://127.0.0.1:PORT/…, or \"\"";
		break;
	default:
		if (*text && (*text != '/' || strlen(text) > SOCKET_PATH_MAX))
			expected = "expected an absolute path of at most 107 bytes, or \"\"";
	}
	if (expected) {
		config_complain(parse, parse->line, key->name, "%s", expected);
		return;
	}
	memset(field, 0, size);
	memcpy(field, text, strlen(text));
}

static void set_ports(struct config_parse *parse, const struct config_key *key, cfg_t *values)
{
	uint16_t ports[POLICY_PORTS_MAX] = { 0 };
	unsigned n = cfg_size(values, "v");
	uint64_t number;

	if (!n || n > POLICY_PORTS_MAX) {
		config_complain(parse, parse->line, key->name, "expected 1 to %d ports",
				POLICY_PORTS_MAX);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!read_number(cfg_getnstr(values, "v", i), &number) || number < key->min ||
		    number > key->max) {
			config_complain(parse, parse->line, key->name,
					"expected ports from 1 to 65535");
			return;
		}
		for (unsigned j = 0; j < i; j++) {
			if (ports[j] != number)
				continue;
			config_complain(parse, parse->line, key->name,
					"expected each port once, %u is twice", ports[j]);
			return;
		}
		ports[i] = (uint16_t)number;
	}
	memcpy(parse->config.ports, ports, sizeof(ports));
	parse->config.n_ports = n;
}

static void set_users(struct config_parse *parse, const struct config_key *key, cfg_t *values)
{
	char users[CONFIG_MAIL_USERS_MAX][CONFIG_NAME_BYTES] = { 0 };
	unsigned n = cfg_size(values, "v");

	if (n > CONFIG_MAIL_USERS_MAX) {
		config_complain(parse, parse->line, key->name, "expected at most %d users",
				CONFIG_MAIL_USERS_MAX);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		const char *name = cfg_getnstr(values, "v", i);

		if (!is_user(name)) {
			config_complain(parse, parse->line, key->name,
					"expected users' names or numbers");
			return;
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(users[j], name))
				continue;
			config_complain(parse, parse->line, key->name,
					"expected each user once, %s is twice", name);
			return;
		}
		memcpy(users[i], name, strlen(name));
	}
	memcpy(parse->config.mail_users, users, sizeof(users));
	parse->config.n_mail_users = n;
}

void config_set_value(struct config_parse *parse, const struct config_key *key, cfg_t *values)
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
