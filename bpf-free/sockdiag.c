/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks sock_diag over netlink. It only asks: nothing here judges, logs or keeps an answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sockdiag.h"

/* One reply with every attribute that comes unasked is below 200 bytes. */
#define REPLY_BYTES   8192
#define STALE_REPLIES 8 /* late answers to earlier questions that are skipped at most */

struct sockdiag {
	struct mnl_socket *netlink;
	uint32_t seq;
	uint8_t reply[REPLY_BYTES];
};

int sockdiag_open(struct sockdiag **diag)
{
	/* The kernel answers inside sendmsg(2); the time limit is for the case that it did not. */
	const struct timeval patience = { .tv_usec = 50000 };
	struct sockdiag *d = calloc(1, sizeof(*d));
	int error;

	if (!d)
		return -ENOMEM;
	d->netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!d->netlink)
		goto failed;
	if (mnl_socket_bind(d->netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(d->netlink), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		goto failed;
	*diag = d;
	return 0;
failed:
	error = -errno;
	sockdiag_free(d);
	return error;
}

void sockdiag_free(struct sockdiag *diag)
{
	if (!diag)
		return;
	if (diag->netlink)
		mnl_socket_close(diag->netlink);
	free(diag);
}

static int send_question(struct sockdiag *d, const struct owner_query *query, uint32_t ifindex)
{
	char request[MNL_ALIGN(sizeof(struct nlmsghdr)) + sizeof(struct inet_diag_req_v2)] = { 0 };
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(header, sizeof(*req));
	size_t address_bytes = query->family == AF_INET ? 4 : 16;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++d->seq;
	req->sdiag_family = query->family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = ~0u;
	req->id.idiag_sport = htons(query->sport);
	req->id.idiag_dport = htons(query->dport);
	memcpy(req->id.idiag_src, query->src, address_bytes);
	memcpy(req->id.idiag_dst, query->dst, address_bytes);
	req->id.idiag_if = ifindex;
	req->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return mnl_socket_sendto(d->netlink, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int receive(struct sockdiag *d, size_t *len)
{
	ssize_t n;

	do
		n = mnl_socket_recvfrom(d->netlink, d->reply, sizeof(d->reply));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*len = (size_t)n;
	return 0;
}

static int ask_once(struct sockdiag *d, const struct owner_query *query, uint32_t ifindex,
		    struct sockdiag_answer *answer, uint8_t *state)
{
	int error = send_question(d, query, ifindex);

	for (int i = 0; !error && i < STALE_REPLIES; i++) {
		size_t len;

		error = receive(d, &len);
		if (error)
			break;
		error = sockdiag_parse(d->reply, len, d->seq, query, answer, state);
		if (error != -EAGAIN)
			return error;
		error = 0;
	}
	return error ? error : -EBADMSG;
}

int sockdiag_ask(struct sockdiag *diag, const struct owner_query *query,
		 struct sockdiag_answer *answer, uint8_t *state)
{
	int error;

	if (query->family != AF_INET && query->family != AF_INET6)
		return -EAFNOSUPPORT;
	error = ask_once(diag, query, 0, answer, state);
	if (error == -ENOENT && query->ifindex)
		error = ask_once(diag, query, query->ifindex, answer, state);
	return error;
}

int sockdiag_listener_uid(struct sockdiag *diag, const struct owner_query *query, uint32_t *uid)
{
	size_t len;
	int error = send_question(diag, query, 0);

	if (!error)
		error = receive(diag, &len);
	return error ? error : sockdiag_parse_listener(diag->reply, len, diag->seq, query, uid);
}
