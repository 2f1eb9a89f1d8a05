/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the text of /proc/PID/cgroup says: the systemd unit and the container. Works for cgroup
 * v2, v1 and hybrid hosts (cgroups(7)). Pure.
 */
#ifndef BPF_FREE_CGROUP_H
#define BPF_FREE_CGROUP_H

#include <stddef.h>

#include "owner.h"

struct cgroup_names {
	char unit[OWNER_NAME_BYTES];	  /* "" when none */
	char container[OWNER_NAME_BYTES]; /* "" when none */
};

/* Names that do not fit are left out, not cut: a cut name is another name. */
void cgroup_parse(const char *text, size_t len, struct cgroup_names *names);

#endif
