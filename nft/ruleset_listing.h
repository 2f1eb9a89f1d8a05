/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `nft -s list table` prints, taken apart and compared. Pure: text in, lines out. Private to
 * nft/.
 */
#ifndef NFT_RULESET_LISTING_H
#define NFT_RULESET_LISTING_H

#include <stddef.h>
#include <stdint.h>

struct listing_line {
	char *block; /* "chain guard", "set smtp_ports" */
	char *text;  /* one rule or property; an element of a set: "element 25" */
};

struct listing {
	struct listing_line *lines;
	size_t n, room;
};

/* Left out: elements of dynamic sets, counter values, and in the chain `agent` one rule that
 * queues to this number with bypass (as far as nft shows the words of a compat rule). 0 or
 * -ENOMEM. */
int listing_parse(const char *text, uint16_t queue_num, struct listing *listing);
void listing_free(struct listing *listing);

/* How many lines differ (wanted, held), and each in *lines, malloc'd: "missing: BLOCK: TEXT",
 * "foreign: BLOCK: TEXT". A rule at another place in its chain is both. Negative: -errno. */
int listing_compare(const struct listing *wanted, const struct listing *held, char **lines);

#endif
