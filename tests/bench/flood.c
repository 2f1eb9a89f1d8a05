/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flooder: connects without blocking, over many open sockets in turn, at a rate it is told.
 * Usage: flood ADDRESS PORT RATE SECONDS SOCKETS
 *   RATE connects a second in steps of 1 ms; 0: as fast as it can. It pauses for nobody: a socket
 *   that still waits for its answer is passed by. JSON at its end: what was sent, what was
 *   answered, and what was not within a second after the last.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>

#include "load.h"

struct flood {
	struct target target;
	unsigned rate, seconds, sockets;
	int *fds;
	bool *waits;
	uint64_t sent, refused, connected, busy, other;
};

/* Whether this socket is free for another connect; an answer that came is counted. */
static bool take_answer(struct flood *flood, unsigned i)
{
	struct pollfd ready = { .fd = flood->fds[i], .events = POLLOUT };
	int error = 0;
	socklen_t length = sizeof(error);

	if (!flood->waits[i])
		return true;
	if (poll(&ready, 1, 0) != 1)
		return false;
	getsockopt(flood->fds[i], SOL_SOCKET, SO_ERROR, &error, &length);
	flood->waits[i] = false;
	if (error == ECONNREFUSED)
		flood->refused++;
	else if (error)
		flood->other++;
	else
		flood->connected++;
	if (!error) { /* it stays open to its peer: begin anew */
		struct sockaddr none = { .sa_family = AF_UNSPEC };

		connect(flood->fds[i], &none, sizeof(none));
	}
	return true;
}

static void send_one(struct flood *flood, unsigned i)
{
	if (!take_answer(flood, i)) {
		flood->busy++;
		return;
	}
	if (!connect(flood->fds[i], (struct sockaddr *)&flood->target.address,
		     flood->target.length) ||
	    errno == EINPROGRESS) {
		flood->waits[i] = true;
		flood->sent++;
	} else if (errno == ECONNREFUSED || errno == ECONNABORTED) {
		/* refused at once, by rules that need nobody; or the last one's answer, told late
		 */
		flood->sent++;
		flood->refused++;
	} else {
		flood->other++;
	}
}

static void run(struct flood *flood)
{
	uint64_t start = now_ns(), end = start + flood->seconds * 1000000000ULL, now;
	uint64_t tries = 0;

	while ((now = now_ns()) < end) {
		uint64_t due = flood->rate ? (now - start) * flood->rate / 1000000000 : tries + 64;

		for (; tries < due; tries++)
			send_one(flood, (unsigned)(tries % flood->sockets));
		if (flood->rate)
			usleep(1000);
	}
}

/* How many are without an answer a second later. */
static unsigned drain(struct flood *flood)
{
	uint64_t end = now_ns() + 1000000000;
	unsigned waits;

	do {
		waits = 0;
		for (unsigned i = 0; i < flood->sockets; i++)
			waits += !take_answer(flood, i);
		usleep(10000);
	} while (waits && now_ns() < end);
	return waits;
}

int main(int argc, char **argv)
{
	struct flood flood = { 0 };
	struct rlimit limit;
	unsigned waits;

	if (argc != 6 || !target_parse(argv[1], argv[2], &flood.target)) {
		fputs("usage: flood ADDRESS PORT RATE SECONDS SOCKETS\n", stderr);
		return 2;
	}
	flood.rate = (unsigned)atoi(argv[3]);
	flood.seconds = (unsigned)atoi(argv[4]);
	flood.sockets = (unsigned)atoi(argv[5]);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	flood.fds = calloc(flood.sockets, sizeof(*flood.fds));
	flood.waits = calloc(flood.sockets, sizeof(*flood.waits));
	if (!flood.sockets || !flood.fds || !flood.waits)
		return 1;
	for (unsigned i = 0; i < flood.sockets; i++) {
		flood.fds[i] =
			socket(flood.target.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (flood.fds[i] < 0) {
			perror("flood: socket");
			return 1;
		}
	}
	run(&flood);
	waits = drain(&flood);
	printf("{\"sent\": %llu, \"refused\": %llu, \"connected\": %llu, \"busy\": %llu, "
	       "\"other\": %llu, "
	       "\"unanswered\": %u}\n",
	       (unsigned long long)flood.sent, (unsigned long long)flood.refused,
	       (unsigned long long)flood.connected, (unsigned long long)flood.busy,
	       (unsigned long long)flood.other, waits);
	return 0;
}
