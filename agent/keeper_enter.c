/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Over which socket egressd-enter is asked, and its end when it is silent; forks nothing. */
#include "keeper_enter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

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

void keeper_enter_kill(const struct keeper_enter *enter)
{
	if (!enter->child.pid)
		return;
	log_warning("egressd-enter does not answer: it is ended");
	kill(enter->child.pid, SIGKILL);
}
