/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the members of a row into JSON values and text by a table of fields; knows no row's
 * meaning, and writes to no file.
 */
#include "show.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "escape.h"

json_t *show_need(json_t *value)
{
	if (!value)
		abort();
	return value;
}

char *show_printf(const char *format, ...)
{
	va_list list;
	char *text;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	return text;
}

json_t *show_bytes(const char *bytes, size_t len)
{
	char *text;
	json_t *value;

	if (!bytes || !len)
		return json_null();
	text = escape_dup(bytes, len);
	value = show_need(json_string(text));
	free(text);
	return value;
}

char *show_clean(const char *text)
{
	size_t size = 4 * strlen(text) + 1, used = 0;
	char *out = malloc(size);

	if (!out)
		abort();
	while (*text) {
		size_t run = strcspn(text, "\\");

		if (run)
			used += escape_bytes(text, run, out + used, size - used);
		text += run;
		for (; *text == '\\'; text++)
			out[used++] = '\\';
	}
	out[used] = '\0';
	return out;
}

char *show_ascii(const char *text)
{
	char *out = malloc(4 * strlen(text) + 1), *to = out;

	if (!out)
		abort();
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80)
			*to++ = *text;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*text);
	}
	*to = '\0';
	return out;
}

char *show_time(int64_t ns, bool utc, int digits, char out[SHOW_TIME_BYTES])
{
	int64_t fraction = ((ns % 1000000000) + 1000000000) % 1000000000;
	time_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
	struct tm tm;
	size_t used;
	long offset;

	if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
		memset(&tm, 0, sizeof(tm));
	used = strftime(out, SHOW_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	assert(used && digits >= 0 && digits <= 9);
	if (digits) {
		char nine[16];

		snprintf(nine, sizeof(nine), "%09lld", (long long)fraction);
		used += snprintf(out + used, SHOW_TIME_BYTES - used, ".%.*s", digits, nine);
	}
	offset = tm.tm_gmtoff / 60;
	if (utc)
		snprintf(out + used, SHOW_TIME_BYTES - used, "Z");
	else
		snprintf(out + used, SHOW_TIME_BYTES - used, "%c%02ld:%02ld",
			 offset < 0 ? '-' : '+', labs(offset) / 60 % 100, labs(offset) % 60);
	return out;
}

char *show_duration(int64_t ns, char out[SHOW_TIME_BYTES])
{
	long long seconds = ns < 0 ? 0 : ns / 1000000000;

	if (seconds < 120)
		snprintf(out, SHOW_TIME_BYTES, "%lld s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(out, SHOW_TIME_BYTES, "%lld min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(out, SHOW_TIME_BYTES, "%lld h", seconds / 3600);
	else
		snprintf(out, SHOW_TIME_BYTES, "%lld days", seconds / 86400);
	return out;
}

json_t *show_address(int family, const struct store_bytes *address)
{
	char text[INET6_ADDRSTRLEN];

	if (!address->bytes || (family != AF_INET && family != AF_INET6) ||
	    address->len != (family == AF_INET ? 4 : 16) ||
	    !inet_ntop(family, address->bytes, text, sizeof(text)))
		return json_null();
	return show_need(json_string(text));
}

char *show_endpoint(int family, const struct store_bytes *address, int64_t port)
{
	json_t *host = show_address(family, address);
	const char *name = json_is_string(host) ? json_string_value(host) : "?";
	char *text;

	if (port < 0)
		text = show_printf("%s", name);
	else
		text = show_printf(family == AF_INET6 ? "[%s]:%lld" : "%s:%lld", name,
				   (long long)port);
	json_decref(host);
	return text;
}

/* The store's chains write what is not known as an empty text, and a uid as -1. */
static bool is_not_known(const char *key, const json_t *value)
{
	return (json_is_string(value) && !*json_string_value(value)) ||
	       (!strcmp(key, "uid") && json_is_integer(value) && json_integer_value(value) < 0);
}

/* JSON text of the store's, its strings cleaned: whoever can write the store can't write to the
 * terminal. */
static json_t *clean_json(json_t *value)
{
	const char *key;
	json_t *member, *out;
	size_t index;
	char *text;

	if (json_is_string(value)) {
		text = show_clean(json_string_value(value));
		out = show_need(json_string(text));
		free(text);
	} else if (json_is_array(value)) {
		out = show_need(json_array());
		json_array_foreach(value, index, member)
			json_array_append_new(out, clean_json(member));
	} else if (json_is_object(value)) {
		out = show_need(json_object());
		json_object_foreach(value, key, member)
		{
			text = show_clean(key);
			json_object_set_new(out, text,
					    is_not_known(key, member) ? json_null()
								      : clean_json(member));
			free(text);
		}
	} else {
		out = json_incref(value);
	}
	return out;
}

static json_t *json_member(const struct store_bytes *text)
{
	json_t *parsed, *clean;

	if (!text->bytes || text->len <= 0)
		return json_null();
	parsed = json_loadb(text->bytes, (size_t)text->len, 0, NULL);
	if (!parsed)
		return json_null();
	clean = clean_json(parsed);
	json_decref(parsed);
	return clean;
}

static json_t *cmdline_member(const struct store_bytes *bytes)
{
	char *text;
	json_t *value;

	if (!bytes->bytes || bytes->len <= 0)
		return json_null();
	text = escape_cmdline(bytes->bytes, (size_t)bytes->len);
	value = show_need(json_string(text));
	free(text);
	return value;
}

json_t *show_field_value(const struct show_field *field, const void *row,
			 const struct show_options *options)
{
	const char *member = (const char *)row + field->offset;
	const struct store_bytes *bytes = (const void *)member;
	char time_text[SHOW_TIME_BYTES];
	int64_t number;
	const char *word;

	switch (field->type) {
	case SHOW_NUMBER:
	case SHOW_COUNT:
		memcpy(&number, member, sizeof(number));
		if (field->type == SHOW_NUMBER && number == field->absent)
			return json_null();
		return show_need(json_integer(number));
	case SHOW_TIME:
		memcpy(&number, member, sizeof(number));
		if (number <= 0)
			return json_null();
		return show_need(json_string(show_time(number, options->utc, 6, time_text)));
	case SHOW_FLAG:
		return json_boolean(*(const bool *)member);
	case SHOW_WORD:
		memcpy(&word, member, sizeof(word));
		if (!word || (field->none && !strcmp(word, field->none)))
			return json_null();
		return show_bytes(word, strlen(word));
	case SHOW_BYTES:
		return show_bytes(bytes->bytes, bytes->len > 0 ? (size_t)bytes->len : 0);
	case SHOW_CMDLINE:
		return cmdline_member(bytes);
	case SHOW_JSON:
		return json_member(bytes);
	default:
		assert(field->value);
		return field->value(row, options);
	}
}

char *show_field_text(const struct show_field *field, const json_t *value)
{
	char *text;

	if (json_is_null(value))
		return NULL;
	if (field->text)
		return field->text(value);
	if (json_is_string(value))
		return show_printf("%s", json_string_value(value));
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		abort();
	return text;
}

const struct show_field *show_field_by_name(const struct show_kind *kind, const char *name,
					    size_t len)
{
	for (unsigned i = 0; i < kind->n; i++) {
		const struct show_field *field = &kind->fields[i];

		if (strlen(field->name) == len && !strncasecmp(field->name, name, len))
			return field;
	}
	return NULL;
}

json_t *show_object(const struct show_kind *kind, const void *row,
		    const struct show_options *options)
{
	json_t *object = show_need(json_object());

	json_object_set_new(object, "schema", show_need(json_string(kind->schema)));
	for (unsigned i = 0; i < kind->n; i++) {
		const struct show_field *field = &kind->fields[i];

		if (!(field->shape & SHOW_EXTRA))
			json_object_set_new(object, field->name,
					    show_field_value(field, row, options));
	}
	return object;
}
