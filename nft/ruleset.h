/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule set: nft/egressd.nft as text, with the config's values put in; loaded, unloaded, shown
 * and checked with nft(8), while the agent's own rule, the counters and the epoch go over netlink
 * (libnftnl, libmnl). Nothing here touches another table.
 *
 * Functions that run nft return 0 or -errno and leave what nft said, or what differs, in *message
 * (malloc'd, one or more lines without a last newline, or NULL); the caller frees it.
 */
#ifndef NFT_RULESET_H
#define NFT_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULESET_UIDS_MAX  64
#define RULESET_PORTS_MAX 64

struct ruleset {
	const char *nft_program; /* /usr/sbin/nft */
	const char *rules_file;	 /* the template; NULL: the copy built into the program */
	const char *table;	 /* table inet NAME */
	bool monitor;		 /* refuse chain: count, copy, accept */
	const uint16_t *ports;	 /* host byte order */
	unsigned n_ports;
	const uint32_t *mail_uids; /* may be none: then nobody gets out */
	unsigned n_mail_uids;
	/* A third value is made of the two: the mail server's packets carry it. */
	uint32_t mark_mask, mark_allow, mark_deny;
	uint32_t hot_rate;  /* attempts a second of one uid that are offered to the queue; 0: all */
	uint32_t hot_burst; /* and at once, after a rest */
	uint16_t nflog_group; /* refused; +1 mail server's copies; +2 local copies */
	uint16_t queue_num;
};

/*
 * Named counters of the table, and the prefixes of its NFLOG copies. A SYN to the ports is counted
 * in exactly one of LOCAL, MAIL, HELD, FORWARDED; a refused packet in exactly one of BY_AGENT,
 * BY_GUARD, NOT_OPENING, FRAGMENT, and copied once (BY_AGENT is not copied). Monitor counts and
 * copies the same, once, and lets pass; only NOT_OPENING stays 0 there, since the later packets of
 * a flow whose opening was counted and let pass are nothing new.
 *
 * BY_GUARD is not a part of HELD and FORWARDED alone: UNHELD is what never was offered to the
 * queue, a SYN with more flags (SYN|ACK: simultaneous open, or the answer to somebody who connects
 * to us from a mail port; SYN|FIN, SYN|RST: made by hand) or a SYN that a DNAT rule turned to a
 * mail port. LOCAL + MAIL + HELD + UNHELD + NOT_OPENING + FRAGMENT + FORWARDED counts
 * every packet that is owed a record exactly once.
 *
 * HOT is of HELD: above hot_rate, so not offered to the queue; the guard decided, so each is in
 * BY_GUARD too.
 */
enum ruleset_counter {
	RULESET_LOCAL,	     /* SYNs to an address of this box: copied to group + 2 */
	RULESET_MAIL,	     /* SYNs of a mail uid: copied to group + 1 */
	RULESET_HELD,	     /* this box's SYNs of everybody else: offered to the agent's queue */
	RULESET_HOT,	     /* of HELD: not offered, since its uid made too many */
	RULESET_ALLOWED,     /* let out with the agent's allow mark */
	RULESET_BY_AGENT,    /* refused with the agent's deny mark: the agent records them */
	RULESET_BY_GUARD,    /* openings refused by the rule set alone: copied to the group */
	RULESET_UNHELD,	     /* of BY_GUARD: never offered to the queue, so in no other counter */
	RULESET_NOT_OPENING, /* packets without SYN, of a uid that may send nothing, or forwarded:
			      * copied */
	RULESET_FRAGMENT,    /* fragments to the ports, in no other counter: copied */
	RULESET_FORWARDED,   /* SYNs that this box forwards (containers, routed hosts): offered to
			      * the agent's queue */
	RULESET_COUNTER_N
};
extern const char *const ruleset_counter_words[RULESET_COUNTER_N];

/* Which form the agent's rule has in the kernel. Words: ruleset_queue_words[]. */
enum ruleset_queue {
	RULESET_QUEUE_NONE,   /* the agent chain is empty: the guard decides alone */
	RULESET_QUEUE_NATIVE, /* nft queue */
	RULESET_QUEUE_COMPAT, /* xt target NFQUEUE through nft_compat */
	RULESET_QUEUE_N
};
extern const char *const ruleset_queue_words[RULESET_QUEUE_N];

/* The template with its values; malloc'd. -EINVAL with a message when it has an unknown or
 * missing placeholder. */
int ruleset_render(const struct ruleset *ruleset, char **text, char **message);

/* Loads or renews the table in one transaction. Counters and the `refused` set keep their values
 * when a table of ours is there already (its rules are flushed and written anew in the same
 * transaction); the agent chain is left empty: the agent fills it again. A table that is not as
 * ours after that (a foreign chain, another hook) is deleted and made anew in one transaction, and
 * *message says so: its counters start at 0, its handle is another. A kernel or nft that has no
 * limit for each uid gets the rules without hot_rate, and *message says so. -EINVAL: nft refused.
 */
int ruleset_load(const struct ruleset *ruleset, char **message);
/* Deletes the table in one transaction; 0 also when there is none. */
int ruleset_unload(const struct ruleset *ruleset, char **message);
/* What the kernel holds now, as nft lists it, in *text (malloc'd). -ENOENT: no table. */
int ruleset_show(const struct ruleset *ruleset, char **text, char **message);
/*
 * Is what the kernel holds what this config makes? The text is loaded into a network namespace of
 * its own (a forked child, unshare), listed there by the same nft, and compared; dynamic elements,
 * counter values and the agent's rule are left out of the comparison.
 * Needs CAP_SYS_ADMIN for the namespace.
 * 0 whole (a *message then is one line about what this kernel can't do, as of ruleset_load());
 * 1 differs, one line a difference in *message ("missing: …", "foreign: …"); -ENOENT no table;
 * -errno.
 */
int ruleset_check(const struct ruleset *ruleset, char **message);

/* Clashes with what others loaded: one line each in *message, its count returned (0: none), or
 * -errno. Looks at: the queue number bound already (/proc/net/netfilter/nfnetlink_queue, its
 * portid), csf's SMTPOUTPUT chain, another table or iptables chain that drops or rejects our
 * ports in output or forward, another table that queues to our number. Each line names table,
 * chain and rule. */
int ruleset_clashes(const struct ruleset *ruleset, char **message);

/* The agent's rule, over netlink, no nft program needed (the judge has CAP_NET_ADMIN only). */
struct ruleset_link; /* a NETLINK_NETFILTER socket */
int ruleset_link_open(struct ruleset_link **link);
void ruleset_link_free(struct ruleset_link *link); /* takes NULL */
/* Empties the agent chain and puts `queue flags bypass to NUM` into it, one transaction; native
 * form first, the compat form when the kernel has no nft_queue. *form says which. -ENOENT: the
 * table is not loaded. -EOPNOTSUPP: the kernel has neither form. */
int ruleset_agent_fill(struct ruleset_link *link, const char *table, uint16_t queue_num,
		       enum ruleset_queue *form);
int ruleset_agent_empty(struct ruleset_link *link, const char *table);
/* What is in the agent chain now. */
int ruleset_agent_form(struct ruleset_link *link, const char *table, enum ruleset_queue *form);
/* Packets of each named counter, and the table's handle (differs after it was made anew).
 * -ENOENT: no table. -EUCLEAN: a table that lacks one of our counters. -EINTR: it changed under
 * ten dumps in a row. */
int ruleset_counters(struct ruleset_link *link, const char *table,
		     uint64_t packets[RULESET_COUNTER_N], uint64_t *table_handle);
/* The number of nf_tables' last transaction in this network namespace, anybody's: when it is the
 * same, so are the rules. */
int ruleset_generation(struct ruleset_link *link, uint32_t *generation);
/* The dynamic set `refused`: packets per uid and port, as the kernel counted them. Called once an
 * element; stops and returns what the callback returns when that is not 0. */
typedef int (*ruleset_refused_fn)(void *context, uint32_t uid, uint16_t port, uint64_t packets);
int ruleset_refused(struct ruleset_link *link, const char *table, ruleset_refused_fn each,
		    void *context);

#endif
