/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which programs are worth keeping, and opens them; it never reads one. */
#include "object.h"

bool object_is_suspicious(const struct owner *owner)
{
	return owner->proc.pid > 0 &&
	       (owner->exe_deleted || owner->exe_memfd ||
		(owner->exe_place & (OWNER_PLACE_FILE | OWNER_PLACE_FOLDER)));
}

int object_open(const struct owner *owner)
{
	int fd;

	if (!object_is_suspicious(owner) || owner_open_exe("/proc", owner, &fd))
		return -1;
	return fd;
}
