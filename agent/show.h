/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a row (a verdict, an offender) is shown: one table of fields gives its JSON, its CSV and its
 * table columns, so the three can't disagree. Every text is escaped here (escape.h), whoever
 * wrote it: the store is written by a process that reads hostile bytes.
 *
 * A value is a json_t: null when not known, numbers as numbers. Times are RFC 3339 with zone.
 * Functions that return a pointer never return NULL for want of memory (they abort).
 */
#ifndef AGENT_SHOW_H
#define AGENT_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "store.h"

#define SHOW_TIME_BYTES 40

struct show_options {
	bool utc;	/* times in UTC, else in the local zone */
	bool ascii;	/* the terminal is not known to read UTF-8: other characters as \xHH */
	bool header;	/* of tables and CSV */
	unsigned width; /* columns of the terminal; 0: as wide as the rows are */
	int64_t now_ns; /* whose day is today; 0: none is */
	const char *state_dir; /* where what is kept lies, for pages; NULL: not said */
};

enum show_type {
	SHOW_NUMBER,  /* int64_t; not known when it equals `absent` */
	SHOW_COUNT,   /* int64_t, always known */
	SHOW_TIME,    /* int64_t, ns since the epoch; not known when not positive */
	SHOW_FLAG,    /* bool */
	SHOW_WORD,    /* const char *; not known when NULL, empty, or the word in `none` */
	SHOW_BYTES,   /* struct store_bytes, raw; not known when empty */
	SHOW_CMDLINE, /* struct store_bytes, arguments ended by NUL */
	SHOW_JSON,    /* struct store_bytes, JSON text made by the store */
	SHOW_MADE,    /* by value() */
	SHOW_TYPE_N
};

enum show_shape {
	SHOW_RIGHT = 1 << 0, /* a number: to the right */
	SHOW_CUT = 1 << 1,   /* a path: its beginning may be cut when the terminal is narrow */
	SHOW_NAME = 1 << 2,  /* a name, which may be cut likewise, and shorter */
	SHOW_WRAP = 1 << 4,  /* never cut: goes on in further lines when the terminal is narrow */
	SHOW_ONES = 1 << 5,  /* says nothing when it is 1 in each row */
	SHOW_EXTRA = 1 << 3, /* not in JSON and CSV unless named in --columns: made of others */
};

struct show_field {
	const char *name; /* JSON key, CSV heading, word of --columns, table heading in capitals */
	enum show_type type;
	size_t offset; /* of the member in the row */
	int64_t absent;
	const char *none;
	unsigned shape; /* enum show_shape */
	unsigned keep;	/* 0: not in the table unless named; else the highest are left out first
			 * when the terminal is narrow: those below 5 after the texts that may be
			 * wrapped were, 1 never */
	json_t *(*value)(const void *row, const struct show_options *options);
	char *(*text)(const json_t *value); /* NULL: as the type says; malloc'd */
	char *(*cell)(const void *row);	    /* a table's own text; NULL: as text; malloc'd */
};

struct show_kind {
	const char *schema; /* "egressd.verdict/1" */
	const struct show_field *fields;
	unsigned n;
};

/* Rows are struct store_verdict. */
extern const struct show_kind show_verdict_kind;

/* Rows are struct show_offender. */
struct show_offender {
	int64_t rank;
	struct store_offender offender;
};
extern const struct show_kind show_offender_kind;

/* The field of that name, or NULL. len: of name, which need not end in NUL. */
const struct show_field *show_field_by_name(const struct show_kind *kind, const char *name,
					    size_t len);
json_t *show_field_value(const struct show_field *field, const void *row,
			 const struct show_options *options);
/* The value as one line of text; NULL when not known. malloc'd. */
char *show_field_text(const struct show_field *field, const json_t *value);
/* An object of all fields but the extra ones, "schema" first. */
json_t *show_object(const struct show_kind *kind, const void *row,
		    const struct show_options *options);

/* RFC 3339; digits: of the second, 0 to 9, the rest cut off. Returns out. */
char *show_time(int64_t ns, bool utc, int digits, char out[SHOW_TIME_BYTES]);
/* "12 s", "3 min", "5 h", "2 days": for people. Returns out. */
char *show_duration(int64_t ns, char out[SHOW_TIME_BYTES]);
/* Escaped, as a JSON string; null when len is 0. */
json_t *show_bytes(const char *bytes, size_t len);
/* Text that may be escaped already: backslashes stay, all else is escaped. malloc'd. */
char *show_clean(const char *text);
/* ASCII only: what is not becomes \xHH. text must be clean. malloc'd. */
char *show_ascii(const char *text);
/* The site that is shown, of a verdict and of an offender, by one rule: the noted one, but the
 * script's own folder (from: SHOW_SITE_SCRIPT) where there is no note, or where that goes by the
 * account alone (pool, panel, user, home) and the script lies elsewhere. Name, root and source are
 * of the same answer, never mixed; from NULL: nobody said anything. Points into the row. */
#define SHOW_SITE_SCRIPT "script"
struct store_site show_site_of_verdict(const struct store_verdict *verdict);
struct store_site show_site_of_offender(const struct store_offender *offender);
/* A sentence for from's words. */
const char *show_explain_site(const char *word);
/* What notes told (note.h), as objects; null when no note told it. */
json_t *show_site(const struct store_site *site);
json_t *show_trigger(const struct store_trigger *trigger, const struct show_options *options);
json_t *show_object_file(const struct store_object *object);
/* Of these objects, one line each: "shop.example (vhost)"; note_text.h's. malloc'd. */
char *show_site_text(const json_t *site);
char *show_trigger_text(const json_t *trigger);
char *show_object_text(const json_t *object);
/* "192.0.2.1", "2001:db8::1"; null when it is neither 4 nor 16 bytes. */
json_t *show_address(int family, const struct store_bytes *address);
/* "192.0.2.1:25", "[2001:db8::1]:25"; a side that is not known is "?". malloc'd. */
char *show_endpoint(int family, const struct store_bytes *address, int64_t port);
/* What is not known is a bug of memory only: returns value, aborts on NULL. */
json_t *show_need(json_t *value);
/* malloc'd, as asprintf(3). */
char *show_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A record as the row that the store would give for it; id is the caller's. The view points into
 * the record and is good as long as it. */
struct show_view {
	struct store_verdict verdict;
	const char *file; /* of the capture; set by the caller, NULL: not said */
	char *parents, *holders, *caller;
};
/* Rows are struct show_view: a verdict's fields after "file". */
extern const struct show_kind show_replay_kind;
void show_view_record(struct show_view *view, const struct record *record, int64_t id);
void show_view_end(struct show_view *view);

#endif
