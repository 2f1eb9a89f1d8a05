/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues the programs that are to be read, remembers what they were, and says it; reading is
 * object_read.c's. It must not wait for anybody. */
#include "object_work.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "allowance.h"
#include "clock.h"
#include "object.h"
#include "object_fs.h"
#include "object_read.h"

#define SECOND_NS    INT64_C(1000000000)
#define KNOWN	     256		 /* programs remembered */
#define KNOWN_NS     (600 * SECOND_NS)	 /* then it is read, and its copy sent, anew */
#define SETTLED_NS   (2 * SECOND_NS)	 /* older than the coarsest clock of a file system */
#define JOBS_MAX     64			 /* programs that wait */
#define JOBS_USER    16			 /* of them one user's */
#define RECORDS_MAX  1024		 /* records that wait for one program */
#define READ_MAX     (UINT64_C(1) << 30) /* what is larger is not read at all */
#define SLICE_BYTES  (256u << 10)
#define WORK_NS	     (3 * SECOND_NS / 10) /* of each second */
#define DAY_NS	     (86400 * SECOND_NS)
#define SHARE_SLOTS  256
#define SHARE_OF_ALL 4 /* one user's copies a day: this part of objects_bytes */

/*
 * What must be the same for the content to be. A file that somebody executes can't be written to
 * (ETXTBSY); after that its ctime tells, but not on tmpfs, where writing through a mapping changes
 * none, nor within the tick that it was last changed in. There it is one process's only.
 */
struct key {
	uint64_t dev, ino, size;
	int64_t ctime_ns;
	bool settled;
	pid_t pid;
	uint64_t start_ticks;
};

struct job {
	struct job *next;
	struct key key;
	uint32_t uid;
	int path_fd;
	bool reading, wants_copy;
	struct object_read read;
	struct note_object object; /* what is known before it is read */
	uint64_t ids[RECORDS_MAX]; /* records to be noted */
	unsigned n_ids;
};

struct known {
	struct key key;
	int64_t made_ns; /* 0: empty */
	struct note_object object;
};

enum lane { LANE_COPY, LANE_LARGE, LANES }; /* so that a large one holds no small one up */

struct object_work {
	uint64_t object_bytes, user_bytes;
	bool keeps;
	object_work_say say;
	void *context;
	struct job *jobs[LANES]; /* first is read first */
	unsigned n_jobs;
	enum lane turn;
	struct known known[KNOWN];
	struct allowance work;
	int64_t day;
	uint64_t copied[SHARE_SLOTS]; /* by uid, today */
	struct note note;
	uint8_t slice[SLICE_BYTES];
};

void object_work_options(struct object_work *objects, const struct config *config)
{
	objects->object_bytes = config->object_bytes;
	objects->user_bytes = config->objects_bytes / SHARE_OF_ALL;
	objects->keeps = config->evidence;
}

int object_work_open(struct object_work **objects, const struct config *config, object_work_say say,
		     void *context)
{
	struct object_work *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return -ENOMEM;
	opened->say = say;
	opened->context = context;
	allowance_init(&opened->work, WORK_NS, WORK_NS);
	object_work_options(opened, config);
	*objects = opened;
	return 0;
}

static void free_job(struct job *job)
{
	if (job->reading)
		object_read_close(&job->read);
	close(job->path_fd);
	free(job);
}

void object_work_close(struct object_work *objects)
{
	if (!objects)
		return;
	for (int lane = 0; lane < LANES; lane++)
		while (objects->jobs[lane]) {
			struct job *job = objects->jobs[lane];

			objects->jobs[lane] = job->next;
			free_job(job);
		}
	free(objects);
}

/* --- what is known already ----------------------------------------------------------------- */

static bool same_content(const struct key *a, const struct key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->ctime_ns == b->ctime_ns &&
	       (a->settled || (a->pid == b->pid && a->start_ticks == b->start_ticks));
}

static struct known *find_known(struct object_work *objects, const struct key *key, int64_t now_ns)
{
	for (unsigned i = 0; i < KNOWN; i++) {
		struct known *known = &objects->known[i];

		if (known->made_ns && now_ns - known->made_ns < KNOWN_NS &&
		    same_content(&known->key, key))
			return known;
	}
	return NULL;
}

static void remember(struct object_work *objects, const struct key *key,
		     const struct note_object *object, int64_t now_ns)
{
	struct known *oldest = &objects->known[0];

	for (unsigned i = 1; i < KNOWN; i++)
		if (objects->known[i].made_ns < oldest->made_ns)
			oldest = &objects->known[i];
	*oldest = (struct known){ .key = *key, .made_ns = now_ns, .object = *object };
}

static struct job *find_job(struct object_work *objects, const struct key *key)
{
	for (int lane = 0; lane < LANES; lane++)
		for (struct job *job = objects->jobs[lane]; job; job = job->next)
			if (same_content(&job->key, key))
				return job;
	return NULL;
}

/* --- notes --------------------------------------------------------------------------------- */

static int say(struct object_work *objects, uint64_t id, const struct note_object *object,
	       int copy_fd)
{
	objects->note.id = id;
	objects->note.ts_ns = clock_ns(CLOCK_REALTIME);
	objects->note.parts = NOTE_OBJECT;
	objects->note.object = *object;
	return objects->say(objects->context, &objects->note, copy_fd);
}

static void say_why(struct object_work *objects, uint64_t id, enum note_object_why why,
		    uint64_t bytes)
{
	const struct note_object object = { .why = why, .bytes = bytes };

	say(objects, id, &object, -1);
}

/* The copy goes with the first note that can be sent. */
static void say_all(struct object_work *objects, const struct job *job,
		    const struct note_object *object, int64_t now_ns)
{
	int copy_fd = object->has_copy ? job->read.copy_fd : -1;
	bool sent = false;

	for (unsigned i = 0; i < job->n_ids; i++)
		if (!say(objects, job->ids[i], object, sent ? -1 : copy_fd))
			sent = true;
	if (!sent)
		return;
	if (object->has_copy)
		objects->copied[job->uid % SHARE_SLOTS] += object->bytes;
	remember(objects, &job->key, object, now_ns);
}

/* --- the queue ----------------------------------------------------------------------------- */

static bool has_room(const struct object_work *objects, uint32_t uid)
{
	unsigned users = 0;

	for (int lane = 0; lane < LANES; lane++)
		for (const struct job *job = objects->jobs[lane]; job; job = job->next)
			users += job->uid == uid;
	return objects->n_jobs < JOBS_MAX && users < JOBS_USER;
}

/* Nothing is asked: what is cached (paths.h has the reason). */
static bool make_key(int fd, const struct owner *owner, struct key *key)
{
	const unsigned flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
	struct statx st;

	if (statx(fd, "", flags, STATX_BASIC_STATS, &st) || !S_ISREG(st.stx_mode))
		return false;
	*key = (struct key){
		.dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor,
		.ino = st.stx_ino,
		.size = st.stx_size,
		.ctime_ns = st.stx_ctime.tv_sec * SECOND_NS + st.stx_ctime.tv_nsec,
		.pid = owner->proc.pid,
		.start_ticks = owner->proc.start_ticks,
	};
	return true;
}

/* Only of a file system that object_fs_check() let pass: others would be asked. */
static bool is_settled(int fd, const struct key *key)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC &&
	       fs.f_type != HUGETLBFS_MAGIC &&
	       clock_ns(CLOCK_REALTIME) - key->ctime_ns > SETTLED_NS;
}

static bool may_copy(struct object_work *objects, uint32_t uid, uint64_t bytes, int64_t now_ns)
{
	if (now_ns / DAY_NS != objects->day) {
		objects->day = now_ns / DAY_NS;
		memset(objects->copied, 0, sizeof(objects->copied));
	}
	return objects->copied[uid % SHARE_SLOTS] + bytes <= objects->user_bytes;
}

static int add_job(struct object_work *objects, int fd, const struct key *key,
		   const struct record *record, int64_t now_ns)
{
	bool large = key->size > objects->object_bytes;
	struct job **at = &objects->jobs[large ? LANE_LARGE : LANE_COPY];
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->key = *key;
	job->uid = record->owner.proc.uid;
	job->path_fd = fd;
	job->object.bytes = key->size;
	if (large)
		job->object.why = OBJECT_WHY_TOO_BIG;
	else if (!objects->keeps || !may_copy(objects, job->uid, key->size, now_ns))
		job->object.why = OBJECT_WHY_BUDGET;
	job->wants_copy = job->object.why == OBJECT_WHY_NONE;
	job->ids[job->n_ids++] = record->id;
	while (*at)
		at = &(*at)->next;
	*at = job;
	objects->n_jobs++;
	return 0;
}

/* 0: the descriptor is kept; else why not. */
static enum note_object_why queue(struct object_work *objects, int fd, struct key *key,
				  const struct record *record, int64_t now_ns)
{
	if (!has_room(objects, record->owner.proc.uid))
		return OBJECT_WHY_BUDGET;
	if (object_fs_check(fd, record->owner.proc.pid))
		return OBJECT_WHY_NOT_ASKED;
	if (key->size > READ_MAX)
		return OBJECT_WHY_TOO_BIG;
	key->settled = is_settled(fd, key);
	return add_job(objects, fd, key, record, now_ns) ? OBJECT_WHY_ERROR : OBJECT_WHY_NONE;
}

/* What is new; the descriptor is closed unless it is needed. */
static void take_new(struct object_work *objects, int fd, struct key *key,
		     const struct record *record, int64_t now_ns)
{
	struct note_object object = { .bytes = key->size };

	object.why = queue(objects, fd, key, record, now_ns);
	if (object.why == OBJECT_WHY_NONE)
		return;
	close(fd);
	if (object.why == OBJECT_WHY_NOT_ASKED)
		object.bytes = 0; /* what its server said once */
	if (object.why == OBJECT_WHY_NOT_ASKED || object.why == OBJECT_WHY_TOO_BIG)
		remember(objects, key, &object, now_ns);
	say(objects, record->id, &object, -1);
}

void object_work_add(struct object_work *objects, int fd, const struct record *record,
		     int64_t now_ns)
{
	const struct known *known;
	struct job *job;
	struct key key;

	if (fd < 0) {
		if (object_is_suspicious(&record->owner))
			say_why(objects, record->id, OBJECT_WHY_EXITED, 0);
		return;
	}
	if (!make_key(fd, &record->owner, &key)) {
		say_why(objects, record->id, OBJECT_WHY_ERROR, 0);
		close(fd);
		return;
	}
	known = find_known(objects, &key, now_ns);
	job = known ? NULL : find_job(objects, &key);
	if (!known && !job) {
		take_new(objects, fd, &key, record, now_ns);
		return;
	}
	close(fd);
	if (known)
		say(objects, record->id, &known->object, -1);
	else if (job->n_ids < RECORDS_MAX)
		job->ids[job->n_ids++] = record->id;
	else
		say_why(objects, record->id, OBJECT_WHY_BUDGET, key.size);
}

/* --- the work ------------------------------------------------------------------------------ */

static void finish(struct object_work *objects, struct job *job, int error, int64_t now_ns)
{
	struct note_object object = job->object;

	if (error) {
		object = (struct note_object){ .why = OBJECT_WHY_ERROR, .bytes = object.bytes };
	} else {
		object.has_digest = true;
		memcpy(object.sha256, job->read.digest, sizeof(object.sha256));
		object.bytes = job->read.size;
		object.has_copy = job->read.copy_fd >= 0;
		if (job->wants_copy && !object.has_copy)
			object.why = OBJECT_WHY_ERROR;
	}
	say_all(objects, job, &object, now_ns);
}

/* One slice. -EINPROGRESS: there is more. */
static int work_on(struct object_work *objects, struct job *job, size_t bytes)
{
	int error;

	if (!job->reading) {
		error = object_read_open(&job->read, job->path_fd, job->wants_copy);
		if (error)
			return error;
		job->reading = true;
	}
	/* It was smaller when it was asked about. */
	if (job->read.size > READ_MAX ||
	    (job->wants_copy && job->read.size > objects->object_bytes))
		return -EFBIG;
	return object_read_step(&job->read, objects->slice, bytes);
}

static void step_once(struct object_work *objects, enum lane lane, size_t bytes, int64_t now_ns)
{
	struct job *job = objects->jobs[lane];
	int error = work_on(objects, job, bytes);

	if (error == -EINPROGRESS)
		return;
	finish(objects, job, error, now_ns);
	objects->jobs[lane] = job->next;
	objects->n_jobs--;
	free_job(job);
}

int object_work_wait_ms(struct object_work *objects, int64_t now_ns)
{
	if (!objects->n_jobs)
		return -1;
	if (allowance_left(&objects->work, 0, now_ns))
		return 0;
	return (int)((SECOND_NS - now_ns % SECOND_NS) / 1000000) + 1;
}

void object_work_step(struct object_work *objects, uint64_t bytes, int64_t now_ns)
{
	while (bytes && objects->n_jobs && allowance_left(&objects->work, 0, now_ns)) {
		size_t slice = bytes < SLICE_BYTES ? (size_t)bytes : SLICE_BYTES;
		int64_t begun_ns = clock_ns(CLOCK_MONOTONIC);

		if (!objects->jobs[objects->turn])
			objects->turn = (objects->turn + 1) % LANES;
		step_once(objects, objects->turn, slice, now_ns);
		objects->turn = (objects->turn + 1) % LANES;
		allowance_spend(&objects->work, 0, clock_ns(CLOCK_MONOTONIC) - begun_ns);
		bytes -= slice;
	}
}
