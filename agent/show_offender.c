/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of an offender, in the order in which they are shown; nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "show.h"

static json_t *offender_uid(const void *row, const struct show_options *options)
{
	const struct store_offender *offender = &((const struct show_offender *)row)->offender;

	(void)options;
	return offender->has_uid ? show_need(json_integer(offender->uid)) : json_null();
}

/* "25,587" as an array of numbers. */
static json_t *offender_ports(const void *row, const struct show_options *options)
{
	const char *text = ((const struct show_offender *)row)->offender.ports;
	json_t *ports = show_need(json_array());

	(void)options;
	while (text && *text) {
		char *end;
		unsigned long port = strtoul(text, &end, 10);

		if (end == text || port > UINT16_MAX)
			break;
		json_array_append_new(ports, show_need(json_integer((json_int_t)port)));
		text = *end == ',' ? end + 1 : end;
	}
	return ports;
}

static char *ports_text(const json_t *ports)
{
	char *text = show_printf("%s", "");
	json_t *port;
	size_t index;

	json_array_foreach(ports, index, port)
	{
		char *longer = show_printf("%s%s%lld", text, index ? "," : "",
					   (long long)json_integer_value(port));

		free(text);
		text = longer;
	}
	if (*text)
		return text;
	free(text);
	return NULL;
}

/* Name, else number: a table has room for one of them. */
static json_t *offender_who(const void *row, const struct show_options *options)
{
	const struct store_offender *offender = &((const struct show_offender *)row)->offender;
	char text[24];

	(void)options;
	if (offender->user.len > 0)
		return show_bytes(offender->user.bytes, (size_t)offender->user.len);
	if (!offender->has_uid)
		return json_null();
	snprintf(text, sizeof(text), "%lld", (long long)offender->uid);
	return show_need(json_string(text));
}

static json_t *offender_program(const void *row, const struct show_options *options)
{
	const struct store_offender *offender = &((const struct show_offender *)row)->offender;
	const struct store_bytes *program =
		offender->script.len > 0 ? &offender->script : &offender->exe;

	(void)options;
	if (offender->many_programs)
		return show_need(json_string("(many programs)"));
	return show_bytes(program->bytes, program->len > 0 ? (size_t)program->len : 0);
}

/* Above the store's bound the count is a lower one: a table must not show it as exact. */
static char *destinations_cell(const void *row)
{
	const struct store_offender *offender = &((const struct show_offender *)row)->offender;

	return show_printf("%lld%s", (long long)offender->destinations,
			   offender->destinations_capped ? "+" : "");
}

#define AT(member) offsetof(struct show_offender, offender.member)

static const struct show_field fields[] = {
	{ "rank", SHOW_COUNT, offsetof(struct show_offender, rank), .shape = SHOW_RIGHT,
	  .keep = 1 },
	{ "who", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_NAME, .keep = 1, .value = offender_who },
	{ "program", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_WRAP, .keep = 1,
	  .value = offender_program },
	{ "user", SHOW_BYTES, AT(user), .shape = SHOW_NAME },
	{ "uid", SHOW_MADE, .shape = SHOW_RIGHT, .value = offender_uid },
	{ "script", SHOW_BYTES, AT(script), .shape = SHOW_WRAP },
	{ "exe", SHOW_BYTES, AT(exe), .shape = SHOW_WRAP },
	{ "site", SHOW_BYTES, AT(site), .shape = SHOW_CUT, .keep = 7 },
	{ "works_in", SHOW_BYTES, AT(works_in), .shape = SHOW_CUT, .keep = 6 },
	{ "unit", SHOW_BYTES, AT(unit), .shape = SHOW_NAME, .keep = 8 },
	{ "attempts", SHOW_COUNT, AT(attempts), .shape = SHOW_RIGHT, .keep = 1 },
	{ "destinations", SHOW_COUNT, AT(destinations), .shape = SHOW_RIGHT, .keep = 2,
	  .cell = destinations_cell },
	{ "networks", SHOW_COUNT, AT(networks), .shape = SHOW_RIGHT, .keep = 10 },
	{ "ports", SHOW_MADE, .keep = 3, .value = offender_ports, .text = ports_text },
	{ "first_seen", SHOW_TIME, AT(first_ns), .keep = 11 },
	{ "last_seen", SHOW_TIME, AT(last_ns), .keep = 2 },
	{ "last_id", SHOW_NUMBER, AT(last_id), .shape = SHOW_RIGHT, .keep = 4 },
	{ "verdict", SHOW_WORD, AT(verdict), .keep = 12 },
	{ "evidence", SHOW_COUNT, AT(evidence), .shape = SHOW_RIGHT, .keep = 9 },
	{ "destinations_capped", SHOW_FLAG, AT(destinations_capped) },
	{ "many_programs", SHOW_FLAG, AT(many_programs) },
	{ "id", SHOW_COUNT, AT(id), .shape = SHOW_RIGHT },
};

const struct show_kind show_offender_kind = { "egressd.offender/1", fields,
					      sizeof(fields) / sizeof(fields[0]) };
