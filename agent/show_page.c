/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lays out one verdict for a person to read; opens no file.
 */
#include "show_page_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "site.h"

#define LABEL_COLUMNS 14

void page_section(const struct page *page, const char *title)
{
	fprintf(page->out, "\n%s\n", title);
}

void page_line(const struct page *page, const char *label, const char *format, ...)
{
	va_list list;
	char *text, *clean;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	clean = page->options->ascii ? NULL : show_clean(text);
	if (!clean) {
		char *first = show_clean(text);

		clean = show_ascii(first);
		free(first);
	}
	fprintf(page->out, "  %-*s%s\n", LABEL_COLUMNS, label, clean);
	free(clean);
	free(text);
}

char *page_text(const struct page *page, const char *name)
{
	const struct show_field *field = show_field_by_name(&show_verdict_kind, name, strlen(name));
	json_t *value = show_field_value(field, page->verdict, page->options);
	char *text = show_field_text(field, value);

	json_decref(value);
	if (text && !*text) {
		free(text);
		text = NULL;
	}
	return text;
}

bool page_field_line(const struct page *page, const char *label, const char *name,
		     const char *after)
{
	char *text = page_text(page, name);

	if (text)
		page_line(page, label, "%s%s", text, after);
	free(text);
	return text != NULL;
}

static bool is_known_word(const char *word)
{
	return word && *word && strcmp(word, "none") != 0;
}

static void page_verdict(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	char time_text[SHOW_TIME_BYTES];
	bool utc = page->options->utc;
	char *head = show_printf("Verdict %lld: %s, because %s", (long long)verdict->id,
				 verdict->verdict ? verdict->verdict : "?",
				 show_explain_reason(verdict->reason));
	char *clean = show_clean(head);

	fprintf(page->out, "%s\n", clean);
	free(clean);
	free(head);
	if (verdict->foreign_holder && verdict->reason &&
	    strcmp(verdict->reason, reason_words[REASON_MAIL_SERVER]) == 0)
		page_line(page, "ALARM",
			  "the mail server made this socket, another program holds it");
	else if (verdict->foreign_holder)
		page_line(page, "note", "another user's program holds this socket than made it");
	page_line(page, "rule", "%s (%s), mode %s", verdict->rule ? verdict->rule : "?",
		  verdict->reason ? verdict->reason : "?", verdict->mode ? verdict->mode : "?");
	if (verdict->flow_error && *verdict->flow_error && strcmp(verdict->flow_error, "ok") != 0)
		page_line(page, "packet is", "%s", verdict->flow_error);
	page_line(page, verdict->count > 1 ? "seen first" : "seen", "%s",
		  show_time(verdict->first_ns, utc, 3, time_text));
	if (verdict->count > 1) {
		page_line(page, "seen last", "%s", show_time(verdict->last_ns, utc, 3, time_text));
		page_line(page, "attempts",
			  "%lld, folded into this one row%s; all below is of the first",
			  (long long)verdict->count,
			  verdict->many_dst ? ", to many destinations" : "");
	}
	page_line(page, "seen through", "%s: %s", verdict->via ? verdict->via : "?",
		  show_explain_via(verdict->via));
}

/* A container or another host is known by where its packet came from, if by nothing else. */
static void page_indev(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	char *device = page_text(page, "indev"), *from;

	if (!device)
		return;
	from = show_endpoint(verdict->family, &verdict->src, -1);
	page_line(page, verdict->container.len > 0 ? "came in by" : "container", "%s%s%s%s",
		  verdict->container.len > 0 ? "" : "or other host, known by its address only: ",
		  verdict->container.len > 0 ? "" : from, verdict->container.len > 0 ? "" : " by ",
		  device);
	free(from);
	free(device);
}

static void page_who(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	char *user = page_text(page, "user");

	page_section(page, "Who");
	if (verdict->has_uid)
		page_line(page, "user", "%s%suid %lld, gid %lld%s", user ? user : "",
			  user ? " (" : "", (long long)verdict->uid, (long long)verdict->gid,
			  user ? ")" : "");
	else if (verdict->has_charged_uid)
		page_line(page, "user",
			  "%s%suid %lld%s, from the socket or process: the packet names "
			  "none",
			  user ? user : "", user ? " (" : "", (long long)verdict->charged_uid,
			  user ? ")" : "");
	else
		page_line(page, "user", "not known");
	free(user);
	if (verdict->socket_uid >= 0 && verdict->has_uid && verdict->socket_uid != verdict->uid)
		page_line(page, "socket's uid", "%lld: not the one who made it",
			  (long long)verdict->socket_uid);
	if (verdict->pid && verdict->ruid >= 0 &&
	    ((verdict->has_uid && verdict->ruid != verdict->uid) ||
	     (verdict->euid >= 0 && verdict->euid != verdict->ruid)))
		page_line(page, "process's uid", "real %lld, effective %lld",
			  (long long)verdict->ruid, (long long)verdict->euid);
	if (verdict->login_uid >= 0)
		page_line(page, "logged in as", "uid %lld", (long long)verdict->login_uid);
	page_field_line(page, "unit", "unit", "");
	page_field_line(page, "container", "container", "");
	page_indev(page);
	if (verdict->offender > 0)
		page_line(page, "offender", "%lld (egressctl list-verdicts --offender %lld)",
			  (long long)verdict->offender, (long long)verdict->offender);
}

static void page_request(const struct page *page)
{
	char *method = page_text(page, "request");
	json_t *request;
	const char *text;

	if (!method)
		return;
	free(method);
	request = show_field_value(show_field_by_name(&show_verdict_kind, "request", 7),
				   page->verdict, page->options);
	text = json_string_value(json_object_get(request, "uri"));
	if (text) {
		const char *verb = json_string_value(json_object_get(request, "method"));

		page_line(page, "request", "%s%s%s", verb ? verb : "", verb ? " " : "", text);
	}
	text = json_string_value(json_object_get(request, "host"));
	if (text)
		page_line(page, "site asked", "%s", text);
	text = json_string_value(json_object_get(request, "client"));
	if (text)
		page_line(page, "asked by", "%s", text);
	json_decref(request);
}

/* The folder of a web root that it works in (php-fpm goes to its script's): it could go elsewhere.
 */
static void page_site(const struct page *page)
{
	const struct store_bytes *cwd = &page->verdict->cwd;
	char *folder =
		show_printf("%.*s", cwd->len > 0 ? cwd->len : 0, cwd->len > 0 ? cwd->bytes : "");
	size_t len = site_of_folder(folder);
	char *site = len ? escape_dup(folder, len) : NULL;

	if (site)
		page_line(page, "works in", "%s (the process chooses its folder: a hint, no proof)",
			  site);
	free(site);
	free(folder);
}

static void page_script(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	bool known = verdict->script.len > 0;
	const char *none = known ? NULL : show_explain_no_script(verdict->script_from);

	if (!known && !is_known_word(verdict->script_from) && !is_known_word(verdict->script_why))
		return;
	page_section(page, "Script");
	page_field_line(page, "script", "script",
			verdict->cut & OWNER_CUT_SCRIPT ? " (its path was longer)" : "");
	if (none)
		page_line(page, "script", "none: %s", none);
	else if (!known)
		page_line(page, "script", "not known%s%s",
			  is_known_word(verdict->script_why) ? ": " : "",
			  is_known_word(verdict->script_why) ? show_explain_why(verdict->script_why)
							     : "");
	if (!none && is_known_word(verdict->script_from))
		page_line(page, "known from", "%s", show_explain_script(verdict->script_from));
	if (!known)
		page_site(page);
	page_request(page);
}

/* `in-flight` and the like are their own reason: said once. */
static void say_how(const struct page *page, const struct store_verdict *verdict)
{
	const char *how = show_explain_how(verdict->owner_how);
	const char *why =
		is_known_word(verdict->owner_why) ? show_explain_why(verdict->owner_why) : how;
	bool same = strcmp(how, why) == 0;
	const char *word = verdict->owner_how && *verdict->owner_how ? verdict->owner_how : NULL;

	page_line(page, "found how", "%s%s%s%s%s", word ? word : "", word ? ": " : "", how,
		  same ? "" : ": ", same ? "" : why);
}

static void page_process(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	char time_text[SHOW_TIME_BYTES];
	char *comm = page_text(page, "comm");

	page_section(page, "Process");
	if (verdict->pid > 0)
		page_line(page, verdict->count > 1 ? "first by pid" : "pid", "%lld%s%s%s%s%s",
			  (long long)verdict->pid, comm ? " (" : "", comm ? comm : "",
			  comm ? ")" : "", verdict->start_ns > 0 ? ", started " : "",
			  verdict->start_ns > 0
				  ? show_time(verdict->start_ns, page->options->utc, 3, time_text)
				  : "");
	free(comm);
	page_field_line(page, "program", "exe",
			verdict->exe_memfd     ? " (never was a file: memfd)"
			: verdict->exe_deleted ? " (its file was deleted)"
					       : "");
	page_poses(page);
	page_object(page);
	page_field_line(page, "command", "cmdline",
			verdict->cut & OWNER_CUT_CMDLINE ? " (it was longer)" : "");
	page_field_line(page, "in folder", "cwd", "");
	page_field_line(page, "started by", "parents",
			verdict->cut & OWNER_CUT_PARENTS ? " < more" : "");
	if (verdict->n_holders > 1) {
		char *holders = page_text(page, "holders");

		page_line(page, "held by", "%lld: %s%s", (long long)verdict->n_holders,
			  holders ? holders : "?",
			  verdict->cut & OWNER_CUT_HOLDERS ? " and more" : "");
		free(holders);
		if (verdict->has_uid)
			page_line(page, "made by", "uid %lld, the socket", (long long)verdict->uid);
	}
	page_caller(page);
	say_how(page, verdict);
}

static void page_connection(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;
	char *from = show_endpoint(verdict->family, &verdict->src, verdict->sport);
	char *to = show_endpoint(verdict->family, &verdict->dst, verdict->dport);

	page_section(page, "Connection");
	page_line(page, "from", "%s", from);
	page_line(page, "to", "%s", to);
	free(from);
	free(to);
}

static void page_bytes(const struct page *page)
{
	const unsigned char *bytes = (const unsigned char *)page->verdict->excerpt.bytes;
	int len = page->verdict->excerpt.len;

	for (int at = 0; at < len; at += 16) {
		fprintf(page->out, "  %04x ", (unsigned)at);
		for (int i = at; i < at + 16; i++) {
			if (i % 16 == 8)
				fputc(' ', page->out);
			if (i < len)
				fprintf(page->out, " %02x", bytes[i]);
			else
				fputs("   ", page->out);
		}
		fputs("  ", page->out);
		for (int i = at; i < at + 16 && i < len; i++)
			fputc(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.', page->out);
		fputc('\n', page->out);
	}
}

static void page_evidence(const struct page *page)
{
	const struct store_verdict *verdict = page->verdict;

	page_section(page, "Evidence");
	if (verdict->evidence_file && *verdict->evidence_file)
		page_line(page, "kept in", "%s%s%s, at byte %lld",
			  page->options->state_dir ? page->options->state_dir : "",
			  page->options->state_dir ? "/evidence/" : "", verdict->evidence_file,
			  (long long)verdict->evidence_offset);
	else
		page_line(page, "kept in", "no file (quota, or switched off)");
	page_line(page, "packet", "%lld bytes%s", (long long)verdict->packet_bytes,
		  verdict->excerpt.len <= 0			 ? ", none kept"
		  : verdict->excerpt.len < verdict->packet_bytes ? ", its first ones:"
								 : ":");
	page_bytes(page);
}

int show_page(const struct store_verdict *verdict, const struct show_options *options, FILE *out)
{
	struct page page = { out, options, verdict };

	errno = 0;
	page_verdict(&page);
	page_who(&page);
	page_script(&page);
	page_notes(&page);
	page_process(&page);
	page_connection(&page);
	page_evidence(&page);
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}
