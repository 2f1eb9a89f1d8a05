/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judge's part in keeping a suspicious program: a process whose executable is deleted, lies in
 * memory only, or where anybody may write, has it handed to the witness while it lives. The judge
 * opens it as a path and reads nothing of it.
 */
#ifndef AGENT_OBJECT_H
#define AGENT_OBJECT_H

#include <stdbool.h>

#include "../bpf-free/owner.h"

/* Pure. What is not known of the place makes nobody suspicious. */
bool object_is_suspicious(const struct owner *owner);

/* After the verdict: the executable of a suspicious owner as an O_PATH descriptor, to be passed
 * with the record (pass_fd_send()) and closed. -1: it is not suspicious, or it is gone. */
int object_open(const struct owner *owner);

#endif
