/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks up who the judge and the recorder become, and says what is wrong with it. */
#include <errno.h>
#include <string.h>

#include "keeper.h"
#include "log.h"

static int find_user(const char *key, const char *name, uid_t *uid, gid_t *gid)
{
	int error = config_user(name, uid, gid);

	if (error == -ENOENT)
		log_error("%s: there is no user \"%s\": expected an existing user or a number "
			  "(to make it: useradd --system --no-create-home %s)",
			  key, name, name);
	else if (error)
		log_error("%s: \"%s\": %s", key, name, strerror(-error));
	else if (*uid == 0)
		log_error("%s: \"%s\" is root: expected a user without rights", key, name);
	else
		return 0;
	return -EINVAL;
}

int keeper_find_users(const struct config *config, struct keeper_users *users)
{
	int judge =
		find_user("judge_user", config->judge_user, &users->judge_uid, &users->judge_gid);
	int recorder = find_user("recorder_user", config->recorder_user, &users->recorder_uid,
				 &users->recorder_gid);

	return judge ? judge : recorder;
}
