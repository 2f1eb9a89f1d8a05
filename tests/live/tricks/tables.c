/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes whose descriptor table is not where one looks first: tables MODE ADDRESS
 *   plain         connects, and waits
 *   own-files     a thread with a table of its own connects (CLONE_FILES undone)
 *   leader-gone   the thread that started the program ends, another connects
 *   thread-exec   the leader ends, and another thread becomes the program `plain`
 *   vfork         a vfork(2) child connects while its parent is suspended
 *   vfork-exec    a vfork(2) child becomes the program `plain`
 *   shared-table  two processes with one descriptor table (clone(2) with CLONE_FILES), one connects
 * Says "caller=PID holders=PID[,PID]" before it connects, and waits until it is ended.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "trick.h"

static struct address to;
static const char *program, *address_text;

static void say(pid_t caller, pid_t other)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "caller=%d holders=%d", caller, caller);

	if (other)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",%d", other);
	text[len++] = '\n';
	if (write(STDOUT_FILENO, text, (size_t)len) != len)
		die("write");
}

static void connect_and_wait(void)
{
	connect_to(socket_for(&to, 0), &to);
	for (;;)
		pause();
}

static void plain(void)
{
	say(getpid(), 0);
	connect_and_wait();
}

static void become_plain(void)
{
	execl(program, program, "plain", address_text, NULL);
	die("exec");
}

static void *own_files(void *unused)
{
	if (unshare(CLONE_FILES))
		die("unshare");
	say(getpid(), 0);
	connect_and_wait();
	return unused;
}

static void *after_leader(void *work)
{
	usleep(100000); /* the leader is a zombie by now, and shows no table */
	((void (*)(void))work)();
	return NULL;
}

static void in_thread(void *(*body)(void *), void *arg, int leader_ends)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, body, arg);
	if (errno)
		die("pthread_create");
	if (leader_ends)
		syscall(SYS_exit, 0);
	for (;;)
		pause();
}

static void threads_own_files(void)
{
	in_thread(own_files, NULL, 0);
}

static void leader_gone(void)
{
	in_thread(after_leader, (void *)plain, 1);
}

static void thread_exec(void)
{
	in_thread(after_leader, (void *)become_plain, 1);
}

/* What vfork(2) does and posix forbids to rely on: the child runs in the parent's memory. */
static void in_vfork(void (*work)(void))
{
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (!pid)
		work();
	for (;;)
		pause();
}

static void vforked(void)
{
	in_vfork(plain);
}

static void vfork_exec(void)
{
	in_vfork(become_plain);
}

static void shared_table(void)
{
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		die("clone");
	if (!pid) {
		say(getpid(), getppid());
		connect_and_wait();
	}
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{ "plain", plain },
	{ "own-files", threads_own_files },
	{ "leader-gone", leader_gone },
	{ "thread-exec", thread_exec },
	{ "vfork", vforked },
	{ "vfork-exec", vfork_exec },
	{ "shared-table", shared_table },
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	program = argv[0];
	address_text = argv[2];
	to = address_of(address_text);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(modes[i].name, argv[1]))
			modes[i].run();
	return 2;
}
