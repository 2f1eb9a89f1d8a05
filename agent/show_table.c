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

#define PATH_LEAST	 32 /* a path is not cut below this while columns can be left out */
#define WRAP_LEAST	 20 /* nor wrapped below this */
#define NAME_LEAST	 10 /* nor a name below this */
#define NAME_USUAL	 16 /* what a longer name is cut to first */
#define CELL_MOST	 256 /* nobody's choice of a name makes the others' rows wider, also in a pipe */
#define SHORT_TIME_BYTES 19 /* 2026-11-23 10:00:00 */
#define DATE_BYTES	 10
#define KEEP_LONGER	 5 /* fields kept below this go after texts were wrapped */
#define KEEP_MOST	 16

struct column {
	const struct show_field *field;
	bool out;  /* left out */
	bool dull; /* because it says nothing */
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
		table->cells =
			reallocarray(table->cells, table->room, table->n * sizeof(*table->cells));
		if (!table->cells)
			abort();
	}
	memcpy(table->cells + table->rows * table->n, cells, table->n * sizeof(*cells));
	table->rows++;
}

static bool has_shape(const struct column *column, unsigned shape)
{
	return !column->out && column->field->shape & shape;
}

static unsigned least_width(const struct column *column)
{
	if (column->field->shape & SHOW_WRAP)
		return WRAP_LEAST;
	return column->field->shape & SHOW_NAME ? NAME_LEAST : PATH_LEAST;
}

/* One long path among the rows must not take the others' columns: above two fifths of the terminal
 * a text is wrapped before a column goes. */
static unsigned most_width(const struct show_table *table, const struct column *column)
{
	unsigned most = table->options.width * 2 / 5;

	if (!most || !(column->field->shape & SHOW_WRAP))
		return CELL_MOST;
	return most < PATH_LEAST ? PATH_LEAST : most > CELL_MOST ? CELL_MOST : most;
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
		if (has_shape(column, SHOW_CUT | SHOW_NAME | SHOW_WRAP) &&
		    column->width > most_width(table, column))
			column->width = most_width(table, column);
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

/* 2026-11-23T10:00:00.123+01:00 -> 10:00:00 of today, else 2026-11-23 10:00:00, or no clock. */
static void shorten_time(char *cell, const char *today, bool date_only)
{
	if (strlen(cell) < SHORT_TIME_BYTES)
		return;
	cell[SHORT_TIME_BYTES] = '\0';
	cell[DATE_BYTES] = ' ';
	if (!strncmp(cell, today, DATE_BYTES))
		memmove(cell, cell + DATE_BYTES + 1, SHORT_TIME_BYTES - DATE_BYTES);
	else if (date_only)
		cell[DATE_BYTES] = '\0';
}

static void shorten_times(struct show_table *table, bool date_only)
{
	char today[SHOW_TIME_BYTES] = "";

	if (table->options.now_ns > 0)
		show_time(table->options.now_ns, table->options.utc, 0, today);
	for (unsigned c = 0; c < table->n; c++)
		for (size_t row = 0; row < table->rows; row++)
			if (table->columns[c].field->type == SHOW_TIME &&
			    table->cells[row * table->n + c])
				shorten_time(table->cells[row * table->n + c], today, date_only);
	measure(table);
}

/* How much narrower the columns of this shape could become. */
static unsigned slack(const struct show_table *table, unsigned shape)
{
	unsigned sum = 0;

	for (unsigned c = 0; c < table->n; c++) {
		const struct column *column = &table->columns[c];

		if (has_shape(column, shape) && column->width > least_width(column))
			sum += column->width - least_width(column);
	}
	return sum;
}

/* Columns that go before a text is wrapped want room for it; what stays longer does not. */
static bool has_room(const struct show_table *table, unsigned keep)
{
	unsigned shape = SHOW_CUT | SHOW_NAME | (keep < KEEP_LONGER ? SHOW_WRAP : 0);

	return table_width(table) <= table->options.width + slack(table, shape);
}

static bool says_nothing(const struct show_table *table, unsigned c)
{
	bool ones = table->columns[c].field->shape & SHOW_ONES;

	for (size_t row = 0; row < table->rows; row++) {
		const char *cell = table->cells[row * table->n + c];

		if (cell && !(ones && !strcmp(cell, "1")))
			return false;
	}
	return table->columns[c].field->keep > 1;
}

static void leave_dull_out(struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++)
		if (says_nothing(table, c))
			table->columns[c].out = table->columns[c].dull = true;
}

/* What was left out to make room for more than it needed comes back, what matters most first. */
static void take_back(struct show_table *table)
{
	for (unsigned keep = 2; keep < KEEP_MOST; keep++) {
		for (unsigned c = 0; c < table->n; c++) {
			struct column *column = &table->columns[c];

			if (!column->out || column->dull || column->field->keep != keep)
				continue;
			column->out = false;
			column->out = !has_room(table, keep);
		}
	}
}

/* Leaves out what matters least until the rest has room; nothing that matters more than keep. */
static void leave_out(struct show_table *table, unsigned keep)
{
	while (!has_room(table, keep)) {
		struct column *least = NULL;

		for (unsigned c = 0; c < table->n; c++) {
			struct column *column = &table->columns[c];

			if (!column->out && column->field->keep >= keep &&
			    (!least || column->field->keep > least->field->keep))
				least = column;
		}
		if (!least)
			return;
		least->out = true;
	}
}

/* Takes a column away from the widest text until all fit, or none can give more. */
static void narrow_to(struct show_table *table, unsigned shape, unsigned least)
{
	while (table_width(table) > table->options.width) {
		struct column *widest = NULL;

		for (unsigned c = 0; c < table->n; c++) {
			struct column *column = &table->columns[c];

			if (has_shape(column, shape) && column->width > least &&
			    column->width > least_width(column) &&
			    (!widest || column->width > widest->width))
				widest = column;
		}
		if (!widest)
			break;
		widest->width--;
	}
}

/* Long names first: somebody's choice of one must not break the others' paths. */
static void narrow(struct show_table *table)
{
	narrow_to(table, SHOW_NAME, NAME_USUAL);
	narrow_to(table, SHOW_CUT | SHOW_WRAP, 0);
	narrow_to(table, SHOW_NAME, 0);
}

/* A text that wraps is cut only where nobody's path is that long. */
static char *fit_cell(const struct show_table *table, const struct column *column, const char *cell)
{
	char *cut, *wrapped;

	if (!(column->field->shape & SHOW_WRAP))
		return show_cut_front(cell, column->width, table->options.ascii);
	cut = show_cut_front(cell, CELL_MOST, table->options.ascii);
	if (!table->options.width)
		return cut;
	wrapped = show_wrap(cut, column->width);
	free(cut);
	return wrapped;
}

static void fit_cells(struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++) {
		if (!has_shape(&table->columns[c], SHOW_CUT | SHOW_NAME | SHOW_WRAP))
			continue;
		for (size_t row = 0; row < table->rows; row++) {
			char **cell = &table->cells[row * table->n + c], *fitted;

			if (!*cell)
				continue;
			fitted = fit_cell(table, &table->columns[c], *cell);
			free(*cell);
			*cell = fitted;
		}
	}
}

static void fit(struct show_table *table)
{
	unsigned width = table->options.width;

	measure(table);
	if (width && table_width(table) > width && !table->fixed)
		leave_dull_out(table);
	if (width && table_width(table) > width)
		shorten_times(table, false);
	if (width && !table->fixed) {
		leave_out(table, KEEP_LONGER);
		if (!has_room(table, KEEP_LONGER))
			shorten_times(table, true);
		leave_out(table, 2);
		take_back(table);
	}
	if (width)
		narrow(table);
	fit_cells(table);
}

static char *names_left_out(const struct show_table *table)
{
	char *names = NULL;

	for (unsigned c = 0; c < table->n; c++) {
		char *longer;

		if (!table->columns[c].out || table->columns[c].dull)
			continue;
		longer = show_printf("%s%s%s", names ? names : "", names ? ", " : "",
				     table->columns[c].field->name);
		free(names);
		names = longer;
	}
	return names;
}

static int add_column(struct libscols_table *cols, const struct show_table *table,
		      const struct show_field *field)
{
	int flags = (field->shape & SHOW_RIGHT ? SCOLS_FL_RIGHT : 0) |
		    (field->shape & SHOW_WRAP ? SCOLS_FL_WRAP : 0);
	struct libscols_column *column;
	char heading[64];
	size_t i;

	/* The library leaves room for a heading that it does not print. */
	for (i = 0; table->options.header && field->name[i] && i < sizeof(heading) - 1; i++)
		heading[i] = (char)toupper((unsigned char)field->name[i]);
	heading[i] = '\0';
	column = scols_table_new_column(cols, heading, 0, flags);
	if (!column)
		return -ENOMEM;
	/* show_wrap() has broken the lines. */
	if (flags & SCOLS_FL_WRAP)
		return scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
						 scols_wrapnl_nextchunk, NULL);
	return 0;
}

static int add_columns(struct libscols_table *cols, const struct show_table *table)
{
	for (unsigned c = 0; c < table->n; c++)
		if (!table->columns[c].out && add_column(cols, table, table->columns[c].field))
			return -ENOMEM;
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
		error = !ferror(out) ? 0 : errno ? -errno : -EIO;
	*left_out = names_left_out(table);
out:
	scols_unref_table(cols);
	return error;
}
