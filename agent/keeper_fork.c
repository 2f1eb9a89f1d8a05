/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forks the judge, the recorder, the witness and egressd-enter, each with no more than it needs,
 * and takes their ends in; it never decides that one is to end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enter.h"
#include "keeper_internal.h"
#include "log.h"
#include "privilege.h"
#include "recorder.h"
#include "witness.h"

#define JUDGE_FILES 4096
#define JUDGE_NICE  (-10)

/* In a child: what the keeper's signals mean does not hold here. */
static void child_signals(void)
{
	sigset_t mask;

	signal(SIGINT, SIG_IGN); /* Ctrl-C goes to the whole group: the keeper answers it */
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM); /* all of them read it from a signalfd */
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static int connect_journal(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void keeper_close_end(int pair[2], int end)
{
	if (pair[end] >= 0)
		close(pair[end]);
	pair[end] = -1;
}

void keeper_close_pair(int pair[2])
{
	keeper_close_end(pair, JUDGE_END);
	keeper_close_end(pair, OTHER_END);
}

static void be_recorder(struct keeper *keeper)
{
	const struct config *config = &keeper->settings.config;
	const char *stage = "";
	int journal_fd, error;

	child_signals();
	prctl(PR_SET_NAME, "egressd-rec");
	edges_close(&keeper->edges);
	keeper_enter_close(&keeper->enter);
	keeper_close_end(keeper->channel, JUDGE_END); /* or it would never see the end */
	keeper_close_pair(keeper->control);
	keeper_close_pair(keeper->asked);
	journal_fd = connect_journal(config->journal_socket);
	if (fchdir(keeper->statedir.dir_fd) < 0) {
		log_error("recorder: %s: %s", config->state_dir, strerror(errno));
		_exit(1);
	}
	error = privilege_recorder(keeper->users.recorder_uid, keeper->users.recorder_gid, &stage);
	if (error) {
		log_error("recorder: %s: %s", stage, strerror(-error));
		_exit(1);
	}
	exit(recorder_main(config, keeper->channel[OTHER_END],
			   config->evidence ? keeper->statedir.evidence_fd : -1, journal_fd));
}

static void be_witness(struct keeper *keeper)
{
	const struct config *config = &keeper->settings.config;
	const char *stage = "";
	int error;

	child_signals();
	prctl(PR_SET_NAME, "egressd-witness");
	edges_close(&keeper->edges);
	keeper_close_end(keeper->channel, OTHER_END);
	keeper_close_end(keeper->asked, JUDGE_END);
	keeper_close_pair(keeper->control);
	keeper_enter_close(&keeper->enter);
	statedir_close(&keeper->statedir);
	error = privilege_witness(config->judge_user, keeper->users.judge_uid,
				  keeper->users.judge_gid, &stage);
	if (error) {
		log_error("witness: %s: %s", stage, strerror(-error));
		_exit(1);
	}
	exit(witness_main(config, keeper->asked[OTHER_END], keeper->channel[JUDGE_END]));
}

static void be_judge(struct keeper *keeper)
{
	const struct judge_start start = {
		.settings = &keeper->settings,
		.edges = &keeper->edges,
		.uid = keeper->users.judge_uid,
		.gid = keeper->users.judge_gid,
		.channel_fd = keeper->channel[JUDGE_END],
		.control_fd = keeper->control[JUDGE_END],
		.witness_fd = keeper->asked[JUDGE_END],
		.enter_fd = keeper->enter.judge_fd,
	};

	/* A folder in /proc is kept open for each process that connects (bpf-free/near.c). */
	const struct rlimit files = { JUDGE_FILES, JUDGE_FILES };

	child_signals();
	setrlimit(RLIMIT_NOFILE, &files);
	/* Who keeps every CPU busy must not make the held packets of others wait. */
	setpriority(PRIO_PROCESS, 0, JUDGE_NICE);
	prctl(PR_SET_NAME, "egressd-judge");
	keeper_close_end(keeper->channel, OTHER_END);
	keeper_close_end(keeper->control, OTHER_END);
	keeper_close_end(keeper->asked, OTHER_END);
	statedir_close(&keeper->statedir);
	if (keeper->enter.own_fd >= 0)
		close(keeper->enter.own_fd); /* or it would never see its end */
	exit(judge_main(&start));
}

static void be_enter(struct keeper *keeper)
{
	child_signals();
	prctl(PR_SET_NAME, "egressd-enter");
	edges_close(&keeper->edges);
	statedir_close(&keeper->statedir);
	keeper_close_pair(keeper->channel);
	keeper_close_pair(keeper->control);
	keeper_close_pair(keeper->asked);
	if (keeper->enter.judge_fd >= 0)
		close(keeper->enter.judge_fd); /* or it would never see its end */
	exit(enter_main(keeper->enter.own_fd, keeper->users.judge_uid, keeper->users.judge_gid));
}

static int start(struct keeper *keeper, pid_t *pid, void (*be)(struct keeper *))
{
	int error;

	*pid = fork();
	if (*pid == 0)
		be(keeper);
	if (*pid > 0)
		return 0;
	error = -errno;
	*pid = 0;
	log_error("fork: %s", strerror(-error));
	return error;
}

static int start_child(struct keeper *keeper, struct keeper_child *child,
		       void (*be)(struct keeper *))
{
	child->started = keeper_now_s();
	child->due = child->started + 1; /* when the fork fails */
	return start(keeper, &child->pid, be);
}

int keeper_start_judge(struct keeper *keeper)
{
	return start(keeper, &keeper->judge, be_judge);
}

int keeper_start_recorder(struct keeper *keeper)
{
	return start_child(keeper, &keeper->recorder, be_recorder);
}

int keeper_start_witness(struct keeper *keeper)
{
	return start_child(keeper, &keeper->witness, be_witness);
}

int keeper_start_enter(struct keeper *keeper)
{
	return keeper->enter.wanted ? start_child(keeper, &keeper->enter.child, be_enter) : 0;
}

static void on_recorder_end(struct keeper *keeper, int status)
{
	if (keeper->stopping)
		keeper->recorder.pid = 0;
	else
		keeper_child_ended(&keeper->recorder, status, keeper_now_s(), "the recorder",
				   "verdicts go on, records wait in the channel");
}

static void on_witness_end(struct keeper *keeper, int status)
{
	if (keeper->stopping || keeper->witness_told)
		keeper_child_left(&keeper->witness, keeper_now_s());
	else
		keeper_child_ended(&keeper->witness, status, keeper_now_s(), "the witness",
				   "verdicts and records go on without sites and triggers");
	keeper->witness_told = false;
}

static void on_enter_end(struct keeper *keeper, int status)
{
	if (keeper->stopping)
		keeper->enter.child.pid = 0;
	else
		keeper_child_ended(&keeper->enter.child, status, keeper_now_s(), "egressd-enter",
				   "containers are known by their address only");
}

static void on_judge_end(struct keeper *keeper, int status)
{
	keeper->judge = 0;
	keeper->judge_status = status;
	if (WIFSIGNALED(status))
		log_error("the judge was ended by signal %d: the guard decides alone",
			  WTERMSIG(status));
	keeper->stopping = true;
}

void keeper_reap(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == keeper->recorder.pid)
			on_recorder_end(keeper, status);
		else if (pid == keeper->witness.pid)
			on_witness_end(keeper, status);
		else if (pid == keeper->enter.child.pid)
			on_enter_end(keeper, status);
		else if (pid == keeper->judge)
			on_judge_end(keeper, status);
	}
}
