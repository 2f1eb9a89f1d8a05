/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process holds the socket with this inode? A holder is named only when its own fd table
 * shows "socket:[INODE]"; everything else here is about looking at the right place first.
 */
#ifndef BPF_FREE_SEARCH_H
#define BPF_FREE_SEARCH_H

#include <stdatomic.h>

#include "owner.h"
#include "proctable.h"

#define SEARCH_HUNG_UIDS   8
#define SEARCH_CARE_NO_ONE UINT64_MAX

/*
 * Some reads wait as long as the process wants: its arguments and environment for its mmap_lock,
 * its system call for its exec, its paths for who serves them. (They can be killed; what can't
 * be is not read at all.) Whoever waits for the search sees here whose process it is at, known
 * before it is touched, and tells it whom to spare such reads. Descriptor tables, stat, status
 * and exe don't wait and are always read.
 */
struct search_care {
	_Atomic uint64_t touching; /* real uid, or SEARCH_CARE_NO_ONE */
	uint32_t hung[SEARCH_HUNG_UIDS];
	unsigned n_hung;
	bool nobody; /* spare everybody */
};

/* May this process be read so? Then it is noted as touched until search_care_end(). */
bool search_care_begin(struct search_care *care, int pid_fd);
bool search_care_begin_uid(struct search_care *care, uint32_t uid, uint32_t euid);
void search_care_end(struct search_care *care);

struct search_found {
	pid_t pid, tid; /* tid: whose table showed it */
	int pid_fd;	/* folder of pid; the caller closes it */
	uint32_t fd;
	uint64_t start_ticks;
	pid_t parent; /* or 0 */
};

struct search_question {
	uint32_t inode;
	uint64_t cgroup_id;
	uint32_t uid;		  /* who made the socket: where to look first */
	pid_t caller, caller_tid; /* who called connect(2), to be asked before all others; or 0 */
	bool only_caller;	  /* nobody else is asked: it is known that it called */
};

struct search_last { /* who held the last socket of a uid */
	uint32_t uid;
	pid_t pid;
	uint64_t start_ticks;
	uint32_t fd;
};

#define SEARCH_LASTS   256
#define SEARCH_RUNNING 64

struct search {
	int proc_fd, cgroup_fd; /* cgroup_fd: -1 when there is no cgroup2 */
	struct search_care *care;
	struct proctable table;
	struct search_last lasts[SEARCH_LASTS];
	uint32_t round;

	/* of the look-up under way */
	struct search_question question;
	char link[32]; /* "socket:[INODE]" */
	uint64_t deadline_ns;
	unsigned fds_left, fds_read;
	bool denied;	   /* a table could not be read */
	bool hidden_files; /* an io_uring may have it among its own files, which are in no table */
	struct {
		pid_t pid, tid;
	} running[SEARCH_RUNNING];
	unsigned n_running;
	char dents[32768];
	uint32_t numbers[2048];
};

/* Takes proc_fd as it is, and opens the cgroup2 mount if there is one. */
void search_init(struct search *search, int proc_fd, struct search_care *care);
void search_done(struct search *search);

/*
 * The first holder within the limits.
 *   0         *found, whose pid_fd is the caller's
 *   -ENOENT   everybody was looked at, nobody holds it (denied, hidden_files say what was not
 *             seen)
 *   -ENOBUFS  fds descriptors were read
 *   -ETIME    the deadline has passed
 */
int search_first(struct search *search, const struct search_question *question,
		 uint64_t deadline_ns, unsigned fds, struct search_found *found);
/* Every holder: *n of them, the first OWNER_HOLDERS in holders. 0, -ETIME (not everybody was
 * looked at) or another -errno. */
int search_all(struct search *search, const struct search_question *question, uint64_t deadline_ns,
	       struct owner_ref *holders, unsigned *n);
/* Do the parent and, if it forked, the children of the holder have it at the same number?
 * (fork(2)) Adds them behind the *n that are there. */
void search_relatives(struct search *search, const struct search_found *found, bool forked,
		      struct owner_ref *holders, unsigned *n);
/* Does it, and is it the same process, still hold it? Needs no search under way. */
bool search_still_holds(const struct search_found *found, uint32_t inode);
/* "socket:[INODE]" */
void search_link_text(char link[32], uint32_t inode);

/* Internal, between search.c and search_table.c. */
int search_spent(const struct search *search); /* 0, -ENOBUFS or -ETIME */
/* 0: this descriptor is the socket, *found filled; -ENOENT: it is not; or search_spent(). */
int search_confirm(struct search *search, pid_t pid, pid_t tid, uint32_t fd,
		   struct search_found *found);
/* Looks at the limit highest descriptors of one thread's table. */
int search_newest(struct search *search, pid_t pid, pid_t tid, unsigned limit,
		  struct search_found *found);
/* Walks a process's tables from the highest descriptor down, at most limit of them each.
 * threads: also those of threads with a table of their own. */
int search_walk(struct search *search, pid_t pid, unsigned limit, bool threads,
		struct search_found *found);
/* Calls for every thread but the leader, at most max. Stops when it returns anything but
 * -ENOENT, and returns that. */
int search_threads(struct search *search, pid_t pid, unsigned max,
		   int (*visit)(struct search *, pid_t pid, pid_t tid, void *), void *arg);

#endif
