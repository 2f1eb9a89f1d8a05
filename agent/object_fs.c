/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the mount behind a descriptor: its number is in the descriptor's fdinfo (seq_show(),
 * fs/proc/fd.c: for O_PATH nothing is asked of the file system), and holding the descriptor keeps
 * the number from being given to another mount. Asks no file system anything.
 */
#include "object_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object_mounts.h"

#define MOUNTINFO_BYTES (1u << 20) /* what lies behind is not looked at */

static int read_text(const char *path, char *text, size_t size, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (n > 0 && have < size) {
		n = read(fd, text + have, size - have);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			have += (size_t)n;
	}
	close(fd);
	if (n < 0)
		return -EIO;
	*len = have;
	return 0;
}

static int mount_id(int fd, uint32_t *id)
{
	char path[64], text[512];
	const char *at;
	size_t len;
	int error;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	error = read_text(path, text, sizeof(text) - 1, &len);
	if (error)
		return error;
	text[len] = '\0';
	at = strstr(text, "mnt_id:\t");
	return at && sscanf(at + 8, "%" SCNu32, id) == 1 ? 0 : -EBADMSG;
}

/* All memfds lie on one mount that no namespace has. */
static bool is_memfd_mount(uint32_t id)
{
	int fd = memfd_create("egressd", MFD_CLOEXEC);
	uint32_t ours;
	bool same;

	if (fd < 0)
		return false;
	same = !mount_id(fd, &ours) && ours == id;
	close(fd);
	return same;
}

/*
 * What our own namespace lists, an administrator has mounted: a container's overlay too, under
 * another number, but as the same file system. FUSE's files have its device, always
 * (fuse_change_attributes_common(), generic_fillattr()). A namespace of a user's own may have an
 * overlay over FUSE: only what is plain is believed there.
 */
static int check(int fd, pid_t pid, char *text)
{
	const unsigned flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
	enum mount_kind kind;
	struct statx st;
	char path[32];
	uint32_t id;
	size_t len;

	if (mount_id(fd, &id) || statx(fd, "", flags, STATX_TYPE, &st))
		return -EREMOTE;
	if (!read_text("/proc/self/mountinfo", text, MOUNTINFO_BYTES, &len)) {
		kind = mounts_by_id(text, len, id);
		if (kind == MOUNT_NOT_LISTED)
			kind = mounts_by_device(text, len, st.stx_dev_major, st.stx_dev_minor);
		if (kind != MOUNT_NOT_LISTED)
			return kind == MOUNT_SERVED ? -EREMOTE : 0;
	}
	if (is_memfd_mount(id))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	if (read_text(path, text, MOUNTINFO_BYTES, &len))
		return -EREMOTE;
	return mounts_by_id(text, len, id) == MOUNT_LOCAL ? 0 : -EREMOTE;
}

int object_fs_check(int fd, pid_t pid)
{
	char *text = malloc(MOUNTINFO_BYTES);
	int error = text ? check(fd, pid, text) : -EREMOTE;

	free(text);
	return error;
}
