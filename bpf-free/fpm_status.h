/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * php-fpm's status page, `full` (sapi/fpm/fpm/fpm_status.c): which script does this pid run?
 * Pure.
 *
 * The text form, because it has the bytes of a path as they are: the JSON form drops those that
 * are not UTF-8, and so names another file. Nothing is escaped in it, and a client chooses the
 * URI: a request can write lines into the page. Therefore the page counts only as exactly what
 * php-fpm prints: every line in its place, no pid twice, nothing behind the end. A forged entry
 * is then possible only by adding one for another process; the caller must check that every
 * listed pid is a worker of that pool.
 */
#ifndef BPF_FREE_FPM_STATUS_H
#define BPF_FREE_FPM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FPM_STATUS_PIDS 2048

/* Raw bytes of the page; not NUL-terminated. */
struct fpm_text {
	const char *at;
	size_t len;
};

struct fpm_status {
	struct fpm_text pool, state, method, uri, script;
	uint64_t duration_us; /* since its request began */
	unsigned n_listed;
	pid_t pids[FPM_STATUS_PIDS];
};

/* 0; -ENOENT: the page does not list the pid; -EBADMSG: it is not such a page, or was tampered
 * with. *status is filled with 0 and -ENOENT. */
int fpm_status_parse(const char *page, size_t len, pid_t pid, struct fpm_status *status);

/* Does the state say that a script of this pid is at work? */
bool fpm_status_at_work(const struct fpm_status *status);

#endif
