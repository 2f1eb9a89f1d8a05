/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd_notify(3) without libsystemd: one datagram to $NOTIFY_SOCKET, nothing when it is not set.
 */
#ifndef AGENT_NOTIFY_H
#define AGENT_NOTIFY_H

#include <stdbool.h>

/* Opens the socket while that is still allowed; false: there is none. */
bool notify_open(void);
/* `KEY=value` lines, e.g. "READY=1\nSTATUS=guarding". Never blocks; errors are of no use. */
void notify_send(const char *state);

#endif
