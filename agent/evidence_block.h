/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of an evidence file (draft-ietf-opsawg-pcapng): bytes in, bytes out. A file begins
 * with one Section Header and one Interface Description, always the same bytes on one machine;
 * Enhanced Packet Blocks follow, nothing else. Pure.
 */
#ifndef AGENT_EVIDENCE_BLOCK_H
#define AGENT_EVIDENCE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "evidence.h"

#define EVIDENCE_HEAD_MAX    128
#define EVIDENCE_PACKET_MAX  65535 /* bytes kept of one packet */
#define EVIDENCE_COMMENT_MAX 65000 /* an option's length has 16 bits */
#define EVIDENCE_BLOCK_LEAST 32	   /* an Enhanced Packet Block without packet or option */
#define EVIDENCE_BLOCK_MAX   (EVIDENCE_PACKET_MAX + EVIDENCE_COMMENT_MAX + 64)

size_t evidence_head(uint8_t out[EVIDENCE_HEAD_MAX]);
/* The block as bytes; out has room for evidence_block_bytes(). -EMSGSIZE: packet or comment too
 * long. */
int evidence_block_bytes(const struct evidence_packet *packet, size_t *len);
void evidence_block(const struct evidence_packet *packet, uint8_t *out);
/* What a whole block holds; bytes and comment point into it (the comment has no NUL at its end;
 * NULL when there is none). -EBADMSG. */
int evidence_block_parse(const uint8_t *block, size_t len, struct evidence_packet *packet,
			 size_t *comment_len);
/* Length of the block that starts with these 8 bytes; 0: it can't be one of ours. */
size_t evidence_block_length(const uint8_t start[8]);

#endif
