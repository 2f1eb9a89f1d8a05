/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values made of a fuzzer's bytes: whatever the bytes are, a value comes of them, so that every
 * change of one byte is a change of one value. What is used up gives zeros.
 */
#ifndef TESTS_FUZZ_TAKE_H
#define TESTS_FUZZ_TAKE_H

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

struct take {
	const uint8_t *at;
	size_t left;
};

static inline void take_bytes(struct take *take, void *out, size_t len)
{
	size_t n = len < take->left ? len : take->left;

	memset(out, 0, len);
	if (n)
		memcpy(out, take->at, n);
	take->at += n;
	take->left -= n;
}

static inline uint8_t take_u8(struct take *take)
{
	uint8_t value;

	take_bytes(take, &value, sizeof(value));
	return value;
}

static inline uint16_t take_u16(struct take *take)
{
	uint16_t value;

	take_bytes(take, &value, sizeof(value));
	return value;
}

static inline uint32_t take_u32(struct take *take)
{
	uint32_t value;

	take_bytes(take, &value, sizeof(value));
	return value;
}

static inline uint64_t take_u64(struct take *take)
{
	uint64_t value;

	take_bytes(take, &value, sizeof(value));
	return value;
}

/* At most max bytes, as many as a length before them says; how many. */
static inline size_t take_span(struct take *take, void *out, size_t max)
{
	size_t len = take_u16(take) % (max + 1);

	len = len < take->left ? len : take->left;
	take_bytes(take, out, len);
	return len;
}

/* A text that fills its field at most. */
static inline void take_text(struct take *take, char *field, size_t size)
{
	field[take_span(take, field, size - 1)] = '\0';
}

/* What is left, in an allocation of its own size and with a NUL behind it. */
static inline char *take_rest(struct take *take)
{
	size_t len = take->left;
	char *text = malloc(len + 1);

	must(text);
	take_bytes(take, text, len);
	text[len] = '\0';
	return text;
}

#endif
