/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running nft and its like: fork, exec with a clean environment and no inherited descriptor, never
 * a shell. Private to nft/.
 */
#ifndef NFT_RULESET_RUN_H
#define NFT_RULESET_RUN_H

#define RULESET_RUN_HERE (-1) /* the caller's network namespace */

/*
 * Runs argv[0] (a path) with `input` on its standard input (NULL: nothing). Returns its exit code
 * (128 + N when signal N ended it), then *out and *err are what it wrote, malloc'd, NUL-terminated;
 * or -errno when it could not be run to its end: -ENOENT no such program, -ETIMEDOUT it did not
 * end in 10 s and was killed with what it started, -EFBIG.
 */
int ruleset_run(const char *const argv[], const char *input, int netns_fd, char **out, char **err);

/* What ruleset_run() could not do, in words. */
const char *ruleset_run_error(int error);

/* A new, empty network namespace, held by *netns_fd alone. Needs CAP_SYS_ADMIN. */
int ruleset_run_netns(int *netns_fd);

#endif
