/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the page's files share: show_page.c lays it out, show_page_notes.c has some of its parts. */
#ifndef AGENT_SHOW_PAGE_INTERNAL_H
#define AGENT_SHOW_PAGE_INTERNAL_H

#include "show_page.h"

struct page {
	FILE *out;
	const struct show_options *options;
	const struct store_verdict *verdict;
};

void page_section(const struct page *page, const char *title);
/* Cleans again: part of the text is words of the store, and the rest bears it. */
void page_line(const struct page *page, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The field's text by its name in show_verdict_kind; NULL when not known. malloc'd. */
char *page_text(const struct page *page, const char *name);
/* A line when the field is known. */
bool page_field_line(const struct page *page, const char *label, const char *name,
		     const char *after);

/* Nothing when nobody noted it. */
void page_notes(const struct page *page);
void page_poses(const struct page *page);
void page_object(const struct page *page);
void page_caller(const struct page *page);

#endif
