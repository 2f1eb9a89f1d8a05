/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a folder's names; looks at no file. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int folder_each(int dir_fd, int (*visit)(void *context, const char *name), void *context)
{
	struct dirent *entry;
	int fd, error = 0;
	DIR *dir;

	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		error = -errno;
		close(fd);
		return error;
	}
	while (!error && (errno = 0, entry = readdir(dir)))
		error = visit(context, entry->d_name);
	if (!error && errno)
		error = -errno;
	closedir(dir);
	return error;
}
