/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields to bytes and back, bounded: what the walks of wire.c and wire_note.c are made of. One that
 * reads trusts nothing: what is cut, too long or no value of its enum makes the codec bad, and from
 * then on nothing is read or written. Numbers in host byte order. Pure.
 */
#ifndef AGENT_CODEC_H
#define AGENT_CODEC_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codec {
	uint8_t *out;	   /* when writing, else NULL */
	const uint8_t *in; /* when reading, else NULL */
	size_t at, size;
	bool bad; /* too long to write, or not to be believed */
};

void codec_raw(struct codec *codec, void *field, size_t len);
void codec_u8(struct codec *codec, uint8_t *field);
void codec_u16(struct codec *codec, uint16_t *field);
void codec_u32(struct codec *codec, uint32_t *field);
void codec_u64(struct codec *codec, uint64_t *field);
void codec_i32(struct codec *codec, int32_t *field);
void codec_i64(struct codec *codec, int64_t *field);
void codec_bool(struct codec *codec, bool *field);

/* Enums here have no negative value, so they are as big as unsigned int (gcc). */
void codec_enum_of(struct codec *codec, unsigned *field, unsigned n);
#define CODEC_ENUM(codec, field, n)                                                                \
	do {                                                                                       \
		static_assert(sizeof(*(field)) == sizeof(unsigned), "enum");                       \
		codec_enum_of(codec, (unsigned *)(field), n);                                      \
	} while (0)

/* Bytes with their length before them; at most max. Returns how many. */
size_t codec_span(struct codec *codec, void *field, size_t len, size_t max);

/* A NUL-terminated text; one that holds a NUL is not what the other end could have sent. */
void codec_text(struct codec *codec, char *field, size_t size);
#define CODEC_TEXT(codec, field) codec_text(codec, field, sizeof(field))

#endif
