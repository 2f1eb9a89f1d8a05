/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the modes of an executable and of the folders above it. Opens nothing but paths, and
 * never waits for whoever serves them. */
#include "exe_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "proc.h"

#ifndef RESOLVE_CACHED /* since Linux 5.12 */
#define RESOLVE_CACHED 0x20
#endif

#define THREADS_TRIED 64

/* AT_STATX_DONT_SYNC: what is cached, nobody is asked (fuse_update_get_attr(), fs/fuse/dir.c). */
static int stat_cached(int fd, const char *name, struct statx *st)
{
	const unsigned mask = STATX_TYPE | STATX_MODE | STATX_INO;

	return statx(fd, name, AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, mask, st)
		       ? -errno
		       : 0;
}

static uint64_t dev_of(const struct statx *st)
{
	return (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
}

/* One name below dir_fd. The names of a running program's path are in the dentry cache, as its
 * file pins them; those of FUSE and of networks must be asked about all the same, which fails here
 * (-ECHILD of d_revalidate() and permission() under LOOKUP_RCU, fs/namei.c). */
static int open_name(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED,
	};

	return (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
}

/* The next name of *path into name; false at the end, or when there is one that no kernel path has.
 */
static bool next_name(const char **path, char *name, size_t size)
{
	const char *at = *path + strspn(*path, "/");
	size_t len = strcspn(at, "/");

	if (!len || len >= size)
		return false;
	memcpy(name, at, len);
	name[len] = 0;
	*path = at + len;
	return strcmp(name, ".") && strcmp(name, "..");
}

/* Walks from root (closed here) to the file. Bits, or UNKNOWN when it is not that file's path. */
static uint32_t walk(int root, const char *path, uint64_t dev, uint64_t ino)
{
	uint32_t place = 0;
	char name[256]; /* NAME_MAX and NUL */
	int fd = root, next;
	struct statx st = { 0 };

	while (!stat_cached(fd, "", &st) && S_ISDIR(st.stx_mode)) {
		if (st.stx_mode & S_IWOTH)
			place |= OWNER_PLACE_FOLDER;
		if (!next_name(&path, name, sizeof(name)))
			break;
		next = open_name(fd, name);
		close(fd);
		fd = next;
		if (fd < 0)
			return OWNER_PLACE_UNKNOWN;
	}
	close(fd);
	if (*path || dev_of(&st) != dev || st.stx_ino != ino)
		return OWNER_PLACE_UNKNOWN;
	return place;
}

/* The kernel writes the path below the root of who asks, but a container's as it is inside
 * (d_path(), fs/d_path.c): whichever leads to the file is right. */
static uint32_t folders(int dir_fd, const struct owner *owner)
{
	uint32_t place = OWNER_PLACE_UNKNOWN;
	int root = openat(dir_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0)
		place = walk(root, owner->exe, owner->exe_dev, owner->exe_ino);
	if (place != OWNER_PLACE_UNKNOWN)
		return place;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? place : walk(root, owner->exe, owner->exe_dev, owner->exe_ino);
}

/* FNV-1a: a path that was chosen to have another's number is still the path of the same file below
 * the same root. */
static uint64_t path_number(const char *path)
{
	uint64_t number = 0xcbf29ce484222325;

	for (; *path; path++)
		number = (number ^ (unsigned char)*path) * 0x100000001b3;
	return number;
}

/* What names the answer: the root that the path begins at, and where it leads to. */
static bool name_place(int dir_fd, const struct owner *owner, struct exe_place_seen *name)
{
	const int flags = AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx st;

	if (statx(dir_fd, "root", flags, STATX_INO | STATX_MNT_ID, &st) ||
	    !(st.stx_mask & STATX_MNT_ID)) /* before Linux 5.8 */
		return false;
	*name = (struct exe_place_seen){
		.root_mount = st.stx_mnt_id,
		.root_ino = st.stx_ino,
		.dev = owner->exe_dev,
		.ino = owner->exe_ino,
		.path = path_number(owner->exe),
	};
	return true;
}

static uint32_t folders_once(int dir_fd, struct exe_places *places, const struct owner *owner)
{
	uint64_t now_ns = clock_mono_ns();
	struct exe_place_seen name, *seen;

	if (!places || !name_place(dir_fd, owner, &name))
		return folders(dir_fd, owner);
	seen = &places->seen[(name.ino ^ name.path) % EXE_PLACES];
	if (now_ns < seen->until_ns && seen->root_mount == name.root_mount &&
	    seen->root_ino == name.root_ino && seen->dev == name.dev && seen->ino == name.ino &&
	    seen->path == name.path)
		return seen->place;
	name.place = folders(dir_fd, owner);
	name.until_ns = now_ns + EXE_PLACES_NS;
	*seen = name;
	return name.place;
}

void exe_place_fill(int dir_fd, struct exe_places *places, struct owner *owner)
{
	struct statx st;

	owner->exe_place = OWNER_PLACE_UNKNOWN;
	owner->exe_dev = owner->exe_ino = 0;
	if (stat_cached(dir_fd, "exe", &st))
		return;
	owner->exe_dev = dev_of(&st);
	owner->exe_ino = st.stx_ino;
	owner->exe_place = st.stx_mode & S_IWOTH ? OWNER_PLACE_FILE : 0;
	/* A memfd's mode is 0777 whatever is done (hugetlbfs, shmem: S_IRWXUGO); nobody else than
	 * who has its descriptor can write to it. */
	if (owner->exe_memfd)
		owner->exe_place = 0;
	if (owner->exe_deleted)
		return;
	if (owner->exe[0] != '/' || (owner->cut & OWNER_CUT_EXE))
		owner->exe_place |= OWNER_PLACE_UNKNOWN;
	else
		owner->exe_place |= folders_once(dir_fd, places, owner);
}

int exe_open_path(int dir_fd)
{
	int fd = openat(dir_fd, "exe", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Is it still the process that was described? */
static bool same_process(int pid_fd, const struct owner *owner)
{
	struct proc_stat stat;

	return !proc_stat_of(pid_fd, &stat) && stat.start_ticks == owner->proc.start_ticks;
}

/* pthread_exit(3) in main() leaves a leader that has nothing to show, and threads that run on. */
static int open_threads_exe(int pid_fd)
{
	int task_fd = openat(pid_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1, dir_fd;
	DIR *task = task_fd >= 0 ? fdopendir(task_fd) : NULL;
	struct dirent *entry;

	if (!task) {
		if (task_fd >= 0)
			close(task_fd);
		return -ESRCH;
	}
	for (int i = 0; fd < 0 && i < THREADS_TRIED && (entry = readdir(task)); i++) {
		dir_fd = openat(task_fd, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir_fd >= 0 && entry->d_name[0] != '.')
			fd = exe_open_path(dir_fd);
		if (dir_fd >= 0)
			close(dir_fd);
	}
	closedir(task);
	return fd < 0 ? -ESRCH : fd;
}

int owner_open_exe(const char *proc_dir, const struct owner *owner, int *fd)
{
	int proc_fd, pid_fd = -1, exe_fd = -ESRCH, error;
	struct statx st;

	if (!owner->exe_dev && !owner->exe_ino)
		return -ESRCH;
	proc_fd = open(proc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return -errno;
	error = proc_open_pid(proc_fd, owner->proc.pid, &pid_fd);
	close(proc_fd);
	if (error)
		return error;
	if (same_process(pid_fd, owner))
		exe_fd = exe_open_path(pid_fd);
	if (exe_fd == -ENOENT)
		exe_fd = open_threads_exe(pid_fd);
	close(pid_fd);
	if (exe_fd < 0)
		return exe_fd;
	if (stat_cached(exe_fd, "", &st) || dev_of(&st) != owner->exe_dev ||
	    st.stx_ino != owner->exe_ino) {
		close(exe_fd);
		return -ESRCH;
	}
	*fd = exe_fd;
	return 0;
}
