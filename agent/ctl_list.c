/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl list-offenders and list-verdicts: rows of the store to a list on stdout.
 */
#include <errno.h>
#include <stdlib.h>

#include "ctl.h"

#define TABLE_ROWS_MOST 1000 /* of verdicts, when --limit is not given */

struct walk {
	struct show_list *list;
	int64_t rows, limit; /* limit 0: all */
	bool more;	     /* there was one row beyond the limit */
	int write_error;
};

/* A walk is ended by a positive value; the store's own errors are negative. */
static int walk_on(struct walk *walk, const void *row)
{
	if (walk->limit && walk->rows == walk->limit) {
		walk->more = true;
		return 1;
	}
	walk->rows++;
	walk->write_error = show_list_row(walk->list, row);
	return walk->write_error ? 1 : 0;
}

static int each_offender(void *context, const struct store_offender *offender)
{
	struct walk *walk = context;
	struct show_offender row = { .rank = walk->rows + 1, .offender = *offender };

	return walk_on(walk, &row);
}

static int each_verdict(void *context, const struct store_verdict *verdict)
{
	return walk_on(context, verdict);
}

/* An empty answer on a terminal looks like none at all; a program sees that there is no row. */
static void say_none(const struct ctl *ctl, const char *what)
{
	char time_text[SHOW_TIME_BYTES];
	char *since, *until;

	if (!ctl->show.width || ctl->args.format != FORMAT_TABLE)
		return;
	since = show_printf("%s", "");
	until = show_printf("%s", "");
	if (ctl->args.since) {
		free(since);
		since = show_printf(" since %s",
				    show_time(ctl->args.since_ns, ctl->show.utc, 0, time_text));
	}
	if (ctl->args.until) {
		free(until);
		until = show_printf(" before %s",
				    show_time(ctl->args.until_ns, ctl->show.utc, 0, time_text));
	}
	ctl_say("no %s%s%s", what, since, until);
	free(since);
	free(until);
}

static int list(struct ctl *ctl, const struct show_kind *kind, struct walk *walk,
		int (*read)(struct ctl *ctl, struct store *store, struct store_filter *filter,
			    struct walk *walk))
{
	struct store *store = NULL;
	struct store_filter filter;
	int code, error;

	code = ctl_store_filter(ctl, &filter);
	if (code)
		return code;
	code = ctl_store_open(ctl, &store);
	if (!code)
		code = ctl_list_new(ctl, kind, &walk->list);
	if (code)
		goto out;
	error = read(ctl, store, &filter, walk);
	if (walk->write_error) {
		code = ctl_write_failed(walk->write_error);
		goto out;
	}
	/* What was read is shown, also when the rest could not be. */
	code = ctl_list_end(ctl, walk->list);
	if (error < 0)
		code = ctl_store_failed(ctl, store, error);
out:
	show_list_free(walk->list);
	store_free(store);
	return code;
}

static int read_offenders(struct ctl *ctl, struct store *store, struct store_filter *filter,
			  struct walk *walk)
{
	filter->limit = ctl->args.limit;
	filter->sort = (enum store_sort)ctl->args.sort;
	return store_offenders(store, filter, each_offender, walk);
}

int ctl_list_offenders(struct ctl *ctl)
{
	struct walk walk = { .limit = ctl->args.limit };
	int code = list(ctl, &show_offender_kind, &walk, read_offenders);

	if (code == CTL_OK && walk.rows)
		return CTL_OFFENDERS;
	if (code == CTL_OK)
		say_none(ctl, "offenders");
	return code;
}

static int read_verdicts(struct ctl *ctl, struct store *store, struct store_filter *filter,
			 struct walk *walk)
{
	filter->limit = walk->limit ? walk->limit + 1 : 0;
	filter->newest_first = ctl->args.sort == 0; /* the first of its sort words */
	return store_verdicts(store, filter, each_verdict, walk);
}

int ctl_list_verdicts(struct ctl *ctl)
{
	bool given = ctl->args.given & CTL_LIMIT;
	struct walk walk = { .limit = given				 ? ctl->args.limit
				      : ctl->args.format == FORMAT_TABLE ? TABLE_ROWS_MOST
									 : 0 };
	int code = list(ctl, &show_verdict_kind, &walk, read_verdicts);

	if (code == CTL_OK && !walk.rows)
		say_none(ctl, "verdicts");
	if (code == CTL_OK && walk.more && !given)
		ctl_say("there are more than %d; --limit N shows N of them, --limit 0 all",
			TABLE_ROWS_MOST);
	return code;
}
