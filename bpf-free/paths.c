/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at another process's paths with what the kernel has at hand. It opens nothing but paths
 * (O_PATH), so neither a fifo nor a device is touched, and never waits for a FUSE daemon. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "paths.h"
#include "proc.h"

#define MOUNTINFO_BYTES (1u << 20)

#ifndef RESOLVE_CACHED /* since Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

/* "… - FSTYPE SOURCE OPTIONS": fuse, fuseblk, fuse.sshfs; blanks in the rest are escaped. */
bool path_mountinfo_has_fuse(const char *text, unsigned long len)
{
	const char *end = text + len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;
		const char *dash = memmem(line, (size_t)(stop - line), " - ", 3);

		if (!newline || !dash || (stop - dash > 7 && !memcmp(dash + 3, "fuse", 4)))
			return true; /* or cut: nothing is known of what is missing */
		line = stop + 1;
	}
	return false;
}

bool path_sees_fuse(int pid_fd)
{
	char *text = malloc(MOUNTINFO_BYTES);
	bool sees = true;
	size_t len;

	if (text && !proc_read(pid_fd, "mountinfo", text, MOUNTINFO_BYTES, &len) &&
	    len < MOUNTINFO_BYTES)
		sees = path_mountinfo_has_fuse(text, len);
	free(text);
	return sees;
}

static int open_cached(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_waiting(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
		fd = openat(root, path + strspn(path, "/"), O_PATH | O_CLOEXEC);
	return fd;
}

/* AT_STATX_DONT_SYNC: what is cached, nobody is asked (fuse_update_get_attr(), fs/fuse/dir.c). */
static int stat_cached(int fd, const char *name, unsigned mask, struct statx *st)
{
	return statx(fd, name, AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, mask, st)
		       ? -errno
		       : 0;
}

static int open_root(int pid_fd)
{
	return openat(pid_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static enum path_kind kind_of(mode_t mode)
{
	return S_ISREG(mode) ? PATH_FILE : S_ISDIR(mode) ? PATH_FOLDER : PATH_SPECIAL;
}

static enum path_kind look(int pid_fd, const char *path, struct statx *st)
{
	enum path_kind kind = PATH_GONE;
	int fd, root = open_root(pid_fd);

	if (root < 0)
		return PATH_GONE;
	fd = open_cached(root, path);
	/* EINVAL and ENOSYS: the kernel has no such question. */
	if (fd < 0 && (errno == EAGAIN || errno == EINVAL || errno == ENOSYS)) {
		if (path_sees_fuse(pid_fd))
			kind = PATH_NOT_ASKED;
		else
			fd = open_waiting(root, path);
	}
	if (fd >= 0 && !stat_cached(fd, "", STATX_TYPE | STATX_INO, st))
		kind = kind_of(st->stx_mode);
	if (fd >= 0)
		close(fd);
	close(root);
	return kind;
}

enum path_kind path_kind(int pid_fd, const char *path)
{
	struct statx st;

	return look(pid_fd, path, &st);
}

bool path_same(int pid_fd, const char *a, const char *b)
{
	struct statx one, other;

	return look(pid_fd, a, &one) == PATH_FILE && look(pid_fd, b, &other) == PATH_FILE &&
	       one.stx_ino == other.stx_ino && one.stx_dev_major == other.stx_dev_major &&
	       one.stx_dev_minor == other.stx_dev_minor;
}

int path_exe(int dir_fd, struct path_exe *exe)
{
	struct statx st;
	int error = stat_cached(dir_fd, "exe", STATX_INO | STATX_NLINK, &st);

	if (error)
		return error;
	*exe = (struct path_exe){ (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor, st.stx_ino,
				  st.stx_nlink };
	return 0;
}
