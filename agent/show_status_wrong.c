/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What does not work, and which attempts are not on record and why as far as it is known; counts
 * nothing itself.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show_status.h"

static uint64_t explained(const struct store_status *store)
{
	return store->total[STAT_LOST_COPIES] + store->total[STAT_LOST_CHANNEL] +
	       store->lost_recorder;
}

uint64_t show_status_unexplained(const struct store_status *store)
{
	uint64_t known = explained(store);

	return store->lost > known ? store->lost - known : 0;
}

bool show_status_seen_since(const struct show_status *status, uint64_t *seen)
{
	const struct stats *last = status->store ? &status->store->last.stats : NULL;
	const struct show_kernel *kernel = &status->kernel;
	uint64_t value[STAT_N] = { 0 }, now, then = 0;

	if (!last || kernel->why || !kernel->loaded || !*kernel->epoch)
		return false;
	memcpy(value + STAT_KERNEL_FIRST, kernel->packets, sizeof(kernel->packets));
	now = stats_seen(value);
	if (!strcmp(last->kernel_epoch, kernel->epoch))
		then = stats_seen(last->value);
	*seen = now > then ? now - then : 0;
	return true;
}

static unsigned wrong_judge(const struct show_status *status, FILE *out)
{
	const struct show_kernel *kernel = &status->kernel;
	const struct show_queue *queue = &status->queue;
	bool rules = !kernel->why && kernel->loaded;
	unsigned n = 0;

	/* Without a store its reports can't be read, but its queue can be seen. */
	if (status->store ? !status->judge_runs : queue->known && !queue->bound) {
		fprintf(out, "  the judge does not run: nobody is named%s\n",
			rules ? ", the rules decide alone" : "");
		n++;
	} else if (status->store && !status->store->last.rules_whole && rules) {
		fprintf(out,
			"  the judge runs, but its rule was not in place at its last report\n");
		n++;
	}
	if (!kernel->why && !kernel->loaded) {
		fprintf(out, "  the rules are not loaded: nothing is guarded\n");
		n++;
	} else if (rules && kernel->check > 0) {
		fprintf(out, "  the rules differ from the configuration (egressctl rules check)\n");
		n++;
	} else if (rules && *kernel->lacks) {
		char *lacks = show_clean(kernel->lacks);

		fprintf(out, "  the rules are %s\n", lacks);
		free(lacks);
		n++;
	}
	return n;
}

static void count_line(FILE *out, uint64_t count, const char *text)
{
	fprintf(out, "  %10" PRIu64 "  %s\n", count, text);
}

static unsigned wrong_counts(const struct show_status *status, FILE *out)
{
	const struct store_status *store = status->store;
	struct show_loss losses[SHOW_LOSSES];
	uint64_t more, unexplained = show_status_unexplained(store);
	unsigned n = show_status_losses(store, losses), lines = 0;

	if (!status->judge_runs && show_status_seen_since(status, &more) && more) {
		count_line(out, more, "more were seen since the judge's last report");
		lines++;
	}
	if (store->lost || explained(store)) {
		count_line(out, store->lost, "attempts are not on record; what is known of them:");
		lines++;
	}
	if (unexplained)
		count_line(
			out, unexplained,
			status->judge_runs
				? "  seen while egressd was not running or before it was ready,\n"
				  "                or on their way at the last report"
				: "  seen while egressd was not running or before it was ready");
	for (unsigned i = 0; i < n; i++) {
		if (!losses[i].count)
			continue;
		count_line(out, losses[i].count, losses[i].text);
		lines++;
	}
	return lines;
}

void show_status_wrong(const struct show_status *status, FILE *out)
{
	unsigned n;

	fprintf(out, "\nWhat went wrong\n");
	n = wrong_judge(status, out);
	if (status->store)
		n += wrong_counts(status, out);
	if (!n)
		fprintf(out, "  %s\n", status->store ? "nothing" : "not known: there is no store");
}
