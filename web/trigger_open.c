/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens logs, whose folders may be others'; sites_open.h keeps out of mounts that may wait. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sites_open.h"
#include "trigger_logs.h"

int trigger_where(int root_fd, const char *path, uint64_t *dev, uint64_t *ino)
{
	struct statx st;
	int fd, error = sites_open_stat(root_fd, path, &fd, &st);

	if (error)
		return error;
	close(fd);
	*dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	*ino = st.stx_ino;
	return 0;
}

int trigger_open(int root_fd, const char *path, uint64_t *dev, uint64_t *ino)
{
	struct statx st;
	int found, fd, error = sites_open_stat(root_fd, path, &found, &st);

	if (error)
		return error;
	error = S_ISREG(st.stx_mode) ? sites_reopen(found, O_RDONLY | O_NOCTTY, &fd) : -EINVAL;
	close(found);
	if (error)
		return error;
	*dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	*ino = st.stx_ino;
	return fd;
}

bool trigger_is_file(int root_fd, const char *folder, const char *path)
{
	struct statx st;
	int dir, fd, error = sites_open(root_fd, folder, &dir);

	if (error)
		return false;
	error = sites_open_stat(dir, path, &fd, &st); /* the folder is "/": nothing leaves it */
	close(dir);
	if (error)
		return false;
	close(fd);
	return S_ISREG(st.stx_mode);
}
