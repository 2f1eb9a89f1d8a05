/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts, keeps and ends the judge, the recorder and the witness; sees no packet and no record. */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../nft/ruleset.h"
#include "clock.h"
#include "enter.h"
#include "keeper_child.h"
#include "keeper_enter.h"
#include "keeper_rules.h"
#include "log.h"
#include "notify.h"
#include "privilege.h"
#include "recorder.h"
#include "statedir.h"
#include "witness.h"

#define JUDGE_END     0 /* of the socket pairs */
#define OTHER_END     1
#define DRAIN_S	      15 /* how long the recorder may go on committing after the judge's end */
#define WITNESS_END_S 2	 /* how long the witness may take to say what it knows so far */
#define JUDGE_FILES   4096
#define JUDGE_NICE    (-10)
#define ASKED_BYTES   (2 << 20) /* questions that wait for the witness */

struct keeper {
	const char *config_file;
	struct judge_settings settings;
	struct statedir statedir;
	struct keeper_users users;
	struct edges edges; /* until the judge has them */
	int channel[2];	    /* judge, witness -> recorder */
	int control[2];	    /* keeper <-> judge; JUDGE_END is -1 after the fork */
	int asked[2];	    /* judge -> witness; the same */
	pid_t judge;	    /* 0: does not run */
	struct keeper_child recorder, witness;
	struct keeper_enter enter;
	bool witness_told; /* to end, and to come back with a new configuration */
	int judge_status;
	sigset_t signals;
	int signal_fd;
	time_t rules_due;     /* when the rules may be put back next */
	unsigned rules_times; /* that they were put back in a row */
	bool stopping, unloaded_said;
};

static time_t now_s(void)
{
	return (time_t)(clock_ns(CLOCK_MONOTONIC) / 1000000000);
}

/* --- children ------------------------------------------------------------------------------ */

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

static void close_end(int pair[2], int end)
{
	if (pair[end] >= 0)
		close(pair[end]);
	pair[end] = -1;
}

static void close_pair(int pair[2])
{
	close_end(pair, JUDGE_END);
	close_end(pair, OTHER_END);
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
	close_end(keeper->channel, JUDGE_END); /* or it would never see the end */
	close_pair(keeper->control);
	close_pair(keeper->asked);
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
	close_end(keeper->channel, OTHER_END);
	close_end(keeper->asked, JUDGE_END);
	close_pair(keeper->control);
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
	close_end(keeper->channel, OTHER_END);
	close_end(keeper->control, OTHER_END);
	close_end(keeper->asked, OTHER_END);
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
	for (int end = JUDGE_END; end <= OTHER_END; end++) {
		if (keeper->channel[end] >= 0)
			close(keeper->channel[end]);
		if (keeper->control[end] >= 0)
			close(keeper->control[end]);
	}
	if (keeper->enter.judge_fd >= 0)
		close(keeper->enter.judge_fd); /* or it would never see its end */
	exit(enter_main(keeper->enter.own_fd, keeper->users.judge_uid, keeper->users.judge_gid));
}

static int start_child(struct keeper *keeper, pid_t *pid, void (*be)(struct keeper *))
{
	*pid = fork();
	if (*pid == 0)
		be(keeper);
	if (*pid < 0) {
		*pid = 0;
		log_error("fork: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static int start_recorder(struct keeper *keeper)
{
	keeper->recorder.started = now_s();
	return start_child(keeper, &keeper->recorder.pid, be_recorder);
}

static bool witness_wanted(const struct keeper *keeper)
{
	return keeper->settings.config.witness && !keeper->stopping;
}

static void start_witness(struct keeper *keeper)
{
	keeper->witness.started = now_s();
	keeper->witness.due = now_s() + 1; /* when the fork fails */
	start_child(keeper, &keeper->witness.pid, be_witness);
}

static int start_enter(struct keeper *keeper)
{
	if (!keeper->enter.wanted)
		return 0;
	keeper->enter.started = now_s();
	keeper->enter.due = keeper->enter.started + 1; /* if it can't be started now */
	return start_child(keeper, &keeper->enter.pid, be_enter);
}

static void on_recorder_end(struct keeper *keeper, int status)
{
	if (keeper->stopping)
		keeper->recorder.pid = 0;
	else
		keeper_child_ended(&keeper->recorder, status, now_s(), "recorder",
				   "verdicts go on, records wait in the channel");
}

static void on_witness_end(struct keeper *keeper, int status)
{
	if (keeper->stopping || keeper->witness_told)
		keeper_child_left(&keeper->witness, now_s());
	else
		keeper_child_ended(&keeper->witness, status, now_s(), "witness",
				   "verdicts and records go on without sites and triggers");
	keeper->witness_told = false;
}

static void reap(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == keeper->recorder.pid) {
			on_recorder_end(keeper, status);
		} else if (pid == keeper->witness.pid) {
			on_witness_end(keeper, status);
		} else if (pid == keeper->enter.pid && keeper->stopping) {
			keeper->enter.pid = 0;
		} else if (pid == keeper->enter.pid) {
			keeper_enter_ended(&keeper->enter, status, now_s());
		} else if (pid == keeper->judge) {
			keeper->judge = 0;
			keeper->judge_status = status;
			if (WIFSIGNALED(status))
				log_error(
					"the judge was ended by signal %d: the guard decides alone",
					WTERMSIG(status));
			keeper->stopping = true;
		}
	}
}

/* --- reload -------------------------------------------------------------------------------- */

static void log_config_error(void *context, const char *line)
{
	(void)context;
	log_error("%s", line);
}

static void reload(struct keeper *keeper)
{
	struct judge_settings settings = { 0 };
	const char *key;

	notify_send("RELOADING=1");
	if (config_load(&settings.config, keeper->config_file, log_config_error, NULL) < 0) {
		log_error("reload refused: the old configuration stays");
		goto out;
	}
	key = config_needs_restart(&keeper->settings.config, &settings.config);
	if (key) {
		log_error("%s: %s: can't change while egressd runs: expected a restart",
			  keeper->config_file, key);
		log_error("reload refused: the old configuration stays");
		goto out;
	}
	config_policy(&settings.config, &settings.policy, log_config_error, NULL);
	if (keeper_rules_make_whole(&settings, RULES_AT_RELOAD) < 0) {
		log_error("reload refused: the old configuration stays");
		goto out;
	}
	if (send(keeper->control[OTHER_END], &settings, sizeof(settings), MSG_NOSIGNAL) !=
	    sizeof(settings)) {
		log_error("reload: the judge does not take it: %s", strerror(errno));
		goto out;
	}
	if (keeper->witness.pid &&
	    witness_needs_restart(&keeper->settings.config, &settings.config)) {
		keeper->witness_told = true; /* to end, and to come back with the new ones */
		kill(keeper->witness.pid, SIGTERM);
	}
	keeper->settings = settings;
	log_notice("reloaded: mode %s", policy_mode_words[settings.config.mode]);
out:
	notify_send("READY=1");
}

/* The judge's rule, put in or taken out in its stead. */
static void set_agent_rule(struct keeper *keeper, bool in)
{
	const struct config *config = &keeper->settings.config;
	enum ruleset_queue form;
	struct ruleset_link *link;

	if (ruleset_link_open(&link) < 0)
		return;
	if (in)
		ruleset_agent_fill(link, config->table, config->queue_num, &form);
	else
		ruleset_agent_empty(link, config->table);
	ruleset_link_free(link);
}

/* --- drift --------------------------------------------------------------------------------- */

/* The rules are gone or may be others: put back at once, but never in a fight without a pause. */
static void see_to_rules(struct keeper *keeper)
{
	time_t now = now_s();

	if (keeper_rules_unloaded(keeper->statedir.dir_fd, false)) {
		if (!keeper->unloaded_said)
			log_warning(
				"the rules were taken away by `egressctl rules unload`: nothing is "
				"guarded until `egressctl rules load`");
		keeper->unloaded_said = true;
		return;
	}
	keeper->unloaded_said = false;
	if (now < keeper->rules_due)
		return;
	if (now - keeper->rules_due > 60)
		keeper->rules_times = 0;
	if (keeper_rules_make_whole(&keeper->settings, RULES_AT_DRIFT) == 1) {
		keeper->rules_times++;
		set_agent_rule(keeper, true); /* the judge would see to it a second later */
	}
	keeper->rules_due = now + (keeper->rules_times < 5 ? 1 : 10);
}

static void hear_judge(struct keeper *keeper)
{
	char word;
	ssize_t got = recv(keeper->control[OTHER_END], &word, 1, MSG_DONTWAIT);

	if (got == 0) { /* it is gone: SIGCHLD says the rest */
		close_end(keeper->control, OTHER_END);
	}
	if (got == 1 && word == *JUDGE_SAYS_RULES)
		see_to_rules(keeper);
	if (got == 1 && word == *JUDGE_SAYS_ENTER)
		keeper_enter_kill(&keeper->enter);
}

/* --- the story ----------------------------------------------------------------------------- */

static int make_channels(struct keeper *keeper)
{
	int size = (int)keeper->settings.config.channel_bytes, asked_size = ASKED_BYTES;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper->channel) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper->control) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper->asked) < 0) {
		log_error("socketpair: %s", strerror(errno));
		return -1;
	}
	if (setsockopt(keeper->channel[JUDGE_END], SOL_SOCKET, SO_SNDBUFFORCE, &size,
		       sizeof(size)) < 0)
		log_warning("channel_bytes: %s", strerror(errno));
	setsockopt(keeper->asked[JUDGE_END], SOL_SOCKET, SO_SNDBUFFORCE, &asked_size,
		   sizeof(asked_size)); /* without it fewer wait, and those are counted */
	return keeper_enter_open(&keeper->enter, keeper->settings.config.containers);
}

/* Waits for the judge's word that all is in place. */
static int await_judge(struct keeper *keeper)
{
	char word;

	edges_close(&keeper->edges);
	close_end(keeper->control, JUDGE_END);
	close_end(keeper->asked, JUDGE_END);
	if (keeper->enter.judge_fd >= 0)
		close(keeper->enter.judge_fd);
	keeper->enter.judge_fd = -1;
	return recv(keeper->control[OTHER_END], &word, 1, 0) == 1 ? 0 : -1;
}

/* The sooner of two waits for poll(2), where -1 is for ever. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Waits for a signal, a word of the judge's, or a child's next start. The signal, or 0. */
static int next_signal(struct keeper *keeper)
{
	struct pollfd waits[] = {
		{ .fd = keeper->signal_fd, .events = POLLIN },
		{ .fd = keeper->control[OTHER_END], .events = POLLIN },
	};
	int timeout_ms = keeper_child_wait_ms(&keeper->recorder, now_s());
	struct signalfd_siginfo info;

	if (witness_wanted(keeper))
		timeout_ms = sooner(timeout_ms, keeper_child_wait_ms(&keeper->witness, now_s()));
	timeout_ms = keeper_enter_timeout_ms(&keeper->enter, now_s(), timeout_ms);
	if (poll(waits, 2, timeout_ms) <= 0)
		return 0;
	if (waits[1].revents)
		hear_judge(keeper);
	if (waits[0].revents && read(keeper->signal_fd, &info, sizeof(info)) == sizeof(info))
		return (int)info.ssi_signo;
	return 0;
}

static void run(struct keeper *keeper)
{
	while (!keeper->stopping) {
		switch (next_signal(keeper)) {
		case SIGCHLD:
			reap(keeper);
			break;
		case SIGHUP:
			reload(keeper);
			break;
		case SIGTERM:
		case SIGINT:
			keeper->stopping = true;
			break;
		}
		if (!keeper->stopping && !keeper_child_wait_ms(&keeper->recorder, now_s()))
			start_recorder(keeper);
		if (witness_wanted(keeper) && !keeper_child_wait_ms(&keeper->witness, now_s()))
			start_witness(keeper);
		if (!keeper->stopping && keeper_enter_due(&keeper->enter, now_s()))
			start_enter(keeper);
	}
}

/* Waits for a child's end; after `seconds` it is killed, after as many again given up. */
static void await_end(struct keeper *keeper, pid_t *pid, int seconds)
{
	time_t deadline = now_s() + seconds;
	bool killed = false;

	for (;;) {
		struct timespec wait = { .tv_nsec = 100000000 };
		siginfo_t info;

		reap(keeper);
		if (!*pid)
			return;
		if (now_s() >= deadline && killed) {
			log_error("process %d does not end: left behind", *pid);
			return;
		}
		if (now_s() >= deadline) {
			kill(*pid, SIGKILL);
			killed = true;
			deadline = now_s() + seconds;
		}
		sigtimedwait(&keeper->signals, &info, &wait);
	}
}

static int end(struct keeper *keeper)
{
	keeper->stopping = true;
	notify_send("STOPPING=1");
	if (keeper->judge) {
		kill(keeper->judge, SIGTERM);
		await_end(keeper, &keeper->judge, 5);
	}
	if (keeper->enter.pid) {
		kill(keeper->enter.pid, SIGTERM);
		await_end(keeper, &keeper->enter.pid, 2);
	}
	/* A judge that was killed left its rule behind. While something still holds the queue that
	 * nobody reads, bypass does not apply: SYNs would hang instead of being refused. */
	if (keeper->judge || !WIFEXITED(keeper->judge_status))
		set_agent_rule(keeper, false);
	if (keeper->witness.pid) {
		kill(keeper->witness.pid, SIGTERM);
		await_end(keeper, &keeper->witness.pid, WITNESS_END_S);
	}
	/* What waits in the channel is kept, also when the recorder is down at this moment. */
	if (!keeper->recorder.pid)
		start_recorder(keeper);
	close_pair(keeper->channel);
	if (keeper->witness.pid && keeper->recorder.pid) /* it may hold the channel open for ever */
		kill(keeper->recorder.pid, SIGTERM);
	await_end(keeper, &keeper->recorder.pid, DRAIN_S);
	statedir_close(&keeper->statedir);
	return !keeper->judge && WIFEXITED(keeper->judge_status) ? WEXITSTATUS(keeper->judge_status)
								 : 1;
}

int keeper_run(const char *config_file, const struct judge_settings *settings,
	       const struct keeper_users *users)
{
	struct keeper keeper = {
		.config_file = config_file,
		.settings = *settings,
		.statedir = { -1, -1, -1 },
		.channel = { -1, -1 },
		.control = { -1, -1 },
		.asked = { -1, -1 },
		.enter = { .judge_fd = -1, .own_fd = -1 },
	};
	const struct config *config = &keeper.settings.config;
	char why[CONFIG_PATH_BYTES + 128];

	sigemptyset(&keeper.signals);
	sigaddset(&keeper.signals, SIGTERM);
	sigaddset(&keeper.signals, SIGINT);
	sigaddset(&keeper.signals, SIGHUP);
	sigaddset(&keeper.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &keeper.signals, NULL);
	keeper.signal_fd = signalfd(-1, &keeper.signals, SFD_CLOEXEC);
	if (keeper.signal_fd < 0) {
		log_error("signalfd: %s", strerror(errno));
		return 1;
	}

	keeper.users = *users;
	if (statedir_open(&keeper.statedir, config->state_dir, keeper.users.recorder_uid,
			  keeper.users.recorder_gid, why, sizeof(why)) < 0) {
		log_error("%s", why);
		return 1;
	}
	keeper_rules_name_clashes(settings);
	/* The edges before the rules: who can't have them must not touch the rules of who has. */
	if (edges_open(config, &keeper.edges) < 0 ||
	    keeper_rules_make_whole(settings, RULES_AT_START) < 0 || make_channels(&keeper) < 0) {
		edges_close(&keeper.edges);
		statedir_close(&keeper.statedir);
		return 1;
	}
	keeper_rules_unloaded(keeper.statedir.dir_fd, true);
	if (witness_wanted(&keeper))
		start_witness(&keeper);
	/* egressd-enter first of those that the judge talks to: it asks nothing, and opens little.
	 */
	if (start_recorder(&keeper) == 0 && start_enter(&keeper) == 0 &&
	    start_child(&keeper, &keeper.judge, be_judge) == 0 && await_judge(&keeper) == 0) {
		notify_send("READY=1\nSTATUS=guarding");
		run(&keeper);
	} else {
		keeper.judge_status = 1 << 8; /* exit code 1, unless reaped with its own */
	}
	return end(&keeper);
}
