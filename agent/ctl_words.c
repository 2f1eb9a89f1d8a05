/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl help words: what each word of the output means; prints from the tables that the words
 * and their sentences have, knows none of them itself.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "note_text.h"
#include "show_page.h"

#define COLUMNS 79
#define INDENT	20

/* "  word              sentence", folded. */
static void print_word(const char *word, const char *sentence)
{
	unsigned at = INDENT;

	printf("  %-*s", INDENT - 2, word);
	while (*sentence) {
		size_t len = strcspn(sentence, " ");

		if (at > INDENT && at + len >= COLUMNS) {
			printf("\n%*s", INDENT, "");
			at = INDENT;
		}
		printf("%s%.*s", at > INDENT ? " " : "", (int)len, sentence);
		at += (unsigned)len + (at > INDENT);
		sentence += len + (sentence[len] == ' ');
	}
	printf("\n");
}

static const struct {
	const char *heading, *const *words;
	unsigned n;
	const char *(*explain)(const char *word);
} enums[] = {
	{ "verdict: what became of the attempt", verdict_words, VERDICT_N, show_explain_verdict },
	{ "reason: why", reason_words, REASON_N, show_explain_reason },
	{ "via: how egressd saw the packet", record_via_words, VIA_N, show_explain_via },
	{ "owner_how: what the process rests on", owner_how_words, OWNER_HOW_N, show_explain_how },
	{ "owner_why, script_why: why no process, or no script, is named", owner_why_words,
	  OWNER_WHY_N, show_explain_why },
	{ "script_from: how the script is known", owner_script_from_words, OWNER_SCRIPT_FROM_N,
	  show_explain_script },
	{ "site_from (site.from): how the site is known", note_site_from_words, SITE_FROM_N,
	  show_explain_site },
	{ "trigger.match: how sure the web request behind it is", note_match_words, MATCH_N,
	  note_explain_match },
	{ "object.why: why the program's file has no digest or no copy", note_object_why_words,
	  OBJECT_WHY_N, note_explain_object },
};

static const struct {
	const char *word, *sentence;
} terms[] = {
	{ "object",
	  "the program's file, where it is deleted, never was on a disk (memfd), or where "
	  "everybody may write to it or to a folder on the way to it: its sha256, size, and "
	  "whether a copy is kept" },
	{ "poses", "title or name of the process claim a well-known program, or a thread of the "
		   "kernel, that its file is not" },
	{ "uid", "the user who made the socket, as the packet says" },
	{ "charged_uid", "the user whose attempt it is: uid, else the socket's or process's" },
	{ "holders", "the processes that have the socket open, each with its user" },
	{ "caller", "the process that called connect(2) for the socket, as the kernel told" },
	{ "foreign_holder", "the socket is in the hands of another user's process than made it" },
	{ "count", "attempts that are folded into the row; its process, packet and request are "
		   "those of the first" },
	{ "folded", "repeats of one owner to one destination: counted in a row that is there "
		    "already (fold_s)" },
	{ "many_dst", "the row stands for attempts to many destinations; the first is shown" },
	{ "lost",
	  "detail of attempts that the kernel counted and nobody could record; none of them "
	  "got out" },
	{ "compat", "the queue's rule in the form for kernels without nft's own queue: no fault" },
	{ "works_in", "the web root that the program worked in at every attempt: a hint, since a "
		      "process chooses its folder" },
};

void ctl_words_enums(void)
{
	for (size_t i = 0; i < sizeof(enums) / sizeof(enums[0]); i++) {
		printf("\n%s\n", enums[i].heading);
		for (unsigned j = 0; j < enums[i].n; j++)
			print_word(enums[i].words[j], enums[i].explain(enums[i].words[j]));
		if (enums[i].words == note_site_from_words)
			print_word(SHOW_SITE_SCRIPT, show_explain_site(SHOW_SITE_SCRIPT));
	}
}

void ctl_words(void)
{
	printf("What the words in the output mean.\n");
	ctl_words_enums();
	printf("\nAnd these:\n");
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
		print_word(terms[i].word, terms[i].sentence);
}
