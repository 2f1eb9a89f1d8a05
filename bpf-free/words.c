/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The owner's vocabulary, and the empty owner. Pure: no I/O. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "owner.h"

const char *const owner_how_words[OWNER_HOW_N] = {
	[OWNER_UNKNOWN] = "unknown",
	[OWNER_UNIQUE] = "unique",
	[OWNER_SHARED] = "shared",
	[OWNER_CONFIRMED] = "confirmed",
	[OWNER_IN_FLIGHT] = "in-flight",
	[OWNER_EXITED] = "exited",
	[OWNER_NO_SOCKET] = "no-kernel-socket",
	[OWNER_FOREIGN_NETNS] = "foreign-netns",
	[OWNER_GIVEN] = "given",
	[OWNER_CALLER] = "caller",
};
static_assert(OWNER_HOW_N == 10, "a new enum owner_how needs its word");

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
	[OWNER_WHY_NOT_TOLD] = "not-told",
	[OWNER_WHY_NO_STATUS_PAGE] = "no-status-page",
	[OWNER_WHY_NOT_TRUSTED] = "not-trusted",
	[OWNER_WHY_ERROR] = "error",
	[OWNER_WHY_EXEC] = "exec",
};
static_assert(OWNER_WHY_N == 17, "a new enum owner_why needs its word");

const char *const owner_script_from_words[OWNER_SCRIPT_FROM_N] = {
	[OWNER_SCRIPT_NONE] = "none",	    [OWNER_SCRIPT_ARGV] = "argv",
	[OWNER_SCRIPT_INLINE] = "inline",   [OWNER_SCRIPT_STDIN] = "stdin",
	[OWNER_SCRIPT_ENVIRON] = "environ", [OWNER_SCRIPT_FPM_STATUS] = "fpm-status",
	[OWNER_SCRIPT_TITLE] = "title",	    [OWNER_SCRIPT_GIVEN] = "given",
	[OWNER_SCRIPT_MODULE] = "module",
};
static_assert(OWNER_SCRIPT_FROM_N == 9, "a new enum owner_script_from needs its word");

void owner_init(struct owner *owner)
{
	/* Some 300 bytes of 18,000: behind a text's NUL there is nothing to read. */
	memset(owner, 0, offsetof(struct owner, exe));
	owner->exe[0] = owner->cmdline[0] = owner->cwd[0] = owner->script[0] = 0;
	owner->cmdline_bytes = 0;
	owner->unit[0] = owner->container[0] = 0;
	owner->request_method[0] = owner->request_uri[0] = 0;
	owner->request_host[0] = owner->request_client[0] = 0;
	memset((char *)owner + offsetof(struct owner, parents), 0,
	       sizeof(*owner) - offsetof(struct owner, parents));
	owner->socket_uid = OWNER_UID_NONE;
	owner->proc.uid = OWNER_UID_NONE;
	owner->caller.uid = OWNER_UID_NONE;
	owner->euid = OWNER_UID_NONE;
	owner->gid = OWNER_UID_NONE;
	owner->login_uid = OWNER_UID_NONE;
}
