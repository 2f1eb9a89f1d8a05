/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes to the recorder, one SOCK_SEQPACKET message each: from the judge a record, the
 * counters, or new options after a reload; from the witness a note about a record. Host byte
 * order: both ends are one program on one machine. Texts are sent with their length, not their
 * field's size. The decoder trusts nothing: a cut, long or senseless message is -EBADMSG. Pure.
 */
#ifndef AGENT_WIRE_H
#define AGENT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "note.h"
#include "record.h"
#include "stats.h"

#define WIRE_BYTES_MAX 32768

enum wire_kind { WIRE_RECORD = 1, WIRE_STATS, WIRE_OPTIONS, WIRE_NOTE, WIRE_BATCH };
#define WIRE_HEAD_BYTES 3 /* before a message's body */

/* What `egressctl status` says of the running judge beside the counters. */
struct wire_status {
	struct stats stats;
	int64_t ts_ns, started_ns;
	int32_t judge_pid;
	uint32_t queue_form;		      /* enum ruleset_queue */
	uint32_t mode;			      /* enum policy_mode */
	uint32_t n_mail_uids;		      /* 0: nobody may send */
	uint32_t rules_whole;		      /* 1 the agent's rule is in place, 0 not */
	uint32_t queue_waiting, queue_portid; /* /proc/net/netfilter/nfnetlink_queue */
};

/* Bytes written to out (WIRE_BYTES_MAX big), or -EMSGSIZE. */
int wire_encode_record(const struct record *record, uint8_t *out, size_t size);
int wire_encode_status(const struct wire_status *status, uint8_t *out, size_t size);
/* The parts that it says it has, at least one; what is in the others is not sent. */
int wire_encode_note(const struct note *note, uint8_t *out, size_t size);
int wire_encode_options(const struct config *config, uint8_t *out, size_t size);

/* The kind, or -EBADMSG. */
int wire_kind(const uint8_t *bytes, size_t len);
/* The body of a record's message, or of an item of a batch. Only what the record says is written:
 * bytes behind a text's end stay what they were; after -EBADMSG all of it may be. */
int wire_read_record(const uint8_t *body, size_t len, struct record *record);
/* 0 or -EBADMSG (then the out-parameter is untouched). Options change the recorder's keys of
 * *config only: fold_s … excerpt_bytes, journal_s; folders, users and sockets stay as they are. */
int wire_decode_record(const uint8_t *bytes, size_t len, struct record *record);
int wire_decode_status(const uint8_t *bytes, size_t len, struct wire_status *status);
/* Parts that did not come are zeroes. */
int wire_decode_note(const uint8_t *bytes, size_t len, struct note *note);
int wire_decode_options(const uint8_t *bytes, size_t len, struct config *config);

#endif
