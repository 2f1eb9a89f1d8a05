/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as the rule set needs it.
 */
#ifndef AGENT_CTL_RULES_H
#define AGENT_CTL_RULES_H

#include "../nft/ruleset.h"
#include "config.h"

/* Points into config and policy, which must live as long. */
void ctl_rules_of(const struct config *config, const struct policy *policy,
		  struct ruleset *ruleset);
/* May this process speak to the kernel's rules (CAP_NET_ADMIN)? */
bool ctl_rules_permitted(void);

#endif
