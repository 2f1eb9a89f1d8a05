/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mail users and ports for people: which of them exist, and what it means when one does not.
 */
#include "ctl_users.h"

#include <stdlib.h>

#include "ctl.h"

static void say_nothing(void *context, const char *line)
{
	(void)context;
	(void)line;
}

char *ctl_users_ports(const struct config *config)
{
	char *text = show_printf("%s", "");

	for (unsigned i = 0; i < config->n_ports; i++) {
		char *longer = show_printf("%s%s%u", text, i ? ", " : "", config->ports[i]);

		free(text);
		text = longer;
	}
	return text;
}

void ctl_users_policy(const struct config *config, struct policy *policy, bool say)
{
	char *ports = ctl_users_ports(config);

	config_policy(config, policy, say_nothing, NULL);
	if (say && !config->n_mail_users)
		ctl_say("no mail user is configured: nobody may send to ports %s", ports);
	for (unsigned i = 0; say && i < config->n_mail_users; i++) {
		uid_t uid;
		gid_t gid;

		if (!config_user(config->mail_users[i], &uid, &gid))
			continue;
		ctl_say("mail user \"%s\" does not exist: %s%s may send to ports %s until it does "
			"and the rules are loaded again",
			config->mail_users[i],
			config->mode == MODE_MONITOR ? "in mode enforce " : "",
			policy->n_mail_uids ? "only the other mail users" : "nobody", ports);
	}
	free(ports);
}
