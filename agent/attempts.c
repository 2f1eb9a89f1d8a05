/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remembers the SYNs of the last ATTEMPTS_TTL_NS in a fixed table: a ring in order of arrival, and
 * hash chains through it. Never grows, never asks the time.
 */
#include "attempts.h"

#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

struct attempt {
	/* The key, every byte of it set: it is hashed and compared as bytes. */
	struct attempt_key {
		uint8_t src[16], dst[16];
		uint32_t seq, uid;
		uint16_t sport, dport;
		uint8_t family, has_uid;
		uint8_t zero[2];
	} key;
	uint32_t next; /* in its bucket's chain, newest first */
	uint32_t bucket;
	int64_t first_ns;
};
_Static_assert(sizeof(struct attempt_key) == 48, "no hole in the key");

struct attempts {
	uint64_t k0, k1;
	uint32_t slots, used, oldest; /* the ring: oldest is written over when all are used */
	uint32_t *buckets;
	struct attempt *ring;
};

static uint64_t rotl(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* SipHash-2-4 (Aumasson, Bernstein 2012) over the key, which is a whole number of words. The words
 * are taken in host order: the value never leaves this table. */
static uint64_t hash(const struct attempts *attempts, const struct attempt_key *key)
{
	uint64_t v[4] = {
		attempts->k0 ^ 0x736f6d6570736575ULL,
		attempts->k1 ^ 0x646f72616e646f6dULL,
		attempts->k0 ^ 0x6c7967656e657261ULL,
		attempts->k1 ^ 0x7465646279746573ULL,
	};
	uint64_t words[sizeof(*key) / 8 + 1];

	memcpy(words, key, sizeof(*key));
	words[sizeof(*key) / 8] = (uint64_t)sizeof(*key) << 56;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		v[3] ^= words[i];
		sip_round(v);
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct attempts *attempts_new(unsigned slots, const uint8_t key[16])
{
	struct attempts *attempts;

	if (!slots || slots & (slots - 1) || slots > 1U << 24)
		return NULL;
	attempts = calloc(1, sizeof(*attempts));
	if (!attempts)
		return NULL;
	attempts->slots = slots;
	attempts->buckets = malloc(slots * sizeof(attempts->buckets[0]));
	attempts->ring = calloc(slots, sizeof(attempts->ring[0]));
	if (!attempts->buckets || !attempts->ring) {
		attempts_free(attempts);
		return NULL;
	}
	memset(attempts->buckets, 0xff, slots * sizeof(attempts->buckets[0])); /* NO_SLOT */
	memcpy(&attempts->k0, key, 8);
	memcpy(&attempts->k1, key + 8, 8);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (!attempts)
		return;
	free(attempts->buckets);
	free(attempts->ring);
	free(attempts);
}

static void unlink_slot(struct attempts *attempts, uint32_t slot)
{
	uint32_t *link = &attempts->buckets[attempts->ring[slot].bucket];

	while (*link != slot)
		link = &attempts->ring[*link].next;
	*link = attempts->ring[slot].next;
}

static uint32_t take_slot(struct attempts *attempts)
{
	uint32_t slot;

	if (attempts->used < attempts->slots)
		return attempts->used++;
	slot = attempts->oldest;
	attempts->oldest = (slot + 1) & (attempts->slots - 1);
	unlink_slot(attempts, slot);
	return slot;
}

/* Time may step back (a clock that was set, a capture out of order): near is what counts. */
static bool within_ttl(int64_t first_ns, int64_t now_ns)
{
	uint64_t apart = now_ns > first_ns ? (uint64_t)now_ns - (uint64_t)first_ns
					   : (uint64_t)first_ns - (uint64_t)now_ns;

	return apart < (uint64_t)ATTEMPTS_TTL_NS;
}

bool attempts_repeat(struct attempts *attempts, const struct flow *flow, bool has_uid, uint32_t uid,
		     int64_t now_ns)
{
	struct attempt_key key = {
		.seq = flow->seq,
		.uid = has_uid ? uid : 0,
		.sport = flow->sport,
		.dport = flow->dport,
		.family = flow->family,
		.has_uid = has_uid,
	};
	uint32_t bucket, slot;

	memcpy(key.src, flow->src, sizeof(key.src));
	memcpy(key.dst, flow->dst, sizeof(key.dst));
	bucket = (uint32_t)hash(attempts, &key) & (attempts->slots - 1);
	for (slot = attempts->buckets[bucket]; slot != NO_SLOT; slot = attempts->ring[slot].next) {
		if (memcmp(&attempts->ring[slot].key, &key, sizeof(key)))
			continue;
		if (within_ttl(attempts->ring[slot].first_ns, now_ns))
			return true;
		break; /* the newest of this key is too old: this one is new */
	}
	slot = take_slot(attempts);
	attempts->ring[slot] = (struct attempt){
		.key = key,
		.next = attempts->buckets[bucket],
		.bucket = bucket,
		.first_ns = now_ns,
	};
	attempts->buckets[bucket] = slot;
	return false;
}
