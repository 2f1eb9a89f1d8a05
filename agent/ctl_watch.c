/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl watch: follows the store and shows each verdict as it is kept, and again when repeats
 * were folded into it. Waits for a store that is not there yet; Ctrl-C ends it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "show_table.h"

#define POLL_MS 250
#define KNOWN	4096 /* rows whose count is remembered: these are shown again when they grow */
#define LATE_NS (5 * 1000000000LL) /* records may be stored later than others seen after them */

static volatile sig_atomic_t ended;

struct known {
	int64_t id, count;
};

struct watch {
	struct ctl *ctl;
	struct store_filter filter;
	struct store *store;
	struct stat file;	/* which store is open */
	struct show_list *list; /* NULL: one line of text each */
	bool said_missing;
	int64_t last_id;	   /* greatest seen */
	int64_t last_ns;	   /* of all rows seen: those that grow will have a later one */
	struct known known[KNOWN]; /* by id modulo KNOWN */
	int write_error;
};

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

/* True when the row is new, or its count has grown since it was shown. */
static bool remember(struct watch *watch, const struct store_verdict *verdict)
{
	struct known *known = &watch->known[(uint64_t)verdict->id % KNOWN];
	bool fresh = verdict->id > watch->last_id;
	bool grown = known->id == verdict->id && verdict->count > known->count;

	if (known->id <= verdict->id)
		*known = (struct known){ verdict->id, verdict->count };
	if (fresh)
		watch->last_id = verdict->id;
	if (verdict->last_ns > watch->last_ns)
		watch->last_ns = verdict->last_ns;
	return fresh || grown;
}

/* The text of a field, "-" when not known. malloc'd. */
static char *text_of(const struct watch *watch, const struct store_verdict *verdict,
		     const char *name)
{
	const struct show_field *field = show_field_by_name(&show_verdict_kind, name, strlen(name));
	json_t *value = show_field_value(field, verdict, &watch->ctl->show);
	char *text = show_field_text(field, value);

	json_decref(value);
	if (!text)
		text = show_printf("-");
	if (watch->ctl->show.ascii) {
		char *ascii = show_ascii(text);

		free(text);
		text = ascii;
	}
	return text;
}

/* The columns that were asked for, two spaces apart: nothing is known of the rows to come. */
static int print_columns(const struct watch *watch, const struct store_verdict *verdict)
{
	const char *columns = watch->ctl->args.columns;

	errno = 0;
	while (*columns) {
		size_t len = strcspn(columns, ",");
		char *name = show_printf("%.*s", (int)len, columns);
		char *text = text_of(watch, verdict, name);

		columns += len + (columns[len] == ',');
		printf("%s%s", text, *columns ? "  " : "\n");
		free(name);
		free(text);
	}
	return ferror(stdout) ? (errno ? -errno : -EIO) : 0;
}

static int print_line(const struct watch *watch, const struct store_verdict *verdict)
{
	static const char *const names[] = { "verdict", "who", "destination", "program" };
	char *texts[4], *line, *cut, count[32] = "";
	char time_text[SHOW_TIME_BYTES];
	unsigned width = watch->ctl->show.width, used;

	for (int i = 0; i < 4; i++)
		texts[i] = text_of(watch, verdict, names[i]);
	if (verdict->count > 1)
		snprintf(count, sizeof(count), " x%lld", (long long)verdict->count);
	show_time(verdict->last_ns, watch->ctl->show.utc, 3, time_text);
	if (width && width < 120) { /* the clock alone: it is now */
		memmove(time_text, time_text + 11, 12);
		time_text[12] = '\0';
	}
	line = show_printf("%s #%lld %-10s %s %s%s ", time_text, (long long)verdict->id, texts[0],
			   texts[1], texts[2], count);
	used = show_width(line);
	cut = width > used + 20 ? show_cut_front(texts[3], width - used, watch->ctl->show.ascii)
				: show_printf("%s", texts[3]);
	errno = 0;
	printf("%s%s\n", line, cut);
	for (int i = 0; i < 4; i++)
		free(texts[i]);
	free(line);
	free(cut);
	return ferror(stdout) ? (errno ? -errno : -EIO) : 0;
}

static int show_row(void *context, const struct store_verdict *verdict)
{
	struct watch *watch = context;

	if (!remember(watch, verdict))
		return 0;
	if (watch->list)
		watch->write_error = show_list_row(watch->list, verdict);
	else if (watch->ctl->args.columns)
		watch->write_error = print_columns(watch, verdict);
	else
		watch->write_error = print_line(watch, verdict);
	errno = 0;
	if (!watch->write_error && fflush(stdout))
		watch->write_error = errno ? -errno : -EIO;
	return watch->write_error || ended ? 1 : 0;
}

static int remember_row(void *context, const struct store_verdict *verdict)
{
	remember(context, verdict);
	return 0;
}

/* The rows there are already are not shown (but with --since), only remembered. */
static int skip_old_rows(struct watch *watch)
{
	struct store_filter newest = watch->filter;

	newest.newest_first = true;
	newest.limit = KNOWN;
	return store_verdicts(watch->store, &newest, remember_row, watch);
}

/* 0 also when there is no store: it is said once. A code of the program's when there is no hope. */
static int open_store(struct watch *watch, bool first)
{
	struct ctl *ctl = watch->ctl;
	char *path = show_printf("%s/%s", ctl->config.state_dir, STORE_FILE);
	int error = 0, code = 0;

	if (stat(path, &watch->file))
		error = -errno;
	if (!error)
		error = store_open_read(&watch->store, ctl->config.state_dir);
	if (error == -ENOENT) {
		if (!watch->said_missing)
			ctl_say("no store at %s yet: waiting for egressd to make it", path);
		watch->said_missing = true;
	} else if (error) {
		code = ctl_store_failed(ctl, NULL, error);
	} else {
		watch->last_id = watch->last_ns = 0;
		memset(watch->known, 0, sizeof(watch->known));
		if (first && !(ctl->args.given & CTL_SINCE))
			error = skip_old_rows(watch);
		if (error < 0)
			code = ctl_store_failed(ctl, watch->store, error);
	}
	free(path);
	return code;
}

/* The file was set aside or removed: what we have open is not the store any more. */
static bool is_replaced(const struct watch *watch)
{
	char *path = show_printf("%s/%s", watch->ctl->config.state_dir, STORE_FILE);
	struct stat now;
	bool replaced = stat(path, &now) ? errno == ENOENT
					 : now.st_ino != watch->file.st_ino ||
						   now.st_dev != watch->file.st_dev;

	free(path);
	return replaced;
}

static int look(struct watch *watch)
{
	struct store_filter filter = watch->filter;
	int error;

	if (watch->store && is_replaced(watch)) {
		store_free(watch->store);
		watch->store = NULL;
	}
	if (!watch->store) {
		int code = open_store(watch, false);

		if (code || !watch->store)
			return code;
	}
	filter.after_id = watch->last_id;
	error = store_verdicts(watch->store, &filter, show_row, watch);
	if (!error && watch->last_ns) {
		filter.after_id = 0;
		if (watch->last_ns - LATE_NS > filter.since_ns)
			filter.since_ns = watch->last_ns - LATE_NS;
		error = store_verdicts(watch->store, &filter, show_row, watch);
	}
	if (watch->write_error && !ended)
		return ctl_write_failed(watch->write_error);
	if (error < 0 && error != -EBUSY && error != -EAGAIN)
		return ctl_store_failed(watch->ctl, watch->store, error);
	return 0;
}

/* Waits, and sees when the reader of stdout has gone, also while there is nothing to write. */
static int wait_a_while(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, POLL_MS) > 0 && out.revents & (POLLERR | POLLHUP | POLLNVAL))
		return CTL_FAILED;
	return 0;
}

int ctl_watch(struct ctl *ctl)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: ends a write */
	int code;

	if (!watch)
		abort();
	watch->ctl = ctl;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	code = ctl_store_filter(ctl, &watch->filter);
	if (!code)
		code = ctl_config_load(ctl);
	if (!code && ctl->args.format != FORMAT_TABLE)
		code = ctl_list_new(ctl, &show_verdict_kind, &watch->list);
	if (!code)
		code = open_store(watch, true);
	while (!code && !ended) {
		code = look(watch);
		if (!code && !ended)
			code = wait_a_while();
	}
	if (!code && watch->list)
		code = ctl_list_end(ctl, watch->list);
	show_list_free(watch->list);
	store_free(watch->store);
	free(watch);
	return code;
}
