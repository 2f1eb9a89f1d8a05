/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NETLINK_NETFILTER socket as the queue and the copies both need it: a large receive buffer,
 * and configuration requests that wait for the kernel's answer.
 */
#ifndef AGENT_NFSOCK_H
#define AGENT_NFSOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel never sends a larger message: packets are copied to at most NFSOCK_COPY_BYTES. */
#define NFSOCK_COPY_BYTES    1500
#define NFSOCK_MESSAGE_BYTES 65536

struct nfsock {
	struct mnl_socket *socket; /* NULL: closed */
	uint32_t portid;
	uint32_t sequence;
	uint32_t rcvbuf_bytes; /* what the kernel granted (getsockopt SO_RCVBUF, doubled by it) */
};

/* SO_RCVBUFFORCE first (CAP_NET_ADMIN), else what net.core.rmem_max allows. 0 or -errno. */
int nfsock_open(struct nfsock *nfsock, uint32_t rcvbuf_bytes);
void nfsock_close(struct nfsock *nfsock);
int nfsock_fd(const struct nfsock *nfsock);

/* Starts a request in buffer (1024 bytes or more) with NLM_F_ACK. */
struct nlmsghdr *nfsock_request(struct nfsock *nfsock, void *buffer, uint16_t subsystem,
				uint16_t type, uint16_t resource);
/* Sends it and waits for its ACK, at most 2 s; packets that come meanwhile are dropped (the
 * socket must not be delivering yet). 0 or the kernel's -errno. */
int nfsock_acknowledged(struct nfsock *nfsock, const struct nlmsghdr *request);

/* One datagram without blocking: its length, 0 when there is none, or -errno (-ENOBUFS: the
 * kernel dropped messages for want of room; reading may go on). */
int nfsock_receive(struct nfsock *nfsock, void *buffer, size_t size);

/* The message at *offset of a datagram (aligned as one), *offset moved past it; NULL: no whole one
 * is left. Unlike
 * mnl_nlmsg_ok(3) of libmnl 1.0.4 a length of 2^31 and more is no message. Pure. */
const struct nlmsghdr *nfsock_message(const void *bytes, size_t length, size_t *offset);
/* The message's attributes by type, the last of each kind; types above max are left out. Bounds are
 * those of nlmsg_len, not of its rounding up as in mnl_attr_parse(3): nfnetlink_queue.c does not
 * pad its last attribute. table has max + 1 places. -EBADMSG: one is longer than the message. Pure.
 */
int nfsock_attributes(const struct nlmsghdr *message, const struct nlattr **table, unsigned max);
/* A 32-bit value in network byte order; false when the attribute is not there or too short. */
bool nfsock_be32(const struct nlattr *attribute, uint32_t *out);

#endif
