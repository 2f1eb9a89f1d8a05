/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness: a process of its own that learns about a record after its verdict: the site behind
 * it, the web request that triggered it, the program's file. It is asked by the judge, with the
 * record as the recorder gets it and at most one descriptor (O_PATH of the process's executable),
 * and answers to the recorder with notes (note.h). Nothing waits for it: when it is slow or dead,
 * records lack their notes. It may wait for disks and name services.
 */
#ifndef AGENT_WITNESS_H
#define AGENT_WITNESS_H

#include "config.h"

/* Runs until SIGTERM (it says then what it knows so far) or until nobody can ask any more. Called
 * with privileges dropped already. asked_fd: from the judge; channel_fd: to the recorder, both
 * SOCK_SEQPACKET. The exit code: 0, or 1 after an error that was logged. */
int witness_main(const struct config *config, int asked_fd, int channel_fd);

/* Does a reload change what the witness goes by? Then the keeper ends it and starts it again. */
bool witness_needs_restart(const struct config *old, const struct config *new);

#endif
