/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of others that stand in our way: a model of their tables, filled from nft's JSON or from
 * iptables-save's text, and the question which of their rules drop, reject or queue our ports.
 * Pure: text in, lines out. Private to nft/.
 *
 * A rule counts when it names one of our ports, itself or by the rules that lead to its chain
 * (csf: `--dports 25,465,587 -j SMTPOUTPUT`, and there a bare DROP). What drops everything, or by
 * address alone, is no clash with us.
 */
#ifndef NFT_CLASH_H
#define NFT_CLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruleset_text.h"

enum clash_action { CLASH_NONE, CLASH_DROP, CLASH_REJECT, CLASH_QUEUE, CLASH_JUMP, CLASH_ACTION_N };
extern const char *const clash_action_words[CLASH_ACTION_N]; /* "drops", "rejects", ... */

/* A bit for each of our ports. */
struct clash_match {
	uint64_t ports; /* which of them can match */
	bool named;	/* the rule says something about the port */
};

struct clash_rule {
	size_t chain, target; /* of CLASH_JUMP; indices of chains */
	struct clash_match match;
	enum clash_action action;
	uint32_t queue_first, queue_last; /* of CLASH_QUEUE */
	char *text;			  /* the rule, for a human */
};

struct clash_chain {
	char *where; /* "table inet fw", "iptables table filter" */
	char *name;
	bool out;	/* packets to others come by: hook output, forward, postrouting, egress */
	bool reached;	/* without a word about ports */
	uint64_t named; /* ports that some rule on the way here named */
};

struct clash {
	const uint16_t *ports;
	unsigned n_ports;
	struct clash_chain *chains;
	size_t n_chains, chains_room;
	struct clash_rule *rules;
	size_t n_rules, rules_room;
};

uint64_t clash_all(const struct clash *clash);
/* Our ports from first to last. */
uint64_t clash_range(const struct clash *clash, uint32_t first, uint32_t last);

/* The chain's index, made if it is not there; negative -ENOMEM. */
long clash_chain(struct clash *clash, const char *where, const char *name);
int clash_rule(struct clash *clash, const struct clash_rule *rule, const char *text);
void clash_free(struct clash *clash);

/* Tables that iptables-nft-save printed whole: nft shows their xt matches as opaque. */
enum clash_table {
	CLASH_FILTER,
	CLASH_MANGLE,
	CLASH_NAT,
	CLASH_RAW,
	CLASH_SECURITY,
	CLASH_TABLE_N
};
struct clash_covered {
	bool ip[CLASH_TABLE_N], ip6[CLASH_TABLE_N];
};
void clash_covered(const char *save_text, bool tables[CLASH_TABLE_N]);
bool clash_is_covered(const struct clash_covered *covered, const char *family, const char *table);

/* `nft -j list ruleset`; table inet own_table is ours. -EBADMSG: not nft's JSON. */
int clash_read_nft(struct clash *clash, const char *json, const char *own_table,
		   const struct clash_covered *covered);
/* iptables-save's text; `program` ("iptables", "ip6tables-legacy") only names it. */
int clash_read_iptables(struct clash *clash, const char *text, const char *program);

/* One line each, without last newline, appended; how many. */
unsigned clash_lines(struct clash *clash, uint16_t queue_num, struct ruleset_text *lines);
/* /proc/net/netfilter/nfnetlink_queue: is the number bound, and by which netlink port? */
unsigned clash_queue_line(const char *proc_text, uint16_t queue_num, struct ruleset_text *lines);

#endif
