/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message of many records, WIRE_BATCH: items one behind the other. An item is a record whole, or
 * one that is like (record_likeness()) a whole one before it, as a reference: the slot and serial
 * that the whole one was sent with, what is its own, and enough to count it where the whole one is
 * not known any more. Pure.
 */
#ifndef AGENT_WIRE_BATCH_H
#define AGENT_WIRE_BATCH_H

#include "wire.h"

#define WIRE_SLOTS     256
#define WIRE_SLOT_NONE UINT16_MAX   /* this one will not be referred to */
#define WIRE_AGAIN_NS  1000000000LL /* a reference's ts_ns is less than this after the whole's */

struct wire_again {
	uint64_t id;
	int64_t ts_ns;
	uint32_t uid; /* the packet's, or else who is charged */
	uint16_t sport, dport;
	bool has_uid, has_charged_uid, has_ports;
	enum record_via via;
	enum policy_mode mode;
	enum verdict verdict;
	enum reason reason;
	uint8_t family, dst[16];
};

struct wire_item {
	uint16_t slot;
	uint32_t serial;     /* never 0 where slot is one */
	const uint8_t *body; /* of a whole record, for wire_read_record(); NULL: a reference */
	size_t len;
	struct wire_again again;
};

/* Writing: each returns the bytes written behind `at`, or -EMSGSIZE. The head comes first. */
int wire_batch_head(uint8_t *out, size_t size);
int wire_put_whole(uint8_t *out, size_t size, size_t at, uint16_t slot, uint32_t serial,
		   const struct record *record);
int wire_put_again(uint8_t *out, size_t size, size_t at, uint16_t slot, uint32_t serial,
		   const struct record *record);

/* Reading: *at is where the next item begins, 0 before the first. 1, 0 at the end, -EBADMSG. */
int wire_next_item(const uint8_t *bytes, size_t len, size_t *at, struct wire_item *item);
/* What a reference says by itself, as a record: nobody is named. */
void wire_again_record(const struct wire_again *again, struct record *record);

#endif
