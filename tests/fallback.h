/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words and the empty owner, for tests of the core alone: used only where the tree that is
 * tested lacks the files that have them.
 */
#ifndef TESTS_FALLBACK_H
#define TESTS_FALLBACK_H

#if !__has_include("bpf-free/words.c")
#include <string.h>

#include "bpf-free/owner.h"

const char *const owner_how_words[OWNER_HOW_N] = {
	[OWNER_UNKNOWN] = "unknown",	     [OWNER_UNIQUE] = "unique",
	[OWNER_SHARED] = "shared",	     [OWNER_CONFIRMED] = "confirmed",
	[OWNER_IN_FLIGHT] = "in-flight",     [OWNER_EXITED] = "exited",
	[OWNER_NO_SOCKET] = "no-socket",     [OWNER_FOREIGN_NETNS] = "foreign-netns",
	[OWNER_GIVEN] = "given",
};
const char *const owner_why_words[OWNER_WHY_N] = {
	[OWNER_WHY_NONE] = "none",
	[OWNER_WHY_EXITED] = "exited",
	[OWNER_WHY_CLOSED] = "closed",
	[OWNER_WHY_IN_FLIGHT] = "in-flight",
	[OWNER_WHY_NO_SOCKET] = "no-socket",
	[OWNER_WHY_NETNS] = "netns",
	[OWNER_WHY_BUDGET] = "budget",
	[OWNER_WHY_DEADLINE] = "deadline",
	[OWNER_WHY_DENIED] = "denied",
	[OWNER_WHY_KERNEL_SOCKET] = "kernel-socket",
	[OWNER_WHY_REFUSED_FIRST] = "refused-first",
	[OWNER_WHY_NOT_GIVEN] = "not-given",
	[OWNER_WHY_ERROR] = "error",
};

void owner_init(struct owner *owner)
{
	memset(owner, 0, sizeof(*owner));
	owner->socket_uid = owner->proc.uid = owner->euid = owner->gid = owner->login_uid =
		OWNER_UID_NONE;
}
#endif

#endif
