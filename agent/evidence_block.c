/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcapng blocks as bytes, made and taken apart; it opens and keeps nothing. Pure. */
#include "evidence_block.h"

#include <errno.h>
#include <string.h>

#define BLOCK_SECTION		 0x0a0d0d0au
#define BLOCK_INTERFACE		 1u
#define BLOCK_PACKET		 6u
#define BYTE_ORDER_MAGIC	 0x1a2b3c4du
#define LINKTYPE_RAW		 101 /* tcpdump.org/linktypes.html */
#define OPTION_END		 0
#define OPTION_COMMENT		 1
#define OPTION_SECTION_USERAPPL	 4
#define OPTION_INTERFACE_NAME	 2
#define OPTION_INTERFACE_TSRESOL 9

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	memset(at + len, 0, padded(len) - len);
	return at + padded(len);
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	return put(at, &value, sizeof(value));
}

static uint8_t *put_u16s(uint8_t *at, uint16_t first, uint16_t second)
{
	const uint16_t both[2] = { first, second };

	return put(at, both, sizeof(both));
}

static uint8_t *put_option(uint8_t *at, uint16_t code, const void *bytes, size_t len)
{
	return put(put_u16s(at, code, (uint16_t)len), bytes, len);
}

/* Ends a block: its length goes before and behind. */
static uint8_t *end_block(uint8_t *block, uint8_t *at)
{
	uint32_t len = (uint32_t)(at + 4 - block);

	put_u32(block + 4, len);
	return put_u32(at, len);
}

size_t evidence_head(uint8_t out[EVIDENCE_HEAD_MAX])
{
	const uint64_t unknown_length = UINT64_MAX;
	const uint8_t nanoseconds = 9;
	uint8_t *at = out, *block = out;

	at = put_u32(at, BLOCK_SECTION);
	at = put_u32(at, 0);
	at = put_u32(at, BYTE_ORDER_MAGIC);
	at = put_u16s(at, 1, 0); /* version 1.0 */
	at = put(at, &unknown_length, sizeof(unknown_length));
	at = put_option(at, OPTION_SECTION_USERAPPL, "egressd", 7);
	at = put_option(at, OPTION_END, "", 0);
	at = block = end_block(block, at);

	at = put_u32(at, BLOCK_INTERFACE);
	at = put_u32(at, 0);
	at = put_u16s(at, LINKTYPE_RAW, 0);
	at = put_u32(at, 0); /* no limit to a packet's length */
	at = put_option(at, OPTION_INTERFACE_NAME, "egressd", 7);
	at = put_option(at, OPTION_INTERFACE_TSRESOL, &nanoseconds, 1);
	at = put_option(at, OPTION_END, "", 0);
	return (size_t)(end_block(block, at) - out);
}

int evidence_block_bytes(const struct evidence_packet *packet, size_t *len)
{
	size_t comment = strlen(packet->comment);

	if (packet->len > EVIDENCE_PACKET_MAX || comment > EVIDENCE_COMMENT_MAX)
		return -EMSGSIZE;
	*len = EVIDENCE_BLOCK_LEAST + padded(packet->len) + 4 + padded(comment) + 4;
	return 0;
}

void evidence_block(const struct evidence_packet *packet, uint8_t *out)
{
	uint64_t ts = (uint64_t)packet->ts_ns;
	uint8_t *at = out;

	at = put_u32(at, BLOCK_PACKET);
	at = put_u32(at, 0);
	at = put_u32(at, 0); /* the one interface */
	at = put_u32(at, (uint32_t)(ts >> 32));
	at = put_u32(at, (uint32_t)ts);
	at = put_u32(at, packet->len);
	at = put_u32(at, packet->packet_bytes);
	at = put(at, packet->bytes, packet->len);
	at = put_option(at, OPTION_COMMENT, packet->comment, strlen(packet->comment));
	at = put_option(at, OPTION_END, "", 0);
	end_block(out, at);
}

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint16_t get_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

size_t evidence_block_length(const uint8_t start[8])
{
	uint32_t len = get_u32(start + 4);

	if (get_u32(start) != BLOCK_PACKET || len % 4 || len < EVIDENCE_BLOCK_LEAST ||
	    len > EVIDENCE_BLOCK_MAX)
		return 0;
	return len;
}

/* The first comment among the options in at..end. */
static int find_comment(const uint8_t *at, const uint8_t *end, const char **comment,
			size_t *comment_len)
{
	uint16_t code, len;

	*comment = NULL;
	*comment_len = 0;
	while (end - at >= 4) {
		code = get_u16(at);
		len = get_u16(at + 2);
		at += 4;
		if (code == OPTION_END)
			return len == 0 && at == end ? 0 : -EBADMSG;
		if ((size_t)(end - at) < padded(len))
			return -EBADMSG;
		if (code == OPTION_COMMENT && !*comment) {
			*comment = (const char *)at;
			*comment_len = len;
		}
		at += padded(len);
	}
	return at == end ? 0 : -EBADMSG;
}

int evidence_block_parse(const uint8_t *block, size_t len, struct evidence_packet *packet,
			 size_t *comment_len)
{
	struct evidence_packet read = { 0 };
	size_t room;
	int err;

	if (len < EVIDENCE_BLOCK_LEAST || evidence_block_length(block) != len ||
	    get_u32(block + len - 4) != len || get_u32(block + 8) != 0)
		return -EBADMSG;
	room = len - EVIDENCE_BLOCK_LEAST;
	read.ts_ns = (int64_t)((uint64_t)get_u32(block + 12) << 32 | get_u32(block + 16));
	read.len = get_u32(block + 20);
	read.packet_bytes = get_u32(block + 24);
	read.bytes = block + 28;
	if (read.len > EVIDENCE_PACKET_MAX || padded(read.len) > room ||
	    read.packet_bytes < read.len)
		return -EBADMSG;
	err = find_comment(block + 28 + padded(read.len), block + len - 4, &read.comment,
			   comment_len);
	if (err)
		return err;
	*packet = read;
	return 0;
}

int evidence_check(const uint8_t *bytes, size_t len, uint64_t *end)
{
	uint8_t head[EVIDENCE_HEAD_MAX];
	struct evidence_packet packet;
	size_t at = evidence_head(head), block, comment_len;

	if (len < at || memcmp(bytes, head, at) != 0)
		return -EBADMSG;
	while (len - at >= 8) {
		block = evidence_block_length(bytes + at);
		if (block == 0)
			return -EBADMSG;
		if (block > len - at)
			break;
		if (evidence_block_parse(bytes + at, block, &packet, &comment_len))
			return -EBADMSG;
		at += block;
	}
	*end = at;
	return 0;
}
