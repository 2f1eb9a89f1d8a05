/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mail users of the configuration as this box knows them.
 */
#ifndef AGENT_CTL_USERS_H
#define AGENT_CTL_USERS_H

#include "config.h"

/* config -> policy; with `say`, each mail user that does not exist is named on stderr, and what
 * that means. */
void ctl_users_policy(const struct config *config, struct policy *policy, bool say);
/* "25, 465, 587"; malloc'd. */
char *ctl_users_ports(const struct config *config);

#endif
