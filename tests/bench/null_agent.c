/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent that all others are measured against: it gives each packet of a queue the same mark,
 * with one recv(2) and one send(2), and looks at nothing.
 * Usage: null_agent QUEUE MARK; "ready" on stdout once the queue is bound.
 */
#include <stdio.h>
#include <stdlib.h>

#include "queue.h"

int main(int argc, char **argv)
{
	uint16_t number = argc == 3 ? (uint16_t)atoi(argv[1]) : 0;
	struct queue_verdict verdict;
	char message[8192];
	int fd;

	if (argc != 3) {
		fputs("usage: null_agent QUEUE MARK\n", stderr);
		return 2;
	}
	queue_verdict_init(&verdict, number, (uint32_t)strtoul(argv[2], NULL, 0));
	fd = queue_open(number, 0);
	if (fd < 0) {
		fprintf(stderr, "null_agent: queue %u: %s\n", number, strerror(-fd));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		ssize_t bytes = recv(fd, message, sizeof(message), 0);
		const struct nfqnl_msg_packet_hdr *packet = queue_packet(message, bytes);

		if (packet && queue_send(fd, &verdict, packet->packet_id))
			perror("null_agent: verdict");
	}
}
