/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drops privileges; opens nothing, so whatever needs root must be open before. */
#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

static const cap_value_t judge_capabilities[] = { CAP_NET_ADMIN, CAP_SYS_PTRACE,
						  CAP_DAC_READ_SEARCH };
static const cap_value_t witness_capabilities[] = { CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH };
static const cap_value_t enter_capabilities[] = { CAP_SYS_ADMIN, CAP_SYS_PTRACE };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the bounding set lacks no exec can give back. Needs CAP_SETPCAP, so before the uid goes. */
static int shrink_bounding_set(const cap_value_t *keep, size_t n_keep)
{
	for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); capability++) {
		bool kept = false;

		for (size_t i = 0; i < n_keep; i++)
			kept |= keep[i] == capability;
		if (!kept && cap_drop_bound(capability) < 0 && errno != EINVAL)
			return -errno;
	}
	return 0;
}

static int change_identity(const char *user, uid_t uid, gid_t gid)
{
	if (user && getpwnam(user)) {
		if (initgroups(user, gid) < 0)
			return -errno;
	} else if (setgroups(0, NULL) < 0) {
		return -errno;
	}
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static int keep_only(const cap_value_t *keep, size_t n_keep)
{
	cap_t set = cap_init();
	int error = 0;

	if (!set)
		return -ENOMEM;
	if ((n_keep && (cap_set_flag(set, CAP_PERMITTED, (int)n_keep, keep, CAP_SET) < 0 ||
			cap_set_flag(set, CAP_EFFECTIVE, (int)n_keep, keep, CAP_SET) < 0)) ||
	    cap_set_proc(set) < 0)
		error = -errno;
	cap_free(set);
	return error;
}

/* Down to user (NULL: without groups) with these capabilities, and to the end with the keeper. */
static int descend(const char *user, uid_t uid, gid_t gid, const cap_value_t *keep, size_t n_keep,
		   const char **stage)
{
	pid_t keeper = getppid();
	int error;

	*stage = "shrink the bounding set";
	error = shrink_bounding_set(keep, n_keep);
	if (error)
		return error;
	*stage = "keep capabilities over the change of user";
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	*stage = "become another user";
	error = change_identity(user, uid, gid);
	if (error)
		return error;
	*stage = "keep its capabilities";
	error = keep_only(keep, n_keep);
	if (error)
		return error;
	*stage = "give up new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* After the change of user: that clears it (prctl(2)). A queue that is held by a judge
	 * whose keeper is gone could not be taken over by the next one. */
	*stage = "end with the keeper";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == keeper ? 0 : -ESRCH;
}

int privilege_judge(const char *user, uid_t uid, gid_t gid, const char **stage)
{
	return descend(user, uid, gid, judge_capabilities, COUNT(judge_capabilities), stage);
}

int privilege_witness(const char *user, uid_t uid, gid_t gid, const char **stage)
{
	return descend(user, uid, gid, witness_capabilities, COUNT(witness_capabilities), stage);
}

int privilege_enter(uid_t uid, gid_t gid, const char **stage)
{
	return descend(NULL, uid, gid, enter_capabilities, COUNT(enter_capabilities), stage);
}

int privilege_recorder(uid_t uid, gid_t gid, const char **stage)
{
	int error;

	*stage = "empty the bounding set";
	error = shrink_bounding_set(NULL, 0);
	if (error)
		return error;
	*stage = "become the recorder's user";
	error = change_identity(NULL, uid, gid);
	if (error)
		return error;
	*stage = "give up every capability";
	error = keep_only(NULL, 0);
	if (error)
		return error;
	*stage = "give up new privileges";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
