/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a log format, and any bytes as a line of it: what is read lies within its bounds, and
 * no order of lines makes more of them than there are. Honest lines with whatever a client puts
 * between their quotes keep their other fields.
 */
#include <errno.h>
#include <string.h>

#include "take.h"
#include "web/trigger.h"

static void check_line(const struct trigger_line *line)
{
	must(memchr(line->client, '\0', sizeof(line->client)));
	must(memchr(line->vhost, '\0', sizeof(line->vhost)));
	must(memchr(line->method, '\0', sizeof(line->method)));
	must(memchr(line->uri, '\0', sizeof(line->uri)));
	must(line->status <= 999 && line->pid >= 0);
	must(line->start_min_ns <= line->start_max_ns && line->end_min_ns <= line->end_max_ns);
	must(line->start_min_ns != INT64_MIN || line->end_min_ns != INT64_MIN);
	must(!line->uri_cut || strlen(line->uri) == sizeof(line->uri) - 1);
	must(!line->odd || !line->uri[0]);
}

static void check_decision(const struct trigger_line *line, uint8_t how)
{
	static struct trigger_question question;
	static struct trigger_tally tally;
	struct trigger_place place = { .log = how & 3, .site_proven = how & 4 };
	const struct trigger_best *best;
	enum trigger_match match;
	char path[64];
	uint32_t n;

	memset(&question, 0, sizeof(question));
	memset(&tally, 0, sizeof(tally));
	question.syn_ns = line->time_ns;
	question.uri_is_script = how & 8;
	if (how & 16)
		memcpy(question.uri, line->uri, sizeof(question.uri));
	if (how & 32)
		memcpy(question.method, line->method, sizeof(question.method));
	match = trigger_tally_answer(&tally, &question, &best, &n);
	must(match == TRIGGER_NONE && !best && !n);
	for (unsigned i = 0; i < 3; i++, place.log ^= 1)
		trigger_tally_add(&tally, &question, line, &place);
	match = trigger_tally_answer(&tally, &question, &best, &n);
	must((match == TRIGGER_NONE) == !best);
	must(n <= 3 + tally.unread && (match != TRIGGER_EXACT || n == 1));
	must(match != TRIGGER_EXACT || (how & 4) || line->pid);
	if (!trigger_uri_path(line->uri, path, sizeof(path)))
		must(path[0] == '/' && !strstr(path, "/../"));
}

/* "GET /X HTTP/1.1" with what servers make of any X, between fields that must stay. */
static void check_honest(struct take *take)
{
	static const char form[] = "%h %l %u %t \"%r\" %>s \"%{User-Agent}i\"";
	static char text[16384];
	struct trigger_format *format;
	struct trigger_line line;
	size_t used;

	must(!trigger_format_make(SITES_APACHE, SITES_ESCAPE_DEFAULT, form, &format));
	used = (size_t)sprintf(text, "203.0.113.9 - - [16/Nov/2026:09:00:00 +0000] \"GET /");
	for (unsigned i = 0; i < 1500; i++) {
		uint8_t byte = take_u8(take);

		if (byte == '"' || byte == '\\')
			text[used++] = '\\';
		if (byte < ' ' || byte >= 0x7f)
			used += (size_t)sprintf(text + used, "\\x%02x", byte ? byte : 1);
		else
			text[used++] = (char)byte;
	}
	used += (size_t)sprintf(text + used, " HTTP/1.1\" 418 \"x\"");
	must(!trigger_line_parse(format, text, used, &line));
	must(!strcmp(line.client, "203.0.113.9") && line.status == 418);
	must(line.odd || !strcmp(line.method, "GET"));
	trigger_format_free(format);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t which = take_u8(&take), how = take_u8(&take);
	struct trigger_format *format;
	struct trigger_line line;
	char text[512], *rest;
	size_t len;
	int result;

	if (which % 8 == 7) {
		check_honest(&take);
		return 0;
	}
	take_text(&take, text, sizeof(text));
	result = which & 8 ? trigger_format_guess(which & 1, &format)
			   : trigger_format_make(which & 1, which >> 1 & 1, text, &format);
	must(!result || result == -EINVAL);
	if (result)
		return 0;
	len = take.left;
	rest = take_rest(&take);
	result = trigger_line_parse(format, rest, len, &line);
	must(!result || result == -EBADMSG);
	if (!result) {
		must(!memchr(rest, '\0', len));
		check_line(&line);
		check_decision(&line, how);
	}
	free(rest);
	trigger_format_free(format);
	return 0;
}
