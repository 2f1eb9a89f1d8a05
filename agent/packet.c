/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounds-checked accessors of packet.h; no other file of the core may index packet bytes.
 */
#include "packet.h"

#include <string.h>

/* Written so that no sum can wrap: offset and len may be any number a packet named. */
static bool has(const struct packet *packet, size_t offset, size_t len)
{
	return offset <= packet->len && len <= packet->len - offset;
}

bool packet_u8(const struct packet *packet, size_t offset, uint8_t *out)
{
	if (!has(packet, offset, 1))
		return false;
	*out = packet->bytes[offset];
	return true;
}

bool packet_be16(const struct packet *packet, size_t offset, uint16_t *out)
{
	if (!has(packet, offset, 2))
		return false;
	*out = (uint16_t)(packet->bytes[offset] << 8 | packet->bytes[offset + 1]);
	return true;
}

bool packet_be32(const struct packet *packet, size_t offset, uint32_t *out)
{
	if (!has(packet, offset, 4))
		return false;
	*out = (uint32_t)packet->bytes[offset] << 24 | (uint32_t)packet->bytes[offset + 1] << 16 |
	       (uint32_t)packet->bytes[offset + 2] << 8 | packet->bytes[offset + 3];
	return true;
}

bool packet_copy(const struct packet *packet, size_t offset, void *out, size_t len)
{
	if (!has(packet, offset, len))
		return false;
	if (len)
		memcpy(out, packet->bytes + offset, len);
	return true;
}

bool packet_from(const struct packet *packet, size_t offset, struct packet *out)
{
	if (!has(packet, offset, 0))
		return false;
	/* An empty packet may have no bytes at all: NULL + 0 is not for C to compute. */
	*out = (struct packet){
		.bytes = packet->bytes ? packet->bytes + offset : NULL,
		.len = packet->len - offset,
	};
	return true;
}
