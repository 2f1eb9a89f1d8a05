/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binds NFQUEUE, reads held packets and sends verdicts; decides nothing. */
#include "queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nfsock.h"

struct ahead {
	int length;
	_Alignas(struct nlmsghdr) uint8_t bytes[NFSOCK_MESSAGE_BYTES];
};

struct queue {
	struct nfsock nfsock;
	uint16_t num;
	struct ahead *ahead; /* a ring of QUEUE_AHEAD, made when it is wanted first */
	unsigned ahead_first, ahead_n;
	_Alignas(struct nlmsghdr) uint8_t buffer[NFSOCK_MESSAGE_BYTES];
};

static int configure(struct queue *queue, const struct config *config, const char **what)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[1024];
	uint32_t flags = NFQA_CFG_F_UID_GID | NFQA_CFG_F_GSO;
	struct nlmsghdr *request;
	int error;

	*what = "bind the queue";
	request = nfsock_request(&queue->nfsock, buffer, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG,
				 queue->num);
	nfq_nlmsg_cfg_put_cmd(request, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	error = nfsock_acknowledged(&queue->nfsock, request);
	if (error)
		return error;

	*what = "set the queue's length";
	request = nfsock_request(&queue->nfsock, buffer, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG,
				 queue->num);
	nfq_nlmsg_cfg_put_qmaxlen(request, config->queue_len);
	error = nfsock_acknowledged(&queue->nfsock, request);
	if (error)
		return error;

	*what = "set the queue's flags (uid and gid of each packet)";
	request = nfsock_request(&queue->nfsock, buffer, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG,
				 queue->num);
	if (config->fail_open)
		flags |= NFQA_CFG_F_FAIL_OPEN;
	mnl_attr_put_u32(request, NFQA_CFG_FLAGS, htonl(flags));
	mnl_attr_put_u32(request, NFQA_CFG_MASK,
			 htonl(NFQA_CFG_F_UID_GID | NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	error = nfsock_acknowledged(&queue->nfsock, request);
	if (error)
		return error;

	/* Last: from here on the kernel may hand over packets. */
	*what = "ask the queue for packets";
	request = nfsock_request(&queue->nfsock, buffer, NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG,
				 queue->num);
	nfq_nlmsg_cfg_put_params(request, NFQNL_COPY_PACKET, NFSOCK_COPY_BYTES);
	return nfsock_acknowledged(&queue->nfsock, request);
}

int queue_open(struct queue **queue, const struct config *config, const char **what)
{
	struct queue *made = calloc(1, sizeof(*made));
	int error;

	*what = "open a netlink socket";
	if (!made)
		return -ENOMEM;
	made->num = config->queue_num;
	error = nfsock_open(&made->nfsock, config->rcvbuf_bytes);
	if (!error)
		error = configure(made, config, what);
	if (error) {
		queue_free(made);
		return error;
	}
	*queue = made;
	return 0;
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	nfsock_close(&queue->nfsock);
	free(queue->ahead);
	free(queue);
}

int queue_fd(const struct queue *queue)
{
	return nfsock_fd(&queue->nfsock);
}

int queue_parse(const struct nlmsghdr *message, struct queue_packet *packet)
{
	const struct nlattr *attribute[NFQA_MAX + 1];
	const struct nfqnl_msg_packet_hdr *header;
	struct queue_packet parsed = { 0 };
	uint32_t uid, gid;

	if (message->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
	    nfsock_attributes(message, attribute, NFQA_MAX) < 0 || !attribute[NFQA_PACKET_HDR] ||
	    mnl_attr_get_payload_len(attribute[NFQA_PACKET_HDR]) < sizeof(*header))
		return -EBADMSG;
	header = mnl_attr_get_payload(attribute[NFQA_PACKET_HDR]);
	parsed.id = ntohl(header->packet_id);
	parsed.forwarded = header->hook == NF_INET_FORWARD;
	nfsock_be32(attribute[NFQA_MARK], &parsed.mark);
	nfsock_be32(attribute[NFQA_IFINDEX_OUTDEV], &parsed.ifindex);
	if (!nfsock_be32(attribute[NFQA_IFINDEX_PHYSINDEV], &parsed.indev))
		nfsock_be32(attribute[NFQA_IFINDEX_INDEV], &parsed.indev);
	if (nfsock_be32(attribute[NFQA_UID], &uid) && nfsock_be32(attribute[NFQA_GID], &gid)) {
		parsed.has_uid = true;
		parsed.uid = uid;
		parsed.gid = gid;
	}
	if (attribute[NFQA_PAYLOAD]) {
		parsed.bytes = mnl_attr_get_payload(attribute[NFQA_PAYLOAD]);
		parsed.len = mnl_attr_get_payload_len(attribute[NFQA_PAYLOAD]);
	}
	if (!nfsock_be32(attribute[NFQA_CAP_LEN], &parsed.packet_bytes))
		parsed.packet_bytes = parsed.len;
	*packet = parsed;
	return 0;
}

bool queue_has_ahead(const struct queue *queue)
{
	return queue->ahead_n > 0;
}

/* One datagram, of those that were read ahead first. As nfsock_receive(). */
static int next_datagram(struct queue *queue)
{
	const struct ahead *ahead;

	if (!queue->ahead_n)
		return nfsock_receive(&queue->nfsock, queue->buffer, sizeof(queue->buffer));
	ahead = &queue->ahead[queue->ahead_first];
	queue->ahead_first = (queue->ahead_first + 1) % QUEUE_AHEAD;
	queue->ahead_n--;
	if (ahead->length > 0)
		memcpy(queue->buffer, ahead->bytes, (size_t)ahead->length);
	return ahead->length;
}

static bool datagram_has(const struct ahead *ahead, queue_same_fn same, void *context)
{
	const struct nlmsghdr *message;
	size_t offset = 0;

	while (ahead->length > 0 &&
	       (message = nfsock_message(ahead->bytes, (size_t)ahead->length, &offset))) {
		struct queue_packet packet;

		if (queue_parse(message, &packet) == 0 && same(context, &packet))
			return true;
	}
	return false;
}

int queue_ahead(struct queue *queue, queue_same_fn same, void *context)
{
	bool dry = false;

	if (!queue->ahead)
		queue->ahead = malloc(QUEUE_AHEAD * sizeof(*queue->ahead));
	if (!queue->ahead)
		return -ENOBUFS;
	while (!dry && queue->ahead_n < QUEUE_AHEAD) {
		struct ahead *ahead =
			&queue->ahead[(queue->ahead_first + queue->ahead_n) % QUEUE_AHEAD];

		ahead->length = nfsock_receive(&queue->nfsock, ahead->bytes, sizeof(ahead->bytes));
		dry = ahead->length == 0;
		queue->ahead_n += !dry; /* an error is given later, too */
		if (ahead->length < 0)
			return -ENOBUFS;
	}
	for (unsigned i = 0; i < queue->ahead_n; i++)
		if (datagram_has(&queue->ahead[(queue->ahead_first + i) % QUEUE_AHEAD], same,
				 context))
			return 1;
	return dry ? 0 : -ENOBUFS;
}

int queue_read(struct queue *queue, unsigned most, queue_packet_fn each, void *context,
	       uint64_t *odd)
{
	unsigned count = 0;

	while (count < most) {
		int length = next_datagram(queue);
		const struct nlmsghdr *message;
		size_t offset = 0;

		if (length < 0)
			return length;
		if (length == 0)
			break;
		while ((message = nfsock_message(queue->buffer, (size_t)length, &offset))) {
			struct queue_packet packet;

			if (queue_parse(message, &packet) < 0) {
				++*odd;
				continue;
			}
			each(context, &packet);
			count++;
		}
	}
	return (int)count;
}

int queue_accept(struct queue *queue, uint32_t id, uint32_t mark)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[128];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	request->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT;
	request->nlmsg_flags = NLM_F_REQUEST;
	family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	family->res_id = htons(queue->num);
	nfq_nlmsg_verdict_put(request, (int)id, NF_ACCEPT);
	nfq_nlmsg_verdict_put_mark(request, mark);
	return mnl_socket_sendto(queue->nfsock.socket, request, request->nlmsg_len) < 0 ? -errno
											: 0;
}

int queue_state_parse(const char *text, uint16_t queue_num, struct queue_state *state)
{
	while (*text) {
		struct queue_state found;
		unsigned num, mode, range;
		const char *end = strchr(text, '\n');

		/* seq_show() of nfnetlink_queue.c: number, portid, waiting, copy mode, copy
		 * range, dropped, user dropped, sequence, 1 */
		if (sscanf(text, "%u %u %u %u %u %u %u", &num, &found.portid, &found.waiting, &mode,
			   &range, &found.dropped, &found.user_dropped) == 7 &&
		    num == queue_num) {
			*state = found;
			return 0;
		}
		if (!end)
			break;
		text = end + 1;
	}
	return -ENOENT;
}

int queue_state(uint16_t queue_num, struct queue_state *state)
{
	char text[16384];
	size_t used = 0;
	int fd = open("/proc/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (used < sizeof(text) - 1) {
		ssize_t got = read(fd, text + used, sizeof(text) - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	text[used] = '\0';
	return queue_state_parse(text, queue_num, state);
}
