/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who would answer a read of a file: the kernel and its disks, or a server that may let the reader
 * wait for ever? From the text of a mountinfo (proc_pid_mountinfo(5)). Pure.
 */
#ifndef AGENT_OBJECT_MOUNTS_H
#define AGENT_OBJECT_MOUNTS_H

#include <stddef.h>
#include <stdint.h>

enum mount_kind {
	MOUNT_NOT_LISTED,
	MOUNT_LOCAL,
	MOUNT_STACKED, /* overlay and its like: what lies below may be anything */
	MOUNT_SERVED,  /* FUSE, a network */
};

/* By the mount's number, which names one mount of all namespaces; a line that is cut counts not. */
enum mount_kind mounts_by_id(const char *text, size_t len, uint32_t id);
/* By the number of the file system; the worst of all its mounts. */
enum mount_kind mounts_by_device(const char *text, size_t len, uint32_t major, uint32_t minor);

#endif
