/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes packets for the tests of the core, piece by piece; lengths are filled in by end_ip().
 */
#ifndef TESTS_UNIT_FRAMES_H
#define TESTS_UNIT_FRAMES_H

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/packet.h"

struct bytes {
	uint8_t b[4096];
	size_t n;
	size_t ip;	/* where the IP header begins */
	uint8_t *next;	/* the byte that says what the next header is */
};

static inline void put(struct bytes *to, const void *from, size_t n)
{
	assert(to->n + n <= sizeof(to->b));
	memcpy(to->b + to->n, from, n);
	to->n += n;
}

static inline void put8(struct bytes *to, unsigned value)
{
	put(to, &(uint8_t){ (uint8_t)value }, 1);
}

static inline void put16(struct bytes *to, unsigned value)
{
	put8(to, value >> 8);
	put8(to, value);
}

static inline void put32(struct bytes *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to, value);
}

static inline void put_zero(struct bytes *to, size_t n)
{
	while (n--)
		put8(to, 0);
}

/* 192.0.2.1 -> 198.51.100.2; option_words words of options (no-operation). */
static inline void put_ipv4(struct bytes *to, unsigned protocol, unsigned fragment,
			    unsigned option_words)
{
	to->ip = to->n;
	put8(to, 0x40 | (5 + option_words));
	put8(to, 0);
	put16(to, 0);
	put16(to, 0x1234);
	put16(to, fragment);
	put8(to, 64);
	to->next = to->b + to->n;
	put8(to, protocol);
	put16(to, 0);
	put(to, (uint8_t[]){ 192, 0, 2, 1, 198, 51, 100, 2 }, 8);
	for (unsigned i = 0; i < option_words * 4; i++)
		put8(to, 1);
}

/* 2001:db8::1 -> 2001:db8:ffff::2 */
static inline void put_ipv6(struct bytes *to, unsigned protocol)
{
	to->ip = to->n;
	put32(to, 0x60000000);
	put16(to, 0);
	to->next = to->b + to->n;
	put8(to, protocol);
	put8(to, 63);
	put(to, (uint8_t[]){ 0x20, 1, 0xd, 0xb8, [15] = 1 }, 16);
	put(to, (uint8_t[]){ 0x20, 1, 0xd, 0xb8, 0xff, 0xff, [15] = 2 }, 16);
}

/* An extension header of 8 bytes, plus 8 for each of `more`; the header before it names it. */
static inline void put_extension(struct bytes *to, unsigned protocol, unsigned more)
{
	uint8_t after = *to->next;

	*to->next = (uint8_t)protocol;
	to->next = to->b + to->n;
	put8(to, after);
	put8(to, more);
	put8(to, 1); /* PadN */
	put8(to, 4);
	put_zero(to, 4 + 8 * (size_t)more);
}

static inline void put_fragment(struct bytes *to, unsigned offset_and_more)
{
	uint8_t after = *to->next;

	*to->next = 44;
	to->next = to->b + to->n;
	put8(to, after);
	put8(to, 0);
	put16(to, offset_and_more);
	put32(to, 0xabcdef01);
}

/* Authentication header with an integrity value of 12 bytes: 24 bytes, length field 4. */
static inline void put_ah(struct bytes *to)
{
	uint8_t after = *to->next;

	*to->next = 51;
	to->next = to->b + to->n;
	put8(to, after);
	put8(to, 4);
	put_zero(to, 22);
}

/* 40000 -> dport, sequence number 0x01020304, acknowledgement 0x05060708. */
static inline void put_tcp(struct bytes *to, unsigned dport, unsigned flags)
{
	put16(to, 40000);
	put16(to, dport);
	put32(to, 0x01020304);
	put32(to, 0x05060708);
	put8(to, 0x50);
	put8(to, flags);
	put16(to, 64240);
	put32(to, 0);
}

static inline void end_ip(struct bytes *to)
{
	size_t len = to->n - to->ip;

	if (to->b[to->ip] >> 4 == 4) {
		to->b[to->ip + 2] = (uint8_t)(len >> 8);
		to->b[to->ip + 3] = (uint8_t)len;
	} else {
		to->b[to->ip + 4] = (uint8_t)((len - 40) >> 8);
		to->b[to->ip + 5] = (uint8_t)(len - 40);
	}
}

static inline struct bytes syn4(unsigned dport, unsigned flags)
{
	struct bytes bytes = { .n = 0 };

	put_ipv4(&bytes, 6, 0, 0);
	put_tcp(&bytes, dport, flags);
	end_ip(&bytes);
	return bytes;
}

static inline struct bytes syn6(unsigned dport, unsigned flags)
{
	struct bytes bytes = { .n = 0 };

	put_ipv6(&bytes, 6);
	put_tcp(&bytes, dport, flags);
	end_ip(&bytes);
	return bytes;
}

static inline struct packet packet_of(const struct bytes *bytes)
{
	return (struct packet){ bytes->b, bytes->n };
}

/* A copy that ends where it ends: an address sanitizer sees one byte too far. The caller frees. */
static inline struct packet exact_copy(const uint8_t *from, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert(copy);
	memcpy(copy, from, len);
	return (struct packet){ copy, len };
}

#endif
