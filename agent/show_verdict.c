/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fields of a verdict, in the order in which they are shown; nothing else.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

static const struct {
	unsigned bit;
	const char *word;
} cut_words[] = {
	{ OWNER_CUT_EXE, "exe" },	  { OWNER_CUT_CMDLINE, "cmdline" },
	{ OWNER_CUT_CWD, "cwd" },	  { OWNER_CUT_SCRIPT, "script" },
	{ OWNER_CUT_REQUEST, "request" }, { OWNER_CUT_PARENTS, "parents" },
	{ OWNER_CUT_HOLDERS, "holders" },
};

/* The texts that were longer than what was kept of them. */
static json_t *verdict_cut(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	json_t *words = show_need(json_array());

	(void)options;
	for (size_t i = 0; i < sizeof(cut_words) / sizeof(cut_words[0]); i++)
		if (verdict->cut & cut_words[i].bit)
			json_array_append_new(words, show_need(json_string(cut_words[i].word)));
	return words;
}

static char *words_text(const json_t *words)
{
	char *text = show_printf("%s", "");
	json_t *word;
	size_t index;

	json_array_foreach(words, index, word)
	{
		char *longer =
			show_printf("%s%s%s", text, index ? "," : "", json_string_value(word));

		free(text);
		text = longer;
	}
	return text;
}

static json_t *verdict_uid(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;

	(void)options;
	return verdict->has_uid ? show_need(json_integer(verdict->uid)) : json_null();
}

static json_t *verdict_gid(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;

	(void)options;
	return verdict->has_uid ? show_need(json_integer(verdict->gid)) : json_null();
}

static json_t *verdict_charged_uid(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;

	(void)options;
	return verdict->has_charged_uid ? show_need(json_integer(verdict->charged_uid))
					: json_null();
}

/* Name, else number: a table has room for one of them. */
static json_t *verdict_who(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	char text[24];

	(void)options;
	if (verdict->user.len > 0)
		return show_bytes(verdict->user.bytes, (size_t)verdict->user.len);
	if (!verdict->has_charged_uid)
		return json_null();
	snprintf(text, sizeof(text), "%lld", (long long)verdict->charged_uid);
	return show_need(json_string(text));
}

static json_t *verdict_program(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	const struct store_bytes *program =
		verdict->script.len > 0 ? &verdict->script : &verdict->exe;

	(void)options;
	return show_bytes(program->bytes, program->len > 0 ? (size_t)program->len : 0);
}

static json_t *verdict_src(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;

	(void)options;
	return show_address(verdict->family, &verdict->src);
}

static json_t *verdict_dst(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;

	(void)options;
	return show_address(verdict->family, &verdict->dst);
}

static json_t *verdict_destination(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	char *text;
	json_t *value;

	(void)options;
	if (!verdict->family)
		return json_null();
	text = show_endpoint(verdict->family, &verdict->dst, verdict->dport);
	value = show_need(json_string(text));
	free(text);
	return value;
}

/* Who asked the web server for it; null when no part is known. */
static json_t *verdict_request(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	const struct {
		const char *key;
		const struct store_bytes *bytes;
	} parts[] = {
		{ "method", &verdict->request_method },
		{ "uri", &verdict->request_uri },
		{ "host", &verdict->request_host },
		{ "client", &verdict->request_client },
	};
	json_t *request;
	bool any = false;

	(void)options;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		any |= parts[i].bytes->len > 0;
	if (!any)
		return json_null();
	request = show_need(json_object());
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		json_object_set_new(
			request, parts[i].key,
			show_bytes(parts[i].bytes->bytes,
				   parts[i].bytes->len > 0 ? (size_t)parts[i].bytes->len : 0));
	return request;
}

static json_t *verdict_evidence(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	json_t *evidence;

	(void)options;
	if (!verdict->evidence_file || !*verdict->evidence_file)
		return json_null();
	evidence = show_need(json_object());
	json_object_set_new(evidence, "file",
			    show_bytes(verdict->evidence_file, strlen(verdict->evidence_file)));
	json_object_set_new(evidence, "offset", show_need(json_integer(verdict->evidence_offset)));
	return evidence;
}

static char *evidence_text(const json_t *evidence)
{
	return show_printf("%s:%lld", json_string_value(json_object_get(evidence, "file")),
			   (long long)json_integer_value(json_object_get(evidence, "offset")));
}

/* The packet's first bytes in hex: only where it is asked for. */
static json_t *verdict_excerpt(const void *row, const struct show_options *options)
{
	const struct store_verdict *verdict = row;
	int len = verdict->excerpt.len;
	char *hex;
	json_t *value;

	(void)options;
	if (len <= 0)
		return json_null();
	hex = malloc(2 * (size_t)len + 1);
	if (!hex)
		abort();
	for (int i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned char)verdict->excerpt.bytes[i]);
	value = show_need(json_string(hex));
	free(hex);
	return value;
}

/* "php-fpm8.2(812) < systemd(1)". */
static char *chain_text(const json_t *chain)
{
	char *text = show_printf("%s", "");
	json_t *one;
	size_t index;

	json_array_foreach(chain, index, one)
	{
		const char *comm = json_string_value(json_object_get(one, "comm"));
		char *longer =
			show_printf("%s%s%s(%lld)", text, index ? " < " : "", comm ? comm : "?",
				    (long long)json_integer_value(json_object_get(one, "pid")));

		free(text);
		text = longer;
	}
	return text;
}

/* "php(4242) uid 33, sh(900) uid 0": whose each holder is. */
static char *holders_text(const json_t *holders)
{
	char *text = show_printf("%s", "");
	json_t *one;
	size_t index;

	json_array_foreach(holders, index, one)
	{
		const char *comm = json_string_value(json_object_get(one, "comm"));
		const json_t *uid = json_object_get(one, "uid");
		char *of = json_is_integer(uid)
				   ? show_printf(" uid %lld", (long long)json_integer_value(uid))
				   : show_printf("%s", "");
		char *longer =
			show_printf("%s%s%s(%lld)%s", text, index ? ", " : "", comm ? comm : "?",
				    (long long)json_integer_value(json_object_get(one, "pid")), of);

		free(of);
		free(text);
		text = longer;
	}
	return text;
}

static char *caller_text(const json_t *caller)
{
	json_t *one = show_need(json_array());
	char *text;

	json_array_append(one, (json_t *)caller);
	text = json_is_object(caller) ? holders_text(one) : NULL;
	json_decref(one);
	return text;
}

static json_t *verdict_site(const void *row, const struct show_options *options)
{
	const struct store_site site = show_site_of_verdict(row);

	(void)options;
	return show_site(&site);
}

static json_t *verdict_trigger(const void *row, const struct show_options *options)
{
	return show_trigger(&((const struct store_verdict *)row)->trigger, options);
}

static json_t *verdict_object(const void *row, const struct show_options *options)
{
	(void)options;
	return show_object_file(&((const struct store_verdict *)row)->object);
}

#define AT(member) offsetof(struct store_verdict, member)

/* The first field is a replay's only: a view begins with its verdict. */
static_assert(offsetof(struct show_view, verdict) == 0, "a view is a verdict too");
static const struct show_field fields[] = {
	{ "file", SHOW_WORD, offsetof(struct show_view, file), .shape = SHOW_CUT, .keep = 4 },
	{ "id", SHOW_COUNT, AT(id), .shape = SHOW_RIGHT, .keep = 1 },
	{ "ts", SHOW_TIME, AT(first_ns), .keep = 3 },
	{ "last_ts", SHOW_TIME, AT(last_ns) },
	{ "count", SHOW_COUNT, AT(count), .shape = SHOW_RIGHT | SHOW_ONES, .keep = 8 },
	{ "verdict", SHOW_WORD, AT(verdict), .keep = 1 },
	{ "reason", SHOW_WORD, AT(reason), .keep = 10 },
	{ "rule", SHOW_WORD, AT(rule) },
	{ "mode", SHOW_WORD, AT(mode) },
	{ "via", SHOW_WORD, AT(via), .keep = 11 },
	{ "uid", SHOW_MADE, .shape = SHOW_RIGHT, .value = verdict_uid },
	{ "gid", SHOW_MADE, .shape = SHOW_RIGHT, .value = verdict_gid },
	{ "who", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_NAME, .keep = 1, .value = verdict_who },
	{ "user", SHOW_BYTES, AT(user), .shape = SHOW_NAME },
	{ "charged_uid", SHOW_MADE, .shape = SHOW_RIGHT, .value = verdict_charged_uid },
	{ "pid", SHOW_NUMBER, AT(pid), .shape = SHOW_RIGHT, .keep = 9 },
	{ "program", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_WRAP, .keep = 1,
	  .value = verdict_program },
	{ "destination", SHOW_MADE, .shape = SHOW_EXTRA | SHOW_WRAP, .keep = 1,
	  .value = verdict_destination },
	{ "start_time", SHOW_TIME, AT(start_ns) },
	{ "comm", SHOW_BYTES, AT(comm), .shape = SHOW_NAME },
	{ "poses", SHOW_FLAG, AT(poses) },
	{ "exe", SHOW_BYTES, AT(exe), .shape = SHOW_WRAP },
	{ "exe_deleted", SHOW_FLAG, AT(exe_deleted) },
	{ "exe_memfd", SHOW_FLAG, AT(exe_memfd) },
	{ "cmdline", SHOW_CMDLINE, AT(cmdline), .shape = SHOW_CUT },
	{ "cwd", SHOW_BYTES, AT(cwd), .shape = SHOW_CUT },
	{ "script", SHOW_BYTES, AT(script), .shape = SHOW_WRAP },
	{ "script_from", SHOW_WORD, AT(script_from), .none = "none" },
	{ "script_why", SHOW_WORD, AT(script_why), .none = "none" },
	{ "request", SHOW_MADE, .value = verdict_request },
	{ "site", SHOW_MADE, .shape = SHOW_CUT, .value = verdict_site, .text = show_site_text },
	{ "trigger", SHOW_MADE, .shape = SHOW_WRAP, .value = verdict_trigger,
	  .text = show_trigger_text },
	{ "object", SHOW_MADE, .shape = SHOW_WRAP, .value = verdict_object,
	  .text = show_object_text },
	{ "parents", SHOW_JSON, AT(parents), .text = chain_text },
	{ "unit", SHOW_BYTES, AT(unit), .shape = SHOW_NAME },
	{ "container", SHOW_BYTES, AT(container), .shape = SHOW_NAME },
	{ "ruid", SHOW_NUMBER, AT(ruid), -1, .shape = SHOW_RIGHT },
	{ "euid", SHOW_NUMBER, AT(euid), -1, .shape = SHOW_RIGHT },
	{ "login_uid", SHOW_NUMBER, AT(login_uid), -1, .shape = SHOW_RIGHT },
	{ "indev", SHOW_BYTES, AT(indev), .shape = SHOW_NAME },
	{ "src", SHOW_MADE, .value = verdict_src },
	{ "sport", SHOW_NUMBER, AT(sport), -1, .shape = SHOW_RIGHT },
	{ "dst", SHOW_MADE, .value = verdict_dst },
	{ "dport", SHOW_NUMBER, AT(dport), -1, .shape = SHOW_RIGHT },
	{ "many_dst", SHOW_FLAG, AT(many_dst) },
	{ "flow_error", SHOW_WORD, AT(flow_error), .none = "ok" },
	{ "owner_how", SHOW_WORD, AT(owner_how) },
	{ "owner_why", SHOW_WORD, AT(owner_why), .none = "none" },
	{ "holders", SHOW_JSON, AT(holders), .text = holders_text },
	{ "n_holders", SHOW_COUNT, AT(n_holders), .shape = SHOW_RIGHT },
	{ "foreign_holder", SHOW_FLAG, AT(foreign_holder) },
	{ "caller", SHOW_JSON, AT(caller), .text = caller_text },
	{ "cut", SHOW_MADE, .value = verdict_cut, .text = words_text },
	{ "socket_uid", SHOW_NUMBER, AT(socket_uid), -1, .shape = SHOW_RIGHT },
	{ "inode", SHOW_NUMBER, AT(inode), -1, .shape = SHOW_RIGHT },
	{ "cookie", SHOW_NUMBER, AT(cookie), -1, .shape = SHOW_RIGHT },
	{ "cgroup_id", SHOW_NUMBER, AT(cgroup_id), -1, .shape = SHOW_RIGHT },
	{ "lookup_us", SHOW_NUMBER, AT(lookup_us), -1, .shape = SHOW_RIGHT },
	{ "lookup_fds", SHOW_NUMBER, AT(lookup_fds), -1, .shape = SHOW_RIGHT },
	{ "offender", SHOW_NUMBER, AT(offender), .shape = SHOW_RIGHT },
	{ "packet_bytes", SHOW_NUMBER, AT(packet_bytes), -1, .shape = SHOW_RIGHT },
	{ "evidence", SHOW_MADE, .value = verdict_evidence, .text = evidence_text },
	{ "excerpt", SHOW_MADE, .shape = SHOW_EXTRA, .value = verdict_excerpt },
};

#define FIELDS_N (sizeof(fields) / sizeof(fields[0]))

const struct show_kind show_verdict_kind = { "egressd.verdict/1", fields + 1, FIELDS_N - 1 };
const struct show_kind show_replay_kind = { "egressd.verdict/1", fields, FIELDS_N };
