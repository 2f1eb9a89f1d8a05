/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Describes a process: fills an owner's process fields from /proc, between two reads of its
 * start time. Looks at paths of the process's choosing, which can hang for ever on a FUSE mount of
 * its own: run it where that is bounded (lookup.h).
 */
#ifndef BPF_FREE_DESCRIBE_H
#define BPF_FREE_DESCRIBE_H

#include "owner.h"

struct describe {
	int proc_fd;	      /* the proc folder */
	long ticks;	      /* clock ticks in a second */
	bool without_paths;   /* look at no path of the process: its script stays unknown */
};

/* Takes proc_fd as it is. */
void describe_init(struct describe *describe, int proc_fd);

/*
 * Fills proc, euid … request_client, script…, parents, exe flags and cut of *owner; leaves the
 * socket fields, how, why and holders alone. pid_fd is the folder of pid. -ESRCH: it is gone
 * (or became another process) and the fields are empty again.
 */
int describe_process(const struct describe *describe, int pid_fd, pid_t pid, struct owner *owner);
/* Empties the fields that describe_process() fills. */
void describe_clear(struct owner *owner);

/* Internal, describe_script.c: script, script_from, script_why, request_*. exe, cmdline and cwd
 * are filled already. */
void describe_script(int pid_fd, bool without_paths, struct owner *owner);
void describe_request(const char *environ, size_t len, struct owner *owner);

/* Copies text and says whether it did not fit. */
bool describe_copy(char *out, size_t size, const char *text);

#endif
