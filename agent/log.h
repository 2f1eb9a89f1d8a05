/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs' log: one line to stderr with a <n> priority (sd-daemon(3)) when stderr is no
 * terminal, else with the program's name. Only programs and edges log; library code returns.
 * The texts are escaped here. Where stderr is full (a pipe that nobody reads) the line is dropped,
 * and the next that goes out is preceded by how many were: it never waits. Keeps the only
 * file-scope state outside the programs.
 */
#ifndef AGENT_LOG_H
#define AGENT_LOG_H

#include <stdbool.h>
#include <stddef.h>

void log_open(const char *name, bool verbose);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2))); /* only with -v */
/* A line, newline included, as it is: at most PIPE_BUF bytes. 0, or -errno: dropped. */
int log_raw(const char *line, size_t len);

#endif
