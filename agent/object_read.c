/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes and copies a file that somebody else may be changing; opens nothing by a name. */
#include "object_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL /* since Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int new_copy(void)
{
	int fd = memfd_create("egressd-object", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("egressd-object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static void drop_copy(struct object_read *read)
{
	if (read->copy_fd >= 0)
		close(read->copy_fd);
	read->copy_fd = -1;
}

static int begin(struct object_read *read)
{
	struct stat st;

	if (fstat(read->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	read->size = (uint64_t)st.st_size;
	read->changed = st.st_mtim;
	read->at = 0;
	SHA256Init(&read->sha);
	drop_copy(read);
	if (read->wants_copy)
		read->copy_fd = new_copy();
	return 0;
}

int object_read_open(struct object_read *read, int path_fd, bool wants_copy)
{
	struct object_read opened = { .copy_fd = -1, .wants_copy = wants_copy };
	char path[64];
	int error;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	opened.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (opened.fd < 0)
		return -errno;
	error = begin(&opened);
	if (error)
		object_read_close(&opened);
	else
		*read = opened;
	return error;
}

static void keep(struct object_read *read, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (read->copy_fd >= 0 && at < len) {
		ssize_t n = pwrite(read->copy_fd, bytes + at, len - at, (off_t)(read->at + at));

		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno != EINTR)
			drop_copy(read); /* no memory for it: the digest still tells */
	}
}

/* Its owner may write to it once the process is gone. Who resets the times as well can have a
 * mixture hashed; what is copied is what the digest says in any case. */
static bool has_changed(const struct object_read *read)
{
	struct stat st;

	return read->at != read->size || fstat(read->fd, &st) < 0 ||
	       (uint64_t)st.st_size != read->size || st.st_mtim.tv_sec != read->changed.tv_sec ||
	       st.st_mtim.tv_nsec != read->changed.tv_nsec;
}

static int finish(struct object_read *read)
{
	if (has_changed(read)) {
		if (!read->again++)
			return begin(read) ? -ESTALE : -EINPROGRESS;
		if (read->copy_fd < 0)
			return -ESTALE;
		read->size = read->at;
	}
	SHA256Final(read->digest, &read->sha);
	if (read->copy_fd >= 0 && fcntl(read->copy_fd, F_ADD_SEALS, OBJECT_SEALS) < 0)
		drop_copy(read);
	return 0;
}

int object_read_step(struct object_read *read, uint8_t *buf, size_t size)
{
	uint64_t left = read->size - read->at;
	ssize_t n = 0;

	if (left) {
		n = pread(read->fd, buf, left < size ? (size_t)left : size, (off_t)read->at);
		if (n < 0)
			return errno == EINTR ? -EINPROGRESS : -errno;
	}
	keep(read, buf, (size_t)n);
	SHA256Update(&read->sha, buf, (size_t)n);
	read->at += (uint64_t)n;
	if (n && read->at < read->size)
		return -EINPROGRESS;
	return finish(read);
}

void object_read_close(struct object_read *read)
{
	drop_copy(read);
	if (read->fd >= 0)
		close(read->fd);
	read->fd = -1;
}
