/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a note says, in words: for the page and the journal, so that they read the same. The texts
 * that go in are escaped already (escape.h), NULL or empty where not known. malloc'd; they abort
 * when memory is gone.
 */
#ifndef AGENT_NOTE_TEXT_H
#define AGENT_NOTE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct note_request {	   /* a trigger's */
	const char *match; /* word of note_match_words[] */
	int64_t n;
	const char *method, *uri, *client, *vhost, *log;
};

/* "probable trigger: POST /x.php from 203.0.113.9 (shop.example, access log)" */
char *note_trigger_text(const struct note_request *request);
/* "sha256 ab…, 1.2 MiB, copy kept in objects/ by that name"; sha256: in hex. */
char *note_object_text(const char *why, const char *sha256, int64_t bytes, bool copied);
/* "1234 bytes", "1.2 MiB" */
char *note_size_text(uint64_t bytes);

/* Sentences for the words; the word itself when it has none. */
const char *note_explain_site(const char *word);
const char *note_explain_match(const char *word);
const char *note_explain_object(const char *word);

#endif
