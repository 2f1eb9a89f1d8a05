/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts questions to status pages. It asks nobody. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "fpm_quota.h"

static bool same_pool(const struct fpm_quota_key *a, const struct fpm_quota_key *b)
{
	return a->master == b->master && a->master_start == b->master_start &&
	       !strcmp(a->pool, b->pool);
}

static int find_late(const struct fpm_quota *quota, const struct fpm_quota_key *key)
{
	for (int i = 0; i < FPM_QUOTA_REMEMBER; i++)
		if (quota->late[i].late && same_pool(&quota->late[i].key, key))
			return i;
	return -1;
}

int fpm_quota_take(struct fpm_quota *quota, const struct fpm_quota_key *key, uint64_t now_ns)
{
	unsigned of_pool = 0, of_uid = 0;
	int late = find_late(quota, key);

	for (unsigned i = 0; i < quota->n_open; i++) {
		of_pool += same_pool(&quota->open[i], key);
		of_uid += quota->open[i].uid == key->uid;
	}
	if (quota->n_open == FPM_QUOTA_ALL || of_pool >= FPM_QUOTA_EACH || of_uid >= FPM_QUOTA_EACH)
		return -EBUSY;
	if (late >= 0 && quota->late[late].late >= FPM_QUOTA_LATE &&
	    now_ns < quota->late[late].rests_until_ns)
		return -EBUSY;
	quota->open[quota->n_open++] = *key;
	return 0;
}

void fpm_quota_give(struct fpm_quota *quota, const struct fpm_quota_key *key, bool answered,
		    uint64_t now_ns)
{
	int late = find_late(quota, key);

	for (unsigned i = 0; i < quota->n_open; i++)
		if (same_pool(&quota->open[i], key) && quota->open[i].uid == key->uid) {
			quota->open[i] = quota->open[--quota->n_open];
			break;
		}
	if (answered) {
		if (late >= 0)
			quota->late[late].late = 0;
		return;
	}
	if (late < 0) {
		late = (int)(quota->next++ % FPM_QUOTA_REMEMBER);
		quota->late[late].key = *key;
		quota->late[late].late = 0;
	}
	quota->late[late].late++;
	quota->late[late].rests_until_ns = now_ns + FPM_QUOTA_REST_MS * NS_PER_MS;
}
