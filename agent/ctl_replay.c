/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl replay: captures through the policy, the records to a list on stdout, one line for
 * each file to stderr. Reads no store.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_progress.h"
#include "ctl_users.h"
#include "replay.h"

#define OWNERS_BYTES_MOST  (16 << 20)
#define OWNERS_ERRORS_MOST 20 /* shown of one file */

struct run {
	struct ctl *ctl;
	struct policy policy;
	struct owners *owners;
	struct show_list *list;
	struct ctl_progress *progress;
	int64_t records;
	const char *file; /* that is read now */
	int write_error;
	bool failed; /* a file could not be read to its end */
	char **summaries;
};

static int each_record(void *context, const struct record *record)
{
	struct run *run = context;
	struct show_view view;

	show_view_record(&view, record, ++run->records);
	view.file = run->file;
	run->write_error = show_list_row(run->list, &view);
	show_view_end(&view);
	ctl_progress_add(run->progress, 1);
	return run->write_error ? 1 : 0;
}

static char *summary(const struct run *run, const char *file, const struct replay_counts *counts)
{
	char *text = show_printf("%s: frames %llu, SYNs %llu", file,
				 (unsigned long long)counts->frames,
				 (unsigned long long)counts->syns),
	     *longer;

	for (unsigned i = 0; i < run->policy.n_ports; i++) {
		longer = show_printf("%s%s%u: %llu%s", text, i ? ", " : " (", run->policy.ports[i],
				     (unsigned long long)counts->syns_by_port[i],
				     i + 1 == run->policy.n_ports ? ")" : "");
		free(text);
		text = longer;
	}
	longer = show_printf(
		"%s, retransmits %llu, attempts %llu, other judged %llu, not IP %llu", text,
		(unsigned long long)counts->retransmits, (unsigned long long)counts->attempts,
		(unsigned long long)counts->refused_other, (unsigned long long)counts->not_ip);
	free(text);
	return longer;
}

/* The whole file as text. malloc'd; NULL after it was said why. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t len = 0, got;
	char *text = malloc(OWNERS_BYTES_MOST + 1);

	if (!text)
		abort();
	if (!file) {
		ctl_say("%s: %s", path, strerror(errno));
		free(text);
		return NULL;
	}
	errno = 0;
	while (len <= OWNERS_BYTES_MOST &&
	       (got = fread(text + len, 1, OWNERS_BYTES_MOST + 1 - len, file)) > 0)
		len += got;
	if (ferror(file) || len > OWNERS_BYTES_MOST || memchr(text, '\0', len)) {
		ctl_say("%s: %s", path,
			ferror(file)		  ? strerror(errno ? errno : EIO)
			: len > OWNERS_BYTES_MOST ? "too long for an owners file"
						  : "holds a NUL byte: no owners file");
		fclose(file);
		free(text);
		return NULL;
	}
	fclose(file);
	text[len] = '\0';
	return text;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static void owners_error(void *context, const char *line)
{
	unsigned *errors = context;

	if (++*errors <= OWNERS_ERRORS_MOST)
		ctl_config_error(NULL, line);
}

static int read_owners(struct run *run)
{
	const char *path = run->ctl->args.owners;
	unsigned errors = 0;
	char *text;
	int error;

	if (!path)
		return CTL_OK;
	if (is_folder(path)) {
		ctl_say("%s: is a folder, expected an owners file", path);
		return CTL_FAILED;
	}
	text = read_text(path);
	if (!text)
		return CTL_FAILED;
	error = owners_parse(&run->owners, path, text, owners_error, &errors);
	free(text);
	if (errors > OWNERS_ERRORS_MOST)
		fprintf(stderr, "%s and %u more\n", run->ctl->show.ascii ? "..." : "…",
			errors - OWNERS_ERRORS_MOST);
	return error ? CTL_FAILED : CTL_OK;
}

static void replay_one(struct run *run, unsigned index)
{
	const char *file = run->ctl->args.arguments[index];
	struct replay_counts counts = { 0 };
	char *message = NULL, *doing;
	int error;

	if (is_folder(file)) {
		run->failed = true;
		run->summaries[index] = show_printf("%s: is a folder, expected a capture", file);
		return;
	}
	run->file = file;
	doing = show_printf("replay: file %u of %u", index + 1, run->ctl->args.n_arguments);
	ctl_progress_doing(run->progress, doing);
	free(doing);
	error = replay_file(file, &run->policy, run->owners, each_record, run, &counts, &message);
	if (error < 0) {
		run->failed = true;
		run->summaries[index] = message ? show_printf("%s (%llu frames were read)", message,
							      (unsigned long long)counts.frames)
						: show_printf("%s: %s", file, strerror(-error));
	} else {
		run->summaries[index] = summary(run, file, &counts);
	}
	free(message);
}

/* Rows that go to the terminal as they come leave no room for a line that is drawn over. */
static bool wants_progress(const struct ctl *ctl)
{
	return ctl->args.format == FORMAT_TABLE || !isatty(STDOUT_FILENO);
}

static int replay_all(struct run *run)
{
	struct ctl *ctl = run->ctl;
	int code;

	if (wants_progress(ctl))
		run->progress = ctl_progress_start();
	for (unsigned i = 0; i < ctl->args.n_arguments && !run->write_error; i++)
		replay_one(run, i);
	ctl_progress_end(run->progress);
	if (run->write_error)
		return ctl_write_failed(run->write_error);
	code = ctl_list_end(ctl, run->list);
	for (unsigned i = 0; i < ctl->args.n_arguments; i++)
		ctl_say("%s", run->summaries[i]);
	return code ? code : run->failed ? CTL_FAILED : CTL_OK;
}

int ctl_replay(struct ctl *ctl)
{
	bool names_files = ctl->args.n_arguments > 1 || ctl->args.columns;
	struct run run = { .ctl = ctl };
	int code = ctl_config_load(ctl);

	if (code)
		return code;
	ctl_users_policy(&ctl->config, &run.policy, true);
	code = read_owners(&run);
	if (!code)
		code = ctl_list_new(ctl, names_files ? &show_replay_kind : &show_verdict_kind,
				    &run.list);
	if (code)
		goto out;
	run.summaries = calloc(ctl->args.n_arguments, sizeof(*run.summaries));
	if (!run.summaries)
		abort();
	code = replay_all(&run);
	for (unsigned i = 0; i < ctl->args.n_arguments; i++)
		free(run.summaries[i]);
	free(run.summaries);
out:
	show_list_free(run.list);
	if (run.owners)
		owners_free(run.owners);
	return code;
}
