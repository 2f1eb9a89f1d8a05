/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between netns*.c: the texts and replies (pure), the table's parts, the look into a process. */
#ifndef BPF_FREE_NETNS_INTERNAL_H
#define BPF_FREE_NETNS_INTERNAL_H

#include "netns.h"
#include "sockdiag.h"

/* What somebody who may add addresses to a namespace can make us keep of it. */
#define NETNS_ADDRESSES 256

struct netns_address {
	uint8_t family;
	uint8_t bytes[16];
	uint32_t ifindex; /* in there: a socket may be bound to that device (SO_BINDTODEVICE) */
};

struct netns_addresses {
	struct netns_address *at; /* NETNS_ADDRESSES of them */
	unsigned n;
	bool more; /* than are kept */
};

/* netns_parse.c. "net:[4026531840]", as readlink(2) of /proc/PID/ns/net gives it. -EBADMSG. */
int netns_parse_link(const char *text, size_t len, uint64_t *inode);
/* A buffer of replies to an RTM_GETADDR dump: adds every address that a packet may come from.
 * 0: more is to come; 1: that was the last; -errno: what the kernel said; -EBADMSG. */
int netns_parse_addresses(const void *reply, size_t len, uint32_t seq,
			  struct netns_addresses *addresses);
/* NULL: it is not there. */
const struct netns_address *netns_find_address(const struct netns_addresses *addresses,
					       uint8_t family, const uint8_t bytes[16]);

struct mnl_socket;

/* The process that a thread is of, from the text of /proc/TID/status: threads have folders too,
 * that /proc does not list. 0 or -EBADMSG. */
int netns_parse_tgid(const char *text, size_t len, pid_t *tgid);
/* The last number in a text: that of /proc/sys/kernel/ns_last_pid, and of /proc/loadavg. */
int netns_parse_last_pid(const char *text, size_t len, pid_t *pid);

/* netns_space.c: a namespace that was entered. */
struct netns_space {
	uint64_t inode;
	struct sockdiag *diag;
	struct mnl_socket *route; /* NULL: it has more addresses than are kept */
	uint32_t seq;
	struct netns_addresses addresses;
};

/* Enters each (ns_fds[], of /proc/PID/ns/net) on a thread that ends after it; opens what is kept.
 * spaces[i].diag is NULL where that failed. */
void netns_spaces_enter(struct netns_space *spaces, const int *ns_fds, unsigned n);
void netns_space_close(struct netns_space *space);
/* Reads its addresses anew; keeps the old ones when that fails. */
void netns_space_read(struct netns_space *space);

/* netns_processes.c: who is in another namespace than ours, and in which. */
struct netns_process {
	pid_t pid;
	uint64_t netns; /* 0: it is gone, or home again */
};

struct netns_processes {
	int proc_fd;
	uint64_t own;		  /* who is in this one is not listed */
	struct netns_process *at; /* by pid, ascending */
	unsigned n, room;
	pid_t last;	   /* that the kernel had given away at the last look; 0: not known */
	pid_t young;	   /* and some seconds before it */
	uint64_t young_ns; /* when that was */
};

/* The namespace of a process now; 0: it has none. */
uint64_t netns_of_process(int proc_fd, pid_t pid);
/* Lists everybody anew. */
int netns_processes_scan(struct netns_processes *processes);
/* Adds those who came since then, by the numbers that the kernel has given away: what it costs
 * depends on how many came, not on how many there are. The young ones are looked at again, since
 * it is then that a container's first process goes there. -E2BIG: too many. */
int netns_processes_catch_up(struct netns_processes *processes);
/* Those of a namespace that live, at most NETNS_PIDS: the uid's before others', the newest first.
 */
unsigned netns_processes_of(const struct netns_processes *processes, uint64_t netns, uint32_t uid,
			    pid_t pids[NETNS_PIDS]);

/* netns_holder.c. */
struct netns_holder {
	pid_t pid;
	int pid_fd; /* the caller closes it */
	uint32_t fd;
	uint64_t start_ticks;
};

/* 0; -ENOENT: none of them holds it; -ENOBUFS: fds descriptors were read; -ETIME. *fds_read says
 * how many. */
int netns_holder_find(int proc_fd, const struct netns_answer *answer, unsigned fds,
		      uint64_t deadline_ns, struct netns_holder *holder, unsigned *fds_read);
bool netns_holder_still(const struct netns_holder *holder, uint32_t inode);

#endif
