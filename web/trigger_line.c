/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of an access log's line say. Pure. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "trigger_format.h"
#include "trigger_time.h"

#define SECOND_NS INT64_C(1000000000)

/* --- values ---------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int hex_number(const char *at, size_t left, unsigned digits)
{
	int number = 0;

	if (left < digits)
		return -1;
	for (unsigned i = 0; i < digits; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		number = number * 16 + digit;
	}
	return number;
}

/* One escape behind a backslash. How many bytes it has, and its byte; 0: it is none. */
static size_t escape(const char *at, size_t left, char *byte)
{
	static const char letters[] = "nrtbfv", bytes[] = "\n\r\t\b\f\v";
	const char *letter;
	int number;

	if (!left)
		return 0;
	if (*at == 'x' && (number = hex_number(at + 1, left - 1, 2)) > 0) {
		*byte = (char)number;
		return 3;
	}
	if (*at == 'u' && (number = hex_number(at + 1, left - 1, 4)) > 0 && number < 0x80) {
		*byte = (char)number; /* nginx's escape=json writes only control bytes so */
		return 5;
	}
	letter = strchr(letters, *at);
	*byte = letter && *letter ? bytes[letter - letters] : *at;
	return letter || strchr("\"\\/", *at) ? 1 : 0;
}

/* Unescapes into a field; false when it did not fit, or held what can't be there. */
static bool unescape(const char *at, size_t len, char *field, size_t size, bool *bad)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char byte = at[i];

		if (byte == '\\') {
			size_t n = escape(at + i + 1, len - i - 1, &byte);

			if (!n) {
				*bad = true;
				break;
			}
			i += n;
		}
		if (used == size - 1) {
			field[used] = '\0';
			return false;
		}
		field[used++] = byte;
	}
	field[used] = '\0';
	return true;
}

/* --- a line ---------------------------------------------------------------------------------- */

struct reading {
	struct trigger_line *line;
	int64_t duration_ns, duration_grain_ns; /* -1: not told */
	bool has_request; /* the format has a request line: method and URI are its */
	bool timed, bad;
};

/* The finest time that the line tells of the same end of its request wins. */
static void take_time(struct reading *reading, const struct trigger_part *part, int64_t ns,
		      int64_t grain_ns)
{
	struct trigger_line *line = reading->line;
	int64_t *min = part->end ? &line->end_min_ns : &line->start_min_ns;
	int64_t *max = part->end ? &line->end_max_ns : &line->start_max_ns;

	if (ns < 0 || ns > INT64_MAX / 2) {
		reading->bad = true;
		return;
	}
	if (!reading->timed || *min == INT64_MIN || *max - *min > grain_ns - 1) {
		*min = ns;
		*max = ns + grain_ns - 1;
		line->time_ns = ns;
	}
	reading->timed = true;
}

/* "POST /x?y HTTP/1.1", or HTTP/0.9's "GET /x". What the servers accept has no space in its URI;
 * a refused request is logged as it came. */
static void take_request(struct reading *reading, const char *at, size_t len)
{
	struct trigger_line *line = reading->line;
	const char *space = memchr(at, ' ', len), *proto = memrchr(at, ' ', len), *uri;
	size_t uri_len;

	line->odd = line->no_request = false;
	if (!space || space == at || (size_t)(space - at) >= sizeof(line->method)) {
		line->no_request = true;
		return;
	}
	for (const char *c = at; c < space; c++)
		line->no_request |= !isalpha((unsigned char)*c) && *c != '-' && *c != '_';
	uri = space + 1;
	uri_len = len - (size_t)(uri - at);
	if (proto > space) {
		size_t n = len - (size_t)(proto + 1 - at);

		if (!trigger_has_shape(proto + 1, n, "HTTP/0.0") &&
		    !trigger_has_shape(proto + 1, n, "HTTP/0"))
			line->odd = true;
		uri_len = (size_t)(proto - uri);
	}
	if (!uri_len || memchr(uri, ' ', uri_len))
		line->odd = true;
	if (line->no_request || line->odd)
		return;
	memcpy(line->method, at, (size_t)(space - at));
	line->method[space - at] = '\0';
	line->uri_cut = !unescape(uri, uri_len, line->uri, sizeof(line->uri), &reading->bad);
}

static void take_text(struct reading *reading, const char *at, size_t len, char *field, size_t size)
{
	if ((len == 1 && *at == '-') || !len)
		return;
	if (!unescape(at, len, field, size, &reading->bad))
		reading->bad = true;
}

static void take_uri(struct reading *reading, const char *at, size_t len)
{
	struct trigger_line *line = reading->line;
	size_t used = strlen(line->uri);

	if (line->uri_cut || (used && *at == '/')) /* a second one says nothing new */
		return;
	if (!unescape(at, len, line->uri + used, sizeof(line->uri) - used, &reading->bad))
		line->uri_cut = true;
}

static void take_duration(struct reading *reading, const char *at, size_t len, int64_t unit_ns)
{
	int64_t grain_ns = unit_ns, ns = trigger_fraction(at, len, unit_ns, &grain_ns);

	if (ns < 0 && !(len == 1 && *at == '-'))
		reading->bad = true;
	if (ns < 0 || (reading->duration_ns >= 0 && reading->duration_grain_ns <= grain_ns))
		return;
	reading->duration_ns = ns;
	reading->duration_grain_ns = grain_ns;
}

static void take_epoch(struct reading *reading, const struct trigger_part *part, const char *at,
		       size_t len, int64_t unit_ns)
{
	int64_t grain_ns = unit_ns, ns = trigger_fraction(at, len, unit_ns, &grain_ns);

	take_time(reading, part, ns, grain_ns);
}

static void take_small(struct reading *reading, const char *at, size_t len, int64_t max,
		       int64_t *out)
{
	int64_t value = trigger_number(at, len, max);

	if (value < 0 && !(len == 1 && *at == '-'))
		reading->bad = true;
	*out = value < 0 ? 0 : value;
}

static void take_part(struct reading *reading, const struct trigger_part *part, const char *at,
		      size_t len)
{
	struct trigger_line *line = reading->line;
	int64_t small;

	switch (part->kind) {
	case PART_CLIENT:
		take_text(reading, at, len, line->client, sizeof(line->client));
		break;
	case PART_VHOST:
		take_text(reading, at, len, line->vhost, sizeof(line->vhost));
		break;
	case PART_REQUEST:
		take_request(reading, at, len);
		break;
	case PART_METHOD:
		if (!reading->has_request)
			take_text(reading, at, len, line->method, sizeof(line->method));
		break;
	case PART_URI:
	case PART_QUERY:
		if (!reading->has_request)
			take_uri(reading, at, len);
		break;
	case PART_STATUS:
		take_small(reading, at, len, 999, &small);
		line->status = (uint16_t)small;
		break;
	case PART_PID:
		take_small(reading, at, len, INT_MAX, &small);
		line->pid = (pid_t)small;
		break;
	case PART_TIME_LOCAL:
		take_time(reading, part, trigger_time_local(at, len), SECOND_NS);
		break;
	case PART_TIME_BRACKET:
		if (len < 2 || at[0] != '[' || at[len - 1] != ']')
			reading->bad = true;
		else
			take_time(reading, part, trigger_time_local(at + 1, len - 2), SECOND_NS);
		break;
	case PART_TIME_ISO:
		take_time(reading, part, trigger_time_iso(at, len), SECOND_NS);
		break;
	case PART_EPOCH_S:
		take_epoch(reading, part, at, len, SECOND_NS);
		break;
	case PART_EPOCH_MS:
		take_epoch(reading, part, at, len, SECOND_NS / 1000);
		break;
	case PART_EPOCH_US:
		take_epoch(reading, part, at, len, SECOND_NS / 1000000);
		break;
	case PART_DURATION_S:
		take_duration(reading, at, len, SECOND_NS);
		break;
	case PART_DURATION_MS:
		take_duration(reading, at, len, SECOND_NS / 1000);
		break;
	case PART_DURATION_US:
		take_duration(reading, at, len, SECOND_NS / 1000000);
		break;
	default:
		break;
	}
}

/* One end and the duration give the other. A duration is cut to its grain (%T, $request_time). */
static void derive_times(struct reading *reading)
{
	struct trigger_line *line = reading->line;
	int64_t least = reading->duration_ns, most = least + reading->duration_grain_ns - 1;

	if (least < 0 || most > INT64_MAX / 4)
		return;
	if (line->end_min_ns == INT64_MIN && line->start_min_ns != INT64_MIN) {
		line->end_min_ns = line->start_min_ns + least;
		line->end_max_ns = line->start_max_ns + most;
	} else if (line->start_min_ns == INT64_MIN && line->end_min_ns != INT64_MIN) {
		line->start_min_ns = line->end_min_ns - most;
		line->start_max_ns = line->end_max_ns - least;
	}
}

static int parse_one(const struct trigger_format *format, const char *line, size_t len,
		     struct trigger_line *out)
{
	struct trigger_extent extents[TRIGGER_PARTS];
	struct trigger_line read;
	struct reading reading = { .line = &read, .duration_ns = -1 };

	memset(&read, 0, sizeof(read)); /* its padding too: lines are compared as bytes */
	read.start_min_ns = read.end_min_ns = INT64_MIN;
	read.start_max_ns = read.end_max_ns = INT64_MAX;
	if (trigger_split_line(format, line, len, extents) < 0)
		return -EBADMSG;
	reading.has_request = trigger_format_has(format, PART_REQUEST);
	for (unsigned i = 0; i < format->n_parts && !reading.bad; i++)
		take_part(&reading, &format->parts[i], line + extents[i].at, extents[i].len);
	if (reading.bad || !reading.timed)
		return -EBADMSG;
	if (!read.uri[0] && !read.odd)
		read.no_request = true;
	derive_times(&reading);
	memcpy(out, &read, sizeof(read));
	return 0;
}

int trigger_line_parse(const struct trigger_format *format, const char *line, size_t len,
		       struct trigger_line *out)
{
	struct trigger_line first, other;
	bool found = false;

	if (len > TRIGGER_LINE_BYTES || memchr(line, '\0', len))
		return -EBADMSG;
	for (; format; format = format->other) {
		if (parse_one(format, line, len, &other))
			continue;
		if (found && memcmp(&first, &other, sizeof(first)))
			return -EBADMSG;
		memcpy(&first, &other, sizeof(first));
		found = true;
	}
	if (!found)
		return -EBADMSG;
	*out = first;
	return 0;
}
