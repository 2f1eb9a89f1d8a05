/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl config, and the configuration of the other commands; changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_users.h"

/* FILE:LINE: KEY: …, as editors read it: no name of the program before it. */
void ctl_config_error(void *context, const char *line)
{
	char *clean = show_clean(line);

	(void)context;
	fprintf(stderr, "%s\n", clean);
	free(clean);
}

int ctl_config_load(struct ctl *ctl)
{
	const char *file = ctl->args.config_file;

	if (!file) {
		file = CONFIG_DEFAULT_FILE;
		if (access(file, F_OK) && errno == ENOENT) {
			config_defaults(&ctl->config);
			ctl->config_is_default = true;
			return 0;
		}
	}
	return config_load(&ctl->config, file, ctl_config_error, NULL) ? CTL_CONFIG : 0;
}

static int config_show(struct ctl *ctl)
{
	char *text = config_text(&ctl->config);

	if (ctl->config_is_default)
		printf("# %s does not exist: these are the defaults.\n", CONFIG_DEFAULT_FILE);
	fputs(text, stdout);
	free(text);
	return CTL_OK;
}

static int config_check(struct ctl *ctl)
{
	struct policy policy;

	/* A user that is missing is said, but is no error of the file. */
	ctl_users_policy(&ctl->config, &policy, true);
	if (ctl->config_is_default)
		printf("OK: %s does not exist, the defaults hold\n", CONFIG_DEFAULT_FILE);
	else
		printf("OK: %s\n", ctl->args.config_file ? ctl->args.config_file
							 : CONFIG_DEFAULT_FILE);
	return CTL_OK;
}

int ctl_config(struct ctl *ctl)
{
	static const struct {
		const char *name;
		int (*run)(struct ctl *ctl);
	} verbs[] = { { "show", config_show }, { "check", config_check } };
	int code;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(ctl->args.arguments[0], verbs[i].name) != 0)
			continue;
		code = ctl_config_load(ctl);
		return code ? code : verbs[i].run(ctl);
	}
	ctl_say("config: expected show or check, got \"%s\"", ctl->args.arguments[0]);
	return CTL_USAGE;
}
