/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's word on processes as they come, change and go: the proc connector
 * (Documentation/driver-api/connector.rst, drivers/connector/cn_proc.c), a multicast group of
 * NETLINK_CONNECTOR. A fork is told before the child runs, an exec before the new program does.
 */
#ifndef BPF_FREE_CONNECTOR_H
#define BPF_FREE_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum connector_what {
	CONNECTOR_FORK,	  /* a new process */
	CONNECTOR_THREAD, /* a new thread of a process */
	CONNECTOR_EXEC,
	CONNECTOR_UID,	 /* its uids are others now */
	CONNECTOR_COMM,	 /* it renamed itself */
	CONNECTOR_OTHER, /* what matters to nobody here, but has its number in the sequence */
	CONNECTOR_EXIT,	 /* its leader ended; threads may go on (pthread_exit(3) in main()) */
};

struct connector_event {
	enum connector_what what;
	pid_t pid;	    /* of the process (thread group); FORK: the child's */
	pid_t parent;	    /* FORK: who forked (cn_proc.c gives the real parent's thread group) */
	uint32_t uid, euid; /* UID: real and effective; else OWNER_UID_NONE */
	uint64_t ts_ns;	    /* CLOCK_MONOTONIC */
	uint32_t cpu, sequence; /* counts the events of that CPU */
};

/*
 * Opens and joins the group. It exists in the first network namespace only; from another one the
 * socket is made there by a short-lived thread, which needs CAP_SYS_ADMIN. CAP_NET_ADMIN, and the
 * first pid and user namespace. -errno: *what says what failed.
 */
struct connector {
	int fd;
	bool numbered; /* it tells every event, so that a gap in their numbers is a loss */
};

int connector_open(struct connector *connector, const char **what);
/* What waits, up to CONNECTOR_BATCH datagrams in one call. *n events were told; others' and
 * senseless ones are left out. 0: nothing more waits; -EAGAIN: something may; -ENOBUFS: some were
 * lost. */
#define CONNECTOR_BATCH 32
int connector_read(int fd, struct connector_event events[CONNECTOR_BATCH], unsigned *n);
/* Pure. 0 or -EBADMSG. */
int connector_parse(const void *bytes, size_t len, struct connector_event *event);

#endif
