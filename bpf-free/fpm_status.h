/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * php-fpm's status page, `full&json` (sapi/fpm/fpm/fpm_status.c): which script does this pid
 * run? Pure.
 *
 * Older php-fpm does not escape the request's URI, user and script there, and a client chooses
 * the first two, so a request can write JSON into the page. Therefore the page counts only as
 * exactly what php-fpm prints: every key known, once and in its order, no pid twice, nothing
 * behind the end. A forged entry is then possible only by adding one, which the caller sees in
 * n_listed and n_total, and can tell from the pids.
 */
#ifndef BPF_FREE_FPM_STATUS_H
#define BPF_FREE_FPM_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FPM_STATUS_PIDS 512

/* Raw bytes of the page; not NUL-terminated. */
struct fpm_text {
	const char *at;
	size_t len;
};

struct fpm_status {
	struct fpm_text pool, state, method, uri, script;
	unsigned n_listed, n_total;
	pid_t pids[FPM_STATUS_PIDS]; /* the first of n_listed */
};

/* 0; -ENOENT: the page does not list the pid; -EBADMSG: it is not such a page, or was tampered
 * with. Texts are as they stand between the quotes. */
int fpm_status_parse(const char *page, size_t len, pid_t pid, struct fpm_status *status);

/*
 * A path as it stands in the page, decoded into out. Two forms: raw bytes (older php-fpm), where
 * a backslash would be ambiguous and is refused; or JSON-escaped, where every slash is "\/".
 * The length before cutting, or -EBADMSG.
 */
int fpm_status_decode(struct fpm_text text, char *out, size_t size);

/* Does the state say that a script of this pid is at work? */
bool fpm_status_at_work(const struct fpm_status *status);

#endif
