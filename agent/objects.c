/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the copies that come and writes them, one after another. It must not end for anything
 * that a message or a disk does, and logs nothing. */
#include "objects.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "object_read.h"
#include "objects_folder.h"

#define DAY_NS	       INT64_C(86400000000000)
#define SLICE_BYTES    (256u << 10)
#define WAITING_MAX    512 /* notes */
#define WAITING_COPIES 4   /* times object_bytes, of copies in memory */

struct waiting {
	struct waiting *next;
	uint64_t id;
	int64_t ts_ns;
	struct note_object object;
	int fd;	   /* -1: it is another's copy that is waited for */
	bool done; /* so it ended, and object says how */
};

struct objects {
	struct objects_folder folder;
	uint64_t object_bytes, total_bytes;
	int64_t keep_ns;
	bool keeps;
	struct waiting *first, **last;
	unsigned n_waiting;
	uint64_t waiting_bytes;

	int out_fd; /* the first one's file, while it is written */
	uint64_t at;
	SHA2_CTX sha;

	uint64_t lost, bad;
	int error;
	uint8_t slice[SLICE_BYTES];
};

void objects_options(struct objects *objects, const struct config *config)
{
	objects->object_bytes = config->object_bytes;
	objects->total_bytes = config->objects_bytes;
	objects->keep_ns = config->keep_days * DAY_NS;
	objects->keeps = config->evidence;
}

int objects_open(struct objects **objects, int dir_fd, const struct config *config, int64_t now_ns)
{
	struct objects *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		if (dir_fd >= 0)
			close(dir_fd);
		return -ENOMEM;
	}
	opened->folder.dir_fd = dir_fd;
	opened->out_fd = -1;
	opened->last = &opened->first;
	objects_options(opened, config);
	if (dir_fd >= 0) {
		opened->error = objects_folder_list(&opened->folder);
		if (opened->error) { /* without its size the budget can't be kept */
			close(dir_fd);
			opened->folder.dir_fd = -1;
		}
	}
	objects_prune(opened, now_ns);
	*objects = opened;
	return 0;
}

static void unlink_first(struct objects *objects)
{
	struct waiting *first = objects->first;

	objects->first = first->next;
	if (!objects->first)
		objects->last = &objects->first;
	objects->n_waiting--;
	if (first->fd >= 0) {
		objects->waiting_bytes -= first->object.bytes;
		close(first->fd);
	}
	free(first);
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	while (objects->first)
		unlink_first(objects);
	if (objects->out_fd >= 0) {
		close(objects->out_fd);
		objects_folder_drop(&objects->folder);
	}
	if (objects->folder.dir_fd >= 0)
		close(objects->folder.dir_fd);
	objects_folder_free(&objects->folder);
	free(objects);
}

/* --- taking -------------------------------------------------------------------------------- */

static void has_copy(struct note_object *object)
{
	object->has_copy = true;
	object->why = OBJECT_WHY_NONE;
}

/* The reason that the witness gave, if it gave one, is the better one. */
static void no_copy(struct note_object *object, enum note_object_why why)
{
	object->has_copy = false;
	if (object->why == OBJECT_WHY_NONE)
		object->why = why;
}

static bool is_sealed_copy(const struct objects *objects, int fd, uint64_t bytes)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && (seals & OBJECT_SEALS) == OBJECT_SEALS && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes &&
	       bytes <= objects->object_bytes;
}

static bool is_coming(const struct objects *objects, const uint8_t sha256[32])
{
	for (const struct waiting *waiting = objects->first; waiting; waiting = waiting->next)
		if (waiting->fd >= 0 && !waiting->done &&
		    !memcmp(waiting->object.sha256, sha256, 32))
			return true;
	return false;
}

static int enqueue(struct objects *objects, const struct note *note, int fd)
{
	struct waiting *waiting;

	if (objects->n_waiting == WAITING_MAX ||
	    (fd >= 0 &&
	     objects->waiting_bytes + note->object.bytes > WAITING_COPIES * objects->object_bytes))
		return -ENOBUFS;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	waiting->id = note->id;
	waiting->ts_ns = note->ts_ns;
	waiting->object = note->object;
	waiting->fd = fd;
	*objects->last = waiting;
	objects->last = &waiting->next;
	objects->n_waiting++;
	if (fd >= 0)
		objects->waiting_bytes += note->object.bytes;
	return 0;
}

/* true: final. *fd is -1 when it was taken. */
static bool take(struct objects *objects, struct note *note, int *fd, int64_t now_ns)
{
	struct note_object *object = &note->object;

	if (!object->has_digest) {
		no_copy(object, OBJECT_WHY_ERROR);
		return true;
	}
	if (objects_folder_name(&objects->folder, object->sha256, now_ns)) {
		has_copy(object);
		return true;
	}
	if (!object->has_copy)
		return true;
	if (*fd >= 0 && !is_sealed_copy(objects, *fd, object->bytes)) {
		objects->bad++;
		no_copy(object, OBJECT_WHY_ERROR);
		return true;
	}
	if (is_coming(objects, object->sha256)) {
		if (!enqueue(objects, note, -1))
			return false;
	} else if (*fd >= 0 && objects->keeps && objects->folder.dir_fd >= 0 &&
		   !enqueue(objects, note, *fd)) {
		*fd = -1;
		return false;
	}
	no_copy(object, OBJECT_WHY_BUDGET); /* or it was, and had to go */
	return true;
}

bool objects_take(struct objects *objects, struct note *note, int fd, int64_t now_ns)
{
	bool final = take(objects, note, &fd, now_ns);

	if (fd >= 0)
		close(fd);
	return final;
}

/* --- writing ------------------------------------------------------------------------------- */

bool objects_busy(const struct objects *objects)
{
	return objects->first != NULL;
}

/* How the first one's copy ended, for all who wait for it. */
static void end_first(struct objects *objects, enum note_object_why why)
{
	struct waiting *first = objects->first;

	if (objects->out_fd >= 0)
		close(objects->out_fd);
	objects->out_fd = -1;
	for (struct waiting *waiting = first; waiting; waiting = waiting->next) {
		if (memcmp(waiting->object.sha256, first->object.sha256, 32) != 0)
			continue;
		if (why == OBJECT_WHY_NONE)
			has_copy(&waiting->object);
		else
			no_copy(&waiting->object, why);
		waiting->done = true;
	}
}

static void fail_first(struct objects *objects, int error)
{
	objects->lost++;
	objects->error = error;
	objects_folder_drop(&objects->folder);
	end_first(objects, OBJECT_WHY_ERROR);
}

static void begin_first(struct objects *objects, int64_t now_ns)
{
	const struct waiting *first = objects->first;
	int fd;

	if (!objects_folder_make_room(&objects->folder, first->object.bytes, objects->total_bytes,
				      now_ns)) {
		end_first(objects, OBJECT_WHY_BUDGET);
		return;
	}
	fd = objects_folder_create(&objects->folder);
	if (fd < 0) {
		fail_first(objects, fd);
		return;
	}
	objects->out_fd = fd;
	objects->at = 0;
	SHA256Init(&objects->sha);
}

static int write_slice(struct objects *objects, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(objects->out_fd, objects->slice + at, len - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			at += (size_t)n;
	}
	/* So that not all of it waits for fsync(2) at the end. */
	sync_file_range(objects->out_fd, (off_t)objects->at, (off_t)len, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static void finish_first(struct objects *objects, int64_t now_ns)
{
	struct waiting *first = objects->first;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	int error;

	SHA256Final(digest, &objects->sha);
	if (memcmp(digest, first->object.sha256, sizeof(digest)) != 0) {
		objects->bad++;
		first->object.has_digest = false;
		objects_folder_drop(&objects->folder);
		end_first(objects, OBJECT_WHY_ERROR);
		return;
	}
	error = objects_folder_keep(&objects->folder, objects->out_fd, digest, objects->at, now_ns);
	if (error) {
		fail_first(objects, error);
		return;
	}
	objects->error = 0;
	end_first(objects, OBJECT_WHY_NONE);
}

static void write_first(struct objects *objects, size_t most, int64_t now_ns)
{
	const struct waiting *first = objects->first;
	ssize_t n;
	int error;

	n = pread(first->fd, objects->slice, most < SLICE_BYTES ? most : SLICE_BYTES,
		  (off_t)objects->at);
	error = n < 0 ? -errno : write_slice(objects, (size_t)n);
	if (error) {
		fail_first(objects, error);
		return;
	}
	SHA256Update(&objects->sha, objects->slice, (size_t)n);
	objects->at += (uint64_t)n;
	if (n == 0 || objects->at >= first->object.bytes)
		finish_first(objects, now_ns);
}

bool objects_step(struct objects *objects, uint64_t bytes, int64_t now_ns, struct note *note)
{
	struct waiting *first = objects->first;

	if (!first)
		return false;
	while (!first->done && bytes) {
		uint64_t before;

		if (objects->out_fd < 0)
			begin_first(objects, now_ns);
		if (first->done)
			break;
		before = objects->at;
		write_first(objects, bytes, now_ns);
		bytes -= objects->at - before < bytes ? objects->at - before : bytes;
	}
	if (!first->done)
		return false;
	memset(note, 0, sizeof(*note));
	note->id = first->id;
	note->ts_ns = first->ts_ns;
	note->parts = NOTE_OBJECT;
	note->object = first->object;
	unlink_first(objects);
	return true;
}

void objects_prune(struct objects *objects, int64_t now_ns)
{
	if (objects->folder.dir_fd >= 0)
		objects_folder_expire(&objects->folder, now_ns - objects->keep_ns);
}

void objects_counts(struct objects *objects, uint64_t *lost, uint64_t *bad, int *error)
{
	*lost = objects->lost;
	*bad = objects->bad;
	*error = objects->error;
	objects->lost = objects->bad = 0;
}
