/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns a connection that this box only forwards: the process sits in another network namespace
 * of this machine (a container). Two sides, that may be two processes:
 *
 * The table enters namespaces (setns(2), CAP_SYS_ADMIN) and keeps a sock_diag socket that was
 * opened in each. It says in which one the socket is, and which processes live there. It
 * reads nothing of a process but which namespace it is in and whose it is.
 *
 * The finder enters nothing. It takes the table's word as a hint only: a process is named when its
 * own descriptor table, read in this finder's own /proc, shows the socket.
 *
 * An address belongs to a namespace that has it as its own (rtnetlink(7)); several may have the
 * same one, then all are asked, and only a socket with exactly this 4-tuple counts. So a packet
 * that was changed on its way to the forward hook (DNAT) is of no socket.
 */
#ifndef BPF_FREE_NETNS_H
#define BPF_FREE_NETNS_H

#include "owner.h"

#define NETNS_PIDS 64

/* How far the table came. Words: netns_why_words[]. */
enum netns_why {
	NETNS_FOUND,	  /* exactly one namespace has the socket */
	NETNS_NO_ADDRESS, /* none on this machine has the source address: another host */
	NETNS_NO_SOCKET,  /* who has the address has no such socket: made by hand, or after NAT */
	NETNS_CLOSED,	  /* it belongs to nobody any more */
	NETNS_AMBIGUOUS,  /* two namespaces have a socket like it */
	NETNS_ERROR,	  /* one that has the address could not be asked */
	NETNS_WHY_N
};
extern const char *const netns_why_words[NETNS_WHY_N];

struct netns_answer {
	enum netns_why why;
	/* NETNS_FOUND: */
	uint64_t netns; /* inode of /proc/PID/ns/net */
	uint8_t state;	/* TCP_*, netinet/tcp.h */
	uint32_t uid;	/* who owns the socket, as the user namespace of the table sees it */
	uint32_t inode;
	uint64_t cookie;
	uint64_t cgroup_id;
	unsigned n_pids;
	pid_t pids[NETNS_PIDS]; /* that live there, likely ones first; perhaps not all */
};

/* Is it an answer that the table could have given? */
bool netns_answer_good(const struct netns_answer *answer);

struct netns_table;
/* Opens /proc. Raise RLIMIT_NOFILE before: it keeps two descriptors for each namespace. */
int netns_table_open(struct netns_table **table, const char **what);
void netns_table_free(struct netns_table *table); /* takes NULL */
/* Who has the socket of this query? ifindex and uid in it don't count. */
void netns_table_ask(struct netns_table *table, const struct owner_query *query,
		     struct netns_answer *answer);
/* A socket keeps its namespace alive: lets go of those that no process lives in any more. Call it
 * each second. */
void netns_table_tidy(struct netns_table *table);

/*
 * The finder works on a thread of its own, since a description can wait as long as the described
 * process wants. One that hangs is left behind; from then on processes of that namespace are
 * described without their arguments and script (DEADLINE), so that each makes at most one hang.
 */
struct netns_finder;
int netns_finder_open(struct netns_finder **finder, const char **what);
void netns_finder_free(struct netns_finder *finder);	/* takes NULL */
int netns_finder_fd(const struct netns_finder *finder); /* readable: take what is done */
/* Looks for the holder among answer->pids (NETNS_FOUND) until deadline_ns, in at most fds
 * descriptors. id: the caller's own. -EBUSY: too much is under way. */
int netns_finder_post(struct netns_finder *finder, uint64_t id, const struct netns_answer *answer,
		      unsigned fds, uint64_t deadline_ns);
/* One that is done. *owner is filled as by owner_find(): CONFIRMED, or UNKNOWN with why. lookup_us
 * is what the finder's part cost. -EAGAIN: none. */
int netns_finder_take(struct netns_finder *finder, uint64_t *id, struct owner *owner);

/* Puts what the table said into an owner that is otherwise unknown. */
void netns_owner(const struct netns_answer *answer, struct owner *owner);

#endif
