/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers in which network namespace a socket is; judges nothing and keeps no record. */
#include "enter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "privilege.h"

#define TIDY_MS 1000

int enter_read_question(const void *bytes, size_t len, struct enter_question *question)
{
	struct enter_question read;

	if (len != sizeof(read))
		return -EBADMSG;
	memcpy(&read, bytes, sizeof(read));
	if (read.query.family != AF_INET && read.query.family != AF_INET6)
		return -EBADMSG;
	*question = read;
	return 0;
}

int enter_read_answer(const void *bytes, size_t len, struct enter_answer *answer)
{
	struct enter_answer read;

	if (len != sizeof(read))
		return -EBADMSG;
	memcpy(&read, bytes, sizeof(read));
	if (!netns_answer_good(&read.answer))
		return -EBADMSG;
	*answer = read;
	return 0;
}

/* Two for each namespace: as many as may be. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* false: the judge is gone. */
static bool answer_one(int socket_fd, struct netns_table *table)
{
	uint8_t bytes[sizeof(struct enter_question) + 1]; /* one more tells a longer message */
	struct enter_question question;
	struct enter_answer answer;
	ssize_t len = recv(socket_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (len < 0 || enter_read_question(bytes, (size_t)len, &question) < 0)
		return true;
	/* It waited while another process stood here. */
	if ((uint64_t)clock_ns(CLOCK_MONOTONIC) >= question.deadline_ns)
		return true;
	memset(&answer, 0, sizeof(answer));
	answer.id = question.id;
	netns_table_ask(table, &question.query, &answer.answer);
	/* Full: the judge does not read, and its packet goes without. */
	(void)send(socket_fd, &answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	return true;
}

static void answer_all(int socket_fd, int signal_fd, struct netns_table *table)
{
	int64_t tidy_due = clock_ns(CLOCK_MONOTONIC);

	for (;;) {
		struct pollfd waits[] = {
			{ .fd = socket_fd, .events = POLLIN },
			{ .fd = signal_fd, .events = POLLIN },
		};
		int ready = poll(waits, 2, TIDY_MS);

		if (ready > 0 && waits[1].revents)
			return;
		if (ready > 0 && waits[0].revents && !answer_one(socket_fd, table))
			return;
		if (clock_ns(CLOCK_MONOTONIC) >= tidy_due) {
			netns_table_tidy(table);
			tidy_due = clock_ns(CLOCK_MONOTONIC) + TIDY_MS * INT64_C(1000000);
		}
	}
}

int enter_main(int socket_fd, uid_t uid, gid_t gid)
{
	struct netns_table *table = NULL;
	const char *what = "";
	int signal_fd, error;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (signal_fd < 0) {
		log_error("egressd-enter: signalfd: %s", strerror(errno));
		return 1;
	}
	allow_descriptors();
	error = privilege_enter(uid, gid, &what);
	if (!error)
		error = netns_table_open(&table, &what);
	if (error) {
		log_error("egressd-enter: %s: %s", what, strerror(-error));
		return 1;
	}
	answer_all(socket_fd, signal_fd, table);
	netns_table_free(table);
	return 0;
}
