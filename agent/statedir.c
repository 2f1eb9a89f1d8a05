/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes, checks and locks the state folder; puts nothing into it but the lock. */
#include "statedir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "objects.h"

static int make_parents(const char *path)
{
	char parent[CONFIG_PATH_BYTES];

	if (snprintf(parent, sizeof(parent), "%s", path) >= (int)sizeof(parent))
		return -ENAMETOOLONG;
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static bool is_empty(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned entries = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (entries <= 2 && readdir(dir))
		entries++;
	closedir(dir);
	return entries <= 2; /* . and .. */
}

/* The folder `name` below at_fd, owned by uid. Its descriptor, or -errno. */
static int own_folder(int at_fd, const char *name, uid_t uid, gid_t gid)
{
	struct stat status;
	int fd, error;

	if (mkdirat(at_fd, name, 0750) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		goto fail;
	if (status.st_uid != uid) {
		if (status.st_uid != 0 || !is_empty(fd)) {
			close(fd);
			return -EPERM;
		}
		if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0750) < 0)
			goto fail;
	}
	return fd;
fail:
	error = -errno;
	close(fd);
	return error;
}

static int make_folder(int at_fd, const char *name, uid_t uid, gid_t gid)
{
	int fd = own_folder(at_fd, name, uid, gid);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int statedir_open(struct statedir *statedir, const char *path, uid_t uid, gid_t gid, char *why,
		  size_t size)
{
	struct statedir opened = { -1, -1, -1 };
	int error = make_parents(path);

	if (!error) {
		opened.dir_fd = own_folder(AT_FDCWD, path, uid, gid);
		error = opened.dir_fd < 0 ? opened.dir_fd : 0;
	}
	if (!error) {
		opened.evidence_fd = own_folder(opened.dir_fd, "evidence", uid, gid);
		error = opened.evidence_fd < 0 ? opened.evidence_fd : 0;
	}
	if (!error) /* the recorder opens it itself */
		error = make_folder(opened.dir_fd, OBJECTS_FOLDER, uid, gid);
	if (error) {
		snprintf(why, size, "state_dir: %s: %s", path,
			 error == -EPERM ? "is not empty and belongs to another user than "
					   "recorder_user: expected a folder of its own"
					 : strerror(-error));
		statedir_close(&opened);
		return error;
	}
	opened.lock_fd = openat(opened.dir_fd, "egressd.lock",
				O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (opened.lock_fd < 0 || flock(opened.lock_fd, LOCK_EX | LOCK_NB) < 0) {
		error = -errno;
		snprintf(why, size, "state_dir: %s: %s", path,
			 error == -EWOULDBLOCK ? "another egressd works in it" : strerror(-error));
		statedir_close(&opened);
		return error;
	}
	*statedir = opened;
	return 0;
}

void statedir_close(struct statedir *statedir)
{
	int *fds[] = { &statedir->dir_fd, &statedir->evidence_fd, &statedir->lock_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
