/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check FOLDER [EXCEPTIONS]: replays every capture that FOLDER/INDEX.tsv names and compares its
 * SYNs to ports 25, 465 and 587 with the index's. One TAP line a capture. EXCEPTIONS names those
 * that may differ, how, and why (PATTERN<tab>HOW<tab>REASON): `refused`, not read, and said so;
 * `fewer`, with records for the packets in which SYNs hide; `more`.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/replay.h"

#define COLUMNS 32

struct index_row {
	const char *file;
	unsigned long syn[3];
};

static const char *const syn_columns[3] = { "syn25", "syn465", "syn587" };

static int any_record(void *context, const struct record *record)
{
	unsigned long *records = context;

	++*records;
	return record->via == VIA_REPLAY && record->mode == MODE_ENFORCE ? 0 : -EPROTO;
}

/* Splits at tabs, in place. */
static unsigned split(char *line, char *fields[COLUMNS])
{
	unsigned n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < COLUMNS && line)
		fields[n++] = strsep(&line, "\t");
	return n;
}

struct exception {
	char how[16];
	char reason[256];
};

static void find_exception(const char *path, const char *name, struct exception *exception)
{
	FILE *list = path ? fopen(path, "re") : NULL;
	char *line = NULL, *fields[COLUMNS];
	size_t size = 0;

	*exception = (struct exception){ 0 };
	while (list && !*exception->how && getline(&line, &size, list) > 0) {
		if (*line == '#' || split(line, fields) < 3 || fnmatch(fields[0], name, 0))
			continue;
		snprintf(exception->how, sizeof(exception->how), "%s", fields[1]);
		snprintf(exception->reason, sizeof(exception->reason), "%s", fields[2]);
	}
	free(line);
	if (list)
		fclose(list);
}

/* Is the difference the one that the exception speaks of? */
static bool may_differ(const struct exception *exception, const struct index_row *row, int result,
		       const struct replay_counts *counts)
{
	bool fewer = !strcmp(exception->how, "fewer"), more = !strcmp(exception->how, "more");

	if (!strcmp(exception->how, "refused"))
		return result == -EINVAL;
	for (unsigned i = 0; i < 3; i++) {
		fewer = fewer && counts->syns_by_port[i] <= row->syn[i];
		more = more && counts->syns_by_port[i] >= row->syn[i];
	}
	return more || (fewer && counts->refused_other);
}

static bool check(unsigned number, const char *folder, const struct index_row *row,
		  const char *exceptions)
{
	const struct policy policy = { .ports = { 25, 465, 587 }, .n_ports = 3 };
	struct replay_counts counts;
	unsigned long records = 0;
	struct exception exception;
	char path[4096], *message;
	bool same, good;
	int result;

	find_exception(exceptions, row->file, &exception);
	snprintf(path, sizeof(path), "%s/%s", folder, row->file);
	result = replay_file(path, &policy, NULL, any_record, &records, &counts, &message);
	same = counts.syns_by_port[0] == row->syn[0] && counts.syns_by_port[1] == row->syn[1] &&
	       counts.syns_by_port[2] == row->syn[2];
	good = (same || may_differ(&exception, row, result, &counts)) &&
	       (result == 0 || (result == -EINVAL && message));
	good = good && counts.syns == counts.attempts + counts.retransmits &&
	       records == counts.attempts + counts.refused_other && counts.not_ip <= counts.frames;
	printf("%s %u - %s has %lu, %lu and %lu SYNs to 25, 465 and 587%s%s\n",
	       good ? "ok" : "not ok", number, row->file, row->syn[0], row->syn[1], row->syn[2],
	       same ? "" : "; it differs: ", same ? "" : exception.reason);
	if (!same)
		printf("# counted %lu, %lu and %lu in %lu frames\n",
		       (unsigned long)counts.syns_by_port[0], (unsigned long)counts.syns_by_port[1],
		       (unsigned long)counts.syns_by_port[2], (unsigned long)counts.frames);
	if (result)
		printf("# %s\n", message ? message : strerror(-result));
	free(message);
	return good;
}

static int find_column(char *fields[], unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(fields[i], name))
			return (int)i;
	fprintf(stderr, "check: INDEX.tsv has no column %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	char path[4096], *line = NULL, *fields[COLUMNS];
	int file_column, columns[3];
	unsigned number = 0, failed = 0, n;
	size_t size = 0;
	FILE *index;

	if (argc < 2) {
		fprintf(stderr, "usage: check FOLDER [EXCEPTIONS]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/INDEX.tsv", argv[1]);
	index = fopen(path, "re");
	if (!index || getline(&line, &size, index) <= 0) {
		fprintf(stderr, "check: %s: can't be read\n", path);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	n = split(line, fields);
	file_column = find_column(fields, n, "file");
	for (unsigned i = 0; i < 3; i++)
		columns[i] = find_column(fields, n, syn_columns[i]);
	while (getline(&line, &size, index) > 0) {
		struct index_row row;

		if (split(line, fields) < n)
			continue;
		row.file = fields[file_column];
		for (unsigned i = 0; i < 3; i++)
			row.syn[i] = strtoul(fields[columns[i]], NULL, 10);
		failed += !check(++number, argv[1], &row, argc > 2 ? argv[2] : NULL);
	}
	printf("1..%u\n", number);
	free(line);
	fclose(index);
	return failed || !number;
}
