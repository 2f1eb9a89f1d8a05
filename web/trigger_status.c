/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker's row of mod_status's table; asks nobody. Pure. */
#include "trigger_status.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CELLS 24 /* of a row; the page has 15, or 13 without times */

struct cell {
	const char *at;
	size_t len;
};

const char *trigger_status_page(const char *answer, size_t len, size_t *page_len)
{
	const char *end = memmem(answer, len, "\r\n\r\n", 4), *line;
	bool html = false;

	if (!end || len < 13 || memcmp(answer, "HTTP/1.", 7) || memcmp(answer + 8, " 200", 4))
		return NULL;
	for (line = answer; line < end; line++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line)
			break;
		if (end - line > 23 && !strncasecmp(line + 1, "Content-Type: text/html", 23))
			html = true;
		if (end - line > 18 && !strncasecmp(line + 1, "Transfer-Encoding:", 18))
			return NULL; /* HTTP/1.0 has none */
	}
	end += 4;
	*page_len = len - (size_t)(end - answer);
	/* ap_close… of status_handler(): a page that was cut has no end. */
	return html && memmem(end, *page_len, "</html>", 7) ? end : NULL;
}

/* The next tag of this name from at on, past its '>'. NULL: none. */
static const char *after_tag(const char *at, const char *end, const char *name)
{
	size_t n = strlen(name);

	while (at < end && (at = memchr(at, '<', (size_t)(end - at)))) {
		at++;
		if ((size_t)(end - at) > n && !strncasecmp(at, name, n) &&
		    (at[n] == '>' || isspace((unsigned char)at[n]))) {
			at = memchr(at, '>', (size_t)(end - at));
			return at ? at + 1 : NULL;
		}
	}
	return NULL;
}

/* The cells of one row, whose end is its own "</tr>". */
static unsigned split_row(const char *row, const char *end, const char *tag, struct cell *cells)
{
	unsigned n = 0;

	while (n < CELLS && (row = after_tag(row, end, tag))) {
		char close[8];
		const char *stop;

		snprintf(close, sizeof(close), "</%s>", tag);
		stop = memmem(row, (size_t)(end - row), close, strlen(close));
		cells[n].at = row;
		cells[n].len = (size_t)((stop ? stop : end) - row);
		row += cells[n].len;
		n++;
	}
	return n;
}

static const struct {
	const char *text;
	char byte;
} entities[] = {
	{ "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&#39;", '\'' },
};

/* A cell without its tags and entities, trimmed. False: it does not fit. */
static bool cell_text(const struct cell *cell, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < cell->len; i++) {
		char byte = cell->at[i];

		if (byte == '<') {
			const char *close = memchr(cell->at + i, '>', cell->len - i);

			if (!close)
				return false;
			i = (size_t)(close - cell->at);
			continue;
		}
		for (size_t j = 0; byte == '&' && j < sizeof(entities) / sizeof(entities[0]); j++) {
			size_t n = strlen(entities[j].text);

			if (cell->len - i < n || memcmp(cell->at + i, entities[j].text, n))
				continue;
			byte = entities[j].byte;
			i += n - 1;
			break;
		}
		if (!byte || (!used && isspace((unsigned char)byte)))
			continue;
		if (used + 1 >= size)
			return false;
		text[used++] = byte;
	}
	while (used && isspace((unsigned char)text[used - 1]))
		used--;
	text[used] = '\0';
	return true;
}

struct columns {
	int pid, mode, client, vhost, request;
	unsigned n;
};

static bool find_columns(const struct cell *cells, unsigned n, struct columns *columns)
{
	char name[16];

	*columns = (struct columns){ -1, -1, -1, -1, -1, n };
	for (unsigned i = 0; i < n; i++) {
		if (!cell_text(&cells[i], name, sizeof(name)))
			continue;
		if (!strcmp(name, "PID"))
			columns->pid = (int)i;
		else if (!strcmp(name, "M"))
			columns->mode = (int)i;
		else if (!strcmp(name, "Client"))
			columns->client = (int)i;
		else if (!strcmp(name, "VHost"))
			columns->vhost = (int)i;
		else if (!strcmp(name, "Request"))
			columns->request = (int)i;
	}
	return columns->pid >= 0 && columns->mode >= 0 && columns->client >= 0 &&
	       columns->vhost >= 0 && columns->request >= 0;
}

/* "POST /x HTTP/1.1", or as much of it as the scoreboard had room for. */
static bool read_request(const char *text, struct trigger_line *line)
{
	const char *space = strchr(text, ' '), *uri, *end;

	if (!space || space == text || (size_t)(space - text) >= sizeof(line->method))
		return false;
	for (const char *c = text; c < space; c++)
		if (!isalpha((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
	uri = space + 1;
	end = strchr(uri, ' ');
	line->uri_cut = !end || (strcmp(end, " HTTP/1.1") && strcmp(end, " HTTP/1.0") &&
				 strcmp(end, " HTTP/2.0"));
	if (end && line->uri_cut && strncmp(" HTTP/2.0", end, strlen(end)) &&
	    strncmp(" HTTP/1.1", end, strlen(end)))
		return false; /* a space within the URI: what it is can't be told */
	if (end)	      /* whole, though the version is not */
		line->uri_cut = false;
	if (*uri != '/' || strlen(uri) >= sizeof(line->uri))
		return false;
	memcpy(line->method, text, (size_t)(space - text));
	memcpy(line->uri, uri, end ? (size_t)(end - uri) : strlen(uri));
	return true;
}

/* 1: this row is the process's, and it is at a request; 0: not; -EBADMSG. */
static int read_row(const struct cell *cells, const struct columns *columns, pid_t pid,
		    struct trigger_line *line)
{
	struct trigger_line read;
	char text[128], *end;
	long number;

	if (!cell_text(&cells[columns->pid], text, sizeof(text)))
		return -EBADMSG;
	number = strtol(text, &end, 10);
	if (end == text || *end || number != pid) /* "-": a slot without a process */
		return 0;
	if (!cell_text(&cells[columns->mode], text, sizeof(text)) || strcmp(text, "W"))
		return 0;
	memset(&read, 0, sizeof(read));
	read.pid = pid;
	if (!cell_text(&cells[columns->client], read.client, sizeof(read.client)) ||
	    !cell_text(&cells[columns->vhost], read.vhost, sizeof(read.vhost)) ||
	    !cell_text(&cells[columns->request], text, sizeof(text)) || !read_request(text, &read))
		return -EBADMSG;
	*line = read;
	return 1;
}

int trigger_status_row(const char *page, size_t len, pid_t pid, struct trigger_line *line)
{
	const char *end = page + len, *row = page;
	struct columns columns = { 0 };
	struct cell cells[CELLS];
	struct trigger_line found;
	bool headed = false;
	int n_found = 0;

	while ((row = after_tag(row, end, "tr"))) {
		const char *stop = memmem(row, (size_t)(end - row), "</tr>", 5);
		unsigned n;
		int result;

		if (!stop)
			return -EBADMSG;
		if (!headed) {
			n = split_row(row, stop, "th", cells);
			headed = n && find_columns(cells, n, &columns);
			row = stop;
			continue;
		}
		n = split_row(row, stop, "td", cells);
		row = stop;
		if (n != columns.n) /* the key's table below, or another's */
			continue;
		result = read_row(cells, &columns, pid, &found);
		if (result < 0)
			return result;
		n_found += result;
		if (n_found == 1 && result)
			*line = found;
	}
	if (!headed)
		return -EBADMSG;
	return n_found == 1 ? 0 : -ENOENT;
}
