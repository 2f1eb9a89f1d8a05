/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressd-enter: the process that may enter other network namespaces, and its one verb. The judge
 * asks over a SOCK_SEQPACKET who has a forwarded packet's socket; the answer names the namespace,
 * the socket and the processes to look at, nothing else. It opens nothing for anybody, and
 * nobody waits for it: the judge's packet does until its own deadline, beside the others.
 *
 * Same program, same machine: plain memory; but each end checks what it takes, since the judge
 * reads what strangers send, and this process can do more than it.
 */
#ifndef AGENT_ENTER_H
#define AGENT_ENTER_H

#include <stddef.h>
#include <sys/types.h>

#include "../bpf-free/netns.h"

struct enter_question {
	uint64_t id;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: nobody waits for an answer any more */
	struct owner_query query;
};

struct enter_answer {
	uint64_t id; /* of the question */
	struct netns_answer answer;
};

/* One message's bytes; pure. 0, or -EBADMSG: not one that the other end would send. */
int enter_read_question(const void *bytes, size_t len, struct enter_question *question);
int enter_read_answer(const void *bytes, size_t len, struct enter_answer *answer);

/* Drops privileges and answers until SIGTERM, or until the judge is gone. The exit code. */
int enter_main(int socket_fd, uid_t uid, gid_t gid);

#endif
