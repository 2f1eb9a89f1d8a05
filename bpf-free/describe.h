/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Describes a process: fills an owner's process fields from /proc, between two reads of its
 * start time. Reads its arguments and its environment, which can wait as long as it wants: run it
 * where that is bounded (lookup.h).
 */
#ifndef BPF_FREE_DESCRIBE_H
#define BPF_FREE_DESCRIBE_H

#include "owner.h"

#define DESCRIBE_PARENTS 64

struct search_care;

/* A parent's folder is kept open: it tells that it is still the same process. */
struct describe_parent {
	int pid_fd; /* -1: empty */
	pid_t parent;
	struct owner_ref ref;
	uint64_t read_ns;
};

struct describe {
	int proc_fd; /* the proc folder */
	/* What the kernel's events tell already, set before each description. */
	struct describe_told {
		bool programs; /* that it executed another program meanwhile */
		bool parents;  /* whose child it is: owner has its parents already */
		bool login;    /* its login uid is its parent's, login_uid */
		uint32_t login_uid;
		uint32_t uid, euid; /* or OWNER_UID_NONE */
	} told;
	struct search_care *care; /* whom to spare what can wait: arguments, script */
	struct describe_parent parents[DESCRIBE_PARENTS]; /* by pid */
};

/* Takes proc_fd and care as they are. */
void describe_init(struct describe *describe, int proc_fd, struct search_care *care);
void describe_done(struct describe *describe);

/*
 * Fills proc, euid … request_client, script…, parents, exe flags and cut of *owner; leaves the
 * socket fields, how, why and holders alone. pid_fd is the folder of pid. tid: the thread to ask
 * when the leader has exited and has nothing to show any more; 0: any. -ESRCH: it is gone (or
 * became another process) and the fields are empty again. A process that executes another program
 * meanwhile, and again when it is read anew, is left without exe, arguments, cwd and script:
 * script_why is EXEC.
 */
int describe_process(struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
		     struct owner *owner);
/* Empties the fields that describe_process() fills. */
void describe_clear(struct owner *owner);

/* Internal, describe_script.c: script, script_from, script_why, request_*. exe, cmdline and cwd
 * are filled already. */
void describe_script(int pid_fd, bool spared, struct owner *owner);

/* Copies text and says whether it did not fit. */
bool describe_copy(char *out, size_t size, const char *text);

#endif
