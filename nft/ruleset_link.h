/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nf_tables netlink socket: one question at a time, its answers handed to a callback. Private
 * to nft/.
 */
#ifndef NFT_RULESET_LINK_H
#define NFT_RULESET_LINK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruleset.h"

#define LINK_BUFFER_BYTES 65536 /* the kernel answers in pieces of at most 32 KiB */

/* 0: go on; else the question ends with it. */
typedef int (*link_answer_fn)(const struct nlmsghdr *nlh, void *context);

/* Begins a question of `type` about inet tables in buffer (at least 4096 bytes). */
struct nlmsghdr *ruleset_link_begin(struct ruleset_link *link, char *buffer, uint16_t type,
				    uint16_t flags);
/* Asks and hands every answer to `each` (NULL: none is expected) until the kernel is done.
 * -EINTR: what was dumped changed under the dump; ask again from the start. */
int ruleset_link_ask(struct ruleset_link *link, const struct nlmsghdr *nlh, link_answer_fn each,
		     void *context);
/* Sends one transaction of several messages and gives the first refusal: its error, and in
 * *refused_seq the number of the message. 0: committed. */
int ruleset_link_commit(struct ruleset_link *link, const void *batch, size_t bytes,
			uint32_t *refused_seq);
uint32_t ruleset_link_seq(struct ruleset_link *link); /* the next number */
/* -ENOENT: no such table. */
int ruleset_link_table(struct ruleset_link *link, const char *table, uint64_t *handle);

#endif
