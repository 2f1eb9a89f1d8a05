/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What struct owner_eyes is (owner.h). */
#ifndef BPF_FREE_EYES_H
#define BPF_FREE_EYES_H

#include "caller.h"
#include "connector.h"

struct owner_eyes {
	struct caller_fds calls;    /* n 0: none */
	struct connector connector; /* fd -1: none */
	char no_calls[128], no_processes[128];
};

#endif
