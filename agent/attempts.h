/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which SYNs are one attempt: same addresses, ports, sequence number and uid within the time a
 * kernel retransmits (tcp_syn_retries 6: 127 s). A fixed table: the oldest goes when it is full.
 * Keyed hash (SipHash with a random key), so nobody can aim at a bucket. Pure: time is given.
 */
#ifndef AGENT_ATTEMPTS_H
#define AGENT_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "flow.h"

#define ATTEMPTS_TTL_NS (130LL * 1000000000LL)

struct attempts;
struct attempts *attempts_new(unsigned slots,
			      const uint8_t key[16]); /* power of two; NULL: no memory */
void attempts_free(struct attempts *attempts);
/* true: this SYN repeats one seen before. false: it is new, and remembered. */
bool attempts_repeat(struct attempts *attempts, const struct flow *flow, bool has_uid, uint32_t uid,
		     int64_t now_ns);

#endif
