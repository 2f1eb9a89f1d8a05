/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fits rows of clean text to the terminal and prints them with libsmartcols; knows no field's
 * meaning.
 */
#include "show_table.h"

#include <ctype.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define PATH_LEAST 32 /* a path is not cut below this while columns can be left out */
#define NAME_LEAST 10 /* nor a name below this */
#define CELL_MOST 256 /* nobody's choice of a name makes the others' rows wider, also in a pipe */
#define SHORT_TIME_BYTES 19 /* 2026-11-23 10:00:00 */

struct column {
	const struct show_field *field;
	bool out; /* left out */
	unsigned width;
};

struct show_table {
	struct column *columns;
	unsigned n;
	bool fixed;
	struct show_options options;
	char **cells; /* n in each row */
	size_t rows, room;
};

struct show_table *show_table_new(const struct show_field *const *fields, unsigned n, bool fixed,
				  const struct show_options *options)
{
	struct show_table *table = calloc(1, sizeof(*table));

	if (!table || !(table->columns = calloc(n ? n : 1, sizeof(*table->columns))))
		abort();
	table->n = n;
	table->fixed = fixed;
	table->options = *options;
	for (unsigned i = 0; i < n; i++)
		table->columns[i].field = fields[i];
	return table;
}

void show_table_free(struct show_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->rows * table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->columns);
	free(table);
}

void show_table_add(struct show_table *table, char **cells)
{
	if (table->rows == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cells = reallocarray(table->cells, table->room,
					    table->n * sizeof(*table->cells));
		if (!table->cells)
			abort();
	}
	memcpy(table->cells + table->rows * table->n, cells, table->n * sizeof(*cells));
	table->rows++;
}

/* One character from text: its bytes, and its columns in *width. */
static size_t next_character(const char *text, unsigned *width)
{
	wchar_t wide;
	mbstate_t state = { 0 };
	size_t bytes = mbrtowc(&wide, text, MB_CUR_MAX, &state);
	int columns;

	*width = 1;
	if (bytes == 0 || bytes == (size_t)-1 || bytes == (size_t)-2)
		return 1;
	columns = wcwidth(wide);
	*width = columns < 0 ? 1 : (unsigned)columns;
	return bytes;
}

unsigned show_width(const char *text)
{
	unsigned width = 0, one;

	while (*text) {
		text += next_character(text, &one);
		width += one;
	}
	return width;
}

char *show_cut_front(const char *text, unsigned width, bool ascii)
{
	unsigned has = show_width(text), one;

	if (has <= width)
		return show_printf("%s", text);
	while (*text && has > (width ? width - 1 : 0)) {
		text += next_character(text, &one);
		has -= one;
	}
	return show_printf("%s%s", ascii ? ">" : "…", text);
}

static bool is_cut(const struct column *column)
{
	return !column->out && column->field->shape & (SHOW_CUT | SHOW_NAME);
}

static unsigned least_width(const struct column *column)
{
	return column->field->shape & SHOW_NAME ? NAME_LEAST : PATH_LEAST;
}

static void measure(struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++) {
		struct column *column = &table->columns[c];

		column->width = table->options.header ? (unsigned)strlen(column->field->name) : 1;
		for (size_t row = 0; row < table->rows; row++) {
			const char *cell = table->cells[row * table->n + c];
			unsigned width = cell ? show_width(cell) : 1;

			if (width > column->width)
				column->width = width;
		}
		if (is_cut(column) && column->width > CELL_MOST)
			column->width = CELL_MOST;
	}
}

static unsigned table_width(const struct show_table *table)
{
	unsigned width = 0;

	for (unsigned c = 0; c < table->n; c++)
		if (!table->columns[c].out)
			width += table->columns[c].width + 1;
	return width ? width - 1 : 0;
}

/* 2026-11-23T10:00:00.123+01:00 -> 2026-11-23 10:00:00 */
static void shorten_times(struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++) {
		if (table->columns[c].field->type != SHOW_TIME)
			continue;
		for (size_t row = 0; row < table->rows; row++) {
			char *cell = table->cells[row * table->n + c];

			if (!cell || strlen(cell) < SHORT_TIME_BYTES)
				continue;
			cell[SHORT_TIME_BYTES] = '\0';
			cell[10] = ' ';
		}
	}
	measure(table);
}

/* How much narrower the paths could become. */
static unsigned slack(const struct show_table *table)
{
	unsigned sum = 0;

	for (unsigned c = 0; c < table->n; c++) {
		const struct column *column = &table->columns[c];

		if (is_cut(column) && column->width > least_width(column))
			sum += column->width - least_width(column);
	}
	return sum;
}

/* What was left out to make room for more than it needed comes back, what matters most first. */
static void take_back(struct show_table *table)
{
	for (unsigned keep = 2; keep < 16; keep++) {
		for (unsigned c = 0; c < table->n; c++) {
			struct column *column = &table->columns[c];

			if (!column->out || column->field->keep != keep)
				continue;
			column->out = false;
			if (table_width(table) > table->options.width + slack(table))
				column->out = true;
		}
	}
}

/* Leaves out the column that matters least; false when only the first ones are left. */
static bool leave_one_out(struct show_table *table)
{
	struct column *least = NULL;

	for (unsigned c = 0; c < table->n; c++) {
		struct column *column = &table->columns[c];

		if (!column->out && column->field->keep > 1 &&
		    (!least || column->field->keep > least->field->keep))
			least = column;
	}
	if (least)
		least->out = true;
	return least != NULL;
}

/* Takes a column away from the widest text until all fit, or none can give more. */
static void narrow(struct show_table *table)
{
	while (table_width(table) > table->options.width) {
		struct column *widest = NULL;

		for (unsigned c = 0; c < table->n; c++) {
			struct column *column = &table->columns[c];

			if (is_cut(column) && column->width > least_width(column) &&
			    (!widest || column->width > widest->width))
				widest = column;
		}
		if (!widest)
			break;
		widest->width--;
	}
}

static void cut_cells(struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++) {
		if (!is_cut(&table->columns[c]))
			continue;
		for (size_t row = 0; row < table->rows; row++) {
			char **cell = &table->cells[row * table->n + c], *cut;

			if (!*cell)
				continue;
			cut = show_cut_front(*cell, table->columns[c].width,
					     table->options.ascii);
			free(*cell);
			*cell = cut;
		}
	}
}

static void fit(struct show_table *table)
{
	unsigned width = table->options.width;

	measure(table);
	if (width && table_width(table) > width) {
		shorten_times(table);
		while (!table->fixed && table_width(table) > width + slack(table))
			if (!leave_one_out(table))
				break;
		take_back(table);
		narrow(table);
	}
	cut_cells(table);
}

static char *names_left_out(const struct show_table *table)
{
	char *names = NULL;

	for (unsigned c = 0; c < table->n; c++) {
		char *longer;

		if (!table->columns[c].out)
			continue;
		longer = show_printf("%s%s%s", names ? names : "", names ? ", " : "",
				     table->columns[c].field->name);
		free(names);
		names = longer;
	}
	return names;
}

static int add_columns(struct libscols_table *cols, const struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++) {
		const struct show_field *field = table->columns[c].field;
		char heading[64];
		size_t i;

		if (table->columns[c].out)
			continue;
		/* The library leaves room for a heading that it does not print. */
		for (i = 0; table->options.header && field->name[i] &&
			    i < sizeof(heading) - 1; i++)
			heading[i] = (char)toupper((unsigned char)field->name[i]);
		heading[i] = '\0';
		if (!scols_table_new_column(cols, heading, 0,
					    field->shape & SHOW_RIGHT ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	}
	return 0;
}

static int add_lines(struct libscols_table *cols, const struct show_table *table)
{
	for (size_t row = 0; row < table->rows; row++) {
		struct libscols_line *line = scols_table_new_line(cols, NULL);
		size_t at = 0;

		if (!line)
			return -ENOMEM;
		for (unsigned c = 0; c < table->n; c++) {
			const char *cell = table->cells[row * table->n + c];

			if (!table->columns[c].out &&
			    scols_line_set_data(line, at++, cell ? cell : "-"))
				return -ENOMEM;
		}
	}
	return 0;
}

int show_table_print(struct show_table *table, FILE *out, char **left_out)
{
	struct libscols_table *cols = scols_new_table();
	int error = -ENOMEM;

	*left_out = NULL;
	if (!cols)
		return -ENOMEM;
	fit(table);
	/* The cells are clean already; the library would escape the escapes. */
	scols_table_enable_noencoding(cols, 1);
	scols_table_enable_noheadings(cols, !table->options.header);
	scols_table_set_termforce(cols, SCOLS_TERMFORCE_NEVER);
	scols_table_set_stream(cols, out);
	if (add_columns(cols, table) || add_lines(cols, table))
		goto out;
	errno = 0;
	if (table->rows && scols_print_table(cols))
		error = errno ? -errno : -EIO;
	else
		error = ferror(out) ? -EIO : 0;
	*left_out = names_left_out(table);
out:
	scols_unref_table(cols);
	return error;
}
