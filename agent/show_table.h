/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of text as a table (libsmartcols), fitted to the terminal. In this order, as far as there
 * is need: columns that say nothing in any row go, times lose their fraction and today's their
 * date, the columns that matter less than a whole program name go, times of other days lose their
 * clock, the program's name is wrapped, and in the end all other columns but the first go.
 * Without a terminal's width nothing is shortened, but texts of more than 256 columns.
 */
#ifndef AGENT_SHOW_TABLE_H
#define AGENT_SHOW_TABLE_H

#include <stdio.h>

#include "show.h"

struct show_table;

/* fields: kept, not owned. fixed: the columns were chosen by name, none is left out. */
struct show_table *show_table_new(const struct show_field *const *fields, unsigned n, bool fixed,
				  const struct show_options *options);
void show_table_free(struct show_table *table); /* takes NULL */
/* cells: one for each field, malloc'd, clean, NULL: not known; the table takes them. */
void show_table_add(struct show_table *table, char **cells);
/* 0, or -errno of the stream. *left_out: names of the columns left out, "site, unit", malloc'd, or
 * NULL. */
int show_table_print(struct show_table *table, FILE *out, char **left_out);

/* Columns that text takes on a terminal. */
unsigned show_width(const char *text);
/* Cuts the beginning of text so that it takes `width` columns, "…" in its place (">" when ascii).
 * malloc'd. */
char *show_cut_front(const char *text, unsigned width, bool ascii);
/* Breaks text into lines of at most `width` columns with newlines, after a slash where there is
 * one. malloc'd. */
char *show_wrap(const char *text, unsigned width);

#endif
