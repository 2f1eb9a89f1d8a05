/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state folder: made for the recorder's user, refused when it is somebody else's, and locked
 * so that two egressd never share one.
 */
#ifndef AGENT_STATEDIR_H
#define AGENT_STATEDIR_H

#include <sys/types.h>

struct statedir {
	int dir_fd;	 /* the folder */
	int evidence_fd; /* the folder `evidence` in it, or -1 */
	int lock_fd;	 /* held as long as it is open */
};

/*
 * Makes path (and its parents, 0755) 0750 for uid:gid, with the folders evidence and objects in it;
 * an empty folder of root's is handed over, a folder of anybody else's is refused. 0, or -errno
 * with one line for a human in why (size bytes). -EWOULDBLOCK: another egressd holds the lock.
 */
int statedir_open(struct statedir *statedir, const char *path, uid_t uid, gid_t gid, char *why,
		  size_t size);
void statedir_close(struct statedir *statedir);

#endif
