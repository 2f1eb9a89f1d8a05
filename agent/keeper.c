/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts, reloads and ends what egressd is made of; sees no packet and no record. */
#include "keeper_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../nft/ruleset.h"
#include "keeper_rules.h"
#include "log.h"
#include "notify.h"
#include "witness.h"

#define DRAIN_S	      15 /* how long the recorder may go on committing after the judge's end */
#define WITNESS_END_S 2	 /* how long the witness may take to say what it knows so far */
#define ASKED_BYTES   (2 << 20) /* questions that wait for the witness */

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
	time_t now = keeper_now_s();

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
		keeper_close_end(keeper->control, OTHER_END);
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
	keeper_close_end(keeper->control, JUDGE_END);
	keeper_close_end(keeper->asked, JUDGE_END);
	if (keeper->enter.judge_fd >= 0)
		close(keeper->enter.judge_fd);
	keeper->enter.judge_fd = -1;
	return recv(keeper->control[OTHER_END], &word, 1, 0) == 1 ? 0 : -1;
}

static bool witness_wanted(const struct keeper *keeper)
{
	return keeper->settings.config.witness && !keeper->stopping;
}

/* The sooner of two waits for poll(2), where -1 is for ever. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Until a child that ended is to be started again; -1: all run. */
static int next_start_ms(const struct keeper *keeper)
{
	time_t now = keeper_now_s();
	int wait_ms = keeper_child_wait_ms(&keeper->recorder, now);

	if (witness_wanted(keeper))
		wait_ms = sooner(wait_ms, keeper_child_wait_ms(&keeper->witness, now));
	if (keeper->enter.wanted)
		wait_ms = sooner(wait_ms, keeper_child_wait_ms(&keeper->enter.child, now));
	return wait_ms;
}

static void start_what_is_due(struct keeper *keeper)
{
	time_t now = keeper_now_s();

	if (!keeper_child_wait_ms(&keeper->recorder, now))
		keeper_start_recorder(keeper);
	if (witness_wanted(keeper) && !keeper_child_wait_ms(&keeper->witness, now))
		keeper_start_witness(keeper);
	if (!keeper_child_wait_ms(&keeper->enter.child, now))
		keeper_start_enter(keeper);
}

/* Waits for a signal, a word of the judge's, or a child's next start. The signal, or 0. */
static int next_signal(struct keeper *keeper)
{
	struct pollfd waits[] = {
		{ .fd = keeper->signal_fd, .events = POLLIN },
		{ .fd = keeper->control[OTHER_END], .events = POLLIN },
	};
	struct signalfd_siginfo info;

	if (poll(waits, 2, next_start_ms(keeper)) <= 0)
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
			keeper_reap(keeper);
			break;
		case SIGHUP:
			reload(keeper);
			break;
		case SIGTERM:
		case SIGINT:
			keeper->stopping = true;
			break;
		}
		if (!keeper->stopping)
			start_what_is_due(keeper);
	}
}

/* Waits for a child's end; after `seconds` it is killed, after as many again given up. */
static void await_end(struct keeper *keeper, pid_t *pid, int seconds)
{
	time_t deadline = keeper_now_s() + seconds;
	bool killed = false;

	for (;;) {
		struct timespec wait = { .tv_nsec = 100000000 };
		siginfo_t info;

		keeper_reap(keeper);
		if (!*pid)
			return;
		if (keeper_now_s() >= deadline && killed) {
			log_error("process %d does not end: left behind", *pid);
			return;
		}
		if (keeper_now_s() >= deadline) {
			kill(*pid, SIGKILL);
			killed = true;
			deadline = keeper_now_s() + seconds;
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
	if (keeper->enter.child.pid) {
		kill(keeper->enter.child.pid, SIGTERM);
		await_end(keeper, &keeper->enter.child.pid, 2);
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
		keeper_start_recorder(keeper);
	keeper_close_pair(keeper->channel);
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
		keeper_start_witness(&keeper);
	/* egressd-enter before the judge, which talks to it: it asks nothing, and opens little. */
	if (keeper_start_recorder(&keeper) == 0 && keeper_start_enter(&keeper) == 0 &&
	    keeper_start_judge(&keeper) == 0 && await_judge(&keeper) == 0) {
		notify_send("READY=1\nSTATUS=guarding");
		run(&keeper);
	} else {
		keeper.judge_status = 1 << 8; /* exit code 1, unless reaped with its own */
	}
	return end(&keeper);
}
