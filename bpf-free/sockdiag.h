/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to sock_diag(7): which socket has exactly this 4-tuple?
 *
 * An answer counts only if its tuple and its state are those of the question: for a tuple that
 * nobody has, the kernel falls back to the LISTEN socket of the local port (inet_lookup(),
 * include/net/inet_hashtables.h). TIME_WAIT sockets, request sockets and orphans come with inode
 * 0 and uid 0, which means "nobody", not root.
 */
#ifndef BPF_FREE_SOCKDIAG_H
#define BPF_FREE_SOCKDIAG_H

#include <stddef.h>
#include <stdint.h>

#include "owner.h"

struct sockdiag_answer {
	uint8_t state; /* TCP_*, netinet/tcp.h */
	uint32_t uid;
	uint32_t inode; /* never 0 */
	uint64_t cookie;
	uint64_t cgroup_id; /* 0: not said */
};

struct sockdiag; /* the netlink socket */

int sockdiag_open(struct sockdiag **diag);
void sockdiag_free(struct sockdiag *diag); /* takes NULL */

/*
 * 0, or
 *   -ENOENT  no socket has this tuple
 *   -ESTALE  one has it, but it belongs to nobody any more (or not yet): *state says what it is
 *   -errno   the kernel refused, or answered something else
 */
int sockdiag_ask(struct sockdiag *diag, const struct owner_query *query,
		 struct sockdiag_answer *answer, uint8_t *state);

/* Who owns the socket that listens there? src and sport of the query only. */
int sockdiag_listener_uid(struct sockdiag *diag, const struct owner_query *query, uint32_t *uid);

/* The reply, byte by byte; pure. Same results; -EBADMSG for what is no whole reply, -EAGAIN for
 * a well-formed message that answers another question (seq). */
int sockdiag_parse(const void *reply, size_t len, uint32_t seq, const struct owner_query *query,
		   struct sockdiag_answer *answer, uint8_t *state);
int sockdiag_parse_listener(const void *reply, size_t len, uint32_t seq,
			    const struct owner_query *query, uint32_t *uid);

#endif
