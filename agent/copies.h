/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NFLOG edge: copies of SYNs that are never held (the mail server's, local ones) and of what
 * the rule set refused by itself. One socket for each group, so that a flood of one kind never
 * costs another kind its copies.
 * Facts: linux/netfilter/nfnetlink_log.h, net/netfilter/nfnetlink_log.c.
 */
#ifndef AGENT_COPIES_H
#define AGENT_COPIES_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct copies_packet {
	bool has_uid, has_sequence;
	uint32_t uid, gid;
	uint32_t ifindex; /* of the interface it goes out by; 0: not said */
	bool forwarded;	  /* and indev: as in struct queue_packet */
	uint32_t indev;
	uint32_t sequence;    /* NFULA_SEQ: counts what the kernel logged to this group */
	const uint8_t *bytes; /* from the IP header on; good until the callback returns */
	uint32_t len;
	uint32_t packet_bytes; /* len: the kernel does not say how long it was */
};

struct copies;

/* Binds an NFLOG group. batch: messages that the kernel may gather before it sends (1: at once,
 * for copies whose process must still be found). -EBUSY, -EPERM: the group is taken. */
int copies_open(struct copies **copies, uint16_t group, uint32_t batch, uint32_t rcvbuf_bytes,
		const char **what);
void copies_free(struct copies *copies); /* takes NULL */
int copies_fd(const struct copies *copies);

typedef void (*copies_packet_fn)(void *context, const struct copies_packet *packet);
/* As queue_read(); *lost grows by the gaps in the kernel's sequence numbers. */
int copies_read(struct copies *copies, unsigned most, copies_packet_fn each, void *context,
		uint64_t *lost);
/* One message of the kernel's; pure. -EBADMSG: no packet message, or a cut one. */
int copies_parse(const struct nlmsghdr *message, struct copies_packet *packet);

#endif
