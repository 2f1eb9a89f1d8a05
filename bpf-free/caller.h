/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who called connect(2)? The kernel's tracepoint sock/inet_sock_set_state tells it while the
 * socket enters SYN_SENT, in the context of the caller (tcp_v4_connect(), net/ipv4/tcp_ipv4.c):
 * process and thread, addresses and the far port, before the SYN is made. The local port is not
 * chosen yet then, unless the socket was bound to one; it is told when the socket leaves SYN_SENT,
 * and the kernel's address of the socket ties both together. Read from the ring buffers of
 * perf_event_open(2), without a system call; filtered in the kernel to the mail ports.
 *
 * So the right process is at hand at once, however many there are, also when its socket or itself
 * is gone since. That it *holds* the socket is for its fd table to say; that it *called* is a fact
 * by itself, under the conditions that callers_find() states.
 */
#ifndef BPF_FREE_CALLER_H
#define BPF_FREE_CALLER_H

#include "owner.h"

#define CALLER_PORTS 64

struct caller {
	pid_t pid, tid;	    /* as seen from the pid namespace of who opened the tracepoint */
	uint64_t ts_ns;	    /* CLOCK_MONOTONIC */
	uint64_t oldest_ns; /* from callers_find(): of the first of that pid's calls which fit. That
			     * the pid was one process all the time is for the asker to see */
};

/* The descriptors: one event for each CPU. They outlive a drop of privileges. */
struct caller_fds {
	int *fds;
	unsigned n;
	struct caller_format {
		uint16_t skaddr, oldstate, newstate, sport, dport, family, protocol, saddr, daddr,
			saddr6, daddr6;
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
/* Takes in what the kernel has told until now_ns, the CLOCK_MONOTONIC of just now, by time. */
void callers_drain(struct callers *callers, uint64_t now_ns);
/* No packet waits for its owner: of sockets that left SYN_SENT before then none will be asked. */
void callers_forget(struct callers *callers, uint64_t before_ns);
/* Events that the kernel could not tell, and those that had to be forgotten too early. */
uint64_t callers_lost(const struct callers *callers);

/*
 * Whose calls may be the one of a packet with that tuple? has_socket: sock_diag has a socket with
 * it. Without one the packet's own socket has left SYN_SENT, so just those calls count whose socket
 * left it with that very tuple; with one, those that are in SYN_SENT with the same far end as well.
 *
 * found[]: one call for each process, at most max (max > 1). proven: all are of one process, none
 * was lost lately, so that it is that one. doubtful: a socket with just this tuple was closed, and
 * no packet of it was seen yet: the packet may be that one's, and the socket that is there now
 * another one.
 */
struct callers_answer {
	unsigned n;
	bool proven, doubtful;
};
void callers_find(const struct callers *callers, const struct owner_query *query, bool has_socket,
		  struct caller *found, unsigned max, struct callers_answer *answer);
/* A packet with that tuple passed by, and nobody asks whose it is. */
void callers_pass(struct callers *callers, const struct owner_query *query);
/* Sockets with just that tuple that were closed sent none. */
void callers_settle(struct callers *callers, const struct owner_query *query);
/* The packet was that of a call of pid: it is not asked for again. */
void callers_assign(struct callers *callers, const struct owner_query *query, pid_t pid);

/* The text of a tracepoint's format file; pure. *id is what perf_event_open(2) wants. */
int caller_parse_format(const char *text, unsigned *id, struct caller_format *format);
/* A socket that enters SYN_SENT, or leaves it for the state `to`. */
struct caller_event {
	struct owner_query tuple; /* a v4-mapped address is an IPv4 one; sport 0: not chosen yet */
	uint64_t socket;	  /* the kernel's address of it */
	bool enters;
	uint8_t to; /* TCP_*, netinet/tcp.h */
};

/* One raw record; pure. 0, -ENOENT (no TCP socket that does so), or -EBADMSG. */
int caller_parse_record(const struct caller_format *format, const uint8_t *bytes, size_t len,
			struct caller_event *event);

#endif
