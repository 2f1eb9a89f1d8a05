/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways down from root, in named stages. Each returns 0 or -errno with the stage that
 * failed in *stage (static text); a caller that gets an error must end.
 *
 * The judge keeps CAP_NET_ADMIN (queue, NFLOG, the agent chain, sock_diag of others) and
 * CAP_SYS_PTRACE with CAP_DAC_READ_SEARCH (reading another uid's /proc/PID/fd needs both), and
 * dies with its keeper. The recorder keeps nothing.
 *
 * The witness runs as the judge's user with two of its capabilities, and dies with its keeper:
 * CAP_DAC_READ_SEARCH opens configurations and access logs below folders that are root's or a
 * site's own (and lets nothing be written), and together with CAP_SYS_PTRACE it reads the web
 * servers' /proc/PID/fd, which name their logs, and opens /proc/PID/exe. It has no CAP_NET_ADMIN:
 * nothing that it reads can change a verdict or a rule.
 *
 * egressd-enter, which runs where containers = true, keeps CAP_SYS_ADMIN (setns(2) into a network
 * namespace asks for it there and here) and CAP_SYS_PTRACE (/proc/PID/ns of other users' processes
 * asks for PTRACE_MODE_READ). It needs no CAP_NET_ADMIN, since sock_diag answers an exact question
 * to anybody inside, and no CAP_DAC_READ_SEARCH, since it looks into no descriptor table. It dies
 * with its keeper.
 */
#ifndef AGENT_PRIVILEGE_H
#define AGENT_PRIVILEGE_H

#include <sys/types.h>

/* user: its name for the supplementary groups (they may open php-fpm's sockets to the judge);
 * a number has none. */
int privilege_judge(const char *user, uid_t uid, gid_t gid, const char **stage);
int privilege_witness(const char *user, uid_t uid, gid_t gid, const char **stage);
int privilege_recorder(uid_t uid, gid_t gid, const char **stage);
int privilege_enter(uid_t uid, gid_t gid, const char **stage);

#endif
