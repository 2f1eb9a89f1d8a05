/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The evidence folder: which file is written, which one goes; the blocks are evidence_block.c's. */
#include "evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence_block.h"
#include "evidence_folder.h"
#include "lru.h"

#define RETRY_NS	    (10 * 1000000000LL)
#define OFFENDERS_IN_A_FILE 20000 /* more than a store has */

struct evidence {
	int dir_fd;
	int fd;	      /* of the youngest file; -1: none is open */
	uint64_t end; /* of its last whole block */
	dev_t dev;    /* of that file, with ino */
	ino_t ino;
	bool unsynced, folder_unsynced;
	bool suspended;
	int64_t suspended_ns;
	uint64_t file_bytes, offender_bytes, total_bytes;
	struct evidence_folder folder;
	struct lru *shares; /* offender to bytes in this file */
	uint8_t *block;	    /* EVIDENCE_BLOCK_MAX */
	void (*removed)(void *context, const char *file);
	void *context;
};

void evidence_options(struct evidence *evidence, const struct config *config)
{
	evidence->total_bytes = config->evidence_total_bytes;
	evidence->offender_bytes = config->evidence_offender_bytes;
	evidence->file_bytes = config->evidence_file_bytes;
	if (evidence->file_bytes > evidence->total_bytes)
		evidence->file_bytes = evidence->total_bytes;
}

static int take_file(struct evidence *evidence, int fd, uint64_t end)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	evidence->fd = fd;
	evidence->end = end;
	evidence->dev = st.st_dev;
	evidence->ino = st.st_ino;
	return 0;
}

/* The youngest file, if it is one of ours and has room, is appended to. */
static int reopen_youngest(struct evidence *evidence)
{
	struct evidence_file *file = evidence_folder_youngest(&evidence->folder);
	uint64_t end;
	int fd, err;

	if (!file || file->bytes >= evidence->file_bytes)
		return 0;
	fd = evidence_folder_open(&evidence->folder, file, &end);
	if (fd == -EBADMSG)
		return 0;
	if (fd < 0)
		return fd;
	if (end < file->bytes && ftruncate(fd, (off_t)end) < 0) {
		close(fd);
		return 0;
	}
	err = take_file(evidence, fd, end);
	if (err) {
		close(fd);
		return err;
	}
	file->bytes = end;
	return 0;
}

int evidence_open(struct evidence **evidence, int dir_fd, const struct config *config,
		  void (*removed)(void *context, const char *file), void *context)
{
	struct evidence *opened = calloc(1, sizeof(*opened));
	int err = -ENOMEM;

	if (!opened)
		return -ENOMEM;
	opened->dir_fd = opened->folder.dir_fd = dir_fd;
	opened->fd = -1;
	opened->removed = removed;
	opened->context = context;
	evidence_options(opened, config);
	opened->shares = lru_new(OFFENDERS_IN_A_FILE, sizeof(uint64_t), NULL, NULL);
	opened->block = malloc(EVIDENCE_BLOCK_MAX);
	if (opened->shares && opened->block)
		err = evidence_folder_list(&opened->folder);
	if (!err)
		err = reopen_youngest(opened);
	if (err) {
		evidence_free(opened);
		return err;
	}
	*evidence = opened;
	return 0;
}

void evidence_free(struct evidence *evidence)
{
	if (!evidence)
		return;
	if (evidence->fd >= 0)
		close(evidence->fd);
	evidence_folder_free(&evidence->folder);
	lru_free(evidence->shares);
	free(evidence->block);
	free(evidence);
}

bool evidence_suspended(const struct evidence *evidence)
{
	return evidence->suspended;
}

uint64_t evidence_bytes(const struct evidence *evidence)
{
	return evidence_folder_bytes(&evidence->folder);
}

static int suspend(struct evidence *evidence, int64_t now_ns, int err)
{
	evidence->suspended = true;
	evidence->suspended_ns = now_ns;
	return err;
}

static int write_all(int fd, const uint8_t *bytes, size_t len, uint64_t offset)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, bytes, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static void close_file(struct evidence *evidence)
{
	if (evidence->fd >= 0)
		close(evidence->fd);
	evidence->fd = -1;
	evidence->unsynced = false;
	lru_clear(evidence->shares);
}

/* Under its name stands the file we opened, as long as we left it. */
static bool is_as_left(const struct evidence *evidence, uint64_t *bytes)
{
	const struct evidence_file *file = evidence_folder_youngest(&evidence->folder);
	struct stat st;

	*bytes = 0;
	if (fstatat(evidence->dir_fd, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*bytes = (uint64_t)st.st_size;
	return st.st_dev == evidence->dev && st.st_ino == evidence->ino && *bytes == evidence->end;
}

void evidence_give_up_file(struct evidence *evidence)
{
	struct evidence_file *file = evidence_folder_youngest(&evidence->folder);

	if (evidence->fd < 0)
		return;
	is_as_left(evidence, &file->bytes);
	close_file(evidence);
	if (evidence->removed)
		evidence->removed(evidence->context, file->name);
}

const char *evidence_file(const struct evidence *evidence, uint64_t *end)
{
	if (evidence->fd < 0)
		return NULL;
	*end = evidence->end;
	return evidence_folder_youngest(&evidence->folder)->name;
}

/* Writes at the end, or leaves the file as it was; one that can't be cut back is given up. */
static int append(struct evidence *evidence, const uint8_t *bytes, size_t len)
{
	struct evidence_file *file = evidence_folder_youngest(&evidence->folder);
	int err = write_all(evidence->fd, bytes, len, evidence->end);

	if (err) {
		if (ftruncate(evidence->fd, (off_t)evidence->end) < 0)
			close_file(evidence);
		return err;
	}
	evidence->end += len;
	file->bytes = evidence->end;
	evidence->unsynced = true;
	return 0;
}

static int make_room(struct evidence *evidence)
{
	char name[EVIDENCE_NAME_BYTES];
	int err;

	while (evidence->folder.n > 0 &&
	       evidence_folder_bytes(&evidence->folder) + evidence->file_bytes >
		       evidence->total_bytes) {
		err = evidence_folder_remove_oldest(&evidence->folder, name);
		if (err)
			return err;
		if (evidence->removed)
			evidence->removed(evidence->context, name);
	}
	return 0;
}

static int begin_file(struct evidence *evidence, int64_t now_ns)
{
	uint8_t head[EVIDENCE_HEAD_MAX];
	int fd, err;

	err = evidence_sync(evidence);
	if (err)
		return err;
	close_file(evidence);
	err = make_room(evidence);
	if (err)
		return err;
	fd = evidence_folder_create(&evidence->folder, now_ns);
	if (fd < 0)
		return fd;
	err = take_file(evidence, fd, 0);
	if (err) {
		close(fd);
		evidence_folder_take_back(&evidence->folder);
		return err;
	}
	evidence->folder_unsynced = true;
	err = append(evidence, head, evidence_head(head));
	if (err) { /* else each new try would leave an empty file */
		close_file(evidence);
		evidence_folder_take_back(&evidence->folder);
	}
	return err;
}

static bool still_suspended(struct evidence *evidence, int64_t now_ns)
{
	int64_t since = now_ns - evidence->suspended_ns;

	return evidence->suspended && since > -RETRY_NS && since < RETRY_NS;
}

int evidence_add(struct evidence *evidence, const struct evidence_packet *packet, const char **file,
		 uint64_t *offset)
{
	struct keyhash name = { { (uint64_t)packet->offender, 0 } };
	struct evidence_packet whole = *packet;
	uint64_t *share = lru_get(evidence->shares, name);
	uint64_t bytes;
	size_t len;
	int err;

	if (still_suspended(evidence, packet->ts_ns))
		return -EAGAIN;
	if (whole.packet_bytes < whole.len)
		whole.packet_bytes = whole.len;
	err = evidence_block_bytes(&whole, &len);
	if (err)
		return err;
	if ((share && *share + len > evidence->offender_bytes) || len > evidence->offender_bytes ||
	    len + EVIDENCE_HEAD_MAX > evidence->file_bytes)
		return -EDQUOT;
	if (evidence->fd >= 0 && !is_as_left(evidence, &bytes))
		evidence_give_up_file(evidence);
	if (evidence->fd < 0 || evidence->end + len > evidence->file_bytes)
		err = begin_file(evidence, packet->ts_ns);
	if (!err) {
		evidence_block(&whole, evidence->block);
		*offset = evidence->end;
		err = append(evidence, evidence->block, len);
	}
	if (err)
		return suspend(evidence, packet->ts_ns, err);
	evidence->suspended = false;
	share = lru_get(evidence->shares, name);
	if (!share)
		share = lru_put(evidence->shares, name);
	*share += len;
	*file = evidence_folder_youngest(&evidence->folder)->name;
	return 0;
}

int evidence_sync(struct evidence *evidence)
{
	int err;

	if (evidence->unsynced && fdatasync(evidence->fd) < 0) {
		err = -errno;
		/* What the kernel kept of it is not known (fsync(2)): nothing is added to it. */
		close_file(evidence);
		return err;
	}
	evidence->unsynced = false;
	if (evidence->folder_unsynced && fsync(evidence->dir_fd) < 0)
		return -errno;
	evidence->folder_unsynced = false;
	return 0;
}
