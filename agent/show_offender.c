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

static struct store_site site_of(const void *row)
{
	return show_site_of_offender(&((const struct show_offender *)row)->offender);
}

static json_t *bytes_json(const struct store_bytes *bytes)
{
	return show_bytes(bytes->bytes, bytes->len > 0 ? (size_t)bytes->len : 0);
}

static json_t *offender_site(const void *row, const struct show_options *options)
{
	const struct store_site site = site_of(row);

	(void)options;
	return bytes_json(site.vhost.len > 0 ? &site.vhost : &site.root);
}

static json_t *offender_site_from(const void *row, const struct show_options *options)
{
	const struct store_site site = site_of(row);
	const char *from = site.from && (site.vhost.len > 0 || site.root.len > 0) ? site.from : "";

	(void)options;
	return show_bytes(from, strlen(from));
}

static json_t *offender_account(const void *row, const struct show_options *options)
{
	const struct store_site site = site_of(row);

	(void)options;
	return bytes_json(&site.account);
}

static json_t *offender_site_root(const void *row, const struct show_options *options)
{
	const struct store_site site = site_of(row);

	(void)options;
	return bytes_json(&site.root);
}

static json_t *offender_site_source(const void *row, const struct show_options *options)
{
	const struct store_site site = site_of(row);

	(void)options;
	return bytes_json(&site.source);
}

/* The folder of the program beside it needs no word for how it is known. */
static char *site_cell(const void *row)
{
	const struct store_site site = site_of(row);
	json_t *name = offender_site(row, NULL);
	const char *text = json_string_value(name);
	char *cell = NULL;

	if (text && strcmp(site.from, SHOW_SITE_SCRIPT) != 0)
		cell = show_printf("%s (%s)", text, site.from);
	else if (text)
		cell = show_printf("%s", text);
	json_decref(name);
	return cell;
}

/* The groups, their times as those of all else. */
static json_t *offender_triggers(const void *row, const struct show_options *options)
{
	const struct store_offender *offender = &((const struct show_offender *)row)->offender;
	const struct show_field raw = { .type = SHOW_JSON };
	json_t *groups = show_field_value(&raw, &offender->trigger_groups, options), *group;
	char time_text[SHOW_TIME_BYTES];
	size_t index;

	json_array_foreach(groups, index, group)
	{
		json_int_t ns = json_integer_value(json_object_get(group, "last_ns"));

		json_object_del(group, "last_ns");
		json_object_set_new(
			group, "last_seen",
			ns > 0 ? show_need(json_string(show_time(ns, options->utc, 3, time_text)))
			       : json_null());
	}
	if (json_is_array(groups))
		return groups;
	json_decref(groups);
	return show_need(json_array());
}

/* "POST /x.php from 203.0.113.9 (12)". malloc'd. */
static char *group_text(const json_t *group)
{
	const char *method = json_string_value(json_object_get(group, "method"));
	const char *uri = json_string_value(json_object_get(group, "uri"));
	const char *client = json_string_value(json_object_get(group, "client"));

	return show_printf("%s%s%s%s%s (%lld)", method ? method : "", method ? " " : "",
			   uri ? uri : "?", client ? " from " : "", client ? client : "",
			   (long long)json_integer_value(json_object_get(group, "count")));
}

static char *triggers_text(const json_t *groups)
{
	char *text = NULL;
	json_t *group;
	size_t index;

	json_array_foreach(groups, index, group)
	{
		char *one = group_text(group);
		char *longer = show_printf("%s%s%s", text ? text : "", text ? ", " : "", one);

		free(one);
		free(text);
		text = longer;
	}
	return text;
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
	{ "id", SHOW_COUNT, AT(id), .shape = SHOW_RIGHT, .keep = 1 },
	{ "rank", SHOW_COUNT, offsetof(struct show_offender, rank), .shape = SHOW_RIGHT },
	{ "who", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_NAME, .keep = 1, .value = offender_who },
	{ "program", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_WRAP, .keep = 1,
	  .value = offender_program },
	{ "user", SHOW_BYTES, AT(user), .shape = SHOW_NAME },
	{ "uid", SHOW_MADE, .shape = SHOW_RIGHT, .value = offender_uid },
	{ "script", SHOW_BYTES, AT(script), .shape = SHOW_WRAP },
	{ "exe", SHOW_BYTES, AT(exe), .shape = SHOW_WRAP },
	{ "site", SHOW_MADE, .shape = SHOW_WRAP, .keep = 2, .value = offender_site,
	  .cell = site_cell },
	{ "site_from", SHOW_MADE, .value = offender_site_from },
	{ "account", SHOW_MADE, .shape = SHOW_NAME, .value = offender_account },
	{ "site_root", SHOW_MADE, .shape = SHOW_CUT, .value = offender_site_root },
	{ "site_source", SHOW_MADE, .shape = SHOW_CUT, .value = offender_site_source },
	{ "works_in", SHOW_BYTES, AT(works_in), .shape = SHOW_CUT, .keep = 6 },
	{ "unit", SHOW_BYTES, AT(unit), .shape = SHOW_NAME, .keep = 8 },
	{ "attempts", SHOW_COUNT, AT(attempts), .shape = SHOW_RIGHT, .keep = 1 },
	{ "destinations", SHOW_COUNT, AT(destinations), .shape = SHOW_RIGHT, .keep = 4,
	  .cell = destinations_cell },
	{ "networks", SHOW_COUNT, AT(networks), .shape = SHOW_RIGHT, .keep = 10 },
	{ "ports", SHOW_MADE, .keep = 4, .value = offender_ports, .text = ports_text },
	{ "first_seen", SHOW_TIME, AT(first_ns), .keep = 11 },
	{ "last_seen", SHOW_TIME, AT(last_ns), .keep = 3 },
	{ "last_id", SHOW_NUMBER, AT(last_id), .shape = SHOW_RIGHT, .keep = 1 },
	{ "verdict", SHOW_WORD, AT(verdict), .keep = 12 },
	{ "evidence", SHOW_COUNT, AT(evidence), .shape = SHOW_RIGHT, .keep = 9 },
	{ "triggers", SHOW_MADE, .shape = SHOW_WRAP, .value = offender_triggers,
	  .text = triggers_text },
	{ "n_triggers", SHOW_COUNT, AT(triggers), .shape = SHOW_RIGHT },
	{ "destinations_capped", SHOW_FLAG, AT(destinations_capped) },
	{ "many_programs", SHOW_FLAG, AT(many_programs) },
};

const struct show_kind show_offender_kind = { "egressd.offender/1", fields,
					      sizeof(fields) / sizeof(fields[0]) };
