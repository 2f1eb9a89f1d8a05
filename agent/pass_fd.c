/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends and takes descriptors; looks at none. */
#include "pass_fd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int pass_fd_send(int socket_fd, const void *bytes, size_t len, int fd)
{
	struct iovec vector = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	union pass_fd_room room;
	struct cmsghdr *control;
	ssize_t sent;

	if (fd >= 0) {
		memset(&room, 0, sizeof(room));
		header.msg_control = &room;
		header.msg_controllen = sizeof(room);
		control = CMSG_FIRSTHDR(&header);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(control), &fd, sizeof(fd));
	}
	do
		sent = sendmsg(socket_fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EMSGSIZE;
}

int pass_fd_take(struct msghdr *header)
{
	int taken = -1, fd;
	unsigned came = 0;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control;
	     control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(fd)) <= control->cmsg_len;
		     at += sizeof(fd)) {
			memcpy(&fd, CMSG_DATA(control) + at, sizeof(fd));
			if (came++)
				close(fd);
			else
				taken = fd;
		}
	}
	if (taken >= 0 && (came > 1 || header->msg_flags & MSG_CTRUNC)) {
		close(taken);
		taken = -1;
	}
	return taken;
}
