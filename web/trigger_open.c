/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens files whose folders belong to others. A FUSE daemon may let a look-up wait for ever
 * (request_wait_answer(), fs/fuse/dev.c): where such a mount exists at all, paths are looked up
 * only as far as the kernel has them at hand, and a log that a server writes to is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "trigger_logs.h"

#ifndef RESOLVE_CACHED /* since Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

#define MOUNTINFO_BYTES (1u << 20)

static int open_path(int dir, const char *path, unsigned resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* Is this device, or any (dev 0), a FUSE mount of ours? Also true when that can't be read. */
static bool has_fuse(uint64_t dev)
{
	char *text = malloc(MOUNTINFO_BYTES), *line, *save = NULL;
	size_t used = 0;
	bool has = true;
	ssize_t got = 1;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (!text || fd < 0)
		goto out;
	while (got > 0 && used < MOUNTINFO_BYTES - 1) {
		got = read(fd, text + used, MOUNTINFO_BYTES - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	text[used] = '\0';
	if (got) /* an error, or more than is looked at */
		goto out;
	has = false;
	for (line = strtok_r(text, "\n", &save); line && !has; line = strtok_r(NULL, "\n", &save)) {
		const char *type = strstr(line, " - ");
		unsigned major, minor;

		if (sscanf(line, "%*u %*u %u:%u", &major, &minor) != 2 || !type)
			has = true;
		else if (!strncmp(type + 3, "fuse", 4))
			has = !dev || makedev(major, minor) == dev;
	}
out:
	if (fd >= 0)
		close(fd);
	free(text);
	return has;
}

/* An O_PATH descriptor of a regular file that no FUSE daemon serves. */
static int find_file(int dir, const char *path, unsigned resolve, struct statx *st)
{
	int fd = open_path(dir, path, resolve | RESOLVE_CACHED);
	int error = 0;

	/* EINVAL: a kernel without RESOLVE_CACHED. */
	if (fd < 0 && (errno == EAGAIN || errno == EINVAL) && !has_fuse(0))
		fd = open_path(dir, path, resolve);
	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, st) < 0)
		error = -errno;
	else if (!S_ISREG(st->stx_mode))
		error = -EINVAL;
	else if (has_fuse(makedev(st->stx_dev_major, st->stx_dev_minor)))
		error = -EACCES;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int trigger_where(int root_fd, const char *path, uint64_t *dev, uint64_t *ino)
{
	struct statx st;
	int fd = open_path(root_fd, path, RESOLVE_IN_ROOT | RESOLVE_CACHED);

	if (fd < 0 && (errno == EAGAIN || errno == EINVAL))
		fd = find_file(root_fd, path, RESOLVE_IN_ROOT, &st);
	else if (fd < 0)
		fd = -errno;
	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0) {
		close(fd);
		return -errno;
	}
	close(fd);
	*dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	*ino = st.stx_ino;
	return 0;
}

int trigger_open(int root_fd, const char *path, uint64_t *dev, uint64_t *ino)
{
	char link[64];
	struct statx st;
	int found = find_file(root_fd, path, RESOLVE_IN_ROOT, &st), fd;

	if (found < 0)
		return found;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	close(found);
	if (fd < 0)
		return fd;
	*dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	*ino = st.stx_ino;
	return fd;
}

bool trigger_is_file(int root_fd, const char *folder, const char *path)
{
	int dir = open_path(root_fd, folder, RESOLVE_IN_ROOT | RESOLVE_CACHED), fd;
	struct statx st;
	bool is;

	if (dir < 0)
		return false;
	/* RESOLVE_BENEATH: "..", and links that leave the folder, are not followed. */
	fd = open_path(dir, path + strspn(path, "/"), RESOLVE_BENEATH | RESOLVE_CACHED);
	close(dir);
	if (fd < 0)
		return false;
	is = !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) &&
	     S_ISREG(st.stx_mode);
	close(fd);
	return is;
}
