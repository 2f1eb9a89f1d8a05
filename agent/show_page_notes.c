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

/* Whose time it is: nginx writes when a request ended, Apache when it began (trigger.h); which of
 * them wrote a log is not on record. mod_status tells how long it has been at it. */
static void page_trigger_time(const struct page *page, const struct store_trigger *trigger)
{
	static const char page_name[] = "server-status";
	bool begun = trigger->log.len == (int)strlen(page_name) &&
		     !memcmp(trigger->log.bytes, page_name, strlen(page_name));
	char time_text[SHOW_TIME_BYTES];

	if (trigger->ts_ns <= 0)
		return;
	page_line(page, begun ? "begun" : "log time", "%s%s",
		  show_time(trigger->ts_ns, page->options->utc, 0, time_text),
		  begun ? "" : " (nginx: when the request ended; Apache: when it began)");
}

static void page_trigger(const struct page *page, const struct store_trigger *trigger)
{
	char *text = page_text(page, "trigger");

	page_line(page, "trigger", "%s", text ? text : "?");
	free(text);
	if (!strcmp(trigger->match, note_match_words[MATCH_NONE]))
		return;
	page_line(page, "that is", "%s", note_explain_match(trigger->match));
	page_trigger_time(page, trigger);
	if (trigger->status > 0)
		page_line(page, "answered", "%lld", (long long)trigger->status);
	if (trigger->log.len > 0) {
		text = escape_dup(trigger->log.bytes, (size_t)trigger->log.len);
		page_line(page, "in the log", "%s", text);
		free(text);
	}
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Those of the programs that the witness takes for ones of the web (witness_page.c). */
static bool is_web_program(const struct store_bytes *exe)
{
	static const char *const names[] = { "apache2", "httpd",     "php-fpm", "php-cgi", "lsphp",
					     "lsapi",	"litespeed", "uwsgi",	"fcgi" };
	char *path = show_printf("%.*s", exe->len > 0 ? exe->len : 0, exe->bytes ? exe->bytes : "");
	bool is_web = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_web |= !strncmp(base_name(path), names[i], strlen(names[i]));
	free(path);
	return is_web;
}

/* A refused program of the web, behind which there was a request. */
static bool is_refused_web(const struct store_verdict *verdict)
{
	const char *const from[] = { owner_script_from_words[OWNER_SCRIPT_ENVIRON],
				     owner_script_from_words[OWNER_SCRIPT_FPM_STATUS],
				     owner_script_from_words[OWNER_SCRIPT_TITLE] };

	if (!verdict->verdict || !strcmp(verdict->verdict, verdict_words[VERDICT_ALLOW]) ||
	    verdict->foreign_holder)
		return false;
	return verdict->request_uri.len > 0 || is_one_of(verdict->script_from, from, 3) ||
	       is_web_program(&verdict->exe);
}

/* What was learnt of it after the verdict; nothing when there is nothing to learn. */
void page_notes(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	const struct store_site site = show_site_of_verdict(verdict);
	bool awaited = !verdict->trigger.match && is_refused_web(verdict);

	if (!site.from && !verdict->trigger.match && !awaited)
		return;
	page_section(page, "Site");
	page_noted_site(page, &site);
	if (verdict->trigger.match)
		page_trigger(page, &verdict->trigger);
	else if (awaited)
		page_line(page, "trigger", "not known yet, or none was looked for");
}

/* The program's file: its digest, and where its copy lies. */
void page_object(const struct page *page)
{
	json_t *object = show_object_file(&page->verdict->object);
	const char *sha256 = json_string_value(json_object_get(object, "sha256"));
	bool copied = json_is_true(json_object_get(object, "copied"));
	char *size;

	if (!sha256 || !copied || !page->options->state_dir) {
		page_field_line(page, "object", "object", "");
	} else {
		size = note_size_text((uint64_t)page->verdict->object.bytes);
		page_line(page, "object", "sha256 %s, %s", sha256, size);
		page_line(page, "copy kept in", "%s/objects/%s", page->options->state_dir, sha256);
		free(size);
	}
	json_decref(object);
}

/* Is it a name that the process chose? Not that of its file, nor of the descriptor that it was
 * executed from: the kernel calls what runs /proc/self/fd/3 "3" (begin_new_exec(), fs/exec.c). */
static bool is_chosen(const char *name, const struct store_bytes *exe)
{
	char *path = show_printf("%.*s", exe->len > 0 ? exe->len : 0, exe->bytes ? exe->bytes : "");
	bool chosen = *name && strspn(name, "0123456789") != strlen(name) &&
		      strncmp(base_name(path), base_name(name), OWNER_COMM_BYTES - 1) != 0;

	free(path);
	return chosen;
}

/* What argv[0] and comm say, where that is no name of the program's. */
void page_poses(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	size_t len = verdict->cmdline.len > 0
			     ? strnlen(verdict->cmdline.bytes, (size_t)verdict->cmdline.len)
			     : 0;
	char *title, *comm;
	bool by_title, by_comm;

	if (!verdict->poses)
		return;
	title = len ? escape_dup(verdict->cmdline.bytes, len) : show_printf("%s", "");
	comm = page_text(page, "comm");
	by_title = is_chosen(title, &verdict->exe);
	by_comm = comm && is_chosen(comm, &verdict->exe) && strcmp(title, comm) != 0;
	page_line(page, "poses as", "%s%s%s: no name that its file ever had", by_title ? title : "",
		  by_title && by_comm ? ", " : "",
		  by_comm    ? comm
		  : by_title ? ""
			     : "a process without a name");
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
