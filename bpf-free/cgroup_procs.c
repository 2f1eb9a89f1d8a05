/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists the processes of a cgroup by its id. It only reads cgroup.procs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_procs.h"
#include "proc.h"

#define FILEID_KERNFS 0xfe /* include/linux/exportfs.h */

/* mountinfo, proc(5): "… MOUNTPOINT OPTIONS … - FSTYPE SOURCE …"; \ooo escapes in the path. */
static bool mount_point(const char *line, const char *end, char *path, size_t size)
{
	const char *dash = memmem(line, (size_t)(end - line), " - cgroup2 ", 11);
	const char *at = line;
	size_t n = 0;

	if (!dash)
		return false;
	for (int field = 0; field < 4; field++) {
		at = memchr(at, ' ', (size_t)(dash - at));
		if (!at)
			return false;
		at++;
	}
	for (; at < dash && *at != ' '; at++) {
		char c = *at;

		if (c == '\\' && dash - at > 3) {
			c = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 3;
		}
		if (n + 1 >= size)
			return false;
		path[n++] = c;
	}
	path[n] = 0;
	return n > 0;
}

int cgroup_mount_open(int proc_fd, int *mount_fd)
{
	const size_t size = 1 << 20;
	char *text = malloc(size), path[4096];
	int error, fd = -1;
	size_t len;

	if (!text)
		return -ENOMEM;
	error = proc_read(proc_fd, "self/mountinfo", text, size, &len);
	for (char *line = text; !error && fd < 0 && line < text + len;) {
		char *newline = memchr(line, '\n', (size_t)(text + len - line));

		if (!newline)
			break;
		if (mount_point(line, newline, path, sizeof(path)))
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		line = newline + 1;
	}
	free(text);
	if (error)
		return error;
	if (fd < 0)
		return -ENOENT;
	*mount_fd = fd;
	return 0;
}

int cgroup_procs(int mount_fd, uint64_t id, pid_t *pids, size_t max, size_t *n)
{
	struct {
		struct file_handle head;
		uint64_t id;
	} handle = { { .handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS }, 0 };
	char text[16384];
	size_t len, have = 0;
	uint32_t pid = 0;
	int fd, error;

	if (mount_fd < 0 || id <= 1)
		return -ENOENT;
	handle.id = id; /* stands where head.f_handle begins */
	fd = open_by_handle_at(mount_fd, &handle.head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = proc_read(fd, "cgroup.procs", text, sizeof(text), &len);
	close(fd);
	if (error)
		return error;
	for (size_t i = 0; i < len && have < max; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			pid = pid * 10 + (uint32_t)(text[i] - '0');
			continue;
		}
		if (pid) /* 0: of a pid namespace that we don't see */
			pids[have++] = (pid_t)pid;
		pid = 0;
	}
	*n = have;
	return 0;
}
