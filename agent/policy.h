/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy: who may open a connection to the mail ports. First match wins, else deny. Pure.
 */
#ifndef AGENT_POLICY_H
#define AGENT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf-free/owner.h"
#include "flow.h"

#define POLICY_MAIL_UIDS_MAX 64
#define POLICY_PORTS_MAX     64

/* Words: policy_mode_words[], verdict_words[], reason_words[]. They are the words of the config,
 * the store, JSON, the expected files and the command line. */
enum policy_mode { MODE_ENFORCE, MODE_MONITOR, MODE_N };

enum verdict {
	VERDICT_ALLOW,
	VERDICT_DENY,
	VERDICT_WOULD_DENY, /* monitor: recorded as refused, let pass */
	VERDICT_N
};

enum reason {
	REASON_LOCAL,	    /* allow: the destination is this box (local submission) */
	REASON_MAIL_SERVER, /* allow: the socket was made by a mail server's user */
	REASON_NOT_ALLOWED, /* deny: anybody else */
	REASON_NO_UID,	    /* deny: the packet carries no uid (AF_SMC, MP_JOIN) */
	REASON_FRAGMENT,    /* deny: a fragment hides its flags */
	REASON_MALFORMED,   /* deny: it can't be parsed; flow_error says what */
	REASON_NOT_OPENING, /* deny: no SYN: an older flow, or made by hand */
	REASON_FORWARDED,   /* deny: this box only forwards it (a container, a routed host) */
	REASON_OTHER_PORT,  /* allow: not a mail port (replay sees such; the rule set never asks) */
	REASON_N
};

extern const char *const policy_mode_words[MODE_N];
extern const char *const verdict_words[VERDICT_N];
extern const char *const reason_words[REASON_N];

struct policy {
	enum policy_mode mode;
	uint16_t ports[POLICY_PORTS_MAX];
	unsigned n_ports;
	uint32_t mail_uids[POLICY_MAIL_UIDS_MAX]; /* sorted out of mail_users; may be none */
	unsigned n_mail_uids;
};

/* The question about one packet. */
struct policy_query {
	const struct flow *flow;
	enum flow_error flow_error;
	bool dst_local; /* the edge says: the destination is an address of this box */
	bool forwarded; /* the edge says: it came in by an interface; no uid of it counts */
	bool has_uid;
	uint32_t uid;		   /* who made the socket, from the kernel's message */
	const struct owner *owner; /* may be unknown; an unknown owner never matches an allow */
};

struct policy_answer {
	enum verdict verdict;
	enum reason reason;
	const char *rule; /* name of the deciding rule: "local", "mail-users", "default", or
			   * "ports" where it is no mail port; static */
};

bool policy_is_mail_port(const struct policy *policy, uint16_t port);
bool policy_is_mail_uid(const struct policy *policy, uint32_t uid);
void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *answer);

#endif
