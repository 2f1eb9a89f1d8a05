/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper's dealings with the rule set. Both log what they find.
 */
#ifndef AGENT_KEEPER_RULES_H
#define AGENT_KEEPER_RULES_H

#include "judge.h"

enum keeper_rules_when { RULES_AT_START, RULES_AT_RELOAD, RULES_AT_DRIFT };
/* Loads the table when it is missing or not what the settings make. The guard must be whole before
 * anything is queued: with fail_open it is all that stands. A difference is worth a warning, unless
 * it is wanted (a reload). What this kernel can't do is a warning, too, but not at each look for
 * drift. 0: was whole; 1: loaded; or -errno. */
int keeper_rules_make_whole(const struct judge_settings *settings, enum keeper_rules_when when);
/* Names, as warnings, what other programs loaded that gets in the way. */
void keeper_rules_name_clashes(const struct judge_settings *settings);

/* Did an admin take the rules away on purpose (`egressctl rules unload`)? A file in the state
 * folder says so; forget: it is removed, the answer is false. */
bool keeper_rules_unloaded(int state_fd, bool forget);

#endif
