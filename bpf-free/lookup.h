/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look-up from question to described owner, on one thread, in one go: sock_diag, the search,
 * the description, and for a php-fpm worker the call to its status page. It may hang where the
 * process it looks at wants it to (finder.c bounds that).
 */
#ifndef BPF_FREE_LOOKUP_H
#define BPF_FREE_LOOKUP_H

#include "describe.h"
#include "fpm.h"
#include "fpm_status.h"
#include "owner.h"
#include "search.h"
#include "sockdiag.h"

struct lookup {
	int proc_fd;
	struct sockdiag *diag;
	struct describe describe;
	struct search search;
	struct search_care care;
	struct fpm *fpm;
};

/* with_sockets: open sock_diag too. *what says what failed. */
int lookup_open(struct lookup *lookup, const char *proc_dir, bool with_sockets, const char **what);
void lookup_close(struct lookup *lookup);

struct lookup_limits {
	uint64_t deadline_ns;
	unsigned fds;
	bool ask_fpm;
	struct describe_told told;
	bool only_caller; /* search_question */
	bool forked;	  /* it has children, which may hold the same */
};

/* A pool that was rung, and the worker it is about; pid_fd and call.fd are the caller's. */
struct lookup_call {
	struct fpm_call call;
	struct search_found found;
};

/* Asks sock_diag, and fills the owner's socket. false: there is none that anybody could hold;
 * how and why say so. */
bool lookup_socket(struct sockdiag *diag, const struct owner_query *query, struct owner *owner);

/* owner's socket is filled already, or is asked for. hint: pid and tid of who called connect(2), or
 * 0; its holder afterwards (pid_fd is not the caller's), pid 0: none. 0, -EAGAIN, or -EINPROGRESS:
 * *call is filled. */
int lookup_find(struct lookup *lookup, const struct owner_query *query,
		const struct lookup_limits *limits, struct search_found *hint, struct owner *owner,
		struct lookup_call *call);
/* Describes a holder that was confirmed, and proves that it held the socket to the end of that.
 * Closes found->pid_fd. Same results. */
int lookup_name(struct lookup *lookup, const struct lookup_limits *limits,
		struct search_found *found, struct owner *owner, struct lookup_call *call);
/* Describes a process, whatever it holds. Closes found->pid_fd. 0 or -ESRCH. */
int lookup_describe(struct lookup *lookup, const struct lookup_limits *limits,
		    struct search_found *found, struct owner *owner);
/* Who a status page says are workers of a pool. */
struct lookup_workers {
	pid_t master;
	char pool[FPM_CONF_VALUE];
	unsigned n;
	pid_t pids[FPM_STATUS_PIDS];
};

/* Is everyone a child of the master with that pool in its title? 0, -EBADMSG, -ETIME. */
int lookup_verify(struct lookup *lookup, const struct lookup_workers *workers,
		  uint64_t deadline_ns);
/* 0 or -ENOENT, as owner_continue(). */
int lookup_continue(struct lookup *lookup, const struct owner_query *query, uint64_t deadline_ns,
		    struct owner *owner);

#endif
