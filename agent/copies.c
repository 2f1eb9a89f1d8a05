/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binds an NFLOG group and reads the copies that the rule set makes; decides nothing. */
#include "copies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <stdlib.h>

#include "nfsock.h"

struct copies {
	struct nfsock nfsock;
	uint16_t group;
	bool started;
	uint32_t next_sequence;
	_Alignas(struct nlmsghdr) uint8_t buffer[NFSOCK_MESSAGE_BYTES];
};

static struct nlmsghdr *config_request(struct copies *copies, void *buffer)
{
	return nfsock_request(&copies->nfsock, buffer, NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG,
			      copies->group);
}

static int configure(struct copies *copies, uint32_t batch, const char **what)
{
	struct nfulnl_msg_config_cmd command = { .command = NFULNL_CFG_CMD_BIND };
	struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(NFSOCK_COPY_BYTES),
		.copy_mode = NFULNL_COPY_PACKET,
	};
	_Alignas(struct nlmsghdr) uint8_t buffer[1024];
	struct nlmsghdr *request;
	int error;

	*what = "bind the NFLOG group";
	request = config_request(copies, buffer);
	mnl_attr_put(request, NFULA_CFG_CMD, sizeof(command), &command);
	error = nfsock_acknowledged(&copies->nfsock, request);
	if (error)
		return error;

	*what = "configure the NFLOG group";
	request = config_request(copies, buffer);
	mnl_attr_put(request, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u16(request, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	mnl_attr_put_u32(request, NFULA_CFG_QTHRESH, htonl(batch));
	/* in 1/100 s: a batch that does not fill is sent after 10 ms */
	mnl_attr_put_u32(request, NFULA_CFG_TIMEOUT, htonl(1));
	return nfsock_acknowledged(&copies->nfsock, request);
}

int copies_open(struct copies **copies, uint16_t group, uint32_t batch, uint32_t rcvbuf_bytes,
		const char **what)
{
	struct copies *made = calloc(1, sizeof(*made));
	int error;

	*what = "open a netlink socket";
	if (!made)
		return -ENOMEM;
	made->group = group;
	error = nfsock_open(&made->nfsock, rcvbuf_bytes);
	if (!error)
		error = configure(made, batch, what);
	if (error) {
		copies_free(made);
		return error;
	}
	*copies = made;
	return 0;
}

void copies_free(struct copies *copies)
{
	if (!copies)
		return;
	nfsock_close(&copies->nfsock);
	free(copies);
}

int copies_fd(const struct copies *copies)
{
	return nfsock_fd(&copies->nfsock);
}

int copies_parse(const struct nlmsghdr *message, struct copies_packet *packet)
{
	const struct nlattr *attribute[NFULA_MAX + 1];
	struct copies_packet parsed = { 0 };
	const struct nfulnl_msg_packet_hdr *header;
	uint32_t uid, gid;

	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
	    nfsock_attributes(message, attribute, NFULA_MAX) < 0)
		return -EBADMSG;
	if (nfsock_be32(attribute[NFULA_UID], &uid) && nfsock_be32(attribute[NFULA_GID], &gid)) {
		parsed.has_uid = true;
		parsed.uid = uid;
		parsed.gid = gid;
	}
	nfsock_be32(attribute[NFULA_IFINDEX_OUTDEV], &parsed.ifindex);
	if (!nfsock_be32(attribute[NFULA_IFINDEX_PHYSINDEV], &parsed.indev))
		nfsock_be32(attribute[NFULA_IFINDEX_INDEV], &parsed.indev);
	if (attribute[NFULA_PACKET_HDR] &&
	    mnl_attr_get_payload_len(attribute[NFULA_PACKET_HDR]) >= sizeof(*header)) {
		header = mnl_attr_get_payload(attribute[NFULA_PACKET_HDR]);
		parsed.forwarded = header->hook == NF_INET_FORWARD;
	}
	parsed.has_sequence = nfsock_be32(attribute[NFULA_SEQ], &parsed.sequence);
	if (attribute[NFULA_PAYLOAD]) {
		parsed.bytes = mnl_attr_get_payload(attribute[NFULA_PAYLOAD]);
		parsed.len = mnl_attr_get_payload_len(attribute[NFULA_PAYLOAD]);
	}
	parsed.packet_bytes = parsed.len;
	*packet = parsed;
	return 0;
}

static void count_gap(struct copies *copies, const struct copies_packet *packet, uint64_t *lost)
{
	if (!packet->has_sequence)
		return;
	if (copies->started)
		*lost += (uint32_t)(packet->sequence - copies->next_sequence);
	copies->started = true;
	copies->next_sequence = packet->sequence + 1;
}

int copies_read(struct copies *copies, unsigned most, copies_packet_fn each, void *context,
		uint64_t *lost)
{
	unsigned count = 0;

	while (count < most) {
		int length =
			nfsock_receive(&copies->nfsock, copies->buffer, sizeof(copies->buffer));
		const struct nlmsghdr *message;
		size_t offset = 0;

		if (length < 0)
			return length;
		if (length == 0)
			break;
		while ((message = nfsock_message(copies->buffer, (size_t)length, &offset))) {
			struct copies_packet packet;

			if (copies_parse(message, &packet) < 0)
				continue;
			count_gap(copies, &packet, lost);
			each(context, &packet);
			count++;
		}
	}
	return (int)count;
}
