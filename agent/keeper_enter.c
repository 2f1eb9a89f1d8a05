/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When egressd-enter is started again, and over which socket it is asked; forks nothing. */
#include "keeper_enter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define PAUSE_MAX_S 30
#define LIVED_S	    60 /* one that lived so long starts again at once */

int keeper_enter_open(struct keeper_enter *enter, bool wanted)
{
	int pair[2];

	*enter = (struct keeper_enter){ .wanted = wanted, .judge_fd = -1, .own_fd = -1 };
	if (!wanted)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		int error = -errno;

		log_error("socketpair: %s", strerror(-error));
		enter->wanted = false;
		return error;
	}
	enter->judge_fd = pair[0];
	enter->own_fd = pair[1];
	return 0;
}

void keeper_enter_close(struct keeper_enter *enter)
{
	if (enter->judge_fd >= 0)
		close(enter->judge_fd);
	if (enter->own_fd >= 0)
		close(enter->own_fd);
	enter->judge_fd = enter->own_fd = -1;
}

void keeper_enter_ended(struct keeper_enter *enter, int status, time_t now_s)
{
	enter->pid = 0;
	if (now_s - enter->started > LIVED_S)
		enter->pause_s = 0;
	enter->due = now_s + enter->pause_s;
	log_error("egressd-enter ended (%s %d): containers are known by their address only; it is "
		  "started again in %d s",
		  WIFSIGNALED(status) ? "signal" : "exit code",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), enter->pause_s);
	enter->pause_s = enter->pause_s ? enter->pause_s * 2 : 1;
	if (enter->pause_s > PAUSE_MAX_S)
		enter->pause_s = PAUSE_MAX_S;
}

bool keeper_enter_due(const struct keeper_enter *enter, time_t now_s)
{
	return enter->wanted && !enter->pid && enter->due <= now_s;
}

int keeper_enter_timeout_ms(const struct keeper_enter *enter, time_t now_s, int timeout_ms)
{
	int left_ms;

	if (!enter->wanted || enter->pid)
		return timeout_ms;
	left_ms = enter->due > now_s ? (int)(enter->due - now_s) * 1000 : 0;
	return timeout_ms < 0 || left_ms < timeout_ms ? left_ms : timeout_ms;
}

void keeper_enter_kill(const struct keeper_enter *enter)
{
	if (!enter->pid)
		return;
	log_warning("egressd-enter does not answer: it is ended");
	kill(enter->pid, SIGKILL);
}
