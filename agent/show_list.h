/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of rows written as table, JSON (one array), JSON lines or CSV (RFC 4180).
 *
 * CSV: rows end with LF alone, as psql's and sqlite3's do on Unix, so that a shell that splits at
 * commas gets no CR; a text cell that a spreadsheet would take for a formula (it begins
 * with = + - @) gets an apostrophe before it. What is not known is an empty cell. Only the table
 * waits for all rows; the other three are written row by row.
 */
#ifndef AGENT_SHOW_LIST_H
#define AGENT_SHOW_LIST_H

#include <stdio.h>

#include "show.h"

enum show_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV, FORMAT_N };
extern const char *const show_format_words[FORMAT_N];

struct show_list;

/* columns: "a,b,c" or NULL for the usual ones. 0, or -EINVAL for a column that does not exist,
 * named in *bad (malloc'd; an empty name is ""). */
int show_list_new(struct show_list **list, const struct show_kind *kind, enum show_format format,
		  const char *columns, const struct show_options *options, FILE *out, char **bad);
/* 0, or -errno of the stream. */
int show_list_row(struct show_list *list, const void *row);
/* Writes what is left. *left_out as show_table_print(). */
int show_list_end(struct show_list *list, char **left_out);
void show_list_free(struct show_list *list); /* takes NULL */

/* One value, pretty printed (or compact) and a newline. 0 or -errno. */
int show_json_write(const json_t *value, bool compact, bool ascii, FILE *out);

#endif
