/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `egressctl rules`, as far as other commands want it.
 */
#ifndef AGENT_CTL_RULES_H
#define AGENT_CTL_RULES_H

#include <stdbool.h>

/* May this process speak to the kernel's rules (CAP_NET_ADMIN)? */
bool ctl_rules_permitted(void);

#endif
