/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log format's text into parts; reads no line. Pure. */
#include "trigger_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORMATS_MAX 8 /* of one log */

struct name_kind {
	const char *name;
	enum trigger_kind kind;
};

/* nginx: what holds no space whatever the client sends. All others are opaque. $uri is decoded
 * and rewritten: not what was asked for. $pid is the proxying worker's, not the script's. */
static const struct name_kind nginx_names[] = {
	{ "remote_addr", PART_CLIENT },
	{ "host", PART_VHOST },
	{ "server_name", PART_VHOST },
	{ "request", PART_REQUEST },
	{ "request_method", PART_METHOD },
	{ "request_uri", PART_URI },
	{ "status", PART_STATUS },
	{ "time_local", PART_TIME_LOCAL },
	{ "time_iso8601", PART_TIME_ISO },
	{ "msec", PART_EPOCH_S },
	{ "request_time", PART_DURATION_S },
	{ "pid", PART_WORD },
	{ "connection", PART_WORD },
	{ "connection_requests", PART_WORD },
	{ "bytes_sent", PART_WORD },
	{ "body_bytes_sent", PART_WORD },
	{ "request_length", PART_WORD },
	{ "request_id", PART_WORD },
	{ "remote_port", PART_WORD },
	{ "server_port", PART_WORD },
	{ "server_addr", PART_WORD },
	{ "scheme", PART_WORD },
	{ "pipe", PART_WORD },
	{ "gzip_ratio", PART_WORD },
	{ "ssl_protocol", PART_WORD },
	{ "ssl_cipher", PART_WORD },
	{ "upstream_cache_status", PART_WORD },
};

/* Apache: directives of one letter without an argument. */
static const struct name_kind apache_names[] = {
	{ "h", PART_CLIENT },	  { "a", PART_CLIENT },	      { "v", PART_VHOST },
	{ "V", PART_VHOST },	  { "r", PART_REQUEST },      { "m", PART_METHOD },
	{ "U", PART_URI },	  { "q", PART_QUERY },	      { "s", PART_STATUS },
	{ "P", PART_PID },	  { "t", PART_TIME_BRACKET }, { "D", PART_DURATION_US },
	{ "T", PART_DURATION_S }, { "b", PART_WORD },	      { "B", PART_WORD },
	{ "O", PART_WORD },	  { "I", PART_WORD },	      { "S", PART_WORD },
	{ "p", PART_WORD },	  { "A", PART_WORD },	      { "H", PART_WORD },
	{ "k", PART_WORD },	  { "X", PART_WORD },	      { "L", PART_WORD },
};

/* … and with one, as %{argument}letter. */
static const struct {
	const char *argument;
	char letter;
	enum trigger_kind kind;
	bool end;
} apache_arguments[] = {
	{ "c", 'a', PART_CLIENT, false },
	{ "pid", 'P', PART_PID, false },
	{ "s", 'T', PART_DURATION_S, false },
	{ "ms", 'T', PART_DURATION_MS, false },
	{ "us", 'T', PART_DURATION_US, false },
	{ "sec", 't', PART_EPOCH_S, false },
	{ "msec", 't', PART_EPOCH_MS, false },
	{ "usec", 't', PART_EPOCH_US, false },
	{ "begin:sec", 't', PART_EPOCH_S, false },
	{ "begin:msec", 't', PART_EPOCH_MS, false },
	{ "begin:usec", 't', PART_EPOCH_US, false },
	{ "end:sec", 't', PART_EPOCH_S, true },
	{ "end:msec", 't', PART_EPOCH_MS, true },
	{ "end:usec", 't', PART_EPOCH_US, true },
	{ "msec_frac", 't', PART_WORD, false },
	{ "usec_frac", 't', PART_WORD, false },
	{ "%d/%b/%Y:%T %z", 't', PART_TIME_LOCAL, false },
	{ "%d/%b/%Y:%H:%M:%S %z", 't', PART_TIME_LOCAL, false },
	{ "tid", 'P', PART_WORD, false },
	{ "canonical", 'p', PART_WORD, false },
	{ "local", 'p', PART_WORD, false },
	{ "remote", 'p', PART_WORD, false },
};

struct maker {
	struct trigger_format *format;
	size_t text_used;
	bool words; /* guess: names of users are words */
	bool full;
};

static void add_literal(struct maker *maker, char c)
{
	struct trigger_format *format = maker->format;
	struct trigger_part *last = format->n_parts ? &format->parts[format->n_parts - 1] : NULL;

	if (!last || last->kind != PART_LITERAL) {
		if (format->n_parts == TRIGGER_PARTS) {
			maker->full = true;
			return;
		}
		last = &format->parts[format->n_parts++];
		*last = (struct trigger_part){ .kind = PART_LITERAL, .at = maker->text_used };
	}
	format->text[maker->text_used++] = c;
	last->len++;
}

static void add_part(struct maker *maker, enum trigger_kind kind, bool end)
{
	struct trigger_format *format = maker->format;

	if (format->n_parts == TRIGGER_PARTS) {
		maker->full = true;
		return;
	}
	/* %U%q: one text, whose parts nothing tells from each other */
	if (kind == PART_QUERY && format->n_parts &&
	    format->parts[format->n_parts - 1].kind == PART_URI)
		return;
	format->parts[format->n_parts++] = (struct trigger_part){ .kind = kind, .end = end };
}

static enum trigger_kind named(const struct name_kind *names, size_t n, const char *name,
			       size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i].name) == len && !memcmp(names[i].name, name, len))
			return names[i].kind;
	return PART_OPAQUE;
}
#define NAMED(names, name, len) named(names, sizeof(names) / sizeof((names)[0]), name, len)

static bool is_variable_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* $name or ${name}: ngx_http_script_variables_count(), ngx_http_log_compile_format(). */
static const char *add_nginx(struct maker *maker, const char *at)
{
	bool braces = at[1] == '{';
	const char *name = at + 1 + braces, *end = name;

	while (is_variable_letter(*end))
		end++;
	if (end == name || (braces && *end != '}')) {
		add_literal(maker, *at);
		return at + 1;
	}
	add_part(maker, NAMED(nginx_names, name, (size_t)(end - name)), true);
	return end + braces;
}

static void add_apache_argument(struct maker *maker, const char *argument, size_t len, char letter)
{
	for (size_t i = 0; i < sizeof(apache_arguments) / sizeof(apache_arguments[0]); i++) {
		if (apache_arguments[i].letter != letter ||
		    strlen(apache_arguments[i].argument) != len ||
		    memcmp(apache_arguments[i].argument, argument, len))
			continue;
		add_part(maker, apache_arguments[i].kind, apache_arguments[i].end);
		return;
	}
	if (letter == 'h') /* %{c}h: a name or an address all the same */
		add_part(maker, PART_CLIENT, false);
	else
		add_part(maker, PART_OPAQUE, false);
}

/* %[<>][!400,501]{argument}letter: parse_log_item() of mod_log_config.c takes them in any order;
 * a directive with a condition gives "-" or its value, so it may be anything. */
static const char *add_apache(struct maker *maker, const char *at)
{
	const char *argument = NULL;
	bool conditional = false, first = false;
	size_t len = 0;
	char letter;

	for (at++; *at && strchr("<>!,0123456789{", *at); at++) {
		if (*at == '{') {
			argument = at + 1;
			len = strcspn(argument, "}");
			if (!argument[len])
				return argument + len;
			at = argument + len;
		} else if (*at == '<') {
			first = true;
		} else if (*at != '>') {
			conditional = true;
		}
	}
	letter = *at;
	if (!letter)
		return at;
	if (letter == '%')
		add_literal(maker, '%');
	else if (letter == '^') /* %{X}^ti, ^to: trailers */
		at += at[1] && at[2] ? 2 : 0, add_part(maker, PART_OPAQUE, false);
	else if (conditional)
		add_part(maker, PART_OPAQUE, false);
	else if (first && strchr("Us", letter)) /* before the internal redirect: the client's own */
		add_part(maker, letter == 'U' ? PART_URI : PART_WORD, false);
	else if (argument)
		add_apache_argument(maker, argument, len, letter);
	else if (maker->words && strchr("lu", letter))
		add_part(maker, PART_WORD, false);
	else
		add_part(maker, NAMED(apache_names, &letter, 1), false);
	return at + 1;
}

/* A configuration's text may still have the backslashes that its quotes needed. */
static const char *add_backslash(struct maker *maker, const char *at)
{
	switch (at[1]) {
	case '\0':
		add_literal(maker, '\\');
		return at + 1;
	case 'n':
		add_literal(maker, '\n');
		break;
	case 't':
		add_literal(maker, '\t');
		break;
	default:
		add_literal(maker, at[1]);
	}
	return at + 2;
}

bool trigger_format_has(const struct trigger_format *format, enum trigger_kind kind)
{
	for (unsigned i = 0; i < format->n_parts; i++)
		if (format->parts[i].kind == kind)
			return true;
	return false;
}

static bool is_same(const struct trigger_format *a, const struct trigger_format *b)
{
	if (a->escape != b->escape || a->n_parts != b->n_parts || strcmp(a->text, b->text))
		return false;
	for (unsigned i = 0; i < a->n_parts; i++)
		if (a->parts[i].kind != b->parts[i].kind || a->parts[i].end != b->parts[i].end ||
		    a->parts[i].at != b->parts[i].at || a->parts[i].len != b->parts[i].len)
			return false;
	return true;
}

void trigger_format_join(struct trigger_format *format, struct trigger_format *other)
{
	unsigned n = 1;

	while (!is_same(format, other)) {
		if (!format->other && n < FORMATS_MAX) {
			format->other = other;
			return;
		}
		if (!format->other)
			break;
		format = format->other;
		n++;
	}
	trigger_format_free(other);
}

static bool is_useful(const struct trigger_format *format)
{
	bool request =
		trigger_format_has(format, PART_REQUEST) ||
		(trigger_format_has(format, PART_METHOD) && trigger_format_has(format, PART_URI));
	bool time = false;

	for (unsigned kind = PART_TIME_LOCAL; kind <= PART_EPOCH_US; kind++)
		time |= trigger_format_has(format, kind);
	return request && time;
}

static int make(enum sites_server server, enum sites_escape escape, const char *text, bool guess,
		struct trigger_format **format)
{
	struct maker maker = { .words = guess };
	const char *at = text;
	int error = -ENOMEM;

	maker.format = calloc(1, sizeof(*maker.format));
	if (!maker.format)
		return -ENOMEM;
	maker.format->escape = escape;
	maker.format->text = calloc(1, strlen(text) + 1);
	if (!maker.format->text)
		goto out;
	while (*at && !maker.full) {
		if (server == SITES_NGINX && *at == '$')
			at = add_nginx(&maker, at);
		else if (server == SITES_APACHE && *at == '%')
			at = add_apache(&maker, at);
		else if (server == SITES_APACHE && *at == '\\')
			at = add_backslash(&maker, at);
		else
			add_literal(&maker, *at++);
	}
	if (guess)
		add_part(&maker, PART_REST, false);
	error = -EINVAL;
	if (maker.full || escape == SITES_ESCAPE_NONE || !is_useful(maker.format))
		goto out;
	*format = maker.format;
	return 0;
out:
	trigger_format_free(maker.format);
	return error;
}

int trigger_format_make(enum sites_server server, enum sites_escape escape, const char *text,
			struct trigger_format **format)
{
	return make(server, escape, text, false, format);
}

int trigger_format_guess(enum sites_server server, struct trigger_format **format)
{
	struct trigger_format *plain, *vhost;
	int error =
		make(SITES_APACHE, SITES_ESCAPE_DEFAULT, "%h %l %u %t \"%r\" %>s ", true, &plain);

	if (error)
		return error;
	error = make(SITES_APACHE, SITES_ESCAPE_DEFAULT, "%v:%p %h %l %u %t \"%r\" %>s ", true,
		     &vhost);
	if (error) {
		trigger_format_free(plain);
		return error;
	}
	for (unsigned i = 0; i < TRIGGER_PARTS && server == SITES_NGINX; i++)
		plain->parts[i].end = vhost->parts[i].end = true; /* nginx gives its end */
	plain->other = vhost;
	*format = plain;
	return 0;
}

void trigger_format_free(struct trigger_format *format)
{
	if (!format)
		return;
	trigger_format_free(format->other);
	free(format->text);
	free(format);
}
