/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One verdict as a page for people: what was decided and why, who asked, by which script and
 * process, to where, and the packet. What is not known is said with its reason, never left out
 * silently.
 */
#ifndef AGENT_SHOW_PAGE_H
#define AGENT_SHOW_PAGE_H

#include <stdio.h>

#include "show.h"

/* 0 or -errno of the stream. */
int show_offender_page(const struct store_offender *offender, const struct show_options *options,
		       FILE *out);
int show_page(const struct store_verdict *verdict, const struct show_options *options, FILE *out);

/* Sentences for the words of the vocabulary; the word itself when it has none. */
const char *show_explain_reason(const char *word);
const char *show_explain_verdict(const char *word);
const char *show_explain_how(const char *word);
const char *show_explain_why(const char *word);
const char *show_explain_script(const char *word);
/* Why there is none, for a program that came without a file; NULL for the other words. */
const char *show_explain_no_script(const char *word);
const char *show_explain_via(const char *word);

#endif
