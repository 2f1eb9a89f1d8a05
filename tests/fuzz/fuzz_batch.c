/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a batch of records: items that are sound and stay within the message, up to its end
 * or to the first that is none.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/wire_batch.h"
#include "fuzz.h"

static void check_again(const struct wire_item *item)
{
	static struct record record;
	static uint8_t bytes[256];
	const struct wire_again *again = &item->again;
	struct wire_item read;
	size_t at = 0;
	int head = wire_batch_head(bytes, sizeof(bytes)), len;

	must(item->slot < WIRE_SLOTS && item->serial != 0);
	must(again->via < VIA_N && again->mode < MODE_N && again->verdict < VERDICT_N);
	must(again->reason < REASON_N);
	must(again->family == AF_INET || again->family == AF_INET6);
	wire_again_record(again, &record);
	must(record.id == again->id && record.ts_ns == again->ts_ns);
	must(record.owner.proc.pid == 0 && record.owner.how == OWNER_UNKNOWN);
	/* what it says by itself says the same again */
	len = wire_put_again(bytes, sizeof(bytes), (size_t)head, item->slot, item->serial, &record);
	must(len > 0);
	must(wire_next_item(bytes, (size_t)(head + len), &at, &read) == 1 && !read.body);
	must(read.again.id == again->id && read.again.has_uid == again->has_uid);
	if (again->uid != OWNER_UID_NONE)
		must(read.again.uid == (again->has_uid || again->has_charged_uid ? again->uid : 0));
	must(!memcmp(read.again.dst, again->dst, again->family == AF_INET ? 4 : 16));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record record;
	struct wire_item item;
	size_t at = 0, before = 0;
	int got;

	while ((got = wire_next_item(data, size, &at, &item)) > 0) {
		must(at > before && at <= size);
		before = at;
		if (!item.body) {
			check_again(&item);
			continue;
		}
		must(item.body > data && item.body + item.len == data + at);
		must(item.slot < WIRE_SLOTS ? item.serial != 0 : item.slot == WIRE_SLOT_NONE);
		if (wire_read_record(item.body, item.len, &record))
			continue;
		must(memchr(record.owner.script, 0, sizeof(record.owner.script)) != NULL);
		must(record.owner.n_parents <= OWNER_PARENTS);
		must(record.owner.cmdline_bytes <= OWNER_CMDLINE_BYTES);
		must(record.excerpt_bytes <= RECORD_EXCERPT_BYTES);
	}
	must(got == 0 || got == -EBADMSG);
	must(got < 0 || wire_kind(data, size) == WIRE_BATCH);
	must(at == before);
	return 0;
}
