/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder: a process of its own, unprivileged, that reads the judge's messages and keeps
 * them: store, evidence, journal. It never answers; when it is slow the channel fills and the
 * judge counts.
 */
#ifndef AGENT_RECORDER_H
#define AGENT_RECORDER_H

#include "config.h"

/* Runs until the channel's other ends are closed (all is committed then), or a SIGTERM came and
 * the channel is empty. Called with privileges dropped already, working directory state_dir.
 * evidence_fd: the folder state_dir/evidence, or -1. journal_fd: connected datagram socket, or
 * -1. The exit code: 0, or 1 after an error that was logged. */
int recorder_main(const struct config *config, int channel_fd, int evidence_fd, int journal_fd);

#endif
