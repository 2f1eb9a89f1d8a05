/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that connect nowhere, and stand in the way of whoever looks for one that does:
 *   crowd stay N              N processes that sleep; says "ready", and waits until it is ended
 *   crowd churn RATE SECONDS  so many forks each second, each gone at once; says how many
 *   crowd burst N             N forks as fast as they go; says how many
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int stay(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}

/* vfork(2): the kernel tells of it as of a fork, and it costs least. */
static void fork_and_end(void)
{
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static int churn(long rate, long seconds)
{
	long long start = now_us(), end = start + seconds * 1000000LL;
	long n = 0;

	for (;; n++) {
		long long due = start + n * 1000000LL / rate, now = now_us();

		if (now >= end)
			break;
		if (due > now)
			usleep((useconds_t)(due - now));
		fork_and_end();
	}
	printf("%ld\n", n);
	return 0;
}

static int burst(long n)
{
	for (long i = 0; i < n; i++)
		fork_and_end();
	printf("%ld\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "stay"))
		return stay(atol(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "churn"))
		return churn(atol(argv[2]), atol(argv[3]));
	if (argc == 3 && !strcmp(argv[1], "burst"))
		return burst(atol(argv[2]));
	return 2;
}
