/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who called connect(2)? The kernel's tracepoint sock/inet_sock_set_state tells it while the
 * socket enters SYN_SENT, in the context of the caller (tcp_v4_connect(), net/ipv4/tcp_ipv4.c):
 * process and thread, addresses and the far port, before the SYN is made. The local port is not
 * chosen yet then, unless the socket was bound to one. Read from the ring buffers of
 * perf_event_open(2), without a system call; filtered in the kernel to the mail ports.
 *
 * So the right process is at hand at once, however many there are, also when it has exited since.
 * That it *holds* the socket is for its fd table to say; that it *called* is a fact by itself when
 * all unassigned calls for that tuple are its own and no event was lost.
 */
#ifndef BPF_FREE_CALLER_H
#define BPF_FREE_CALLER_H

#include "owner.h"

#define CALLER_PORTS 64

struct caller {
	pid_t pid, tid; /* as seen from the pid namespace of who opened the tracepoint */
	uint64_t ts_ns; /* CLOCK_MONOTONIC */
};

/* The descriptors: one event for each CPU. They outlive a drop of privileges. */
struct caller_fds {
	int *fds;
	unsigned n;
	struct caller_format {
		uint16_t newstate, sport, dport, family, protocol, saddr, daddr, saddr6, daddr6;
		uint16_t size; /* of the whole record */
	} format;
};

/* Needs CAP_SYS_ADMIN (a tracefs of its own is mounted nowhere, for its format files) and
 * CAP_PERFMON. -errno: *what says what failed. */
int caller_fds_open(const uint16_t *ports, unsigned n_ports, struct caller_fds *fds,
		    const char **what);
/* Other ports from now on. */
int caller_fds_ports(const struct caller_fds *fds, const uint16_t *ports, unsigned n_ports);
void caller_fds_close(struct caller_fds *fds);

struct callers;

/* Maps the buffers. The descriptors stay the caller's, and must stay open. */
int callers_open(struct callers **callers, const struct caller_fds *fds);
void callers_free(struct callers *callers); /* takes NULL */
/* Takes in what the kernel has told since. now_ns: CLOCK_MONOTONIC. */
void callers_drain(struct callers *callers, uint64_t now_ns);
/* Nothing waits any more for its owner: a call that was not asked for until now never will be. */
void callers_forget(struct callers *callers, uint64_t before_ns);
/* Events that the kernel could not tell, and those that had to be forgotten too early. */
uint64_t callers_lost(const struct callers *callers);

/*
 * The calls that may be the one of this tuple: one for each process, at most max (max > 1).
 * proven: all of them are of one process, and none was lost lately. Then, and only if the socket
 * was made by that process's user (a raw packet with the same far end has no call of its own), it
 * is that one; else each is a hint where to look first.
 */
unsigned callers_find(const struct callers *callers, const struct owner_query *query,
		      struct caller *found, unsigned max, bool *proven);
/* The tuple's call was one of pid: it is not asked for again. */
void callers_assign(struct callers *callers, const struct owner_query *query, pid_t pid);

/* The text of a tracepoint's format file; pure. *id is what perf_event_open(2) wants. */
int caller_parse_format(const char *text, unsigned *id, struct caller_format *format);
/* One raw record; pure. 0, -ENOENT (no TCP socket that opens), or -EBADMSG. query: src, dst, ports
 * and family are filled; a v4-mapped address becomes an IPv4 one. */
int caller_parse_record(const struct caller_format *format, const uint8_t *bytes, size_t len,
			struct owner_query *query);

#endif
