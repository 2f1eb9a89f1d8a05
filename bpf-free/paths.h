/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a path of another process is, without asking whoever serves it: a request that a FUSE
 * daemon has taken and does not answer can't be ended, not even with SIGKILL
 * (request_wait_answer(), fs/fuse/dev.c), and a user can be that daemon.
 */
#ifndef BPF_FREE_PATHS_H
#define BPF_FREE_PATHS_H

#include <stdbool.h>
#include <stdint.h>

enum path_kind {
	PATH_FILE,
	PATH_FOLDER,
	PATH_SPECIAL, /* a pipe, a socket, a device */
	PATH_GONE,
	PATH_NOT_ASKED, /* it may lie on a FUSE mount, and the kernel does not have it at hand */
};

/* What an absolute path is below the process's own root. */
enum path_kind path_kind(int pid_fd, const char *path);

/* Are two absolute paths below it the same file? False also when that can't be asked. */
bool path_same(int pid_fd, const char *a, const char *b);

/* Does the process see a mount of FUSE? Also true when that can't be read. */
bool path_sees_fuse(int pid_fd);

/* The executable's file, behind the kernel's own link; what is cached of it. 0 or -errno. */
struct path_exe {
	uint64_t dev, ino;
	uint32_t links;
};
int path_exe(int dir_fd, struct path_exe *exe);

/* Is there a FUSE mount in the text of a mountinfo (proc(5))? Pure. */
bool path_mountinfo_has_fuse(const char *text, unsigned long len);

#endif
