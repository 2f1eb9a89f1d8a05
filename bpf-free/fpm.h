/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a php-fpm worker to a connection that can be asked for its script: the master's title
 * names the configuration, the configuration the pool's status page.
 *
 * Only a master that root runs is asked, since any other says what its user wants to be said, and
 * whoever answers must be that master: over a unix socket the kernel tells who listens
 * (SO_PEERCRED is the one who called listen(2), unix(7)), over TCP sock_diag tells whose the
 * listening socket is. Connecting to a unix socket needs write permission on it, which neither
 * CAP_SYS_PTRACE nor CAP_DAC_READ_SEARCH gives: without a shared group (listen.group) or a
 * pm.status_listen on 127.0.0.1 the answer is DENIED.
 */
#ifndef BPF_FREE_FPM_H
#define BPF_FREE_FPM_H

#include "fpm_conf.h"
#include "owner.h"
#include "sockdiag.h"

struct fpm; /* remembers where pages are */

int fpm_new(struct fpm **fpm);
void fpm_free(struct fpm *fpm);

struct fpm_call {
	int fd; /* connected or connecting, non-blocking */
	char status_path[FPM_CONF_VALUE];
	struct owner_ref master;
};

/* worker is described already (parents[0] is the master). NONE: *call is filled and its fd is
 * the caller's; else why there is nobody to ask. */
enum owner_why fpm_dial(struct fpm *fpm, int proc_fd, struct sockdiag *diag,
			const struct owner *worker, uint64_t deadline_ns, struct fpm_call *call);

/* Internal, fpm_files.c: reads the configuration below root_fd until the pool is found. */
struct fpm_file_id {
	uint64_t dev, ino, size;
	int64_t mtime_s, mtime_ns;
};
struct fpm_files {
	struct fpm_conf conf;
	char pool_file[FPM_CONF_VALUE]; /* "" when the pool was found nowhere */
	struct fpm_file_id main_id, pool_id;
};
int fpm_files_read(int root_fd, const char *config, const char *pool, uint64_t deadline_ns,
		   struct fpm_files *files);
/* Opens below root_fd as if it were the root; path is absolute. */
int fpm_open_below(int root_fd, const char *path, int flags, int *fd);
int fpm_file_id(int root_fd, const char *path, struct fpm_file_id *id);

#endif
