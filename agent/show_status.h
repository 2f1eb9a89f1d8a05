/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the whole: what runs, what was seen and what was lost, as JSON
 * ("egressd.status/1") and as a page. Gathers nothing itself.
 *
 *     seen + unseen = recorded at the last report + retransmits + lost      (store.h)
 */
#ifndef AGENT_SHOW_STATUS_H
#define AGENT_SHOW_STATUS_H

#include <stdio.h>

#include "../nft/ruleset.h"
#include "show.h"

struct show_kernel {	 /* what the kernel holds now */
	const char *why; /* NULL: it could be asked; else why not */
	bool loaded;
	int check; /* as ruleset_check(); only when loaded */
	enum ruleset_queue form;
	uint64_t packets[RULESET_COUNTER_N];
	char lacks[200]; /* what this kernel can't do of the rules; "": nothing */
	char epoch[80];	 /* of packets, as stats.kernel_epoch; "": not known */
};

struct show_queue { /* /proc/net/netfilter/nfnetlink_queue */
	bool known, bound;
	uint64_t portid, waiting, queue_dropped, user_dropped;
};

struct show_status {
	int64_t now_ns;
	const struct config *config;
	int64_t mail_uids[CONFIG_MAIL_USERS_MAX]; /* as config's mail_users; -1: no such user */
	const struct store_status *store;	  /* NULL: there is none to read */
	bool judge_runs;
	struct show_kernel kernel;
	struct show_queue queue;
};

json_t *show_status_json(const struct show_status *status, const struct show_options *options);
/* 0 or -errno of the stream. */
int show_status_page(const struct show_status *status, const struct show_options *options,
		     FILE *out);

/* What stands in the way of a whole record, with its words: shared by the page and the JSON. */
struct show_loss {
	const char *word, *text;
	uint64_t count;
};
#define SHOW_LOSSES 14
unsigned show_status_losses(const struct store_status *store, struct show_loss losses[SHOW_LOSSES]);

/* Of the attempts that are not on record, those that no counter has a cause for. */
uint64_t show_status_unexplained(const struct store_status *store);
/* What the kernel has seen since the judge's last report; false: not known. */
bool show_status_seen_since(const struct show_status *status, uint64_t *seen);
/* The page's part about what went wrong. */
void show_status_wrong(const struct show_status *status, FILE *out);

/* The same for what became of the packets. */
#define SHOW_OUTCOMES 7
unsigned show_status_outcomes(const struct store_status *store,
			      struct show_loss outcomes[SHOW_OUTCOMES]);

#endif
