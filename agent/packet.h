/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every byte of a packet is read through here: a span of bytes and its bounds-checked accessors.
 * An accessor that would read past the end returns false and leaves *out alone. Pure.
 */
#ifndef AGENT_PACKET_H
#define AGENT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet {
	const uint8_t *bytes;
	size_t len; /* bytes that are there (captured) */
};

bool packet_u8(const struct packet *packet, size_t offset, uint8_t *out);
bool packet_be16(const struct packet *packet, size_t offset, uint16_t *out); /* host order out */
bool packet_be32(const struct packet *packet, size_t offset, uint32_t *out); /* host order out */
bool packet_copy(const struct packet *packet, size_t offset, void *out, size_t len);
/* The span from offset on; false when offset is past the end. */
bool packet_from(const struct packet *packet, size_t offset, struct packet *out);

#endif
