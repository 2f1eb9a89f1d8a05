/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of processes that the kernel's events keep. */
#include <errno.h>
#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf-free/tasks.h"

static struct tasks *tasks;
static char home[] = "/tmp/egt-tasks-XXXXXX";
static int pair[2], proc_fd;
static unsigned changed, ended, freed;
static uint64_t now_ns;

static void drop(void *context, struct task *task, enum tasks_drop why)
{
	(void)task;
	assert_ptr_equal(context, &pair);
	*(why == TASKS_CHANGED ? &changed : why == TASKS_ENDED ? &ended : &freed) += 1;
}

static int setup(void **unused)
{
	struct timespec now;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_non_null(mkdtemp(home));
	proc_fd = open(home, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(proc_fd, "7", 0700), 0);
	assert_int_equal(mkdirat(proc_fd, "self", 0700), 0);
	assert_int_equal(
		tasks_open(&tasks, &(struct connector){ pair[0], true }, proc_fd, drop, &pair), 0);
	now_ns += 1000000000;
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	tasks_free(tasks);
	unlinkat(proc_fd, "7", AT_REMOVEDIR);
	unlinkat(proc_fd, "self", AT_REMOVEDIR);
	close(proc_fd);
	rmdir(home);
	close(pair[0]);
	close(pair[1]);
	memcpy(home + sizeof(home) - 7, "XXXXXX", 6);
	changed = ended = freed = 0;
	return 0;
}

static void event(enum connector_what what, pid_t pid, pid_t parent, uint64_t ts_ns)
{
	const struct connector_event e = {
		.what = what, .pid = pid, .parent = parent, .uid = 33, .euid = 34, .ts_ns = ts_ns
	};

	tasks_apply(tasks, &e);
}

static void listed(void **unused)
{
	(void)unused;
	assert_int_equal(tasks_count(tasks), 1);
	assert_non_null(tasks_find(tasks, 7));
	assert_null(tasks_find(tasks, 8));
	/* Who had that pid before the listing is not known. */
	assert_null(tasks_at(tasks, 7, 1));
	assert_non_null(tasks_at(tasks, 7, now_ns));
	assert_true(tasks_whole(tasks));
}

static void lives(void **unused)
{
	struct task *task;

	(void)unused;
	event(CONNECTOR_UID, 7, 0, now_ns);
	assert_int_equal(changed, 1);
	event(CONNECTOR_FORK, 100, 7, now_ns + 10);
	task = tasks_find(tasks, 100);
	assert_int_equal(task->parent, 7);
	assert_int_equal(task->uid, 33);
	assert_int_equal(task->euid, 34);
	assert_int_equal(tasks_find(tasks, 7)->forks, 1);
	event(CONNECTOR_EXEC, 100, 0, now_ns + 20);
	assert_int_equal(task->programs, 1);
	assert_ptr_equal(tasks_unread(tasks), task);
	assert_null(tasks_unread(tasks));
	event(CONNECTOR_EXIT, 100, 0, now_ns + 30);
	assert_int_equal(ended, 1);
	assert_null(tasks_find(tasks, 100));
	assert_ptr_equal(tasks_at(tasks, 100, now_ns + 15), task);
	assert_ptr_equal(tasks_at(tasks, 100, now_ns + 30), task);
	assert_null(tasks_at(tasks, 100, now_ns + 31));
	assert_null(tasks_at(tasks, 100, now_ns + 9));
}

static void again(void **unused)
{
	(void)unused;
	event(CONNECTOR_FORK, 100, 7, now_ns + 10);
	event(CONNECTOR_EXIT, 100, 0, now_ns + 20);
	event(CONNECTOR_FORK, 100, 7, now_ns + 30);
	assert_int_equal(tasks_at(tasks, 100, now_ns + 15)->started_ns, now_ns + 10);
	assert_int_equal(tasks_at(tasks, 100, now_ns + 35)->started_ns, now_ns + 30);
	assert_null(tasks_at(tasks, 100, now_ns + 25));
	/* An end that was not told. */
	event(CONNECTOR_FORK, 100, 7, now_ns + 40);
	assert_int_equal(tasks_at(tasks, 100, now_ns + 35)->started_ns, now_ns + 30);
	assert_int_equal(tasks_find(tasks, 100)->started_ns, now_ns + 40);
}

static void threads(void **unused)
{
	(void)unused;
	event(CONNECTOR_FORK, 100, 7, now_ns + 10);
	event(CONNECTOR_THREAD, 100, 100, now_ns + 11);
	event(CONNECTOR_EXIT, 100, 0, now_ns + 20);
	assert_non_null(tasks_find(tasks, 100)); /* the others may go on */
	event(CONNECTOR_EXEC, 100, 0, now_ns + 25);
	event(CONNECTOR_EXIT, 100, 0, now_ns + 30);
	assert_null(tasks_find(tasks, 100));
	/* A thread that executes a program takes its leader's place. */
	event(CONNECTOR_EXEC, 100, 0, now_ns + 35);
	assert_non_null(tasks_find(tasks, 100));
	assert_int_equal(tasks_count(tasks), 2);
}

static void newest(void **unused)
{
	struct task *found[4];

	(void)unused;
	event(CONNECTOR_UID, 7, 0, now_ns);
	for (pid_t pid = 100; pid < 120; pid++)
		event(CONNECTOR_FORK, pid, 7, now_ns + (uint64_t)pid);
	assert_int_equal(tasks_newest(tasks, 34, found, 4), 4);
	assert_int_equal(found[0]->pid, 119);
	assert_int_equal(found[3]->pid, 116);
	event(CONNECTOR_EXIT, 119, 0, now_ns + 200);
	assert_int_equal(tasks_newest(tasks, 34, found, 2), 2);
	assert_int_equal(found[0]->pid, 118);
	assert_int_equal(tasks_newest(tasks, 33, found, 4), 0);
}

static void tombs(void **unused)
{
	(void)unused;
	for (pid_t pid = 1000; pid < 1000 + TASKS_TOMBS + 500; pid++) {
		event(CONNECTOR_FORK, pid, 7, now_ns);
		event(CONNECTOR_EXIT, pid, 0, now_ns);
	}
	assert_int_equal(tasks_count(tasks), 1);
	/* They make room when the next events come. */
	send(pair[1], "x", 1, 0);
	tasks_drain(tasks);
	assert_non_null(tasks_at(tasks, 1000 + TASKS_TOMBS + 499, now_ns));
}

static void put_datagram(uint32_t what, uint32_t cpu, uint32_t sequence)
{
	struct {
		struct nlmsghdr header;
		struct cn_msg message;
		struct proc_event event;
	} __attribute__((packed)) told = {
		.header = { .nlmsg_len = sizeof(told), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC },
			     .seq = sequence,
			     .len = sizeof(struct proc_event) },
		.event = { .cpu = cpu },
	};
	struct connector_event event = { .pid = -7 };
	uint8_t *copy;

	told.event.what = what;
	told.event.event_data.fork.parent_pid = told.event.event_data.fork.parent_tgid = 7;
	told.event.event_data.fork.child_pid = told.event.event_data.fork.child_tgid = 500;
	assert_int_equal(connector_parse(&told, sizeof(told), &event), 0);
	assert_int_equal(event.cpu, cpu);
	assert_int_equal(event.sequence, sequence);
	for (size_t n = 0; n < sizeof(told); n++) {
		copy = malloc(n ? n : 1);
		memcpy(copy, &told, n);
		assert_int_equal(connector_parse(copy, n, &event), -EBADMSG);
		free(copy);
	}
	told.message.id.val++;
	assert_int_equal(connector_parse(&told, sizeof(told), &event), -EBADMSG);
}

static void datagrams(void **unused)
{
	(void)unused;
	put_datagram(PROC_EVENT_FORK, 1, 5);
	put_datagram(PROC_EVENT_SID, 3, 6);
}

/* What does not come from the kernel is not believed: this one comes over a unix socket. */
static void strangers(void **unused)
{
	struct {
		struct nlmsghdr header;
		struct cn_msg message;
		struct proc_event event;
	} __attribute__((packed)) told = {
		.header = { .nlmsg_len = sizeof(told), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(struct proc_event) },
		.event = { .what = PROC_EVENT_FORK },
	};

	(void)unused;
	told.event.event_data.fork.child_pid = told.event.event_data.fork.child_tgid = 500;
	assert_int_equal(send(pair[1], &told, sizeof(told), 0), sizeof(told));
	assert_int_equal(tasks_drain(tasks), 0);
	assert_null(tasks_find(tasks, 500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a listed process is known from the listing on", listed, setup, teardown },
		{ "a process is found from its fork to its end, and for a while after", lives,
		  setup, teardown },
		{ "a pid that comes round again is two processes", again, setup, teardown },
		{ "the end of a leader is not that of its threads", threads, setup, teardown },
		{ "the newest processes of a user come first", newest, setup, teardown },
		{ "tombstones are bounded", tombs, setup, teardown },
		{ "a datagram is read whole, or not at all", datagrams, setup, teardown },
		{ "what the kernel did not send is not believed", strangers, setup, teardown },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_tasks", tests, NULL, NULL);
}
