/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: what the kernel says of them, who is in them, who of those holds a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/enter.h"
#include "bpf-free/clock.h"
#include "bpf-free/netns_internal.h"

#define SEQ 7u
#define MS  1000000ull

/* --- texts --------------------------------------------------------------------------------- */

static void a_namespaces_link_is_its_inode(void **state)
{
	static const char *const bad[] = {
		"",
		"net:[]",
		"net:[0]",
		"net:[1",
		"net:1]",
		"mnt:[4026531840]",
		"net:[ 1]",
		"net:[-1]",
		"net:[18446744073709551616]",
		"net:[1]x",
		"net:[1a]",
		"socket:[77]",
		"net:[1]\n",
		"net:[1] (deleted)",
	};
	uint64_t inode = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(netns_parse_link(bad[i], strlen(bad[i]), &inode), -EBADMSG);
	assert_int_equal(inode, 5);
	assert_int_equal(netns_parse_link("net:[4026531840]", 16, &inode), 0);
	assert_int_equal(inode, 4026531840u);
	assert_int_equal(netns_parse_link("net:[18446744073709551615]", 26, &inode), 0);
	assert_true(inode == UINT64_MAX);
}

static void a_thread_tells_whose_it_is(void **state)
{
	static const char good[] = "Name:\tTgid:\t9\nUmask:\t0022\nTgid:\t77\nNgid:\t0\n";
	static const char *const bad[] = { "",
					   "Tgid:\t77\n",
					   "Name:\tx\nTgid:\t77",
					   "\nTgid:\t\n",
					   "\nTgid:\tx\n",
					   "\nTgid:\t0\n",
					   "\nTgid:\t4294967296\n" };
	pid_t tgid = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(netns_parse_tgid(bad[i], strlen(bad[i]), &tgid), -EBADMSG);
	assert_int_equal(tgid, 5);
	assert_int_equal(netns_parse_tgid(good, sizeof(good) - 1, &tgid), 0);
	assert_int_equal(tgid, 77);
}

static void the_last_pid_is_the_last_number(void **state)
{
	static const char *const bad[] = { "", "\n", "0\n", "12 \n", "x", "4294967295\n" };
	pid_t pid = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(netns_parse_last_pid(bad[i], strlen(bad[i]), &pid), -EBADMSG);
	assert_int_equal(pid, 5);
	assert_int_equal(netns_parse_last_pid("4711\n", 5, &pid), 0);
	assert_int_equal(pid, 4711);
	assert_int_equal(netns_parse_last_pid("0.1 0.2 0.3 1/234 81\n", 21, &pid), 0);
	assert_int_equal(pid, 81);
}

/* --- addresses ----------------------------------------------------------------------------- */

struct dump {
	uint8_t bytes[4096];
	size_t len;
};

static struct nlmsghdr *begin(struct dump *dump, uint16_t type)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(dump->bytes + dump->len);

	*header = (struct nlmsghdr){ .nlmsg_len = sizeof(*header),
				     .nlmsg_type = type,
				     .nlmsg_seq = SEQ };
	dump->len += sizeof(*header);
	return header;
}

static void append(struct dump *dump, struct nlmsghdr *header, const void *bytes, size_t len)
{
	memcpy(dump->bytes + dump->len, bytes, len);
	dump->len += NLA_ALIGN(len);
	header->nlmsg_len += (uint32_t)NLA_ALIGN(len);
}

static void put_attr(struct dump *dump, struct nlmsghdr *header, uint16_t type, const void *value,
		     size_t len)
{
	struct nlattr attr = { (uint16_t)(sizeof(attr) + len), type };

	append(dump, header, &attr, sizeof(attr));
	append(dump, header, value, len);
}

/* type: IFA_ADDRESS or IFA_LOCAL; other: of IFA_ADDRESS beside IFA_LOCAL, or NULL. */
static void put_address(struct dump *dump, uint8_t family, const uint8_t *own, const uint8_t *other)
{
	struct nlmsghdr *header = begin(dump, RTM_NEWADDR);
	struct ifaddrmsg head = { .ifa_family = family, .ifa_index = 3 };
	size_t size = family == AF_INET ? 4 : 16;

	append(dump, header, &head, sizeof(head));
	if (other)
		put_attr(dump, header, IFA_ADDRESS, other, size);
	put_attr(dump, header, IFA_LABEL, "eth0", 5);
	put_attr(dump, header, other || family == AF_INET ? IFA_LOCAL : IFA_ADDRESS, own, size);
}

static void put_end(struct dump *dump, uint16_t type, int said)
{
	append(dump, begin(dump, type), &said, sizeof(said));
}

static const uint8_t four[4] = { 172, 17, 0, 2 }, peer[4] = { 10, 9, 8, 7 },
		     lo[4] = { 127, 0, 0, 1 };
static const uint8_t six[16] = { 0xfd, 1, [15] = 2 }, lo6[16] = { [15] = 1 },
		     link6[16] = { 0xfe, 0x80, [15] = 2 };

/* In a block of its own size, so that a sanitizer sees a read behind it. */
static int parse(const void *bytes, size_t len, struct netns_addresses *addresses)
{
	void *copy = malloc(len ? len : 1);
	int result;

	memcpy(copy, bytes, len);
	result = netns_parse_addresses(copy, len, SEQ, addresses);
	free(copy);
	return result;
}

static void the_addresses_that_packets_come_from_are_kept(void **state)
{
	struct netns_address room[NETNS_ADDRESSES];
	struct netns_addresses addresses = { .at = room };
	struct dump dump = { .len = 0 };
	uint8_t padded[16] = { 172, 17, 0, 2 };

	(void)state;
	put_address(&dump, AF_INET, lo, NULL);
	put_address(&dump, AF_INET6, lo6, NULL);
	put_address(&dump, AF_INET6, link6, NULL);
	put_address(&dump, AF_INET, four, peer);
	put_address(&dump, AF_INET, four, NULL); /* on another device, too */
	put_address(&dump, AF_INET6, six, NULL);
	assert_int_equal(parse(dump.bytes, dump.len, &addresses), 0);
	assert_int_equal(addresses.n, 2);
	assert_non_null(netns_find_address(&addresses, AF_INET, padded));
	assert_int_equal(netns_find_address(&addresses, AF_INET, padded)->ifindex, 3);
	assert_non_null(netns_find_address(&addresses, AF_INET6, six));
	assert_null(netns_find_address(&addresses, AF_INET6, padded));
	memcpy(padded, peer, 4);
	assert_null(netns_find_address(&addresses, AF_INET, padded));
	put_end(&dump, NLMSG_DONE, 0);
	assert_int_equal(parse(dump.bytes, dump.len, &addresses), 1);
	assert_int_equal(addresses.n, 2);
}

static void more_addresses_than_are_kept_are_said_to_be_more(void **state)
{
	struct netns_address room[NETNS_ADDRESSES];
	struct netns_addresses addresses = { .at = room };

	(void)state;
	for (unsigned i = 0; i < NETNS_ADDRESSES + 1; i++) {
		struct dump dump = { .len = 0 };

		assert_false(addresses.more);
		put_address(&dump, AF_INET, (uint8_t[]){ 10, 0, (uint8_t)(i >> 8), (uint8_t)i },
			    NULL);
		assert_int_equal(parse(dump.bytes, dump.len, &addresses), 0);
	}
	assert_true(addresses.more);
	assert_int_equal(addresses.n, NETNS_ADDRESSES);
}

static void what_the_kernel_refuses_is_its_error(void **state)
{
	struct netns_address room[NETNS_ADDRESSES];
	struct netns_addresses addresses = { .at = room };
	static const struct {
		uint16_t type;
		int said, result;
	} cases[] = { { NLMSG_ERROR, -EPERM, -EPERM },
		      { NLMSG_DONE, -EINTR, -EINTR },
		      { NLMSG_ERROR, -4096, -EBADMSG },
		      { NLMSG_DONE, 0, 1 },
		      { NLMSG_ERROR, 0, 1 },
		      { NLMSG_DONE, 5, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dump dump = { .len = 0 };

		put_end(&dump, cases[i].type, cases[i].said);
		assert_int_equal(parse(dump.bytes, dump.len, &addresses), cases[i].result);
		((struct nlmsghdr *)dump.bytes)->nlmsg_seq++;
		assert_int_equal(parse(dump.bytes, dump.len, &addresses), 0); /* of another dump */
	}
	assert_int_equal(addresses.n, 0);
}

static void a_dump_cut_anywhere_reads_no_byte_too_many(void **state)
{
	struct netns_address room[NETNS_ADDRESSES];
	struct dump dump = { .len = 0 };
	unsigned bad = 0;

	(void)state;
	put_address(&dump, AF_INET, four, peer);
	put_address(&dump, AF_INET6, six, NULL);
	put_end(&dump, NLMSG_DONE, 0);
	for (size_t len = 0; len < dump.len; len++) {
		struct netns_addresses addresses = { .at = room };
		int result = parse(dump.bytes, len, &addresses);

		assert_true(result == 0 || result == -EBADMSG);
		bad += result == -EBADMSG;
		/* Each header byte, each length changed. */
		for (unsigned value = 0; value < 256; value += 5) {
			uint8_t kept = dump.bytes[len];

			addresses.n = 0;
			dump.bytes[len] = (uint8_t)value;
			parse(dump.bytes, dump.len, &addresses);
			assert_true(addresses.n <= 2);
			dump.bytes[len] = kept;
		}
	}
	assert_true(bad > dump.len / 2);
}

/* --- messages ------------------------------------------------------------------------------ */

static void a_message_that_is_none_is_refused(void **state)
{
	struct enter_question question = { .id = 1, .query = { .family = AF_INET } }, taken = { 0 };
	struct enter_answer answer = { .id = 1 }, got = { 0 };

	(void)state;
	assert_int_equal(enter_read_question(&question, sizeof(question), &taken), 0);
	assert_int_equal(taken.id, 1);
	taken.id = 5;
	assert_int_equal(enter_read_question(&question, sizeof(question) - 1, &taken), -EBADMSG);
	question.query.family = 0;
	assert_int_equal(enter_read_question(&question, sizeof(question), &taken), -EBADMSG);
	assert_int_equal(taken.id, 5);

	answer.answer.why = NETNS_NO_SOCKET;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), 0);
	assert_int_equal(got.answer.why, NETNS_NO_SOCKET);
	assert_int_equal(enter_read_answer(&answer, sizeof(answer) - 1, &got), -EBADMSG);
	answer.answer.why = NETNS_WHY_N;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), -EBADMSG);
	answer.answer.why = NETNS_FOUND;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), -EBADMSG);
	answer.answer.netns = 1;
	answer.answer.inode = 1;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), 0);
	answer.answer.n_pids = NETNS_PIDS + 1;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), -EBADMSG);
	answer.answer.n_pids = 1;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), -EBADMSG); /* pid 0 */
	answer.answer.pids[0] = -1;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), -EBADMSG);
	answer.answer.pids[0] = 7;
	assert_int_equal(enter_read_answer(&answer, sizeof(answer), &got), 0);
	assert_int_equal(got.answer.pids[0], 7);
}

static void each_reason_says_what_is_known(void **state)
{
	struct netns_answer answer = { .netns = 1, .inode = 4711, .uid = 33, .cookie = 9 };
	struct owner owner;

	(void)state;
	for (unsigned why = 0; why < NETNS_WHY_N; why++) {
		answer.why = why;
		netns_owner(&answer, &owner);
		assert_true(owner.why != OWNER_WHY_NONE);
		assert_int_equal(owner.how,
				 why == NETNS_AMBIGUOUS ? OWNER_UNKNOWN : OWNER_FOREIGN_NETNS);
		assert_int_equal(owner.has_socket, why == NETNS_FOUND);
		assert_int_equal(owner.proc.pid, 0);
		assert_non_null(netns_why_words[why]);
	}
	answer.why = NETNS_FOUND;
	netns_owner(&answer, &owner);
	assert_int_equal(owner.inode, 4711);
	assert_int_equal(owner.socket_uid, 33);
}

/* --- this machine's processes -------------------------------------------------------------- */

static int proc_fd;

static pid_t spawn_idle(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool has_pid(const pid_t *pids, unsigned n, pid_t pid)
{
	for (unsigned i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static void *wait_for_end(void *arg)
{
	char byte;

	(void)!read(*(int *)arg, &byte, 1);
	return NULL;
}

static void whoever_came_since_the_last_look_is_added_and_no_thread(void **state)
{
	struct netns_processes processes = { .proc_fd = proc_fd };
	uint64_t own = netns_of_process(proc_fd, getpid());
	pid_t pids[NETNS_PIDS], child;
	unsigned n, before;
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_true(own != 0);
	assert_int_equal(netns_of_process(proc_fd, INT32_MAX), 0);
	assert_int_equal(netns_processes_scan(&processes), 0);
	assert_true(processes.last > 0);
	before = processes.n;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &ends[0]), 0);
	child = spawn_idle();
	n = netns_processes_of(&processes, own, getuid(), pids);
	assert_false(has_pid(pids, n, child));
	assert_int_equal(netns_processes_catch_up(&processes), 0);
	assert_true(processes.n > before);
	n = netns_processes_of(&processes, own, getuid(), pids);
	assert_true(has_pid(pids, n, child));
	/* The thread's number lies between the two, and it is no process. */
	for (unsigned i = 0; i < processes.n; i++) {
		assert_true(i == 0 || processes.at[i - 1].pid < processes.at[i].pid);
		if (processes.at[i].pid > getpid() && processes.at[i].pid < child &&
		    processes.at[i].netns) {
			char path[64];
			struct stat st;

			snprintf(path, sizeof(path), "/proc/%d/task/%d", getpid(),
				 processes.at[i].pid);
			assert_int_equal(stat(path, &st), -1);
		}
	}
	end(child);
	n = netns_processes_of(&processes, own, getuid(), pids);
	assert_false(has_pid(pids, n, child));
	close(ends[1]);
	pthread_join(thread, NULL);
	close(ends[0]);
	processes.last = 0; /* not known: everybody must be looked at */
	assert_int_equal(netns_processes_catch_up(&processes), -E2BIG);
	free(processes.at);
}

static void a_young_process_that_goes_to_another_namespace_is_seen_there(void **state)
{
	struct netns_processes processes = { .proc_fd = proc_fd };
	uint64_t other = 0;
	int orders[2], done[2];
	char byte = 0;
	pid_t child;

	(void)state;
	processes.own = netns_of_process(proc_fd, getpid());
	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(done), 0);
	assert_int_equal(netns_processes_scan(&processes), 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!read(orders[0], &byte, 1);
		byte = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
		(void)!write(done[1], &byte, 1);
		for (;;)
			pause();
	}
	assert_int_equal(netns_processes_catch_up(&processes), 0);
	for (unsigned i = 0; i < processes.n; i++)
		assert_true(processes.at[i].pid != child); /* at home like us */
	assert_int_equal(write(orders[1], "x", 1), 1);
	assert_int_equal(read(done[0], &byte, 1), 1);
	if (byte == 'y') {
		assert_int_equal(netns_processes_catch_up(&processes), 0);
		for (unsigned i = 0; i < processes.n; i++)
			if (processes.at[i].pid == child)
				other = processes.at[i].netns;
		assert_true(other != 0 && other == netns_of_process(proc_fd, child));
	}
	end(child);
	free(processes.at);
	close(orders[0]), close(orders[1]), close(done[0]), close(done[1]);
	if (byte != 'y')
		skip();
}

/* A child that holds a socket of ours among others; its number there. */
static pid_t spawn_holder(uint32_t *inode)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*inode = (uint32_t)st.st_ino;
	pid = spawn_idle();
	close(fd);
	return pid;
}

static struct netns_answer answer_of(uint32_t inode, unsigned n, const pid_t *pids)
{
	struct netns_answer answer = {
		.why = NETNS_FOUND,
		.netns = netns_of_process(proc_fd, getpid()),
		.inode = inode,
		.uid = getuid(),
		.n_pids = n,
	};

	memcpy(answer.pids, pids, n * sizeof(*pids));
	return answer;
}

static void only_a_table_that_shows_the_socket_makes_a_holder(void **state)
{
	struct netns_holder holder;
	uint64_t soon = clock_mono_ns() + 5000 * MS;
	struct netns_answer answer;
	pid_t pids[2], idle = spawn_idle();
	unsigned fds = 0;
	uint32_t inode;

	(void)state;
	pids[0] = idle;
	pids[1] = spawn_holder(&inode);
	answer = answer_of(inode, 2, pids);
	assert_int_equal(netns_holder_find(proc_fd, &answer, 64, soon, &holder, &fds), 0);
	assert_int_equal(holder.pid, pids[1]);
	assert_true(fds > 0 && fds <= 64);
	assert_true(netns_holder_still(&holder, inode));
	assert_false(netns_holder_still(&holder, inode + 1));
	/* bounded in descriptors, and in time */
	assert_int_equal(netns_holder_find(proc_fd, &answer, 0, soon, &holder, &fds), -ENOBUFS);
	assert_int_equal(fds, 0);
	assert_int_equal(netns_holder_find(proc_fd, &answer, 64, 1, &holder, &fds), -ETIME);
	/* a process of another namespace is none, whatever it holds */
	answer.netns++;
	assert_int_equal(netns_holder_find(proc_fd, &answer, 64, soon, &holder, &fds), -ENOENT);
	answer.netns--;
	answer.n_pids = 1; /* the one that does not hold it */
	assert_int_equal(netns_holder_find(proc_fd, &answer, 64, soon, &holder, &fds), -ENOENT);
	end(pids[1]);
	assert_false(netns_holder_still(&holder, inode));
	close(holder.pid_fd);
	end(idle);
}

static int take(struct netns_finder *finder, uint64_t *id, struct owner *owner)
{
	struct pollfd wait = { .fd = netns_finder_fd(finder), .events = POLLIN };

	return poll(&wait, 1, 5000) == 1 ? netns_finder_take(finder, id, owner) : -ETIME;
}

static void the_finder_names_a_holder_or_says_why_not(void **state)
{
	uint64_t soon = clock_mono_ns() + 5000 * MS, id = 0;
	struct netns_finder *finder;
	struct netns_answer answer;
	struct owner owner;
	const char *what;
	uint32_t inode;
	pid_t pid = spawn_holder(&inode);

	(void)state;
	assert_int_equal(netns_finder_open(&finder, &what), 0);
	assert_int_equal(netns_finder_take(finder, &id, &owner), -EAGAIN);
	answer = answer_of(inode, 1, &pid);
	assert_int_equal(netns_finder_post(finder, 77, &answer, 64, soon), 0);
	assert_int_equal(take(finder, &id, &owner), 0);
	assert_int_equal(id, 77);
	assert_int_equal(owner.how, OWNER_CONFIRMED);
	assert_int_equal(owner.proc.pid, pid);
	assert_int_equal(owner.proc.uid, getuid());
	assert_int_equal(owner.inode, inode);
	assert_true(owner.exe[0] == '/' && owner.cmdline_bytes > 0);
	assert_int_equal(owner.n_holders, 1);

	answer.inode++;
	assert_int_equal(netns_finder_post(finder, 78, &answer, 64, soon), 0);
	assert_int_equal(take(finder, &id, &owner), 0);
	assert_int_equal(id, 78);
	assert_int_equal(owner.how, OWNER_UNKNOWN);
	assert_int_equal(owner.why, OWNER_WHY_NETNS);
	assert_int_equal(owner.proc.pid, 0);
	assert_true(owner.has_socket);

	answer.inode--;
	assert_int_equal(netns_finder_post(finder, 79, &answer, 0, soon), 0);
	assert_int_equal(take(finder, &id, &owner), 0);
	assert_int_equal(owner.why, OWNER_WHY_BUDGET);
	end(pid);
	assert_int_equal(netns_finder_post(finder, 80, &answer, 64, soon), 0);
	assert_int_equal(take(finder, &id, &owner), 0);
	assert_int_equal(owner.proc.pid, 0);
	netns_finder_free(finder);
	netns_finder_free(NULL);
}

static void the_finder_takes_no_more_than_it_can_hold(void **state)
{
	uint64_t soon = clock_mono_ns() + 5000 * MS, id = 0, ids = 0;
	struct netns_finder *finder;
	struct netns_answer answer;
	struct owner owner;
	const char *what;
	pid_t self = getpid();
	unsigned posted = 0;

	(void)state;
	assert_int_equal(netns_finder_open(&finder, &what), 0);
	answer = answer_of(1, 1, &self);
	while (netns_finder_post(finder, posted, &answer, 64, soon) == 0)
		assert_true(++posted < 10000);
	assert_true(posted >= 32);
	for (unsigned i = 0; i < posted; i++) {
		assert_int_equal(take(finder, &id, &owner), 0);
		assert_int_equal(id, i); /* first come, first served */
		ids += id;
	}
	assert_int_equal(ids, posted * (posted - 1) / 2);
	assert_int_equal(netns_finder_post(finder, 1, &answer, 64, soon), 0); /* room again */
	netns_finder_free(finder); /* with one under way */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_namespaces_link_is_its_inode),
		cmocka_unit_test(a_thread_tells_whose_it_is),
		cmocka_unit_test(the_last_pid_is_the_last_number),
		cmocka_unit_test(the_addresses_that_packets_come_from_are_kept),
		cmocka_unit_test(more_addresses_than_are_kept_are_said_to_be_more),
		cmocka_unit_test(what_the_kernel_refuses_is_its_error),
		cmocka_unit_test(a_dump_cut_anywhere_reads_no_byte_too_many),
		cmocka_unit_test(a_message_that_is_none_is_refused),
		cmocka_unit_test(each_reason_says_what_is_known),
		cmocka_unit_test(whoever_came_since_the_last_look_is_added_and_no_thread),
		cmocka_unit_test(a_young_process_that_goes_to_another_namespace_is_seen_there),
		cmocka_unit_test(only_a_table_that_shows_the_socket_makes_a_holder),
		cmocka_unit_test(the_finder_names_a_holder_or_says_why_not),
		cmocka_unit_test(the_finder_takes_no_more_than_it_can_hold),
	};

	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
