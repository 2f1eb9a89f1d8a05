/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The question to a php-fpm status page, under way: what struct owner_wait is (owner.h). */
#ifndef BPF_FREE_WAIT_H
#define BPF_FREE_WAIT_H

#include "lookup.h"

/* Takes over call->call.fd and call->found.pid_fd, also when it fails. in_use counts the
 * questions of a finder. */
int wait_begin(int proc_fd, const struct lookup_call *call, uint32_t inode, uint64_t deadline_ns,
	       unsigned *in_use, struct owner_wait **wait);

#endif
