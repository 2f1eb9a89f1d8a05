/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The NFQUEUE edge: binds the queue, hands over each held packet, sends verdicts. A verdict is
 * always NF_ACCEPT with our mark; the rule set behind turns the deny mark into a reset.
 * Facts: linux/netfilter/nfnetlink_queue.h, net/netfilter/nfnetlink_queue.c.
 */
#ifndef AGENT_QUEUE_H
#define AGENT_QUEUE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct queue_packet {
	uint32_t id;   /* NFQA_PACKET_HDR: names the held packet in its verdict */
	uint32_t mark; /* the packet's own, other programs' bits among it */
	bool has_uid;
	uint32_t uid, gid;
	uint32_t ifindex;      /* of the interface it goes out by; 0: not said */
	bool forwarded;	       /* held in the forward hook, not in output */
	uint32_t indev;	       /* then, index of the interface it came in by: a bridge's port where
				* br_netfilter tells which; 0: not said */
	const uint8_t *bytes;  /* from the IP header on; good until the callback returns */
	uint32_t len;	       /* bytes that were copied */
	uint32_t packet_bytes; /* bytes it has (NFQA_CAP_LEN when it was cut) */
};

struct queue;

/* Binds config->queue_num. -EPERM or -EBUSY: somebody else holds it; queue_holder() says who.
 * *what names the step that failed (static text). */
int queue_open(struct queue **queue, const struct config *config, const char **what);
void queue_free(struct queue *queue); /* unbinds; held packets are dropped by the kernel */
int queue_fd(const struct queue *queue);

typedef void (*queue_packet_fn)(void *context, const struct queue_packet *packet);
/* Hands over what waits, at most `most` packets. The number handed over, or -errno (-ENOBUFS:
 * count it and go on; messages that are no packets are skipped and counted in *odd). */
int queue_read(struct queue *queue, unsigned most, queue_packet_fn each, void *context,
	       uint64_t *odd);
/* Accepts the held packet, its mark replaced whole by `mark`. 0 or -errno. */
int queue_accept(struct queue *queue, uint32_t id, uint32_t mark);

/* One message of the kernel's to a packet; pure. -EBADMSG: no packet message, or a cut one. */
int queue_parse(const struct nlmsghdr *message, struct queue_packet *packet);

/* One line of /proc/net/netfilter/nfnetlink_queue. */
struct queue_state {
	uint32_t portid, waiting, dropped, user_dropped;
};
/* Finds the queue's line in the file's text; pure. -ENOENT: no such queue. */
int queue_state_parse(const char *text, uint16_t queue_num, struct queue_state *state);
/* Reads the file. -ENOENT: nobody has bound that queue. */
int queue_state(uint16_t queue_num, struct queue_state *state);

/*
 * Does a packet that `same` knows wait behind the one at work? Reads ahead what waits;
 * queue_read() gives it later, so queue_has_ahead() has to be asked besides queue_fd(). 1, 0, or
 * -ENOBUFS: more waits than QUEUE_AHEAD packets.
 */
#define QUEUE_AHEAD 64
typedef bool (*queue_same_fn)(void *context, const struct queue_packet *packet);
int queue_ahead(struct queue *queue, queue_same_fn same, void *context);
bool queue_has_ahead(const struct queue *queue);

#endif
