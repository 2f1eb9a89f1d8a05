/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sees to the rule set for the keeper, and logs what it finds. */
#include "keeper_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_ruleset.h"
#include "log.h"

static void each_line(const char *prefix, char *text, void (*say)(const char *, ...))
{
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (*line)
			say("%s%s", prefix, line);
}

int keeper_rules_make_whole(const struct judge_settings *settings, enum keeper_rules_when when)
{
	struct ruleset ruleset;
	char *message = NULL;
	int result;

	config_ruleset(&settings->config, &settings->policy, &ruleset);
	result = ruleset_check(&ruleset, &message);
	if (result == 0) {
		if (message && when != RULES_AT_DRIFT)
			each_line("rules: ", message, log_warning);
		free(message);
		return 0;
	}
	if (result == 1)
		each_line("rules: ", message, when == RULES_AT_RELOAD ? log_debug : log_warning);
	if (result != -ETIMEDOUT) { /* nft hangs: once is enough */
		free(message);
		message = NULL;
		result = ruleset_load(&ruleset, &message);
	}
	if (result) {
		if (message)
			each_line("rules: ", message, log_error);
		log_error("rules: could not be loaded: %s", strerror(-result));
	} else {
		log_notice("rules: loaded table inet %s, mode %s", settings->config.table,
			   policy_mode_words[settings->config.mode]);
		if (message)
			each_line("rules: ", message, log_warning);
	}
	free(message);
	return result ? result : 1;
}

bool keeper_rules_unloaded(int state_fd, bool forget)
{
	if (forget)
		unlinkat(state_fd, CONFIG_UNLOADED_FILE, 0);
	return !forget && faccessat(state_fd, CONFIG_UNLOADED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void keeper_rules_name_clashes(const struct judge_settings *settings)
{
	struct ruleset ruleset;
	char *message = NULL;
	int count;

	config_ruleset(&settings->config, &settings->policy, &ruleset);
	count = ruleset_clashes(&ruleset, &message);
	if (count > 0)
		each_line("clash: ", message, log_warning);
	else if (count < 0)
		log_warning("clash: could not be looked for: %s",
			    message ? message : strerror(-count));
	free(message);
}
