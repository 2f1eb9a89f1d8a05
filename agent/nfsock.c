/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens and talks on a NETLINK_NETFILTER socket; knows nothing of queues or logs. */
#include "nfsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"

int nfsock_open(struct nfsock *nfsock, uint32_t rcvbuf_bytes)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int size = rcvbuf_bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)rcvbuf_bytes;
	socklen_t length = sizeof(size);
	int fd, error;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	fd = mnl_socket_get_fd(socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		goto fail;
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &length) < 0)
		goto fail;
	*nfsock = (struct nfsock){
		.socket = socket,
		.portid = mnl_socket_get_portid(socket),
		.sequence = 1,
		.rcvbuf_bytes = (uint32_t)size,
	};
	return 0;
fail:
	error = -errno;
	mnl_socket_close(socket);
	return error;
}

void nfsock_close(struct nfsock *nfsock)
{
	if (nfsock->socket)
		mnl_socket_close(nfsock->socket);
	nfsock->socket = NULL;
}

int nfsock_fd(const struct nfsock *nfsock)
{
	return mnl_socket_get_fd(nfsock->socket);
}

struct nlmsghdr *nfsock_request(struct nfsock *nfsock, void *buffer, uint16_t subsystem,
				uint16_t type, uint16_t resource)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	header->nlmsg_type = (uint16_t)(subsystem << 8 | type);
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header->nlmsg_seq = ++nfsock->sequence;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	family->res_id = htons(resource);
	return header;
}

const struct nlmsghdr *nfsock_message(const void *bytes, size_t length, size_t *offset)
{
	const struct nlmsghdr *message;

	if (*offset > length || length - *offset < sizeof(*message))
		return NULL;
	message = (const void *)((const uint8_t *)bytes + *offset);
	if (message->nlmsg_len < sizeof(*message) || message->nlmsg_len > length - *offset)
		return NULL;
	*offset += MNL_ALIGN((size_t)message->nlmsg_len);
	return message;
}

/* The answer to `sequence` in one datagram: 1 found (its error in *error), 0 not in it. */
static int find_ack(const void *bytes, size_t length, uint32_t sequence, int *error)
{
	const struct nlmsghdr *message;
	size_t offset = 0;

	while ((message = nfsock_message(bytes, length, &offset))) {
		const struct nlmsgerr *ack = mnl_nlmsg_get_payload(message);

		if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq != sequence ||
		    mnl_nlmsg_get_payload_len(message) < sizeof(*ack))
			continue;
		*error = ack->error;
		return 1;
	}
	return 0;
}

int nfsock_acknowledged(struct nfsock *nfsock, const struct nlmsghdr *request)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[NFSOCK_MESSAGE_BYTES];
	int64_t deadline = clock_ns(CLOCK_MONOTONIC) / 1000000 + 2000;
	int length, error;

	if (mnl_socket_sendto(nfsock->socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		struct pollfd poll_fd = { .fd = nfsock_fd(nfsock), .events = POLLIN };
		int64_t left = deadline - clock_ns(CLOCK_MONOTONIC) / 1000000;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&poll_fd, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		length = nfsock_receive(nfsock, buffer, sizeof(buffer));
		if (length < 0 && length != -ENOBUFS)
			return length;
		if (length > 0 && find_ack(buffer, (size_t)length, request->nlmsg_seq, &error))
			return error;
	}
}

int nfsock_receive(struct nfsock *nfsock, void *buffer, size_t size)
{
	ssize_t length;

	do
		length = recv(nfsock_fd(nfsock), buffer, size, MSG_DONTWAIT | MSG_TRUNC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	return (size_t)length > size ? -EMSGSIZE : (int)length;
}

int nfsock_attributes(const struct nlmsghdr *message, const struct nlattr **table, unsigned max)
{
	const uint8_t *bytes = (const uint8_t *)message;
	size_t offset = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct nfgenmsg));

	for (unsigned type = 0; type <= max; type++)
		table[type] = NULL;
	if (message->nlmsg_len < offset)
		return -EBADMSG;
	while (message->nlmsg_len - offset >= sizeof(struct nlattr)) {
		const struct nlattr *attribute = (const void *)(bytes + offset);
		unsigned type = attribute->nla_type & NLA_TYPE_MASK;

		if (attribute->nla_len < sizeof(*attribute) ||
		    attribute->nla_len > message->nlmsg_len - offset)
			return -EBADMSG;
		if (type <= max)
			table[type] = attribute;
		if ((size_t)MNL_ALIGN(attribute->nla_len) > message->nlmsg_len - offset)
			break;
		offset += MNL_ALIGN(attribute->nla_len);
	}
	return 0;
}

bool nfsock_be32(const struct nlattr *attribute, uint32_t *out)
{
	uint32_t value;

	if (!attribute || mnl_attr_get_payload_len(attribute) < sizeof(value))
		return false;
	memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
	*out = ntohl(value);
	return true;
}
