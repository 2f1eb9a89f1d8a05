/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access logs as they grow: regular files only, opened without waiting for anybody, read from
 * where they ended when a question's SYN was sent. The logs are others': a user may own the folder
 * they lie in, rotate, cut, replace or flood them. What a turn reads is bounded.
 *
 * A mark is "at this time the file was that long", made while nobody asks too; so lines that
 * appeared before a SYN are told from those after it. Times are CLOCK_REALTIME and given.
 */
#ifndef WEB_TRIGGER_LOGS_H
#define WEB_TRIGGER_LOGS_H

#include "trigger.h"

#define TRIGGER_LOGS 1024 /* watched at most */

struct trigger_logs;

/* line NULL: one that could not be read. log: its number, good while the log is held. */
typedef void trigger_lines_fn(void *context, unsigned log, const struct trigger_line *line);

/* root_fd: what "/" is; not owned. NULL: no memory. */
struct trigger_logs *trigger_logs_new(int root_fd);
void trigger_logs_free(struct trigger_logs *logs); /* takes NULL */

/* Watches it from its present end on; format becomes the logs', also on failure. One that is
 * watched already may have lines of either format. It need not exist yet. The number, -ENFILE:
 * too many, or -ENOMEM. */
int trigger_logs_add(struct trigger_logs *logs, const char *path, struct trigger_format *format,
		     int64_t now_ns);
/* All that is watched is old; what is added now is not; then drops what is old and not held. */
void trigger_logs_renew(struct trigger_logs *logs);
void trigger_logs_drop_old(struct trigger_logs *logs);
/* The number of a path, or -ENOENT. */
int trigger_logs_find(const struct trigger_logs *logs, const char *path);
/* Numbers are below it; the path of one that is not in use is NULL. */
unsigned trigger_logs_end(const struct trigger_logs *logs);
const char *trigger_logs_path(const struct trigger_logs *logs, unsigned log);

/* Marks each log's end; sees to rotated ones. Each second, and before questions are taken. */
void trigger_logs_mark(struct trigger_logs *logs, int64_t now_ns);

/* A held log is read by trigger_logs_read() from now on. What appeared in it since the newest mark
 * that is no younger than since_ns is given at once. False: not all of that can be had. */
bool trigger_logs_hold(struct trigger_logs *logs, unsigned log, int64_t since_ns,
		       trigger_lines_fn *fn, void *context);
/* True: lines of it may have been missed, or are still unread, while it was held. */
bool trigger_logs_release(struct trigger_logs *logs, unsigned log);
/* Lines that appeared in held logs since the last time. */
void trigger_logs_read(struct trigger_logs *logs, int64_t now_ns, trigger_lines_fn *fn,
		       void *context);

/* The lines of every log, held or not, since the newest mark that is no younger than since_ns.
 * False: not all of that can be had. */
bool trigger_logs_past(struct trigger_logs *logs, int64_t since_ns, int64_t now_ns,
		       trigger_lines_fn *fn, void *context);

/* trigger_open.c: a regular file for reading below root_fd, symbolic links followed as the servers
 * do; nothing that a FUSE daemon serves. The descriptor, or -errno. */
int trigger_open(int root_fd, const char *path, uint64_t *dev, uint64_t *ino);
/* Which file the path leads to now. 0 or -errno. */
int trigger_where(int root_fd, const char *path, uint64_t *dev, uint64_t *ino);
/* Is there a regular file of this path below this folder, as far as the kernel has it at hand? */
bool trigger_is_file(int root_fd, const char *folder, const char *path);

/* trigger_servers.c: the access logs that root's web servers have open. proc_fd: /proc. How many
 * fn was given. */
typedef void trigger_found_fn(void *context, enum sites_server server, const char *path);
unsigned trigger_servers_logs(int proc_fd, trigger_found_fn *fn, void *context);

#endif
