/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, makes and removes the files of kept programs; it does not look into them. */
#include "objects_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

#define NEW_NAME  "new"
#define SECOND_NS INT64_C(1000000000)
#define FRESH_NS  (86400 * SECOND_NS)
#define TOUCH_NS  (60 * SECOND_NS)
#define BLOCK	  4096u

/* What it takes of a disk, and at least two blocks: many tiny ones are bounded, too. */
static uint64_t cost(uint64_t bytes)
{
	return (bytes / BLOCK + 2) * BLOCK;
}

void objects_name(const uint8_t sha256[32], char name[OBJECTS_NAME_BYTES])
{
	for (int i = 0; i < 32; i++)
		snprintf(name + (ptrdiff_t)2 * i, 3, "%02x", sha256[i]);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool objects_parse_name(const char *name, uint8_t sha256[32])
{
	uint8_t digest[32];

	if (strlen(name) != OBJECTS_NAME_BYTES - 1)
		return false;
	for (size_t i = 0; i < sizeof(digest); i++) {
		int high = hex_value(name[2 * i]), low = hex_value(name[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(sha256, digest, sizeof(digest));
	return true;
}

static int add(struct objects_folder *folder, const struct objects_file *file)
{
	struct objects_file *files = folder->files;

	if (folder->n == folder->room) {
		files = reallocarray(files, folder->room + 64, sizeof(*files));
		if (!files)
			return -ENOMEM;
		folder->files = files;
		folder->room += 64;
	}
	folder->files[folder->n++] = *file;
	folder->bytes += cost(file->bytes);
	return 0;
}

static void forget(struct objects_folder *folder, size_t i)
{
	folder->bytes -= cost(folder->files[i].bytes);
	folder->files[i] = folder->files[--folder->n];
}

static int look_at(void *context, const char *name)
{
	struct objects_folder *folder = context;
	struct objects_file file;
	struct stat st;

	if (!strcmp(name, NEW_NAME)) {
		objects_folder_drop(folder);
		return 0;
	}
	if (!objects_parse_name(name, file.sha256) ||
	    fstatat(folder->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	file.bytes = (uint64_t)st.st_size;
	file.named_ns = st.st_mtim.tv_sec * SECOND_NS + st.st_mtim.tv_nsec;
	return add(folder, &file);
}

int objects_folder_list(struct objects_folder *folder)
{
	return folder_each(folder->dir_fd, look_at, folder);
}

void objects_folder_free(struct objects_folder *folder)
{
	free(folder->files);
	folder->files = NULL;
	folder->n = folder->room = 0;
	folder->bytes = 0;
}

bool objects_folder_name(struct objects_folder *folder, const uint8_t sha256[32], int64_t now_ns)
{
	char name[OBJECTS_NAME_BYTES];
	struct objects_file *file;
	struct stat st;
	size_t i = 0;

	while (i < folder->n && memcmp(folder->files[i].sha256, sha256, 32) != 0)
		i++;
	if (i == folder->n)
		return false;
	file = &folder->files[i];
	objects_name(sha256, name);
	/* Who removed it by hand wanted it gone; the next one is kept again. */
	if (fstatat(folder->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != file->bytes) {
		forget(folder, i);
		return false;
	}
	if (now_ns - file->named_ns >= TOUCH_NS || now_ns < file->named_ns) {
		utimensat(folder->dir_fd, name, NULL, AT_SYMLINK_NOFOLLOW);
		file->named_ns = now_ns;
	}
	return true;
}

/* -errno: it can't be removed. */
static int remove_file(struct objects_folder *folder, size_t i)
{
	char name[OBJECTS_NAME_BYTES];

	objects_name(folder->files[i].sha256, name);
	if (unlinkat(folder->dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	forget(folder, i);
	return 0;
}

bool objects_folder_make_room(struct objects_folder *folder, uint64_t bytes, uint64_t total,
			      int64_t now_ns)
{
	uint64_t need = cost(bytes);

	if (need > total)
		return false;
	while (folder->bytes > total - need) {
		size_t oldest = 0;

		for (size_t i = 1; i < folder->n; i++)
			if (folder->files[i].named_ns < folder->files[oldest].named_ns)
				oldest = i;
		if (now_ns - folder->files[oldest].named_ns < FRESH_NS ||
		    remove_file(folder, oldest))
			return false;
	}
	return true;
}

void objects_folder_expire(struct objects_folder *folder, int64_t since_ns)
{
	for (size_t i = folder->n; i-- > 0;)
		if (folder->files[i].named_ns < since_ns)
			remove_file(folder, i);
}

int objects_folder_create(struct objects_folder *folder)
{
	int fd;

	objects_folder_drop(folder);
	fd = openat(folder->dir_fd, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0400);
	return fd < 0 ? -errno : fd;
}

int objects_folder_keep(struct objects_folder *folder, int fd, const uint8_t sha256[32],
			uint64_t bytes, int64_t now_ns)
{
	struct objects_file file = { .bytes = bytes, .named_ns = now_ns };
	char name[OBJECTS_NAME_BYTES];
	int error = fsync(fd) < 0 ? -errno : 0;

	memcpy(file.sha256, sha256, sizeof(file.sha256));
	objects_name(sha256, name);
	if (!error && renameat(folder->dir_fd, NEW_NAME, folder->dir_fd, name) < 0)
		error = -errno;
	if (error) {
		objects_folder_drop(folder);
		return error;
	}
	error = add(folder, &file);
	if (!error && fsync(folder->dir_fd) < 0)
		error = -errno;
	if (error)
		unlinkat(folder->dir_fd, name, 0);
	if (error && folder->n && !memcmp(folder->files[folder->n - 1].sha256, sha256, 32))
		forget(folder, folder->n - 1);
	return error;
}

void objects_folder_drop(struct objects_folder *folder)
{
	unlinkat(folder->dir_fd, NEW_NAME, 0);
}
