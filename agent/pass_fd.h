/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One descriptor with a message, over a unix socket (SCM_RIGHTS, unix(7)). */
#ifndef AGENT_PASS_FD_H
#define AGENT_PASS_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for the control message of a msghdr: point msg_control at it and set msg_controllen to its
 * size before each receive; receive with MSG_CMSG_CLOEXEC. */
union pass_fd_room {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Waits for nothing. fd -1: the message alone. 0, or -errno: nothing was sent. fd stays open. */
int pass_fd_send(int socket_fd, const void *bytes, size_t len, int fd);

/* The one descriptor that came, which is the caller's; -1: none, or more than one, which are closed
 * (the kernel closes what did not fit). */
int pass_fd_take(struct msghdr *header);

#endif
