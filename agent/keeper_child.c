/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a child that ended is started again; starts none. */
#include "keeper_child.h"

#include <sys/wait.h>

#include "log.h"

#define PAUSE_MAX_S 30
#define LIVED_S	    60 /* a child that lived longer did not die of its start */

void keeper_child_ended(struct keeper_child *child, int status, time_t now, const char *what,
			const char *meanwhile)
{
	child->pid = 0;
	if (now - child->started > LIVED_S)
		child->pause_s = 0;
	child->due = now + child->pause_s;
	log_error("%s ended (%s %d): %s; it is started again in %d s", what,
		  WIFSIGNALED(status) ? "signal" : "exit code",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), meanwhile,
		  child->pause_s);
	child->pause_s = child->pause_s ? child->pause_s * 2 : 1;
	if (child->pause_s > PAUSE_MAX_S)
		child->pause_s = PAUSE_MAX_S;
}

void keeper_child_left(struct keeper_child *child, time_t now)
{
	child->pid = 0;
	child->due = now;
}

int keeper_child_wait_ms(const struct keeper_child *child, time_t now)
{
	if (child->pid)
		return -1;
	return child->due > now ? (int)(child->due - now) * 1000 : 0;
}
