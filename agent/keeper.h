/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: egressd's first process. It loads the rule set where it is missing or another,
 * starts the judge, the recorder and the witness, starts the latter two again when they die (it
 * holds their channels' reading ends, so records and questions wait meanwhile), and reloads the
 * configuration. It reads nothing that an attacker chose: signals and its own children only.
 *
 * When the judge dies the keeper ends too, after the recorder has kept what it was handed: the
 * guard decides alone until the service manager starts us again.
 */
#ifndef AGENT_KEEPER_H
#define AGENT_KEEPER_H

#include "judge.h"

struct keeper_users {
	uid_t judge_uid, recorder_uid;
	gid_t judge_gid, recorder_gid;
};

/* Who the judge and the recorder become. 0, or -EINVAL after a line in the log each. */
int keeper_find_users(const struct config *config, struct keeper_users *users);
/* settings: config and policy as loaded from config_file. The exit code. */
int keeper_run(const char *config_file, const struct judge_settings *settings,
	       const struct keeper_users *users);

#endif
