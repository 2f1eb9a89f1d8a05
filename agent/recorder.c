/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder's loop: messages in, one transaction after another; what is kept is keep.c's. */
#include "recorder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "keep.h"
#include "log.h"
#include "pass_fd.h"
#include "wire.h"

#define MESSAGES_A_READ 64
#define NS_PER_MS	1000000LL
#define SECOND_NS	1000000000LL

struct inbox {
	int fd;
	struct mmsghdr headers[MESSAGES_A_READ];
	struct iovec vectors[MESSAGES_A_READ];
	union pass_fd_room rooms[MESSAGES_A_READ]; /* a note may come with a copy */
	uint8_t *bytes;				   /* MESSAGES_A_READ times WIRE_BYTES_MAX */
	bool empty, closed;
};

static int inbox_open(struct inbox *inbox, int fd)
{
	unsigned i;

	memset(inbox, 0, sizeof(*inbox));
	inbox->fd = fd;
	inbox->bytes = malloc((size_t)MESSAGES_A_READ * WIRE_BYTES_MAX);
	if (!inbox->bytes)
		return -ENOMEM;
	for (i = 0; i < MESSAGES_A_READ; i++) {
		inbox->vectors[i].iov_base = inbox->bytes + (size_t)i * WIRE_BYTES_MAX;
		inbox->vectors[i].iov_len = WIRE_BYTES_MAX;
		inbox->headers[i].msg_hdr.msg_iov = &inbox->vectors[i];
		inbox->headers[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

/* Closed, and nothing but empty messages left in it. */
static bool others_are_gone(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLRDHUP };
	int waiting = 0;

	if (poll(&pollfd, 1, 0) <= 0 || !(pollfd.revents & (POLLHUP | POLLRDHUP | POLLERR)))
		return false;
	return ioctl(fd, FIONREAD, &waiting) < 0 || waiting == 0;
}

/* Reads once: how many messages came. At the end of a channel the kernel gives empty ones, as
 * many as are asked for; one that was sent so looks the same, and is followed by others. */
static int inbox_fill(struct inbox *inbox)
{
	int n;

	for (int i = 0; i < MESSAGES_A_READ; i++) {
		inbox->headers[i].msg_hdr.msg_control = &inbox->rooms[i];
		inbox->headers[i].msg_hdr.msg_controllen = sizeof(inbox->rooms[i]);
	}
	n = recvmmsg(inbox->fd, inbox->headers, MESSAGES_A_READ, MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
		     NULL);
	inbox->empty = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	if (n < 0 && !inbox->empty && errno != EINTR && errno != ENOBUFS && errno != ENOMEM) {
		log_error("the channel from the judge: %s", strerror(errno));
		inbox->closed = true;
	}
	if (n > 0 && inbox->headers[n - 1].msg_len == 0 && others_are_gone(inbox->fd)) {
		inbox->closed = true;
		while (n > 0 && inbox->headers[n - 1].msg_len == 0)
			n--;
	}
	return n;
}

static void inbox_read(struct inbox *inbox, struct keep *keep, int64_t now_ns)
{
	int n = inbox_fill(inbox), i, fd;
	struct msghdr *header;

	for (i = 0; i < n; i++) {
		header = &inbox->headers[i].msg_hdr;
		fd = pass_fd_take(header);
		if (!(header->msg_flags & MSG_TRUNC)) {
			keep_message(keep, header->msg_iov->iov_base, inbox->headers[i].msg_len, fd,
				     now_ns);
			continue;
		}
		if (fd >= 0)
			close(fd);
		keep_bad_message(keep);
	}
}

static int wait_ms(const struct keep *keep, int64_t now_ns)
{
	int64_t wait_ns = keep_due_ns(keep) - now_ns;

	if (wait_ns <= 0)
		return 0;
	return wait_ns > SECOND_NS ? 1000 : (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int term_signals(void)
{
	sigset_t signals;

	/* Ctrl-C goes to the whole group: the judge ends on it, and then we do. A full disk may
	 * come as SIGXFSZ: the failed write says so too. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void run(struct keep *keep, struct inbox *inbox, int signal_fd)
{
	struct pollfd fds[] = { { .fd = inbox->fd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };
	bool ending = false;
	int64_t now_ns;

	while (!inbox->closed && !(ending && inbox->empty)) {
		now_ns = clock_ns(CLOCK_MONOTONIC);
		if (poll(fds, 2, ending ? 0 : wait_ms(keep, now_ns)) < 0 && errno != EINTR) {
			log_error("poll: %s", strerror(errno));
			return;
		}
		if (fds[1].revents)
			ending = true;
		if (ending)
			fds[1].fd = -1;
		now_ns = clock_ns(CLOCK_MONOTONIC);
		inbox_read(inbox, keep, now_ns);
		keep_tick(keep, now_ns);
	}
}

int recorder_main(const struct config *config, int channel_fd, int evidence_fd, int journal_fd)
{
	int signal_fd = term_signals(), code = 1;
	struct inbox inbox = { .bytes = NULL };
	struct keep *keep = NULL;

	if (signal_fd < 0 || inbox_open(&inbox, channel_fd) < 0) {
		log_error("the recorder can't start: %s", strerror(errno));
		goto out;
	}
	if (keep_open(&keep, config, evidence_fd, journal_fd, clock_ns(CLOCK_MONOTONIC)))
		goto out;
	run(keep, &inbox, signal_fd);
	code = keep_close(keep, clock_ns(CLOCK_MONOTONIC)) ? 1 : 0;
out:
	free(inbox.bytes);
	if (signal_fd >= 0)
		close(signal_fd);
	return code;
}
