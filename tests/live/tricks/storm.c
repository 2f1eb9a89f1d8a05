/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many connects, each with its truth told beforehand:
 *   storm send MODE NET FIRST COUNT SECONDS PAUSE_US TRUTH
 *       connects to the addresses FIRST, FIRST + 1, … of NET (its last 16 bits) until COUNT or
 *       SECONDS are over; says how many, and when it ended (seconds since the epoch)
 *   storm once|fire ADDRESS TRUTH
 *       one connect, that is waited for or not
 * A line of the file TRUTH: ADDRESS CALLER HOLDER[,HOLDER], each a pid:start_ticks. Whoever the
 * line names is who makes, or holds, the socket at some time of that connect; nobody else does.
 */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "trick.h"

#define DROPPED_TO 2999
#define LINGER_MS  150
#define SPIN_MS	   10

struct who {
	pid_t pid;
	unsigned long long start;
};

static int truth_fd = -1;
static const char *program, *truth_path;
static struct who helper; /* who is passed the sockets */
static int helper_fd = -1;

static struct who myself(void)
{
	return (struct who){ getpid(), start_ticks() };
}

static void tell(const struct address *to, struct who caller, const struct who *other)
{
	char host[INET6_ADDRSTRLEN], line[256];
	const void *bytes = to->any.sa_family == AF_INET ? (const void *)&to->four.sin_addr
							 : (const void *)&to->six.sin6_addr;
	int len;

	inet_ntop(to->any.sa_family, bytes, host, sizeof(host));
	len = snprintf(line, sizeof(line), "%s %d:%llu %d:%llu", host, caller.pid, caller.start,
		       caller.pid, caller.start);
	if (other)
		len += snprintf(line + len, sizeof(line) - (size_t)len, ",%d:%llu", other->pid,
				other->start);
	line[len++] = '\n';
	if (write(truth_fd, line, (size_t)len) != len)
		die("truth");
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

static void wait_for_all(void)
{
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void blocking(const struct address *to)
{
	int fd = socket_for(to, 0);

	connect_to(fd, to);
	close(fd);
}

/* --- ways to connect: each tells its truth before the SYN leaves ------------------------------ */

static void by_long(const struct address *to)
{
	tell(to, myself(), NULL);
	blocking(to);
}

static void by_poll(const struct address *to)
{
	int fd = socket_for(to, SOCK_NONBLOCK);
	struct pollfd wait = { fd, POLLOUT, 0 };

	tell(to, myself(), NULL);
	connect_to(fd, to);
	poll(&wait, 1, 5000);
	close(fd);
}

/* Works on, and then waits in no system call that would show its descriptor. */
static void by_spin(const struct address *to)
{
	int fd = socket_for(to, SOCK_NONBLOCK);
	long long end;

	tell(to, myself(), NULL);
	connect_to(fd, to);
	for (end = now_ms() + SPIN_MS; now_ms() < end;)
		;
	usleep(LINGER_MS * 1000);
	close(fd);
}

static void by_fork(const struct address *to)
{
	if (!fork_or_die()) {
		tell(to, myself(), NULL);
		blocking(to);
		_exit(0);
	}
	wait_for_all();
}

static void fire(const struct address *to)
{
	int fd = socket_for(to, SOCK_NONBLOCK);

	tell(to, myself(), NULL);
	connect_to(fd, to);
}

/* Gone before anybody can look. */
static void by_fire(const struct address *to)
{
	if (!fork_or_die()) {
		fire(to);
		_exit(0);
	}
	wait_for_all();
}

static void by_linger(const struct address *to)
{
	if (!fork_or_die()) {
		int fd = socket_for(to, SOCK_NONBLOCK);

		tell(to, myself(), NULL);
		connect_to(fd, to);
		usleep(LINGER_MS * 1000);
		_exit(0);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void *thread_body(void *to)
{
	if (unshare(CLONE_FILES))
		die("unshare");
	blocking(to);
	return NULL;
}

static void by_thread(const struct address *to)
{
	struct address copy = *to;
	pthread_t thread;

	tell(to, myself(), NULL);
	errno = pthread_create(&thread, NULL, thread_body, &copy);
	if (errno)
		die("pthread_create");
	pthread_join(thread, NULL);
}

/* A child has it too, from before the SYN until after the answer. */
static void by_shared(const struct address *to)
{
	int fd = socket_for(to, 0), ready[2];
	struct who child;

	if (pipe(ready))
		die("pipe");
	child.pid = fork_or_die();
	if (!child.pid) {
		child = myself();
		if (write(ready[1], &child, sizeof(child)) != sizeof(child))
			die("write");
		usleep(10000000);
		_exit(1);
	}
	if (read(ready[0], &child, sizeof(child)) != sizeof(child))
		die("read");
	tell(to, myself(), &child);
	connect_to(fd, to);
	usleep(20000); /* whoever looks on after the answer finds both */
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	close(fd);
}

static void helper_body(int from)
{
	struct who me = myself();
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec bytes = { &byte, 1 };
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(from, &me, sizeof(me)) != sizeof(me))
		die("write");
	for (;;) {
		struct msghdr message = { .msg_iov = &bytes,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };

		if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
			_exit(0);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		usleep(LINGER_MS * 1000);
		close(fd);
		if (write(from, "", 1) != 1)
			_exit(0);
	}
}

static void start_helper(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	if (!fork_or_die()) {
		close(pair[0]); /* so that it ends with us */
		helper_body(pair[1]);
	}
	close(pair[1]);
	helper_fd = pair[0];
	if (read(helper_fd, &helper, sizeof(helper)) != sizeof(helper))
		die("read");
}

static void by_passing(const struct address *to)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec bytes = { &byte, 1 };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd = socket_for(to, SOCK_NONBLOCK);

	if (helper_fd < 0)
		start_helper();
	tell(to, myself(), &helper);
	connect_to(fd, to);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(helper_fd, &message, 0) != 1)
		die("sendmsg");
	close(fd);
	if (read(helper_fd, &byte, 1) != 1)
		die("read");
}

/* Another program, PROGRAM.child, connects: it was forked as this one. */
static void become(const struct address *to, const char *how)
{
	char host[INET6_ADDRSTRLEN], child[PATH_MAX];
	const void *bytes = to->any.sa_family == AF_INET ? (const void *)&to->four.sin_addr
							 : (const void *)&to->six.sin6_addr;

	inet_ntop(to->any.sa_family, bytes, host, sizeof(host));
	snprintf(child, sizeof(child), "%s.child", program);
	if (!fork_or_die()) {
		execl(child, child, how, host, truth_path, NULL);
		die("exec");
	}
	wait_for_all();
}

static void by_exec(const struct address *to)
{
	become(to, "once");
}

/* Forked, another program, and gone: all that was known of it before is not true of its connect. */
static void by_exec_fire(const struct address *to)
{
	become(to, "fire");
}

/* What root does for a user: forked as root, the user's by the time it connects, and gone. */
static void by_drop(const struct address *to)
{
	if (!fork_or_die()) {
		if (setresgid(DROPPED_TO, DROPPED_TO, DROPPED_TO) ||
		    setresuid(DROPPED_TO, DROPPED_TO, DROPPED_TO))
			die("setresuid");
		fire(to);
		_exit(0);
	}
	wait_for_all();
}

/* The connecting process is nobody's child any more: its parent has ended. */
static void by_double_fork(const struct address *to)
{
	int done[2];
	char byte;

	if (pipe2(done, O_CLOEXEC))
		die("pipe");
	if (!fork_or_die()) {
		if (fork_or_die())
			_exit(0);
		setsid();
		tell(to, myself(), NULL);
		blocking(to);
		_exit(0);
	}
	wait_for_all();
	close(done[1]);
	if (read(done[0], &byte, 1) < 0) /* until the orphan has ended */
		die("read");
	close(done[0]);
}

static const struct {
	const char *name;
	void (*connect)(const struct address *to);
} modes[] = {
	{ "long", by_long },	 { "poll", by_poll },	       { "spin", by_spin },
	{ "fork", by_fork },	 { "fire", by_fire },	       { "linger", by_linger },
	{ "thread", by_thread }, { "shared", by_shared },      { "passed", by_passing },
	{ "exec", by_exec },	 { "double", by_double_fork }, { "exec-fire", by_exec_fire },
	{ "drop", by_drop },
};

/* --- commands --------------------------------------------------------------------------------- */

static void open_truth(const char *path)
{
	truth_path = path;
	truth_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (truth_fd < 0)
		die(path);
}

static int send_many(char **args)
{
	struct address net = address_of(args[1]);
	unsigned first = (unsigned)atoi(args[2]), count = (unsigned)atoi(args[3]), n = 0;
	long long end = now_ms() + atoll(args[4]) * 1000;
	useconds_t pause_us = (useconds_t)atoi(args[5]);
	struct timespec end_time;
	size_t mode = 0;

	while (mode < sizeof(modes) / sizeof(modes[0]) && strcmp(modes[mode].name, args[0]))
		mode++;
	if (mode == sizeof(modes) / sizeof(modes[0]))
		return 2;
	open_truth(args[6]);
	for (; n < count && now_ms() < end; n++) {
		struct address to = address_nth(&net, first + n);

		modes[mode].connect(&to);
		usleep(pause_us);
	}
	if (helper_fd >= 0)
		close(helper_fd);
	wait_for_all();
	clock_gettime(CLOCK_REALTIME, &end_time);
	printf("%u %lld\n", n, (long long)end_time.tv_sec);
	return 0;
}

int main(int argc, char **argv)
{
	program = argv[0];
	if (argc == 4 && (!strcmp(argv[1], "once") || !strcmp(argv[1], "fire"))) {
		struct address to = address_of(argv[2]);

		open_truth(argv[3]);
		if (!strcmp(argv[1], "once"))
			by_long(&to);
		else
			fire(&to);
		return 0;
	}
	if (argc == 9 && !strcmp(argv[1], "send"))
		return send_many(argv + 2);
	return 2;
}
