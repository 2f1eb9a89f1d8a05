/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What judge, witness and recorder do with a suspicious program, in one process, for the live test:
 * object_tool FOLDER OBJECT_BYTES OBJECTS_BYTES; one question a line on standard input,
 *   SRC SPORT DST DPORT UID
 * one JSON object a line on standard output. It only asks; it judges nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/clock.h"
#include "agent/object.h"
#include "agent/object_work.h"
#include "agent/objects.h"
#include "agent/objects_folder.h"

#define STEP_BYTES (256u << 10)

struct tool {
	struct object_work *witness;
	struct objects *objects;
	struct note note; /* the final one */
	bool has_note;
	int64_t longest_ns;
};

static int hear(void *context, const struct note *note, int copy_fd)
{
	struct tool *tool = context;

	tool->note = *note;
	tool->has_note = objects_take(tool->objects, &tool->note,
				      copy_fd >= 0 ? fcntl(copy_fd, F_DUPFD_CLOEXEC, 3) : -1,
				      clock_ns(CLOCK_REALTIME));
	return 0;
}

static void timed(struct tool *tool, int64_t begun_ns)
{
	int64_t took_ns = clock_ns(CLOCK_MONOTONIC) - begun_ns;

	if (took_ns > tool->longest_ns)
		tool->longest_ns = took_ns;
}

/* Until all is said and written. */
static void work(struct tool *tool)
{
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	int wait_ms;

	while ((wait_ms = object_work_wait_ms(tool->witness, now_ns)) >= 0) {
		poll(NULL, 0, wait_ms);
		now_ns = clock_ns(CLOCK_MONOTONIC);
		object_work_step(tool->witness, STEP_BYTES, now_ns);
		timed(tool, now_ns);
		now_ns = clock_ns(CLOCK_MONOTONIC);
	}
	while (objects_busy(tool->objects))
		if (objects_step(tool->objects, STEP_BYTES, clock_ns(CLOCK_REALTIME), &tool->note))
			tool->has_note = true;
}

static int parse(const char *line, struct owner_query *query)
{
	char src[64], dst[64];
	unsigned sport, dport, uid;

	memset(query, 0, sizeof(*query));
	if (sscanf(line, "%63s %u %63s %u %u", src, &sport, dst, &dport, &uid) != 5)
		return -EINVAL;
	query->family = strchr(src, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(query->family, src, query->src) != 1 ||
	    inet_pton(query->family, dst, query->dst) != 1)
		return -EINVAL;
	query->sport = (uint16_t)sport;
	query->dport = (uint16_t)dport;
	query->has_uid = true;
	query->uid = uid;
	return 0;
}

static void put(const struct tool *tool, const struct owner *owner, bool opened)
{
	const struct note_object *object = &tool->note.object;
	char name[OBJECTS_NAME_BYTES];

	objects_name(object->sha256, name);
	printf("{\"pid\":%d,\"place\":%u,\"poses\":%s,\"suspicious\":%s,\"opened\":%s,\"note\":%s",
	       owner->proc.pid, owner->exe_place, owner->poses ? "true" : "false",
	       object_is_suspicious(owner) ? "true" : "false", opened ? "true" : "false",
	       tool->has_note ? "true" : "false");
	if (tool->has_note)
		printf(",\"why\":\"%s\",\"sha256\":\"%s\",\"bytes\":%llu,\"copy\":%s",
		       note_object_why_words[object->why], object->has_digest ? name : "",
		       (unsigned long long)object->bytes, object->has_copy ? "true" : "false");
	printf(",\"longest_us\":%lld}\n", (long long)tool->longest_ns / 1000);
	fflush(stdout);
}

/* As the judge does it after the verdict, and the witness when it is asked. */
static int answer(struct tool *tool, struct owner_finder *finder, const char *line)
{
	struct owner_wait *wait = NULL;
	static struct record record;
	struct owner_query query;
	int64_t begun_ns;
	int fd;

	if (parse(line, &query))
		return -EINVAL;
	memset(&record, 0, sizeof(record));
	record.id = 1;
	if (owner_find(finder, &query, &record.owner, &wait) == -EINPROGRESS)
		owner_wait_end(wait, &record.owner);
	tool->has_note = false;
	tool->longest_ns = 0;
	begun_ns = clock_ns(CLOCK_MONOTONIC);
	fd = object_open(&record.owner);
	object_work_add(tool->witness, fd, &record, begun_ns);
	timed(tool, begun_ns);
	work(tool);
	put(tool, &record.owner, fd >= 0);
	return 0;
}

int main(int argc, char **argv)
{
	const struct owner_budget budget = { 64, 100, 100, 0 };
	struct owner_finder *finder;
	struct tool tool = { 0 };
	struct config config;
	const char *what = "";
	char line[512];
	int error;

	if (argc != 4)
		return 2;
	config_defaults(&config);
	config.object_bytes = strtoull(argv[2], NULL, 10);
	config.objects_bytes = strtoull(argv[3], NULL, 10);
	error = owner_finder_open(&finder, "/proc", &budget, NULL, &what);
	if (error) {
		fprintf(stderr, "%s: %s\n", what, strerror(-error));
		return 1;
	}
	if (object_work_open(&tool.witness, &config, hear, &tool) ||
	    objects_open(&tool.objects, open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), &config,
			 clock_ns(CLOCK_REALTIME)))
		return 1;
	while (fgets(line, sizeof(line), stdin) && !answer(&tool, finder, line))
		;
	object_work_close(tool.witness);
	objects_free(tool.objects);
	owner_finder_free(finder);
	return 0;
}
