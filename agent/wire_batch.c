/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The items of a batch to bytes and back; which record is like which is not decided here, and
 * nothing that is read is trusted.
 */
#include "wire_batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "wire_internal.h"

enum item_kind { ITEM_WHOLE = 1, ITEM_AGAIN };
#define ITEM_HEAD_BYTES 3 /* kind, length of what follows */

int wire_batch_head(uint8_t *out, size_t size)
{
	struct codec codec = { .out = out, .size = size };

	wire_walk_head(&codec, WIRE_BATCH);
	return codec.bad ? -EMSGSIZE : (int)codec.at;
}

static void walk_slot(struct codec *codec, uint16_t *slot, uint32_t *serial)
{
	codec_u16(codec, slot);
	codec_u32(codec, serial);
	if (*slot >= WIRE_SLOTS ? *slot != WIRE_SLOT_NONE : *serial == 0)
		codec->bad = true;
}

static void walk_again(struct codec *codec, struct wire_again *again)
{
	codec_u64(codec, &again->id);
	codec_i64(codec, &again->ts_ns);
	codec_u32(codec, &again->uid);
	codec_u16(codec, &again->sport);
	codec_u16(codec, &again->dport);
	codec_bool(codec, &again->has_uid);
	codec_bool(codec, &again->has_charged_uid);
	codec_bool(codec, &again->has_ports);
	CODEC_ENUM(codec, &again->via, VIA_N);
	CODEC_ENUM(codec, &again->mode, MODE_N);
	CODEC_ENUM(codec, &again->verdict, VERDICT_N);
	CODEC_ENUM(codec, &again->reason, REASON_N);
	codec_u8(codec, &again->family);
	if (again->family != AF_INET && again->family != AF_INET6)
		codec->bad = true;
	codec_raw(codec, again->dst, again->family == AF_INET ? 4 : 16);
}

/* The item's head stands before a body whose length is known afterwards. */
static int finish_item(struct codec *codec, size_t at, enum item_kind kind)
{
	uint16_t len;

	if (codec->bad)
		return -EMSGSIZE;
	len = (uint16_t)(codec->at - at - ITEM_HEAD_BYTES);
	codec->out[at] = (uint8_t)kind;
	memcpy(codec->out + at + 1, &len, sizeof(len));
	return (int)(codec->at - at);
}

static struct codec item_writer(uint8_t *out, size_t size, size_t at)
{
	struct codec codec = { .out = out, .size = size < WIRE_BYTES_MAX ? size : WIRE_BYTES_MAX };

	codec.bad = at + ITEM_HEAD_BYTES > codec.size;
	codec.at = codec.bad ? codec.size : at + ITEM_HEAD_BYTES;
	return codec;
}

int wire_put_whole(uint8_t *out, size_t size, size_t at, uint16_t slot, uint32_t serial,
		   const struct record *record)
{
	struct codec codec = item_writer(out, size, at);

	walk_slot(&codec, &slot, &serial);
	wire_walk_record(&codec, (struct record *)record); /* a writing codec writes nowhere else */
	return finish_item(&codec, at, ITEM_WHOLE);
}

int wire_put_again(uint8_t *out, size_t size, size_t at, uint16_t slot, uint32_t serial,
		   const struct record *record)
{
	const struct flow *flow = &record->flow;
	struct codec codec = item_writer(out, size, at);
	struct wire_again again = {
		.id = record->id,
		.ts_ns = record->ts_ns,
		.has_uid = record->has_uid,
		.has_ports = flow->has_ports,
		.sport = flow->sport,
		.dport = flow->dport,
		.via = record->via,
		.mode = record->mode,
		.verdict = record->verdict,
		.reason = record->reason,
		.family = flow->family,
	};

	again.has_charged_uid = record_charged_uid(record, &again.uid);
	memcpy(again.dst, flow->dst, sizeof(again.dst));
	walk_slot(&codec, &slot, &serial);
	walk_again(&codec, &again);
	return finish_item(&codec, at, ITEM_AGAIN);
}

int wire_next_item(const uint8_t *bytes, size_t len, size_t *at, struct wire_item *item)
{
	struct codec codec = { .in = bytes, .size = len, .at = *at };
	uint16_t size = 0;
	uint8_t kind = 0;

	if (codec.at == 0)
		wire_walk_head(&codec, WIRE_BATCH);
	if (!codec.bad && codec.at == len && *at > 0)
		return 0;
	codec_u8(&codec, &kind);
	codec_u16(&codec, &size);
	if (codec.bad || size > len - codec.at)
		return -EBADMSG;
	codec.size = codec.at + size;
	walk_slot(&codec, &item->slot, &item->serial);
	item->body = kind == ITEM_WHOLE ? bytes + codec.at : NULL;
	item->len = codec.bad ? 0 : codec.size - codec.at;
	if (kind == ITEM_AGAIN) {
		memset(&item->again, 0, sizeof(item->again));
		walk_again(&codec, &item->again);
		codec.bad |= item->slot == WIRE_SLOT_NONE || codec.at != codec.size;
	} else if (kind != ITEM_WHOLE) {
		codec.bad = true;
	}
	if (codec.bad)
		return -EBADMSG;
	*at = codec.size;
	return 1;
}

void wire_again_record(const struct wire_again *again, struct record *record)
{
	struct owner *owner = &record->owner;
	struct flow *flow = &record->flow;

	memset(record, 0, sizeof(*record));
	owner_init(owner);
	/* what was known of it was lost on the way: ours to answer for */
	owner->why = OWNER_WHY_ERROR;
	record->id = again->id;
	record->ts_ns = again->ts_ns;
	record->via = again->via;
	record->mode = again->mode;
	record->verdict = again->verdict;
	record->reason = again->reason;
	record->has_uid = again->has_uid;
	record->uid = record->gid = OWNER_UID_NONE;
	if (again->has_uid) {
		record->uid = again->uid;
	} else if (again->has_charged_uid) {
		owner->has_socket = true;
		owner->socket_uid = again->uid;
	}
	flow->family = again->family;
	flow->protocol = IPPROTO_TCP;
	flow->has_ports = again->has_ports;
	flow->sport = again->sport;
	flow->dport = again->dport;
	memcpy(flow->dst, again->dst, sizeof(flow->dst));
}
