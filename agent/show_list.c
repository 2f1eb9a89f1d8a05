/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes rows of one kind in one of four formats; chooses the columns, knows no row's meaning.
 */
#include "show_list.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show_table.h"

const char *const show_format_words[] = {
	[FORMAT_TABLE] = "table",
	[FORMAT_JSON] = "json",
	[FORMAT_JSONL] = "jsonl",
	[FORMAT_CSV] = "csv",
};
static_assert(sizeof(show_format_words) / sizeof(show_format_words[0]) == FORMAT_N,
	      "a word for each format");

struct show_list {
	const struct show_kind *kind;
	enum show_format format;
	struct show_options options;
	FILE *out;
	const struct show_field **fields;
	unsigned n;
	uint64_t rows;
	struct show_table *table;
};

static bool is_usual(const struct show_field *field, enum show_format format)
{
	return format == FORMAT_TABLE ? field->keep > 0 : !(field->shape & SHOW_EXTRA);
}

static int choose_fields(struct show_list *list, const char *columns, char **bad)
{
	const struct show_kind *kind = list->kind;

	if (!columns) {
		for (unsigned i = 0; i < kind->n; i++)
			if (is_usual(&kind->fields[i], list->format))
				list->fields[list->n++] = &kind->fields[i];
		return 0;
	}
	for (;;) {
		size_t len = strcspn(columns, ",");
		const struct show_field *field = show_field_by_name(kind, columns, len);
		bool twice = false;

		for (unsigned i = 0; i < list->n; i++)
			twice |= list->fields[i] == field;
		if (!field || twice) {
			*bad = show_printf("%.*s", (int)len, columns);
			return -EINVAL;
		}
		list->fields[list->n++] = field;
		if (!columns[len])
			return 0;
		columns += len + 1;
	}
}

static void write_csv_cell(FILE *out, const char *text, bool guard)
{
	if (guard && strchr("=+-@", *text) && *text) {
		/* The cell is quoted, so that the apostrophe is its first character. */
		fprintf(out, "\"'");
	} else if (!strpbrk(text, "\",\r\n")) {
		fputs(text, out);
		return;
	} else {
		fputc('"', out);
	}
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void write_csv_header(const struct show_list *list)
{
	for (unsigned i = 0; i < list->n; i++)
		fprintf(list->out, "%s%s", i ? "," : "", list->fields[i]->name);
	fputc('\n', list->out);
}

static void write_csv_row(struct show_list *list, const void *row)
{
	for (unsigned i = 0; i < list->n; i++) {
		json_t *value = show_field_value(list->fields[i], row, &list->options);
		char *text = show_field_text(list->fields[i], value);

		if (i)
			fputc(',', list->out);
		if (text)
			write_csv_cell(list->out, text, !json_is_number(value));
		free(text);
		json_decref(value);
		/* The next value may change errno: jansson sets it to 0. */
		if (ferror(list->out))
			return;
	}
	fputc('\n', list->out);
}

int show_list_new(struct show_list **out_list, const struct show_kind *kind,
		  enum show_format format, const char *columns, const struct show_options *options,
		  FILE *out, char **bad)
{
	struct show_list *list = calloc(1, sizeof(*list));
	int error;

	if (!list || !(list->fields = calloc(kind->n + 1, sizeof(*list->fields))))
		abort();
	list->kind = kind;
	list->format = format;
	list->options = *options;
	list->out = out;
	error = choose_fields(list, columns, bad);
	if (error) {
		show_list_free(list);
		return error;
	}
	if (format == FORMAT_TABLE)
		list->table = show_table_new(list->fields, list->n, columns != NULL, options);
	if (format == FORMAT_CSV && options->header)
		write_csv_header(list);
	*out_list = list;
	return 0;
}

void show_list_free(struct show_list *list)
{
	if (!list)
		return;
	show_table_free(list->table);
	free(list->fields);
	free(list);
}

static void add_table_row(struct show_list *list, const void *row)
{
	char **cells = calloc(list->n + 1, sizeof(*cells));

	if (!cells)
		abort();
	for (unsigned i = 0; i < list->n; i++) {
		const struct show_field *field = list->fields[i];
		json_t *value = show_field_value(field, row, &list->options);

		if (field->cell) {
			cells[i] = field->cell(row);
		} else if (field->type == SHOW_TIME && !json_is_null(value)) {
			char text[SHOW_TIME_BYTES];
			int64_t ns;

			memcpy(&ns, (const char *)row + field->offset, sizeof(ns));
			cells[i] = show_printf("%s", show_time(ns, list->options.utc, 3, text));
		} else {
			cells[i] = show_field_text(field, value);
		}
		if (cells[i] && list->options.ascii) {
			char *ascii = show_ascii(cells[i]);

			free(cells[i]);
			cells[i] = ascii;
		}
		if (cells[i] && !*cells[i]) {
			free(cells[i]);
			cells[i] = NULL;
		}
		json_decref(value);
	}
	show_table_add(list->table, cells);
	free(cells);
}

static json_t *row_object(const struct show_list *list, const void *row)
{
	json_t *object = show_need(json_object());

	json_object_set_new(object, "schema", show_need(json_string(list->kind->schema)));
	for (unsigned i = 0; i < list->n; i++)
		json_object_set_new(object, list->fields[i]->name,
				    show_field_value(list->fields[i], row, &list->options));
	return object;
}

static void write_json_row(struct show_list *list, const void *row)
{
	json_t *object = row_object(list, row);
	size_t flags = list->options.ascii ? JSON_ENSURE_ASCII : 0;

	if (list->format == FORMAT_JSONL) {
		json_dumpf(object, list->out, flags | JSON_COMPACT);
		fputc('\n', list->out);
	} else {
		char *text = json_dumps(object, flags | JSON_INDENT(2));
		char *line, *save = NULL;

		if (!text)
			abort();
		fputs(list->rows ? ",\n" : "[\n", list->out);
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			fprintf(list->out, "%s  %s", line == text ? "" : "\n", line);
		free(text);
	}
	json_decref(object);
}

/* Nobody wrote to it between errno = 0 and here but us. */
static int stream_error(FILE *out)
{
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

int show_list_row(struct show_list *list, const void *row)
{
	errno = 0;
	switch (list->format) {
	case FORMAT_TABLE:
		add_table_row(list, row);
		break;
	case FORMAT_CSV:
		write_csv_row(list, row);
		break;
	default:
		write_json_row(list, row);
		break;
	}
	list->rows++;
	return stream_error(list->out);
}

int show_list_end(struct show_list *list, char **left_out)
{
	*left_out = NULL;
	errno = 0;
	if (list->format == FORMAT_TABLE)
		return show_table_print(list->table, list->out, left_out);
	if (list->format == FORMAT_JSON)
		fputs(list->rows ? "\n]\n" : "[]\n", list->out);
	return stream_error(list->out);
}

int show_json_write(const json_t *value, bool compact, bool ascii, FILE *out)
{
	size_t flags = (compact ? JSON_COMPACT : JSON_INDENT(2)) | (ascii ? JSON_ENSURE_ASCII : 0) |
		       JSON_ENCODE_ANY;

	errno = 0;
	json_dumpf(value, out, flags);
	fputc('\n', out);
	return stream_error(out);
}
