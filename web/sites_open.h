/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens paths below a root as if that were "/", links included, without ever entering a FUSE
 * mount: its server, who may be a user, could let us wait for ever, and SIGKILL would not help
 * (request_wait_answer(), fs/fuse/dev.c). What is opened is a place (O_PATH), so neither a fifo
 * nor a device notices.
 */
#ifndef WEB_SITES_OPEN_H
#define WEB_SITES_OPEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* 0 and an O_PATH descriptor, or -errno: -EXDEV for what lies on a FUSE mount, or on one of a mount
 * namespace that is not ours. */
int sites_open(int root_fd, const char *path, int *fd);
/* The same with what it is, from what the kernel has cached. */
int sites_open_stat(int root_fd, const char *path, int *fd, struct statx *st);
/* A regular file's descriptor for reading, from one of O_PATH. It does not wait for a lease to be
 * given back (fcntl(2), F_SETLEASE): -EWOULDBLOCK. */
int sites_reopen(int path_fd, int flags, int *fd);
/* The path below the root of what fd has open. 0, or -errno. */
int sites_path_of(int root_fd, int fd, char *path, size_t size);
/* One number for a path and what is there: inode, owner, size and times (or the first two),
 * or the error. */
uint64_t sites_hash(const char *path, const struct statx *st, int error, int only_inode);

#endif
