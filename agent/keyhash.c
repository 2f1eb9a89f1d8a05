/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4-128 and nothing else. Pure. */
#include "keyhash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static uint64_t le64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

struct keyhash keyhash_of(const uint8_t key[16], const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	uint64_t k0 = le64(key), k1 = le64(key + 8);
	struct sip s = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee,
			 k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	uint8_t last[8] = { [7] = (uint8_t)len };
	struct keyhash hash;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8)
		sip_word(&s, le64(in + i));
	if (len > i)
		memcpy(last, in + i, len - i);
	sip_word(&s, le64(last));
	s.v2 ^= 0xee;
	sip_rounds(&s, 4);
	hash.half[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	sip_rounds(&s, 4);
	hash.half[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	return hash;
}
