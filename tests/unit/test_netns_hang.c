/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A description that waits as long as the described process wants: the finder's part in it. What
 * describes is this file's own, and hangs until it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf-free/clock.h"
#include "bpf-free/describe.h"
#include "bpf-free/netns_internal.h"
#include "bpf-free/proc.h"
#include "bpf-free/search.h"

#define MS 1000000ull

static int gate[2]; /* who reads a byte may go on */
static _Atomic int waiting, gone;

void describe_init(struct describe *describe, int proc_fd, struct search_care *care)
{
	memset(describe, 0, sizeof(*describe));
	describe->proc_fd = proc_fd;
	describe->care = care;
}

void describe_done(struct describe *describe)
{
	(void)describe;
}

bool describe_copy(char *out, size_t size, const char *text)
{
	(void)out, (void)size, (void)text;
	return false;
}

void describe_clear(struct owner *owner)
{
	memset(&owner->proc, 0, sizeof(owner->proc));
}

int describe_process(struct describe *describe, int pid_fd, pid_t pid, pid_t tid,
		     struct owner *owner)
{
	char byte;

	(void)tid;
	if (!describe->care->nobody) {
		waiting++;
		(void)!read(gate[0], &byte, 1);
		gone++;
		strcpy(owner->script, "/whole");
	}
	return proc_ref(pid_fd, pid, &owner->proc, NULL);
}

static int take(struct netns_finder *finder, uint64_t *id, struct owner *owner)
{
	struct pollfd wait = { .fd = netns_finder_fd(finder), .events = POLLIN };

	return poll(&wait, 1, 5000) == 1 ? netns_finder_take(finder, id, owner) : -ETIME;
}

static bool becomes(const _Atomic int *number, int value)
{
	for (int i = 0; i < 500 && *number != value; i++)
		usleep(10000);
	return *number == value;
}

/* A socket of our own, which we hold. */
static struct netns_answer our_own(int *socket_fd)
{
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct netns_answer answer = { .why = NETNS_FOUND, .n_pids = 1 };
	struct stat st;

	*socket_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(fstat(*socket_fd, &st), 0);
	answer.inode = (uint32_t)st.st_ino;
	answer.netns = netns_of_process(proc_fd, getpid());
	answer.pids[0] = getpid();
	close(proc_fd);
	return answer;
}

static uint64_t in_ms(unsigned ms)
{
	return clock_mono_ns() + ms * MS;
}

static void one_hangs_and_the_next_is_named_without_what_hangs(void **state)
{
	struct netns_finder *finder;
	struct netns_answer answer;
	struct owner owner;
	uint64_t id = 0;
	const char *what;
	int socket_fd;

	(void)state;
	waiting = gone = 0;
	answer = our_own(&socket_fd);
	assert_int_equal(netns_finder_open(&finder, &what), 0);
	assert_int_equal(netns_finder_post(finder, 1, &answer, 1000, in_ms(50)), 0);
	assert_true(becomes(&waiting, 1));
	usleep(100000);
	for (uint64_t next = 2; next < 5; next++) {
		assert_int_equal(netns_finder_post(finder, next, &answer, 1000, in_ms(5000)), 0);
		assert_int_equal(take(finder, &id, &owner), 0);
		assert_int_equal(id, next);
		assert_int_equal(owner.how, OWNER_CONFIRMED);
		assert_int_equal(owner.proc.pid, getpid());
		assert_int_equal(owner.script[0], 0);
		assert_int_equal(owner.script_why, OWNER_WHY_DEADLINE);
	}
	assert_int_equal(waiting, 1);
	/* It comes back: its answer is nobody's any more, and the next one is read whole. */
	assert_int_equal(write(gate[1], "xx", 2), 2);
	assert_true(becomes(&gone, 1));
	usleep(50000);
	assert_int_equal(netns_finder_take(finder, &id, &owner), -EAGAIN);
	assert_int_equal(netns_finder_post(finder, 9, &answer, 1000, in_ms(5000)), 0);
	assert_int_equal(take(finder, &id, &owner), 0);
	assert_int_equal(id, 9);
	assert_string_equal(owner.script, "/whole");
	netns_finder_free(finder);
	close(socket_fd);
}

static void a_second_that_hangs_is_left_too_and_the_end_waits_for_nobody(void **state)
{
	struct netns_finder *finder;
	struct netns_answer answer;
	struct owner owner;
	uint64_t id = 0;
	const char *what;
	int socket_fd, hung = 0;

	(void)state;
	waiting = gone = 0;
	answer = our_own(&socket_fd);
	assert_int_equal(netns_finder_open(&finder, &what), 0);
	/* Both are posted before anybody hangs, so neither is spared. */
	assert_int_equal(netns_finder_post(finder, 1, &answer, 1000, in_ms(30)), 0);
	assert_int_equal(netns_finder_post(finder, 2, &answer, 1000, in_ms(2000)), 0);
	assert_true(becomes(&waiting, 1));
	usleep(80000);
	while (netns_finder_take(finder, &id, &owner) == -EAGAIN && hung++ < 100)
		usleep(10000);
	assert_true(becomes(&waiting, 2));
	usleep(100000);
	netns_finder_free(finder); /* waits for nobody */
	assert_int_equal(write(gate[1], "xx", 2), 2);
	assert_true(becomes(&gone, 2));
	usleep(100000); /* the last to go takes all along: a leak would be seen */
	close(socket_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_hangs_and_the_next_is_named_without_what_hangs),
		cmocka_unit_test(a_second_that_hangs_is_left_too_and_the_end_waits_for_nobody),
	};

	if (pipe2(gate, O_CLOEXEC) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
