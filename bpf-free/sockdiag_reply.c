/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a sock_diag reply and compares it with the question. Pure: bytes in, answer out. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "sockdiag.h"

/* TCP_NEW_SYN_RECV, include/net/tcp_states.h: a request socket; not in netinet/tcp.h. */
#define STATE_NEW_SYN_RECV 12

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

/* An IPv4 packet may be of an AF_INET6 socket: then its address is ::ffff:a.b.c.d. */
static bool same_address(uint8_t asked_family, const uint8_t asked[16], uint8_t family,
			 const void *said)
{
	const uint8_t *bytes = said;

	if (asked_family == AF_INET) {
		if (family == AF_INET)
			return !memcmp(bytes, asked, 4);
		return !memcmp(bytes, v4_mapped, sizeof(v4_mapped)) &&
		       !memcmp(bytes + 12, asked, 4);
	}
	return family == AF_INET6 && !memcmp(bytes, asked, 16);
}

static bool same_tuple(const struct owner_query *query, const struct inet_diag_msg *msg)
{
	if (msg->idiag_family != AF_INET && msg->idiag_family != AF_INET6)
		return false;
	return ntohs(msg->id.idiag_sport) == query->sport &&
	       ntohs(msg->id.idiag_dport) == query->dport &&
	       same_address(query->family, query->src, msg->idiag_family, msg->id.idiag_src) &&
	       same_address(query->family, query->dst, msg->idiag_family, msg->id.idiag_dst);
}

/* Attributes until the first that does not fit; a hostile length ends the walk. */
static uint64_t find_cgroup_id(const uint8_t *at, size_t left)
{
	struct nlattr attr;
	uint64_t id;

	while (left >= sizeof(attr)) {
		size_t step;

		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > left)
			return 0;
		if ((attr.nla_type & NLA_TYPE_MASK) == INET_DIAG_CGROUP_ID &&
		    attr.nla_len == sizeof(attr) + sizeof(id)) {
			memcpy(&id, at + sizeof(attr), sizeof(id));
			return id;
		}
		step = NLA_ALIGN((size_t)attr.nla_len);
		if (step >= left)
			return 0;
		at += step;
		left -= step;
	}
	return 0;
}

static bool held_by_nobody(const struct inet_diag_msg *msg)
{
	switch (msg->idiag_state) {
	case TCP_TIME_WAIT:
	case TCP_CLOSE:
	case STATE_NEW_SYN_RECV:
		return true;
	default:
		return msg->idiag_inode == 0;
	}
}

/* The message inside one whole reply to question seq; attributes behind it. */
static int take_message(const void *reply, size_t len, uint32_t seq, struct inet_diag_msg *msg,
			const uint8_t **attrs, size_t *attrs_len)
{
	const uint8_t *bytes = reply;
	struct nlmsghdr header;
	int error;

	if (len < sizeof(header))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len)
		return -EBADMSG;
	if (header.nlmsg_seq != seq)
		return -EAGAIN;
	len = header.nlmsg_len - sizeof(header);
	bytes += sizeof(header);
	if (header.nlmsg_type == NLMSG_ERROR) {
		if (len < sizeof(error))
			return -EBADMSG;
		memcpy(&error, bytes, sizeof(error));
		/* EAGAIN is ours for "another question" */
		return error < 0 && error >= -4095 && error != -EAGAIN ? error : -EBADMSG;
	}
	if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || len < sizeof(*msg))
		return -EBADMSG;
	memcpy(msg, bytes, sizeof(*msg));
	*attrs = bytes + sizeof(*msg);
	*attrs_len = len - sizeof(*msg);
	return 0;
}

int sockdiag_parse(const void *reply, size_t len, uint32_t seq, const struct owner_query *query,
		   struct sockdiag_answer *answer, uint8_t *state)
{
	struct inet_diag_msg msg;
	const uint8_t *attrs;
	size_t attrs_len;
	int error = take_message(reply, len, seq, &msg, &attrs, &attrs_len);

	if (error)
		return error;
	if (msg.idiag_state == TCP_LISTEN || !same_tuple(query, &msg))
		return -ENOENT;
	*state = msg.idiag_state;
	if (held_by_nobody(&msg))
		return -ESTALE;
	answer->state = msg.idiag_state;
	answer->uid = msg.idiag_uid;
	answer->inode = msg.idiag_inode;
	answer->cookie = msg.id.idiag_cookie[0] | (uint64_t)msg.id.idiag_cookie[1] << 32;
	answer->cgroup_id = find_cgroup_id(attrs, attrs_len);
	return 0;
}

int sockdiag_parse_listener(const void *reply, size_t len, uint32_t seq,
			    const struct owner_query *query, uint32_t *uid)
{
	struct inet_diag_msg msg;
	const uint8_t *attrs;
	size_t attrs_len;
	int error = take_message(reply, len, seq, &msg, &attrs, &attrs_len);

	if (error)
		return error;
	if (msg.idiag_state != TCP_LISTEN || ntohs(msg.id.idiag_sport) != query->sport ||
	    !msg.idiag_inode)
		return -ENOENT;
	*uid = msg.idiag_uid;
	return 0;
}
