/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a cgroup id, as sock_diag gives it, to the processes in that cgroup: the id is the kernfs
 * file handle of the cgroup2 folder (kernfs_encode_fh(), fs/kernfs/mount.c), so no walk is
 * needed. Needs CAP_DAC_READ_SEARCH (open_by_handle_at(2)).
 */
#ifndef BPF_FREE_CGROUP_PROCS_H
#define BPF_FREE_CGROUP_PROCS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor of the cgroup2 mount, found in PROC/self/mountinfo. -ENOENT: there is none. */
int cgroup_mount_open(int proc_fd, int *mount_fd);
/* The pids, at most max of them; id 0 and 1 (not said, the root) give -ENOENT. */
int cgroup_procs(int mount_fd, uint64_t id, pid_t *pids, size_t max, size_t *n);

#endif
