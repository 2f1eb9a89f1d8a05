/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs' log: one line to stderr with a <n> priority (sd-daemon(3)) when stderr is no
 * terminal, else with the program's name. Only programs and edges log; library code returns.
 * The texts are escaped here. Keeps the only file-scope state outside the programs.
 */
#ifndef AGENT_LOG_H
#define AGENT_LOG_H

#include <stdbool.h>

void log_open(const char *name, bool verbose);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with -v */

#endif
