/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF"):
 * a name for bytes that somebody else chose, by a key that nobody else knows. With 128 bits two
 * of them are never the same by chance, and nobody can look for two that are. Pure.
 */
#ifndef AGENT_KEYHASH_H
#define AGENT_KEYHASH_H

#include <stddef.h>
#include <stdint.h>

struct keyhash {
	uint64_t half[2];
};

struct keyhash keyhash_of(const uint8_t key[16], const void *bytes, size_t len);

#endif
