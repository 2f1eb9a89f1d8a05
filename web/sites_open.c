/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens paths below a root as places (O_PATH) and never enters a FUSE mount; reads no file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sites_open.h"

#define PATH_BYTES	4096
#define MAX_COMPONENTS	64
#define MAX_LINKS	40 /* MAXSYMLINKS, include/linux/namei.h */
#define MOUNTINFO_BYTES (4u << 20)

static int stat_cached(int fd, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		     STATX_BASIC_STATS, st)
		       ? -errno
		       : 0;
}

static size_t read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (have + 1 < size && (n = read(fd, text + have, size - 1 - have)) > 0)
		have += (size_t)n;
	close(fd);
	text[have] = 0;
	return have;
}

/* The type in the mountinfo (proc(5)) line of that mount: "ID … - TYPE SOURCE OPTIONS". */
static bool is_fuse(const char *mountinfo, int mount_id)
{
	for (const char *line = mountinfo; *line;) {
		const char *newline = strchrnul(line, '\n');

		if (atoi(line) == mount_id) {
			const char *dash = memmem(line, (size_t)(newline - line), " - ", 3);

			return !dash || !strncmp(dash + 3, "fuse", 4);
		}
		line = newline + (*newline == '\n');
	}
	return true; /* not one of ours: nothing is known of it */
}

static bool is_on_fuse(int fd)
{
	char path[64], text[512], *mount, *mountinfo;
	bool is = true;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!read_all(path, text, sizeof(text)) || !(mount = strstr(text, "mnt_id:")))
		return true;
	mountinfo = malloc(MOUNTINFO_BYTES);
	if (mountinfo && read_all("/proc/self/mountinfo", mountinfo, MOUNTINFO_BYTES))
		is = is_fuse(mountinfo, atoi(mount + 7));
	free(mountinfo);
	return is;
}

/* The kernel's own walk, as long as it stays on the root's mount. */
static int open_here(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

struct walk {
	int fds[MAX_COMPONENTS]; /* [0] is the root, not ours to close */
	struct statx at[MAX_COMPONENTS];
	unsigned n; /* of the innermost */
	unsigned links;
	char rest[2 * PATH_BYTES];
};

static void leave(struct walk *walk, unsigned n)
{
	while (walk->n > n)
		close(walk->fds[walk->n--]);
}

/* The link's text takes its place before the rest. */
static int follow(struct walk *walk, int link_fd, const char *behind)
{
	char target[2 * PATH_BYTES];
	ssize_t n;
	int len;

	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	n = readlinkat(link_fd, "", target, PATH_BYTES);
	if (n <= 0)
		return n ? -errno : -ENOENT;
	if (n == PATH_BYTES || strlen(behind) >= PATH_BYTES)
		return -ENAMETOOLONG;
	len = snprintf(target + n, sizeof(target) - (size_t)n, "/%s", behind);
	if (target[0] == '/')
		leave(walk, 0);
	memcpy(walk->rest, target, (size_t)n + (size_t)len + 1);
	return 0;
}

/* Goes into one entry of the innermost folder; it is a mount that we look at before we go on. */
static int enter(struct walk *walk, const char *name, const char *behind)
{
	struct statx st;
	int error, fd = openat(walk->fds[walk->n], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = stat_cached(fd, &st);
	if (!error &&
	    (st.stx_dev_major != walk->at[walk->n].stx_dev_major ||
	     st.stx_dev_minor != walk->at[walk->n].stx_dev_minor) &&
	    is_on_fuse(fd))
		error = -EXDEV;
	if (!error && S_ISLNK(st.stx_mode)) {
		error = follow(walk, fd, behind);
	} else if (!error && walk->n + 1 < MAX_COMPONENTS) {
		walk->fds[++walk->n] = fd;
		walk->at[walk->n] = st;
		memmove(walk->rest, behind, strlen(behind) + 1);
		return 0;
	} else if (!error) {
		error = -ENAMETOOLONG;
	}
	close(fd);
	return error;
}

static int step(struct walk *walk)
{
	char name[NAME_MAX + 1];
	const char *at = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(at, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, at, len);
	name[len] = 0;
	at += len;
	if (!strcmp(name, "..") && walk->n)
		leave(walk, walk->n - 1);
	if (len && strcmp(name, ".") && strcmp(name, ".."))
		return enter(walk, name, at);
	memmove(walk->rest, at, strlen(at) + 1);
	return 0;
}

/* One component at a time, each looked at before the next. */
static int open_walking(int root_fd, const char *path)
{
	struct walk *walk = malloc(sizeof(*walk));
	int fd, error;

	if (!walk)
		return -ENOMEM;
	walk->fds[0] = root_fd;
	walk->n = walk->links = 0;
	error = stat_cached(root_fd, &walk->at[0]);
	if (strlen(path) >= PATH_BYTES)
		error = -ENAMETOOLONG;
	else
		strcpy(walk->rest, path);
	while (!error && walk->rest[0])
		error = step(walk);
	fd = error ? error : fcntl(walk->fds[walk->n], F_DUPFD_CLOEXEC, 0);
	if (!error && fd < 0)
		fd = -errno;
	leave(walk, 0);
	free(walk);
	return fd;
}

int sites_open(int root_fd, const char *path, int *fd)
{
	int got = open_here(root_fd, path);

	/* EXDEV: it goes to another mount; EAGAIN: something was moved; ENOSYS: before Linux 5.6 */
	if (got == -EXDEV || got == -EAGAIN || got == -ENOSYS)
		got = open_walking(root_fd, path);
	if (got < 0)
		return got;
	*fd = got;
	return 0;
}

int sites_open_stat(int root_fd, const char *path, int *fd, struct statx *st)
{
	struct statx got;
	int got_fd, error = sites_open(root_fd, path, &got_fd);

	if (error)
		return error;
	error = stat_cached(got_fd, &got);
	if (error) {
		close(got_fd);
		return error;
	}
	*fd = got_fd;
	*st = got;
	return 0;
}

int sites_reopen(int path_fd, int flags, int *fd)
{
	char path[64];
	int got;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	got = open(path, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (got < 0)
		return -errno;
	*fd = got;
	return 0;
}

static ssize_t path_of(int fd, char *path, size_t size)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	path[n] = 0;
	return n;
}

int sites_path_of(int root_fd, int fd, char *path, size_t size)
{
	char root[PATH_BYTES], full[PATH_BYTES];
	ssize_t root_len = path_of(root_fd, root, sizeof(root));
	ssize_t len = path_of(fd, full, sizeof(full));

	if (root_len < 0 || len < 0)
		return (int)(root_len < 0 ? root_len : len);
	if (root_len == 1)
		root_len = 0; /* "/" */
	if (strncmp(full, root, (size_t)root_len) || (full[root_len] != '/' && full[root_len]))
		return -ENOENT;
	if ((size_t)(len - root_len) + 2 > size)
		return -ENAMETOOLONG;
	strcpy(path, len > root_len ? full + root_len : "/");
	return 0;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

uint64_t sites_hash(const char *path, const struct statx *st, int error, int only_inode)
{
	uint64_t hash = mix(UINT64_C(14695981039346656037), path, strlen(path) + 1);
	int64_t what[8] = { error, only_inode };

	if (!error) {
		what[2] = (int64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
		what[3] = (int64_t)st->stx_ino;
		what[7] = st->stx_uid;
	}
	if (!error && !only_inode) {
		what[4] = (int64_t)st->stx_size;
		what[5] = st->stx_mtime.tv_sec * INT64_C(1000000000) + st->stx_mtime.tv_nsec;
		what[6] = st->stx_ctime.tv_sec * INT64_C(1000000000) + st->stx_ctime.tv_nsec;
	}
	hash = mix(hash, what, sizeof(what));
	return hash ^ hash >> 31;
}
