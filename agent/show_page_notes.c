/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page's parts that came with sites, triggers and programs that hide: what was learnt after the
 * verdict, what the process poses as, who called connect.
 */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "note_text.h"
#include "show_page_internal.h"

static void json_note_line(const struct page *page, const char *label, const json_t *object,
			   const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		page_line(page, label, "%s", text);
}

static void page_noted_site(const struct page *page, const struct store_site *site)
{
	json_t *object = show_site(site);
	char *text;

	if (json_is_object(object)) {
		text = show_site_text(object);
		page_line(page, "site", "%s: %s", text, show_explain_site(site->from));
		free(text);
		json_note_line(page, "account", object, "account");
		if (site->vhost.len > 0) /* else the root is what stands for the name */
			json_note_line(page, "root", object, "root");
		json_note_line(page, "said by", object, "source");
	}
	json_decref(object);
}

/* What was learnt of it after the verdict; nothing when nobody noted it. */
void page_notes(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	const struct store_site site = show_site_of_verdict(verdict);
	const struct store_trigger *trigger = &verdict->trigger;
	char time_text[SHOW_TIME_BYTES], *text;

	if (!site.from && !trigger->match)
		return;
	page_section(page, "Site");
	page_noted_site(page, &site);
	if (!trigger->match)
		return;
	text = page_text(page, "trigger");
	page_line(page, "trigger", "%s", text ? text : "?");
	free(text);
	if (!strcmp(trigger->match, note_match_words[MATCH_NONE]))
		return;
	page_line(page, "that is", "%s", note_explain_match(trigger->match));
	if (trigger->ts_ns > 0 || trigger->status > 0)
		page_line(page, "request", "%s%s%.0lld%s",
			  trigger->ts_ns > 0
				  ? show_time(trigger->ts_ns, page->options->utc, 3, time_text)
				  : "",
			  trigger->status > 0 ? trigger->ts_ns > 0 ? ", answered " : "answered "
					      : "",
			  (long long)trigger->status, "");
	if (trigger->log.len > 0) {
		text = escape_dup(trigger->log.bytes, (size_t)trigger->log.len);
		page_line(page, "in the log", "%s", text);
		free(text);
	}
}

/* What argv[0] and comm say, where that is no name of the program's. */
void page_poses(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	size_t len = verdict->cmdline.len > 0
			     ? strnlen(verdict->cmdline.bytes, (size_t)verdict->cmdline.len)
			     : 0;
	char *title, *comm;

	if (!verdict->poses)
		return;
	title = len ? escape_dup(verdict->cmdline.bytes, len) : NULL;
	comm = page_text(page, "comm");
	page_line(page, "poses as", "%s%s%s%s: no name that its file ever had", title ? title : "",
		  title && comm ? ", " : "", comm ? comm : "", title || comm ? "" : "?");
	free(title);
	free(comm);
}

/* Who called connect, where that is another than the process that is named. */
void page_caller(const struct page *page)
{
	const struct show_field *field = show_field_by_name(&show_verdict_kind, "caller", 6);
	json_t *caller = show_field_value(field, page->verdict, page->options);
	json_int_t pid = json_integer_value(json_object_get(caller, "pid"));

	if (pid > 0 && pid != page->verdict->pid)
		page_field_line(page, "connect by", "caller", ", as the kernel saw");
	json_decref(caller);
}
