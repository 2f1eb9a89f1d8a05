/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question to a php-fpm status page, under way: what struct owner_wait is (owner.h). */
#ifndef BPF_FREE_WAIT_H
#define BPF_FREE_WAIT_H

#include "fpm_quota.h"
#include "lookup.h"

/* What a wait needs of its finder. */
struct wait_host {
	int proc_fd;
	struct fpm_quota quota;
	/* lookup_verify() where it may hang */
	int (*verify)(struct wait_host *host, const struct lookup_workers *workers,
		      uint64_t deadline_ns);
};

/* begun_ns: when the look-up began; an answer about a request that began later is none. Takes over
 * call->call.fd and call->found.pid_fd, also when it fails. -EBUSY: too many questions
 * are under way, or this pool let us wait too often. */
int wait_begin(struct wait_host *host, const struct lookup_call *call, const struct owner *owner,
	       uint64_t begun_ns, uint64_t deadline_ns, struct owner_wait **wait);

#endif
