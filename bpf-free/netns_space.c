/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enters network namespaces and reads their addresses; keeps no list of them. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "netns_internal.h"

#define REPLY_BYTES 32768 /* NLMSG_GOODSIZE at most is what the kernel sends of a dump */

struct entering {
	struct netns_space *spaces;
	const int *ns_fds;
	unsigned n;
};

static struct mnl_socket *open_route(void)
{
	const struct timeval patience = { .tv_usec = 50000 };
	struct mnl_socket *route = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (route && (mnl_socket_bind(route, 0, MNL_SOCKET_AUTOPID) < 0 ||
		      setsockopt(mnl_socket_get_fd(route), SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)) < 0)) {
		mnl_socket_close(route);
		route = NULL;
	}
	return route;
}

/* The thread's own namespace ends with it: nobody has to find the way back, and the last one that
 * was entered is not kept alive. */
static void *enter_all(void *arg)
{
	struct entering *entering = arg;

	for (unsigned i = 0; i < entering->n; i++) {
		struct netns_space *space = &entering->spaces[i];

		if (setns(entering->ns_fds[i], CLONE_NEWNET) < 0)
			continue;
		space->route = open_route();
		if (!space->route)
			continue;
		if (sockdiag_open(&space->diag))
			space->diag = NULL;
	}
	return NULL;
}

void netns_spaces_enter(struct netns_space *spaces, const int *ns_fds, unsigned n)
{
	struct entering entering = { spaces, ns_fds, n };
	sigset_t all, before;
	pthread_t thread;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, enter_all, &entering) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		pthread_join(thread, NULL);
	for (unsigned i = 0; i < n; i++) {
		if (spaces[i].diag)
			spaces[i].addresses.at =
				calloc(NETNS_ADDRESSES, sizeof(struct netns_address));
		if (!spaces[i].addresses.at)
			netns_space_close(&spaces[i]);
		else
			netns_space_read(&spaces[i]);
	}
}

void netns_space_close(struct netns_space *space)
{
	sockdiag_free(space->diag);
	if (space->route)
		mnl_socket_close(space->route);
	free(space->addresses.at);
	*space = (struct netns_space){ .inode = space->inode };
}

static int ask_addresses(struct netns_space *space)
{
	char request[MNL_ALIGN(sizeof(struct nlmsghdr)) + MNL_ALIGN(sizeof(struct rtgenmsg))];
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	struct rtgenmsg *family;

	header->nlmsg_type = RTM_GETADDR;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++space->seq;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->rtgen_family = AF_UNSPEC;
	return mnl_socket_sendto(space->route, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int read_addresses(struct netns_space *space, struct netns_addresses *read)
{
	uint8_t reply[REPLY_BYTES];
	int result = ask_addresses(space);

	while (!result && !read->more) {
		ssize_t len = mnl_socket_recvfrom(space->route, reply, sizeof(reply));

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EPIPE;
		result = netns_parse_addresses(reply, (size_t)len, space->seq, read);
	}
	return result < 0 ? result : 0;
}

void netns_space_read(struct netns_space *space)
{
	struct netns_addresses read = { .n = 0 };

	if (!space->route)
		return;
	read.at = calloc(NETNS_ADDRESSES, sizeof(*read.at));
	if (!read.at || read_addresses(space, &read) < 0) {
		free(read.at);
		return;
	}
	free(space->addresses.at);
	space->addresses = read;
	/* A dump that is not read to its end can't be followed by another one: what there is of it
	 * must do. Who makes so many addresses only hides their own namespace. */
	if (read.more) {
		mnl_socket_close(space->route);
		space->route = NULL;
	}
}
