/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Describes new programs as they come, on a thread beside the look-ups: one that connects and exits
 * at once is gone before anybody could ask. It holds nobody up. */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "finder.h"

#define READER_NS (100 * NS_PER_MS) /* for one program's description */

/* The reader's last description, if it is done. */
static void take_reading(struct owner_finder *f, uint64_t now_ns)
{
	struct slot *slot = f->reader;
	struct task *task;
	int error = slot_await(&f->slots, &f->reader, 0);

	if (error == -EAGAIN && now_ns - f->read_since_ns > READER_NS)
		slot_leave(&f->slots, &f->reader);
	if (error == -EAGAIN && f->reader)
		return;
	f->reading = false;
	if (error || slot->result)
		return;
	task = tasks_find(near_tasks(f->near), f->read_pid);
	if (!task || task->programs != f->read_programs ||
	    tasks_resyncs(near_tasks(f->near)) != f->read_resyncs)
		return;
	near_learn(f->near, task, &slot->owner, now_ns);
}

/* Gives the reader a program that nobody has looked at yet. */
static void read_next(struct owner_finder *f, uint64_t now_ns)
{
	struct slot *slot;
	struct task *task;
	int folder;

	do {
		task = tasks_unread(near_tasks(f->near));
		folder = task && !task->seen ? near_folder(f->near, task) : -1;
	} while (task && folder < 0);
	if (!task)
		return;
	slot = slot_take(&f->slots, &f->reader);
	if (!slot)
		return;
	slot->done_fd = f->reader_fd;
	slot->job = SLOT_DESCRIBE;
	slot->found = (struct search_found){ .pid = task->pid,
					     .tid = task->pid,
					     .pid_fd = fcntl(folder, F_DUPFD_CLOEXEC, 0) };
	owner_init(&slot->owner);
	slot->limits = (struct lookup_limits){ 0 };
	near_told(f->near, task, &slot->limits.told);
	if (slot->limits.told.parents)
		near_parents(f->near, task, &slot->owner);
	f->reading = true;
	f->read_pid = task->pid;
	f->read_programs = task->programs;
	f->read_resyncs = tasks_resyncs(near_tasks(f->near));
	f->read_since_ns = now_ns;
	slot_post(slot);
}

void reader_step(struct owner_finder *f, uint64_t now_ns)
{
	eventfd_t ended;

	if (f->reading) {
		eventfd_read(f->reader_fd, &ended);
		take_reading(f, now_ns);
	}
	if (!f->reading)
		read_next(f, now_ns);
}

void reader_end(struct owner_finder *f)
{
	if (f->reading)
		slot_await(&f->slots, &f->reader, clock_mono_ns() + READER_NS);
	f->reading = false;
}
