/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of egressctl to struct ctl_args. Options stand before or after the command, and
 * each command takes only those that mean something to it. Pure but for getopt's own state.
 */
#ifndef AGENT_CTL_ARGS_H
#define AGENT_CTL_ARGS_H

#include "ctl.h"

/* 0; or -EINVAL with one line in *message (malloc'd) that says what was wrong. args->command is
 * NULL when no command was given. `-h` and `--help` become the command help,
 * `-V` and `--version` the command version. */
int ctl_args_parse(struct ctl_args *args, int argc, char **argv, int64_t now_ns, char **message);

/* Also after an error. */
void ctl_args_free(struct ctl_args *args);

/* "-o" or "--output": as it was typed. malloc'd. */
char *ctl_option_typed(const struct ctl_args *args, unsigned option);
/* "    --since TIME" of CTL_SINCE; and what `help` says of it. */
const char *ctl_option_name(unsigned option);
const char *ctl_option_help(unsigned option);

/* ctl_columns.c: takes the blanks out of args->columns. 0, or -EINVAL with the line in *message. */
int ctl_columns_check(struct ctl_args *args, char **message);

#endif
