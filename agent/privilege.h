/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ways down from root, in named stages. Each returns 0 or -errno with the stage that
 * failed in *stage (static text); a caller that gets an error must end.
 *
 * The judge keeps CAP_NET_ADMIN (queue, NFLOG, the agent chain, sock_diag of others) and
 * CAP_SYS_PTRACE with CAP_DAC_READ_SEARCH (reading another uid's /proc/PID/fd needs both), and
 * dies with its keeper. The recorder keeps nothing.
 */
#ifndef AGENT_PRIVILEGE_H
#define AGENT_PRIVILEGE_H

#include <sys/types.h>

/* user: its name for the supplementary groups (they may open php-fpm's sockets to the judge);
 * a number has none. */
int privilege_judge(const char *user, uid_t uid, gid_t gid, const char **stage);
int privilege_recorder(uid_t uid, gid_t gid, const char **stage);

#endif
