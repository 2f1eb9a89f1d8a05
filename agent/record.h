/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record: one attempt with its flow, its owner, the verdict and an excerpt of the packet.
 * Everything else in agent/ makes one, carries one or shows one.
 */
#ifndef AGENT_RECORD_H
#define AGENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf-free/owner.h"
#include "flow.h"
#include "policy.h"

#define RECORD_EXCERPT_BYTES 512
#define RECORD_DEVICE_BYTES  16 /* IFNAMSIZ with its NUL, linux/if.h */

/* Where the packet was seen. Words: record_via_words[]. */
enum record_via {
	VIA_QUEUE,   /* held in NFQUEUE: the verdict was ours */
	VIA_FORWARD, /* the same, of what this box only forwards */
	VIA_MAIL,    /* NFLOG copy of a mail server's SYN: the rule set let it out */
	VIA_LOCAL,   /* NFLOG copy of a SYN to this box: the rule set let it pass */
	VIA_GUARD,   /* NFLOG copy of what the rule set refused by itself */
	VIA_REPLAY,  /* read from a capture */
	VIA_N
};

extern const char *const record_via_words[VIA_N];

struct record {
	uint64_t id;   /* numbers the judge's records, from 1; 0: none (replay). Notes name it */
	int64_t ts_ns; /* CLOCK_REALTIME when the packet was seen, ns since the epoch */
	enum record_via via;
	enum policy_mode mode;
	enum verdict verdict;
	enum reason reason;
	enum flow_error flow_error;
	char rule[64]; /* name of the deciding rule; "guard" when the rule set decided alone */
	bool has_uid;
	uint32_t uid, gid;   /* from the kernel's message: who made the socket */
	bool foreign_holder; /* another user's process than its maker's holds the socket */
	/* The interface it came in by; "" but for what this box forwards. Raw bytes: whoever makes
	 * interfaces names them. */
	char indev[RECORD_DEVICE_BYTES];
	struct flow flow;
	struct owner owner;
	uint16_t excerpt_bytes; /* of excerpt[]; the packet from its IP header on */
	uint32_t packet_bytes;	/* how long the packet was */
	uint8_t excerpt[RECORD_EXCERPT_BYTES]; /* what follows excerpt_bytes is undefined */
};

/* Who the record is charged to: the queue's uid; where there is none, the socket's; where there
 * is neither, the process's; else false. Never a mix: the three stay side by side in the record. */
bool record_charged_uid(const struct record *record, uint32_t *uid);

/* The mark of an interpreter: owner.script if known, else exe, else "" (raw bytes). */
const char *record_program(const struct record *record);

/* The same, for the offender the record is charged to: "" for a foreign holder's program, which is
 * none of the charged uid's doing. */
const char *record_charged_program(const struct record *record);

#define RECORD_LIKENESS_BYTES 640

/* What a record's row and its offender rest on (store.h), as bytes to compare: who is charged,
 * with which program, site and unit, and what became of it where. Of two records with the same
 * likeness within fold_s the second raises the first's counts, and nothing else of it is kept.
 * Returns their number; 0: it is to be taken for unlike any other (a foreign holder's, a packet
 * that is no plain one, long names). */
size_t record_likeness(const struct record *record, uint8_t out[RECORD_LIKENESS_BYTES]);

/* A mail server's socket went out from other hands. */
bool record_is_alarm(const struct record *record);

#endif
