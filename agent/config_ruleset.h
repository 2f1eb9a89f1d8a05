/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule set that a configuration makes: egressd loads it and egressctl checks it by the same
 * struct. Pure.
 */
#ifndef AGENT_CONFIG_RULESET_H
#define AGENT_CONFIG_RULESET_H

#include "../nft/ruleset.h"
#include "config.h"

/* Points into *config and *policy: good as long as they are. */
void config_ruleset(const struct config *config, const struct policy *policy,
		    struct ruleset *ruleset);

#endif
