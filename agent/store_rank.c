/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offenders in the order asked for: from the aggregates, or from the rows of some time. */
#include "store_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const store_sort_words[SORT_N] = {
	[SORT_ATTEMPTS] = "attempts", [SORT_DESTINATIONS] = "destinations",
	[SORT_NETWORKS] = "networks", [SORT_FIRST] = "first",
	[SORT_LAST] = "last",
};
static_assert(SORT_N == 5, "store_sort_words[] names every store_sort");

static const char *const orders[SORT_N] = {
	[SORT_ATTEMPTS] = "attempts DESC",
	[SORT_DESTINATIONS] = "destinations DESC, attempts DESC",
	[SORT_NETWORKS] = "networks DESC, attempts DESC",
	[SORT_FIRST] = "first_ns",
	[SORT_LAST] = "last_ns DESC",
};

#define OFFENDER_TEXTS "o.many_programs, o.uid, o.user, o.script, o.exe, o.site, o.unit"
#define OFFENDER_NOTED                                                                             \
	"o.works_in, o.site_from, o.account, o.vhost, o.vhost_root, o.site_source, o.triggers"

/* The columns as read_offender() takes them. */
static const char from_aggregates[] =
	"SELECT o.id, o.attempts AS attempts, o.destinations AS destinations,"
	" o.networks AS networks, o.destinations_capped, o.first_ns AS first_ns,"
	" o.last_ns AS last_ns, o.verdict, o.ports, ifnull(e.n, 0), " OFFENDER_TEXTS ","
	" (SELECT max(v.id) FROM verdict v WHERE v.offender = o.id), " OFFENDER_NOTED
	" FROM offender o LEFT JOIN"
	" (SELECT offender, count(*) AS n FROM evidence GROUP BY offender) e ON e.offender = o.id";

/* The rows are found by their time, not by the index of offenders: that is what + says to SQLite.
 * The verdict of the youngest row goes along with its time, in one text that max() can order. */
static const char from_rows[] =
	"SELECT o.id, r.attempts AS attempts, r.destinations AS destinations,"
	" r.networks AS networks, r.capped, r.first_ns AS first_ns, r.last_ns AS last_ns,"
	" substr(r.last_verdict, 21), r.ports, r.evidence, " OFFENDER_TEXTS
	", r.last_id, " OFFENDER_NOTED " FROM"
	" (SELECT v.offender AS offender, sum(v.count) AS attempts,"
	" count(DISTINCT CASE WHEN length(v.dst) > 0 THEN v.dst END) AS destinations,"
	" count(DISTINCT CASE length(v.dst) WHEN 4 THEN substr(v.dst, 1, 3)"
	" WHEN 16 THEN substr(v.dst, 1, 6) END) AS networks, max(v.many_dst) AS capped,"
	" min(v.first_ns) AS first_ns, max(v.last_ns) AS last_ns,"
	" max(printf('%%020lld%%s', v.last_ns, v.verdict)) AS last_verdict,"
	" group_concat(DISTINCT CASE WHEN v.dport >= 0 THEN v.dport END) AS ports,"
	" count(e.id) AS evidence, max(v.id) AS last_id"
	" FROM verdict v LEFT JOIN evidence e ON e.id = v.id"
	" WHERE +v.offender > 0 AND %s GROUP BY +v.offender) r JOIN offender o ON o.id = "
	"r.offender";

static int compare_ports(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* group_concat() promises no order. */
static void sort_ports(const char *text, char *out, size_t size)
{
	int ports[STORE_PORTS_MAX];
	size_t n = 0, at = 0, i;
	char *end;

	while (*text && n < STORE_PORTS_MAX) {
		ports[n++] = (int)strtol(text, &end, 10);
		if (end == text)
			break;
		text = *end == ',' ? end + 1 : end;
	}
	qsort(ports, n, sizeof(ports[0]), compare_ports);
	out[0] = '\0';
	for (i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%d", i ? "," : "", ports[i]);
}

static void read_offender(sqlite3_stmt *row, char *ports, size_t size,
			  struct store_offender *offender)
{
	sort_ports(store_column_text(row, 8), ports, size);
	*offender = (struct store_offender){
		.id = sqlite3_column_int64(row, 0),
		.attempts = sqlite3_column_int64(row, 1),
		.destinations = sqlite3_column_int64(row, 2),
		.networks = sqlite3_column_int64(row, 3),
		.destinations_capped = sqlite3_column_int(row, 4),
		.first_ns = sqlite3_column_int64(row, 5),
		.last_ns = sqlite3_column_int64(row, 6),
		.verdict = store_column_text(row, 7),
		.ports = ports,
		.evidence = sqlite3_column_int64(row, 9),
		.many_programs = sqlite3_column_int(row, 10),
		.has_uid = sqlite3_column_int64(row, 11) >= 0,
		.uid = sqlite3_column_int64(row, 11),
		.user = store_column_bytes(row, 12),
		.script = store_column_bytes(row, 13),
		.exe = store_column_bytes(row, 14),
		.site = store_column_bytes(row, 15),
		.unit = store_column_bytes(row, 16),
		.last_id = sqlite3_column_int64(row, 17),
		.works_in = store_column_bytes(row, 18),
		.noted = { .from = store_column_text(row, 19),
			   .account = store_column_bytes(row, 20),
			   .vhost = store_column_bytes(row, 21),
			   .root = store_column_bytes(row, 22),
			   .source = store_column_bytes(row, 23) },
		.triggers = sqlite3_column_int64(row, 24),
	};
	if (!strcmp(offender->noted.from, note_site_from_words[SITE_FROM_NONE]))
		offender->noted.from = NULL;
}

static char *make_sql(const struct store_filter *filter)
{
	const char *order = orders[filter->sort < SORT_N ? filter->sort : SORT_ATTEMPTS];
	char where[STORE_WHERE_BYTES], *body, *sql;
	int len;

	if (filter->since_ns || filter->until_ns) {
		store_where(where, filter);
		len = asprintf(&body, from_rows, where);
	} else {
		len = asprintf(&body, "%s WHERE o.id > 0%s%s", from_aggregates,
			       filter->has_uid ? " AND o.uid = :uid" : "",
			       filter->offender ? " AND o.id = :offender" : "");
	}
	if (len < 0)
		return NULL;
	len = asprintf(&sql, "%s ORDER BY %s, o.id LIMIT :limit", body, order);
	free(body);
	return len < 0 ? NULL : sql;
}

int store_offenders(struct store *store, const struct store_filter *filter, store_offender_fn each,
		    void *context)
{
	struct store_offender offender;
	sqlite3_stmt *statement = NULL;
	char ports[STORE_PORTS_MAX * 12], *sql = make_sql(filter);
	int got, result;

	if (!sql)
		return -ENOMEM;
	got = store_errno(store, sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL));
	free(sql);
	if (!got)
		got = store_bind_filter(store, statement, filter);
	result = got;
	while (result == 0 && (got = store_step(store, statement)) != 0) {
		char *groups = NULL;

		result = got;
		if (got > 0) {
			read_offender(statement, ports, sizeof(ports), &offender);
			result = store_trigger_groups(store, offender.id, &groups);
		}
		if (result == 0) {
			offender.trigger_groups =
				(struct store_bytes){ groups, (int)strlen(groups) };
			result = each(context, &offender);
		}
		free(groups);
	}
	sqlite3_finalize(statement);
	return result;
}
