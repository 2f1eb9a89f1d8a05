/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a file be read without waiting for somebody else than this machine's kernel? */
#ifndef AGENT_OBJECT_FS_H
#define AGENT_OBJECT_FS_H

#include <sys/types.h>

/*
 * fd: an O_PATH descriptor of the file that pid executes (it may be gone). 0; -EREMOTE: a server
 * would be asked, or nothing tells that none would. statfs(2) can't be asked instead: FUSE hands it
 * on to its daemon (fuse_statfs(), fs/fuse/inode.c, waits like any request) and so does NFS.
 */
int object_fs_check(int fd, pid_t pid);

#endif
