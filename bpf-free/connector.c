/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joins the proc connector and reads its events; remembers nothing. */
#include "connector.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "owner.h"

#define RCVBUF_BYTES (8 << 20) /* some 10,000 events */
#define ANSWER_MS    1000
#define EVENT_BYTES  128 /* 76 now */

struct request {
	struct nlmsghdr header;
	struct cn_msg message;
	uint32_t op; /* enum proc_cn_mcast_op */
} __attribute__((packed));

/* Since Linux 6.6 the kernel leaves out what is not asked for: a process that renames itself
 * without end must not keep us busy. An older one does not answer such a request. */
struct request_of {
	struct nlmsghdr header;
	struct cn_msg message;
	uint32_t op, events; /* struct proc_input */
} __attribute__((packed));

static int listen_to_some(int fd)
{
	const struct request_of request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC },
			     .len = sizeof(request.op) + sizeof(request.events) },
		.op = PROC_CN_MCAST_LISTEN,
		.events = PROC_EVENT_FORK | PROC_EVENT_EXEC | PROC_EVENT_UID |
			  (uint32_t)PROC_EVENT_EXIT,
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static int listen_to(int fd)
{
	const struct request request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(request.op) },
		.op = PROC_CN_MCAST_LISTEN,
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* The kernel answers with an event "none" that carries an error (cn_proc_ack()). Others' answers
 * look the same, so any good one will do: it says that the connector is at work. */
static int await_answer(int fd)
{
	uint64_t until = clock_mono_ns() + ANSWER_MS * NS_PER_MS;

	while (clock_mono_ns() < until) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		struct proc_event event;
		uint8_t bytes[512];
		ssize_t n;

		if (poll(&poll_fd, 1, ANSWER_MS) <= 0)
			break;
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < (ssize_t)(NLMSG_HDRLEN + sizeof(struct cn_msg) + sizeof(event)))
			continue;
		memcpy(&event, bytes + NLMSG_HDRLEN + sizeof(struct cn_msg), sizeof(event));
		if (event.what == PROC_EVENT_NONE)
			return event.event_data.ack.err ? -(int)event.event_data.ack.err : 0;
	}
	return -ETIMEDOUT;
}

static void *nothing(void *arg)
{
	return arg;
}

/* Are renames told, too? We rename ourselves to our own name, then start a thread: which of both
 * is heard of? */
static bool tells_renames(int fd)
{
	uint64_t until = clock_mono_ns() + ANSWER_MS * NS_PER_MS;
	pid_t self = getpid();
	pthread_t thread;
	char name[16];
	bool renamed = false;

	prctl(PR_GET_NAME, name);
	prctl(PR_SET_NAME, name);
	if (pthread_create(&thread, NULL, nothing, NULL))
		return true;
	pthread_join(thread, NULL);
	while (clock_mono_ns() < until) {
		struct connector_event events[CONNECTOR_BATCH];
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		unsigned n;

		poll(&poll_fd, 1, ANSWER_MS);
		connector_read(fd, events, &n);
		for (unsigned i = 0; i < n; i++) {
			renamed |= events[i].what == CONNECTOR_COMM && events[i].pid == self;
			if (events[i].what == CONNECTOR_THREAD && events[i].pid == self)
				return renamed;
		}
	}
	return true;
}

static int open_here(struct connector *connector)
{
	const struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	int size = RCVBUF_BYTES, error = 0;
	int made = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);

	if (made < 0)
		return -errno;
	setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(made, (const struct sockaddr *)&group, sizeof(group)) < 0)
		error = -errno;
	if (!error)
		error = listen_to(made);
	if (!error)
		error = await_answer(made);
	if (!error)
		error = listen_to_some(made);
	if (error) {
		close(made);
		return error;
	}
	*connector = (struct connector){ made, tells_renames(made) };
	return 0;
}

struct elsewhere {
	const char *namespace;
	struct connector connector;
	int error;
};

static void *open_elsewhere(void *arg)
{
	struct elsewhere *e = arg;
	int namespace = open(e->namespace, O_RDONLY | O_CLOEXEC);

	if (namespace < 0 || setns(namespace, CLONE_NEWNET) < 0)
		e->error = -errno;
	else
		e->error = open_here(&e->connector);
	if (namespace >= 0)
		close(namespace);
	return NULL;
}

int connector_open(struct connector *connector, const char **what)
{
	/* The first process, or the kernel's own second where that one can't be read. */
	static const char *const firsts[] = { "/proc/1/ns/net", "/proc/2/ns/net" };
	int error = open_here(connector);

	*what = "join the proc connector";
	for (size_t i = 0; error && i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct elsewhere e = { firsts[i], { -1, false }, 0 };
		pthread_t thread;

		if (pthread_create(&thread, NULL, open_elsewhere, &e))
			return error;
		pthread_join(thread, NULL);
		if (!e.error) {
			*connector = e.connector;
			return 0;
		}
	}
	return error;
}

int connector_parse(const void *bytes, size_t len, struct connector_event *event)
{
	struct connector_event e = { .uid = OWNER_UID_NONE, .euid = OWNER_UID_NONE };
	struct nlmsghdr header;
	struct cn_msg message;
	struct proc_event told;

	if (len < NLMSG_HDRLEN + sizeof(message) + sizeof(told))
		return -EBADMSG;
	memcpy(&header, bytes, sizeof(header));
	memcpy(&message, (const uint8_t *)bytes + NLMSG_HDRLEN, sizeof(message));
	if (header.nlmsg_type != NLMSG_DONE || message.id.idx != CN_IDX_PROC ||
	    message.id.val != CN_VAL_PROC || message.len < sizeof(told))
		return -EBADMSG;
	memcpy(&told, (const uint8_t *)bytes + NLMSG_HDRLEN + sizeof(message), sizeof(told));
	e.ts_ns = told.timestamp_ns;
	e.cpu = told.cpu;
	e.sequence = message.seq;
	switch ((uint32_t)told.what) {
	case PROC_EVENT_FORK:
		e.what = told.event_data.fork.child_pid == told.event_data.fork.child_tgid
				 ? CONNECTOR_FORK
				 : CONNECTOR_THREAD;
		e.pid = told.event_data.fork.child_tgid;
		e.parent = told.event_data.fork.parent_tgid;
		break;
	case PROC_EVENT_EXEC:
		e.what = CONNECTOR_EXEC;
		e.pid = told.event_data.exec.process_tgid;
		break;
	case PROC_EVENT_UID:
		e.what = CONNECTOR_UID;
		e.pid = told.event_data.id.process_tgid;
		e.uid = told.event_data.id.r.ruid;
		e.euid = told.event_data.id.e.euid;
		break;
	case PROC_EVENT_COMM:
		e.what = CONNECTOR_COMM;
		e.pid = told.event_data.comm.process_tgid;
		break;
	case PROC_EVENT_EXIT:
		e.what = told.event_data.exit.process_pid == told.event_data.exit.process_tgid
				 ? CONNECTOR_EXIT
				 : CONNECTOR_OTHER;
		e.pid = told.event_data.exit.process_tgid;
		break;
	default:
		e.what = CONNECTOR_OTHER;
	}
	if (e.pid <= 0)
		e.what = CONNECTOR_OTHER;
	*event = e;
	return 0;
}

int connector_read(int fd, struct connector_event events[CONNECTOR_BATCH], unsigned *n)
{
	uint8_t bytes[CONNECTOR_BATCH][EVENT_BYTES];
	struct sockaddr_nl from[CONNECTOR_BATCH];
	struct mmsghdr headers[CONNECTOR_BATCH];
	struct iovec vectors[CONNECTOR_BATCH];
	int got;

	*n = 0;
	for (unsigned i = 0; i < CONNECTOR_BATCH; i++) {
		vectors[i] = (struct iovec){ bytes[i], EVENT_BYTES };
		headers[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						      .msg_namelen = sizeof(from[i]),
						      .msg_iov = &vectors[i],
						      .msg_iovlen = 1 };
	}
	do
		got = recvmmsg(fd, headers, CONNECTOR_BATCH, MSG_DONTWAIT, NULL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	for (int i = 0; i < got; i++)
		/* Only the kernel's word counts. */
		if (headers[i].msg_hdr.msg_namelen == sizeof(from[i]) && from[i].nl_pid == 0 &&
		    !connector_parse(bytes[i], headers[i].msg_len, &events[*n]))
			++*n;
	return got == CONNECTOR_BATCH ? -EAGAIN : 0;
}
