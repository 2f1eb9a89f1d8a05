/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load of `make bench`: `connect listen ADDRESS PORT` accepts and closes until killed;
 * `connect one|each ADDRESS PORT COUNT` connects COUNT times, from one process or from a new one
 * each time, and prints `median_us p90_us connected refused other`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct target {
	struct sockaddr_storage address;
	socklen_t length;
	int family;
};

struct result {
	uint64_t ns;
	int error;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool parse_target(const char *address, const char *port, struct target *target)
{
	struct sockaddr_in *four = (void *)&target->address;
	struct sockaddr_in6 *six = (void *)&target->address;
	uint16_t number = htons((uint16_t)atoi(port));

	memset(target, 0, sizeof(*target));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = number;
		target->length = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = number;
		target->length = sizeof(*six);
	} else {
		return false;
	}
	target->family = target->address.ss_family;
	return true;
}

static int serve(const struct target *target)
{
	int fd = socket(target->family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (target->family == AF_INET6) /* another one listens for IPv4 */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&target->address, target->length) < 0 ||
	    listen(fd, 1024) < 0) {
		perror("listen");
		return 1;
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			close(peer);
	}
}

static void connect_once(const struct target *target, struct result *result)
{
	struct linger reset = { .l_onoff = 1 }; /* or thousands would stay in TIME_WAIT */
	int fd = socket(target->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t start = now_ns();
	int got = connect(fd, (const struct sockaddr *)&target->address, target->length);

	result->ns = now_ns() - start;
	result->error = got < 0 ? errno : 0;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static int compare(const void *a, const void *b)
{
	const struct result *left = a, *right = b;

	return left->ns < right->ns ? -1 : left->ns > right->ns;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 5 ? (unsigned)atoi(argv[4]) : 0, tally[3] = { 0 };
	struct result *results;
	struct target target;

	if (argc < 4 || !parse_target(argv[2], argv[3], &target) ||
	    (strcmp(argv[1], "listen") && !count)) {
		fputs("usage: connect listen|one|each ADDRESS PORT [COUNT]\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "listen"))
		return serve(&target);
	results = mmap(NULL, count * sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < count; i++) {
		pid_t child = strcmp(argv[1], "each") ? -1 : fork();

		if (child > 0) {
			waitpid(child, NULL, 0);
			continue;
		}
		connect_once(&target, &results[i]);
		if (child == 0)
			_exit(0);
	}
	for (unsigned i = 0; i < count; i++)
		tally[results[i].error == 0 ? 0 : results[i].error == ECONNREFUSED ? 1 : 2]++;
	qsort(results, count, sizeof(*results), compare);
	printf("%.1f %.1f %u %u %u\n", (double)results[count / 2].ns / 1000,
	       (double)results[count * 9 / 10].ns / 1000, tally[0], tally[1], tally[2]);
	return 0;
}
