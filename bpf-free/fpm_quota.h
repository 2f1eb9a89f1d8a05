/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many questions to status pages may be under way: few for each pool and each user, so that
 * a pool that lets us wait takes nobody else's place, and none for a while to one that did so
 * again and again. Pure: no I/O, no clock.
 */
#ifndef BPF_FREE_FPM_QUOTA_H
#define BPF_FREE_FPM_QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FPM_QUOTA_ALL	   32 /* questions at a time */
#define FPM_QUOTA_EACH	   8  /* of them for one pool, and for the workers of one user */
#define FPM_QUOTA_LATE	   3  /* times in a row without an answer until a pool is not asked */
#define FPM_QUOTA_REST_MS  30000
#define FPM_QUOTA_REMEMBER 256

struct fpm_quota_key {
	pid_t master;
	uint64_t master_start;
	uint32_t uid; /* of the worker */
	char pool[64];
};

struct fpm_quota {
	struct fpm_quota_key open[FPM_QUOTA_ALL];
	unsigned n_open;
	struct {
		struct fpm_quota_key key;
		unsigned late;
		uint64_t rests_until_ns;
	} late[FPM_QUOTA_REMEMBER];
	unsigned next;
};

/* 0, or -EBUSY: not now. */
int fpm_quota_take(struct fpm_quota *quota, const struct fpm_quota_key *key, uint64_t now_ns);
/* The question is over; answered: there was any answer. */
void fpm_quota_give(struct fpm_quota *quota, const struct fpm_quota_key *key, bool answered,
		    uint64_t now_ns);

#endif
