/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes fields within bounds; it knows no message. */
#include "codec.h"

#include <string.h>

void codec_raw(struct codec *codec, void *field, size_t len)
{
	if (codec->bad || codec->size - codec->at < len) {
		codec->bad = true;
		return;
	}
	if (codec->out)
		memcpy(codec->out + codec->at, field, len);
	else
		memcpy(field, codec->in + codec->at, len);
	codec->at += len;
}

#define CODEC_NUMBER(name, type)                                                                   \
	void codec_##name(struct codec *codec, type *field)                                        \
	{                                                                                          \
		codec_raw(codec, field, sizeof(*field));                                           \
	}
CODEC_NUMBER(u8, uint8_t)
CODEC_NUMBER(u16, uint16_t)
CODEC_NUMBER(u32, uint32_t)
CODEC_NUMBER(u64, uint64_t)
CODEC_NUMBER(i32, int32_t)
CODEC_NUMBER(i64, int64_t)

void codec_bool(struct codec *codec, bool *field)
{
	uint8_t value = codec->out ? *field : 0;

	codec_u8(codec, &value);
	if (codec->bad || value > 1)
		codec->bad = true;
	else if (codec->in)
		*field = value;
}

void codec_enum_of(struct codec *codec, unsigned *field, unsigned n)
{
	uint8_t value = codec->out ? (uint8_t)*field : 0;

	codec_u8(codec, &value);
	if (codec->bad || value >= n)
		codec->bad = true;
	else if (codec->in)
		*field = value;
}

size_t codec_span(struct codec *codec, void *field, size_t len, size_t max)
{
	uint16_t n = (uint16_t)len;

	if (codec->out && len > max)
		codec->bad = true;
	codec_u16(codec, &n);
	if (codec->bad || n > max) {
		codec->bad = true;
		return 0;
	}
	codec_raw(codec, field, n);
	return codec->bad ? 0 : n;
}

void codec_text(struct codec *codec, char *field, size_t size)
{
	size_t len = codec_span(codec, field, codec->out ? strnlen(field, size) : 0, size - 1);

	if (codec->out || codec->bad)
		return;
	field[len] = '\0';
	if (strlen(field) != len)
		codec->bad = true;
}
