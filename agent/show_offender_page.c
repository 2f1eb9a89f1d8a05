/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lays out one offender for a person to read: which site it is, what it did, which requests were
 * behind it; opens no file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "note_text.h"
#include "show_page.h"

struct page {
	FILE *out;
	const struct show_options *options;
	const struct show_offender *row;
};

/* Takes text (malloc'd; NULL: no line). */
static void line(const struct page *page, const char *label, char *text)
{
	char *clean = text ? show_clean(text) : NULL;
	char *shown = clean && page->options->ascii ? show_ascii(clean) : NULL;

	if (text)
		fprintf(page->out, "  %-14s%s\n", label, shown ? shown : clean);
	free(shown);
	free(clean);
	free(text);
}

static char *text_of(const struct page *page, const char *name)
{
	const struct show_field *field =
		show_field_by_name(&show_offender_kind, name, strlen(name));
	json_t *value = show_field_value(field, page->row, page->options);
	char *text = show_field_text(field, value);

	json_decref(value);
	return text;
}

static void page_site(const struct page *page)
{
	char *site = text_of(page, "site"), *from = text_of(page, "site_from");
	bool is_folder = from && !strcmp(from, SHOW_SITE_SCRIPT); /* then it is the root, too */

	fprintf(page->out, "\nSite\n");
	if (site && from)
		line(page, "site", show_printf("%s (%s): %s", site, from, show_explain_site(from)));
	else
		line(page, "site", show_printf("not known"));
	free(site);
	free(from);
	line(page, "account", text_of(page, "account"));
	if (!is_folder)
		line(page, "root", text_of(page, "site_root"));
	line(page, "said by", text_of(page, "site_source"));
	line(page, "works in", text_of(page, "works_in"));
}

static char *one_trigger(const json_t *group)
{
	const struct note_request request = {
		.match = json_string_value(json_object_get(group, "match")),
		.n = json_integer_value(json_object_get(group, "n")),
		.method = json_string_value(json_object_get(group, "method")),
		.uri = json_string_value(json_object_get(group, "uri")),
		.client = json_string_value(json_object_get(group, "client")),
	};

	return note_trigger_text(&request);
}

static void page_triggers(const struct page *page)
{
	const struct show_field *field = show_field_by_name(&show_offender_kind, "triggers", 8);
	json_t *groups = show_field_value(field, page->row, page->options), *group;
	int64_t all = page->row->offender.triggers, shown = 0;
	char label[24];
	size_t index;

	if (all > 0)
		fprintf(page->out, "\nWeb requests behind it\n");
	json_array_foreach(groups, index, group)
	{
		json_int_t count = json_integer_value(json_object_get(group, "count"));

		shown += count;
		snprintf(label, sizeof(label), "%lld times", (long long)count);
		line(page, count == 1 ? "once" : label, one_trigger(group));
	}
	if (all > shown)
		line(page, "others",
		     show_printf("%lld, not kept one by one", (long long)(all - shown)));
	json_decref(groups);
}

static void page_attempts(const struct page *page)
{
	const struct store_offender *offender = &page->row->offender;
	char first[SHOW_TIME_BYTES], last[SHOW_TIME_BYTES];
	bool utc = page->options->utc;

	fprintf(page->out, "\nAttempts\n");
	line(page, "attempts",
	     show_printf("%lld, the last verdict: %s", (long long)offender->attempts,
			 offender->verdict));
	line(page, "destinations",
	     show_printf("%s%lld, in %lld network%s",
			 offender->destinations_capped ? "at least " : "",
			 (long long)offender->destinations, (long long)offender->networks,
			 offender->networks == 1 ? "" : "s"));
	line(page, "ports", text_of(page, "ports"));
	line(page, "first seen", show_printf("%s", show_time(offender->first_ns, utc, 3, first)));
	line(page, "last seen", show_printf("%s", show_time(offender->last_ns, utc, 3, last)));
	line(page, "packets kept", show_printf("%lld", (long long)offender->evidence));
	if (offender->last_id > 0)
		line(page, "newest",
		     show_printf("verdict %lld (egressctl show %lld)", (long long)offender->last_id,
				 (long long)offender->last_id));
	line(page, "all",
	     show_printf("egressctl list-verdicts --offender %lld", (long long)offender->id));
}

int show_offender_page(const struct store_offender *offender, const struct show_options *options,
		       FILE *out)
{
	const struct show_offender row = { .rank = 0, .offender = *offender };
	const struct page page = { out, options, &row };
	char *who, *program;

	errno = 0;
	fprintf(out, "Offender %lld\n", (long long)offender->id);
	who = text_of(&page, "who");
	program = text_of(&page, "program");
	line(&page, "user",
	     who && offender->has_uid && offender->user.len > 0
		     ? show_printf("%s (uid %lld)", who, (long long)offender->uid)
		     : show_printf("%s", who ? who : "not known"));
	line(&page, "program", show_printf("%s", program ? program : "not known"));
	line(&page, "unit", text_of(&page, "unit"));
	free(who);
	free(program);
	page_site(&page);
	page_triggers(&page);
	page_attempts(&page);
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}
