/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, makes and removes evidence files by their names; what is in them it only checks. */
#include "evidence_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "evidence_block.h"
#include "folder.h"

#define STAMP_LEN	  16
#define CHECKED_MAX_BYTES (1LL << 30) /* a larger file is not read whole, so not appended to */
#define NUMBERS_TRIED	  10000

static bool parse_name(const char *name, struct evidence_file *file)
{
	char again[EVIDENCE_NAME_BYTES];
	int end = -1;

	if (strlen(name) >= sizeof(file->name) ||
	    sscanf(name, "evidence-%16[0-9TZ]-%9u.pcapng%n", file->stamp, &file->number, &end) != 2)
		return false;
	if (end < 0 || name[end] != '\0' || strlen(file->stamp) != STAMP_LEN)
		return false;
	/* exactly as we write it: no leading zeros, no signs */
	snprintf(again, sizeof(again), "evidence-%s-%u.pcapng", file->stamp, file->number);
	if (strcmp(again, name) != 0)
		return false;
	strcpy(file->name, name);
	return true;
}

static int compare_files(const void *a, const void *b)
{
	const struct evidence_file *first = a, *second = b;
	int order = strcmp(first->stamp, second->stamp);

	return order ? order : (first->number > second->number) - (first->number < second->number);
}

/* Begins as ours do, as far as it goes (a crash may have left less than a head). */
static bool begins_as_ours(int fd)
{
	uint8_t head[EVIDENCE_HEAD_MAX], start[EVIDENCE_HEAD_MAX];
	size_t len = evidence_head(head);
	ssize_t n = pread(fd, start, len, 0);

	return n >= 0 && memcmp(start, head, (size_t)n) == 0;
}

static int add_file(struct evidence_folder *folder, const struct evidence_file *file)
{
	struct evidence_file *files = folder->files;

	if (folder->n == folder->room) {
		files = reallocarray(files, folder->room + 64, sizeof(*files));
		if (!files)
			return -ENOMEM;
		folder->files = files;
		folder->room += 64;
	}
	folder->files[folder->n++] = *file;
	return 0;
}

static int look_at(void *context, const char *name)
{
	struct evidence_folder *folder = context;
	struct evidence_file file = { 0 };
	struct stat st;
	int fd, err = 0;

	if (!parse_name(name, &file))
		return 0;
	fd = openat(folder->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && begins_as_ours(fd)) {
		file.bytes = (uint64_t)st.st_size;
		err = add_file(folder, &file);
	}
	close(fd);
	return err;
}

int evidence_folder_list(struct evidence_folder *folder)
{
	int err = folder_each(folder->dir_fd, look_at, folder);

	if (!err && folder->n > 1)
		qsort(folder->files, folder->n, sizeof(*folder->files), compare_files);
	return err;
}

void evidence_folder_free(struct evidence_folder *folder)
{
	free(folder->files);
	folder->files = NULL;
	folder->n = folder->room = 0;
}

struct evidence_file *evidence_folder_youngest(const struct evidence_folder *folder)
{
	return folder->n > 0 ? &folder->files[folder->n - 1] : NULL;
}

uint64_t evidence_folder_bytes(const struct evidence_folder *folder)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < folder->n; i++)
		sum += folder->files[i].bytes;
	return sum;
}

static int check_whole(int fd, uint64_t *end)
{
	struct stat st;
	uint8_t *bytes;
	size_t at = 0;
	ssize_t n = 1;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > CHECKED_MAX_BYTES)
		return -EBADMSG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (n > 0 && at < (size_t)st.st_size) {
		n = pread(fd, bytes + at, (size_t)st.st_size - at, (off_t)at);
		if (n > 0)
			at += (size_t)n;
	}
	err = n < 0 ? -errno : evidence_check(bytes, at, end);
	free(bytes);
	return err;
}

int evidence_folder_open(struct evidence_folder *folder, const struct evidence_file *file,
			 uint64_t *end)
{
	int fd = openat(folder->dir_fd, file->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC), err;

	if (fd < 0)
		return -EBADMSG; /* another user's, read-only: not ours to append to */
	err = check_whole(fd, end);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int evidence_folder_create(struct evidence_folder *folder, int64_t now_ns)
{
	struct evidence_file *youngest = evidence_folder_youngest(folder);
	struct evidence_file file = { 0 };
	time_t seconds = (time_t)(now_ns / 1000000000LL);
	struct tm tm;
	unsigned last;
	int fd, err;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(file.stamp, sizeof(file.stamp), "%Y%m%dT%H%M%SZ", &tm) != STAMP_LEN)
		return -EINVAL;
	/* a clock that was set back must not make the newest file the oldest by name */
	if (youngest && strcmp(file.stamp, youngest->stamp) <= 0) {
		strcpy(file.stamp, youngest->stamp);
		file.number = youngest->number + 1;
	}
	for (last = file.number + NUMBERS_TRIED; file.number < last; file.number++) {
		snprintf(file.name, sizeof(file.name), "evidence-%s-%u.pcapng", file.stamp,
			 file.number);
		fd = openat(folder->dir_fd, file.name,
			    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return -errno;
		err = fchmod(fd, 0640) < 0 ? -errno : add_file(folder, &file);
		if (err) {
			close(fd);
			unlinkat(folder->dir_fd, file.name, 0);
			return err;
		}
		return fd;
	}
	return -EEXIST;
}

void evidence_folder_take_back(struct evidence_folder *folder)
{
	folder->n--;
	unlinkat(folder->dir_fd, folder->files[folder->n].name, 0);
}

int evidence_folder_remove_oldest(struct evidence_folder *folder, char name[EVIDENCE_NAME_BYTES])
{
	strcpy(name, folder->files[0].name);
	if (unlinkat(folder->dir_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	folder->n--;
	memmove(&folder->files[0], &folder->files[1], folder->n * sizeof(folder->files[0]));
	return 0;
}
