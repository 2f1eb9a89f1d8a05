/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Idle processes for the bench, each with its own uid, descriptors and cgroup, or all sharing one
 * uid and cgroup. They do nothing and end with the program that made them.
 * Usage: population PROCESSES FDS FIRST_UID UIDS [CGROUP]
 *   process i has uid FIRST_UID + i % UIDS; a tenth of its FDS (at least one) are sockets. CGROUP
 *   is a folder of cgroup2: with one uid all are in it, else each uid is in one of its own below.
 *   "ready" on stdout when all are there; SIGTERM ends them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan {
	unsigned processes, fds, uids;
	uid_t first_uid;
	const char *cgroup;
};

/* Shared with all of them: who has come to rest, and who could not. */
struct tally {
	unsigned ready, failed;
};

static volatile sig_atomic_t ended;

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

static bool open_descriptors(unsigned count)
{
	unsigned sockets = count / 10 ? count / 10 : 1;

	for (unsigned i = 3; i < count; i++) {
		int fd = i < count - sockets ? open("/dev/null", O_RDONLY)
			 : i % 2	     ? socket(AF_INET, SOCK_STREAM, 0)
					     : socket(AF_UNIX, SOCK_DGRAM, 0);

		if (fd < 0)
			return false;
	}
	return true;
}

static void rest(const struct plan *plan, uid_t uid, struct tally *tally)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	pid_t parent = getppid();

	sigaction(SIGTERM, &plain, NULL);
	if (open_descriptors(plan->fds) && !setresgid(uid, uid, uid) && !setresuid(uid, uid, uid) &&
	    !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent)
		__atomic_add_fetch(&tally->ready, 1, __ATOMIC_RELEASE);
	else
		__atomic_add_fetch(&tally->failed, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

/* A descriptor of the uid's cgroup, made when it is not there; -1: none wanted, or no way. */
static int open_cgroup(const struct plan *plan, unsigned which)
{
	char path[4096];

	if (!plan->cgroup)
		return -1;
	if (plan->uids == 1)
		snprintf(path, sizeof(path), "%s", plan->cgroup);
	else
		snprintf(path, sizeof(path), "%s/u%u", plan->cgroup, which);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* clone3(2): written into cgroup.procs, each would wait for every CPU (cgroup_attach_lock()). */
static pid_t fork_into(int cgroup_fd)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	if (cgroup_fd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int make_all(const struct plan *plan, struct tally *tally, pid_t *pids)
{
	for (unsigned i = 0; i < plan->processes && !ended; i++) {
		unsigned which = i % plan->uids;
		int cgroup_fd = open_cgroup(plan, which);

		if (plan->cgroup && cgroup_fd < 0)
			return -errno;
		pids[i] = fork_into(cgroup_fd);
		if (pids[i] < 0)
			return -errno;
		if (pids[i] == 0)
			rest(plan, plan->first_uid + which, tally);
		if (cgroup_fd >= 0)
			close(cgroup_fd);
		/* Not thousands at once on two CPUs: each takes its descriptors in its turn. */
		while (__atomic_load_n(&tally->ready, __ATOMIC_ACQUIRE) + 64 < i &&
		       !tally->failed && !ended)
			usleep(200);
	}
	while (__atomic_load_n(&tally->ready, __ATOMIC_ACQUIRE) < plan->processes &&
	       !tally->failed && !ended)
		usleep(1000);
	return tally->failed ? -EMFILE : 0;
}

static void end_all(const struct plan *plan, const pid_t *pids)
{
	char path[4096];

	for (unsigned i = 0; i < plan->processes; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (unsigned i = 0; plan->cgroup && plan->uids > 1 && i < plan->uids; i++) {
		snprintf(path, sizeof(path), "%s/u%u", plan->cgroup, i);
		rmdir(path);
	}
}

int main(int argc, char **argv)
{
	const struct sigaction end = { .sa_handler = on_end };
	struct rlimit limit;
	struct plan plan;
	struct tally *tally;
	pid_t *pids;
	int err;

	if (argc < 5) {
		fputs("usage: population PROCESSES FDS FIRST_UID UIDS [CGROUP]\n", stderr);
		return 2;
	}
	plan = (struct plan){ (unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]),
			      (unsigned)atoi(argv[4]), (uid_t)atoi(argv[3]),
			      argc > 5 ? argv[5] : NULL };
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit); /* too little is said by open_descriptors() */
	}
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	pids = calloc(plan.processes, sizeof(*pids));
	if (tally == MAP_FAILED || !pids || !plan.uids)
		return 1;
	err = make_all(&plan, tally, pids);
	if (err) {
		fprintf(stderr, "population: %s\n", strerror(-err));
	} else if (!ended) {
		puts("ready");
		fflush(stdout);
	}
	while (!err && !ended)
		sleep(1); /* not pause(2): the signal may come just before it */
	end_all(&plan, pids);
	return err ? 1 : 0;
}
