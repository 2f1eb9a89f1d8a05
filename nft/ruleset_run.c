/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs another program over pipes and collects what it says; must not interpret it. */
#include "ruleset_run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ruleset_text.h"

#define RUN_SECONDS    10 /* in all; listing a rule set with a million elements takes a few */
#define RUN_LOOK_NS    2000000L
#define RUN_OUTPUT_MAX (256UL << 20)

static char *const run_environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

/* The whole input goes into the pipe before anybody reads it: no writer has to be fed later, and
 * no SIGPIPE can come, since we hold the reading end until the child has it. */
static int input_pipe(const char *input, int pair[2])
{
	size_t len = input ? strlen(input) : 0, done = 0;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(pair[1], F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	if (len > 65536 && (len > (1U << 30) || fcntl(pair[1], F_SETPIPE_SZ, (int)len) < 0))
		return -EFBIG;
	while (done < len) {
		ssize_t n = write(pair[1], input + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -EFBIG : -errno;
		done += (size_t)n;
	}
	close(pair[1]);
	pair[1] = -1;
	return 0;
}

struct run_pipes {
	int in[2], out[2], err[2], failed[2]; /* failed: the child's errno when it could not exec */
};

/* Runs in the child: only what is safe after fork() there. */
_Noreturn static void run_child(const char *const argv[], int netns_fd, struct run_pipes *pipes)
{
	sigset_t none;
	int error, high = 16;

	setpgid(0, 0); /* what it starts ends with it */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0)
		goto fail;
	/* Out of the way of 0 to 2 first: a caller may have had them closed. */
	pipes->in[0] = fcntl(pipes->in[0], F_DUPFD_CLOEXEC, high);
	pipes->out[1] = fcntl(pipes->out[1], F_DUPFD_CLOEXEC, high);
	pipes->err[1] = fcntl(pipes->err[1], F_DUPFD_CLOEXEC, high);
	error = fcntl(pipes->failed[1], F_DUPFD_CLOEXEC, high);
	if (pipes->in[0] < 0 || pipes->out[1] < 0 || pipes->err[1] < 0 || error < 0)
		goto fail;
	pipes->failed[1] = error;
	if (dup2(pipes->in[0], 0) < 0 || dup2(pipes->out[1], 1) < 0 || dup2(pipes->err[1], 2) < 0)
		goto fail;
	/* Libraries open descriptors without O_CLOEXEC. The flag is a kernel's from 5.11 on. */
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	execve(argv[0], (char *const *)argv, run_environment);
fail:
	error = errno;
	if (write(pipes->failed[1], &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static int milliseconds_left(const struct timespec *start)
{
	struct timespec now;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = RUN_SECONDS * 1000L - (now.tv_sec - start->tv_sec) * 1000L -
	       (now.tv_nsec - start->tv_nsec) / 1000000L;
	return left > 0 ? (int)left : 0;
}

/* Reads both ends until both are closed. */
static int run_collect(struct pollfd ends[2], struct ruleset_text texts[2],
		       const struct timespec *start)
{
	static const size_t chunk = 65536;
	char *buffer = malloc(chunk);
	int ret = buffer ? 0 : -ENOMEM;

	while (!ret && (ends[0].fd >= 0 || ends[1].fd >= 0)) {
		int ready = poll(ends, 2, milliseconds_left(start));

		if (ready < 0 && errno != EINTR)
			ret = -errno;
		if (ready == 0)
			ret = -ETIMEDOUT;
		for (int i = 0; i < 2 && ready > 0; i++) {
			ssize_t n;

			if (ends[i].fd < 0 || !ends[i].revents)
				continue;
			n = read(ends[i].fd, buffer, chunk);
			if (n > 0)
				ruleset_text_add(&texts[i], buffer, (size_t)n);
			else if (n == 0 || errno != EINTR)
				ends[i].fd = -1; /* poll() passes over it; its owner closes it */
			if (texts[i].len > RUN_OUTPUT_MAX)
				ret = -EFBIG;
		}
	}
	free(buffer);
	return ret;
}

static int run_wait(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* It may go on without a word. */
static int run_wait_until(pid_t child, const struct timespec *start)
{
	siginfo_t gone = { .si_pid = 0 };

	while (waitid(P_PID, (id_t)child, &gone, WEXITED | WNOHANG | WNOWAIT) < 0 || !gone.si_pid) {
		if (milliseconds_left(start) == 0)
			return -ETIMEDOUT;
		nanosleep(&(struct timespec){ .tv_nsec = RUN_LOOK_NS }, NULL);
	}
	return 0;
}

/* Reads what the started child says, ends it when it does not come to its end, and waits. */
static int run_parent(pid_t child, struct run_pipes *pipes, struct ruleset_text texts[2])
{
	struct pollfd ends[2] = { { .fd = pipes->out[0], .events = POLLIN },
				  { .fd = pipes->err[0], .events = POLLIN } };
	int ret, code, error = 0;
	struct timespec start;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &start);
	close(pipes->out[1]);
	close(pipes->err[1]);
	close(pipes->failed[1]);
	pipes->out[1] = pipes->err[1] = pipes->failed[1] = -1;
	ret = run_collect(ends, texts, &start);
	if (!ret)
		ret = run_wait_until(child, &start);
	if (ret < 0) {
		kill(-child, SIGKILL);
		kill(child, SIGKILL); /* before it made its group */
	}
	code = run_wait(child);
	n = read(pipes->failed[0], &error, sizeof(error));
	if (ret < 0)
		return ret;
	return n == sizeof(error) ? -error : code;
}

int ruleset_run(const char *const argv[], const char *input, int netns_fd, char **out, char **err)
{
	struct run_pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct ruleset_text texts[2] = { { 0 } };
	char *said[2] = { NULL, NULL };
	pid_t child;
	int ret;

	ret = input_pipe(input, pipes.in);
	if (ret < 0)
		goto out;
	if (pipe2(pipes.out, O_CLOEXEC) < 0 || pipe2(pipes.err, O_CLOEXEC) < 0 ||
	    pipe2(pipes.failed, O_CLOEXEC) < 0) {
		ret = -errno;
		goto out;
	}
	child = fork();
	if (child < 0) {
		ret = -errno;
		goto out;
	}
	if (child == 0)
		run_child(argv, netns_fd, &pipes);
	ret = run_parent(child, &pipes, texts);
	if (ret < 0)
		goto out;
	said[0] = ruleset_text_take(&texts[0]);
	said[1] = ruleset_text_take(&texts[1]);
	if (!said[0] || !said[1]) {
		free(said[0]);
		free(said[1]);
		ret = -ENOMEM;
		goto out;
	}
	*out = said[0];
	*err = said[1];
out:
	ruleset_text_free(&texts[0]);
	ruleset_text_free(&texts[1]);
	close_pair(pipes.in);
	close_pair(pipes.out);
	close_pair(pipes.err);
	close_pair(pipes.failed);
	return ret;
}

const char *ruleset_run_error(int error)
{
	static_assert(RUN_SECONDS == 10, "said here");
	return error == -ETIMEDOUT ? "did not end in 10 s: killed" : strerror(-error);
}

int ruleset_run_netns(int *netns_fd)
{
	int made[2], done[2] = { -1, -1 }, error = 0, fd = -1, ret = 0;
	char path[64];
	pid_t child;

	if (pipe2(made, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(done, O_CLOEXEC) < 0 || (child = fork()) < 0) {
		ret = -errno;
		close_pair(made);
		close_pair(done);
		return ret;
	}
	if (child == 0) {
		error = unshare(CLONE_NEWNET) < 0 ? errno : 0;
		close(done[1]);
		if (write(made[1], &error, sizeof(error)) < 0 || read(done[0], &error, 1) < 0)
			_exit(1);
		_exit(0); /* the parent holds the namespace now, or has given up */
	}
	close(made[1]);
	made[1] = -1;
	if (read(made[0], &error, sizeof(error)) != sizeof(error))
		ret = -EIO;
	else if (error)
		ret = -error;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	if (!ret && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		ret = -errno;
	close_pair(made);
	close_pair(done);
	run_wait(child);
	if (!ret)
		*netns_fd = fd;
	return ret;
}
