/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An NFQUEUE of the bench's own agents: bound with libmnl, then one recv(2) and one send(2) for a
 * packet and nothing between them. It knows nothing of egressd's code, so that what is measured
 * against it shares none of its cost.
 */
#ifndef TESTS_BENCH_QUEUE_H
#define TESTS_BENCH_QUEUE_H

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_RCVBUF_BYTES (16 << 20)
#define QUEUE_LEN	   16384

/* The whole answer to one packet: accept, with this mark. */
struct queue_verdict {
	struct nlmsghdr nlh;
	struct nfgenmsg nfg;
	struct nlattr verdict_attribute;
	struct nfqnl_msg_verdict_hdr verdict;
	struct nlattr mark_attribute;
	uint32_t mark;
};

static inline struct nfgenmsg *queue_request(char *buffer, uint16_t type, uint16_t number)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(number);
	return nfg;
}

/* Sends it and waits for its acknowledgement; -errno. */
static inline int queue_ask(int fd, const struct nlmsghdr *request)
{
	char answer[4096];
	const struct nlmsghdr *nlh = (const void *)answer;
	const struct nlmsgerr *error;

	if (send(fd, request, request->nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < (ssize_t)(NLMSG_HDRLEN + sizeof(*error)))
		return -EIO;
	error = mnl_nlmsg_get_payload(nlh);
	return nlh->nlmsg_type == NLMSG_ERROR ? error->error : -EPROTO;
}

/* Binds the queue; of each packet `bytes` are copied (0: only what the kernel says of it). The
 * socket, or -errno. What finds the queue full is dropped. */
static inline int queue_open(uint16_t number, uint32_t bytes)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), err;
	int rcvbuf = QUEUE_RCVBUF_BYTES, on = 1;
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct nfqnl_msg_config_cmd bind_queue = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_range = htonl(bytes),
		.copy_mode = bytes ? NFQNL_COPY_PACKET : NFQNL_COPY_META,
	};
	char buffer[1024];
	struct nlmsghdr *nlh = (void *)buffer;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) < 0)
		return -errno;
	queue_request(buffer, NFQNL_MSG_CONFIG, number);
	mnl_attr_put(nlh, NFQA_CFG_CMD, sizeof(bind_queue), &bind_queue);
	err = queue_ask(fd, nlh);
	if (err)
		return err;
	queue_request(buffer, NFQNL_MSG_CONFIG, number);
	mnl_attr_put(nlh, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_LEN));
	err = queue_ask(fd, nlh);
	return err ? err : fd;
}

static inline void queue_verdict_init(struct queue_verdict *verdict, uint16_t number, uint32_t mark)
{
	*verdict = (struct queue_verdict){
		.nlh = { .nlmsg_len = sizeof(*verdict),
			 .nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT,
			 .nlmsg_flags = NLM_F_REQUEST },
		.nfg = { .version = NFNETLINK_V0, .res_id = htons(number) },
		.verdict_attribute = { .nla_len = NLA_HDRLEN + sizeof(verdict->verdict),
				       .nla_type = NFQA_VERDICT_HDR },
		.verdict = { .verdict = htonl(NF_ACCEPT) },
		.mark_attribute = { .nla_len = NLA_HDRLEN + sizeof(verdict->mark),
				    .nla_type = NFQA_MARK },
		.mark = htonl(mark),
	};
}

/* The packet's header attribute, which the kernel puts first (nfqnl_build_packet_message(),
 * net/netfilter/nfnetlink_queue.c); NULL when the message is none of a packet. */
static inline const struct nfqnl_msg_packet_hdr *queue_packet(const char *message, ssize_t bytes)
{
	const struct nlmsghdr *nlh = (const void *)message;
	const struct nlattr *first =
		(const void *)(message + NLMSG_HDRLEN + sizeof(struct nfgenmsg));

	if (bytes < (ssize_t)(NLMSG_HDRLEN + sizeof(struct nfgenmsg) + NLA_HDRLEN +
			      sizeof(struct nfqnl_msg_packet_hdr)) ||
	    nlh->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    first->nla_type != NFQA_PACKET_HDR)
		return NULL;
	return (const void *)((const char *)first + NLA_HDRLEN);
}

static inline int queue_send(int fd, struct queue_verdict *verdict, uint32_t packet_id)
{
	verdict->verdict.id = packet_id; /* in the order of bytes that it came in */
	return send(fd, verdict, sizeof(*verdict), 0) < 0 ? -errno : 0;
}

#endif
