/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The copies of suspicious programs beside the store: a note about one goes on when its copy is
 * kept, or is known not to be. */
#include "keep_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "objects.h"

#define STEP_BYTES (1u << 20) /* some milliseconds */
#define STEP_NOTES 64

struct keep_objects {
	struct objects *objects;
	struct note note;
	uint8_t message[WIRE_BYTES_MAX];
	int error; /* that was said */
};

/* Says it when it begins, and when it ends. */
static void count(struct keep *keep)
{
	struct keep_objects *kept = keep->objects;
	uint64_t lost, bad;
	int error;

	objects_counts(kept->objects, &lost, &bad, &error);
	keep->lost[LOST_EVIDENCE] += lost + bad;
	if (error && error != kept->error)
		log_error("copies of programs can't be kept: %s", strerror(-error));
	else if (!error && kept->error)
		log_notice("copies of programs can be kept again");
	kept->error = error;
}

int keep_objects_open(struct keep *keep)
{
	struct keep_objects *kept = calloc(1, sizeof(*kept));
	int fd, error;

	if (!kept)
		return -ENOMEM;
	fd = open(OBJECTS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && keep->config.evidence)
		log_error("%s: %s: no copies of programs are kept", OBJECTS_FOLDER,
			  strerror(errno));
	error = objects_open(&kept->objects, fd, &keep->config, clock_ns(CLOCK_REALTIME));
	if (error) {
		free(kept);
		return error;
	}
	keep->objects = kept;
	count(keep);
	return 0;
}

void keep_objects_free(struct keep_objects *kept)
{
	if (kept)
		objects_free(kept->objects);
	free(kept);
}

static void pass_on(struct keep *keep, int64_t now_ns)
{
	struct keep_objects *kept = keep->objects;
	int len = wire_encode_note(&kept->note, kept->message, sizeof(kept->message));

	if (len > 0)
		keep_note(keep, kept->message, (size_t)len, now_ns);
	else
		keep_bad_message(keep);
}

void keep_objects_note(struct keep *keep, const uint8_t *bytes, size_t len, int fd, int64_t now_ns)
{
	struct keep_objects *kept = keep->objects;
	struct note *note = &kept->note;

	if (wire_decode_note(bytes, len, note) < 0 || !(note->parts & NOTE_OBJECT)) {
		if (fd >= 0)
			close(fd);
		keep_note(keep, bytes, len, now_ns);
		return;
	}
	if (!objects_take(kept->objects, note, fd, clock_ns(CLOCK_REALTIME)))
		note->parts &= ~(uint32_t)NOTE_OBJECT;
	if (note->parts)
		pass_on(keep, now_ns);
	count(keep);
}

void keep_objects_tick(struct keep *keep, int64_t now_ns)
{
	struct keep_objects *kept = keep->objects;

	if (!objects_busy(kept->objects))
		return;
	for (int i = 0; i < STEP_NOTES; i++) {
		if (!objects_step(kept->objects, i ? 1 : STEP_BYTES, clock_ns(CLOCK_REALTIME),
				  &kept->note))
			break;
		pass_on(keep, now_ns);
	}
	count(keep);
}

void keep_objects_finish(struct keep *keep, int64_t now_ns)
{
	while (keep_objects_busy(keep))
		keep_objects_tick(keep, now_ns);
}

bool keep_objects_busy(const struct keep *keep)
{
	return objects_busy(keep->objects->objects);
}

void keep_objects_options(struct keep *keep)
{
	objects_options(keep->objects->objects, &keep->config);
}

void keep_objects_prune(struct keep *keep)
{
	objects_prune(keep->objects->objects, clock_ns(CLOCK_REALTIME));
}
