/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration to what nft/ wants to know; loads nothing. */
#include "config_ruleset.h"

void config_ruleset(const struct config *config, const struct policy *policy,
		    struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){
		.nft_program = config->nft_program,
		.rules_file = config->rules_file[0] ? config->rules_file : NULL,
		.table = config->table,
		.monitor = config->mode == MODE_MONITOR,
		.ports = policy->ports,
		.n_ports = policy->n_ports,
		.mail_uids = policy->mail_uids,
		.n_mail_uids = policy->n_mail_uids,
		.mark_mask = config->mark_mask,
		.mark_allow = config->mark_allow,
		.mark_deny = config->mark_deny,
		.hot_rate = config->hot_rate,
		.hot_burst = config->hot_burst,
		.nflog_group = config->nflog_group,
		.queue_num = config->queue_num,
	};
}
