/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl config, and the configuration of the other commands; changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_scan.h"
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
			ctl->show.state_dir = ctl->config.state_dir;
			return 0;
		}
	}
	if (config_load(&ctl->config, file, ctl_config_error, NULL))
		return CTL_CONFIG;
	ctl->show.state_dir = ctl->config.state_dir;
	return 0;
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

/* Where the file gives the key this value; 0: elsewhere (a file of conf.d, or the default). */
static unsigned line_of(const char *file, const char *key, const char *name)
{
	struct config_assignment found;
	struct config_scan scan = { .line = 1 };
	char *text = calloc(1, CONFIG_TEXT_MAX + 1), *quoted = show_printf("\"%s\"", name);
	FILE *in = fopen(file, "re");
	unsigned line = 0;

	if (!text)
		abort();
	scan.at = text;
	if (in && fread(text, 1, CONFIG_TEXT_MAX, in) > 0)
		while (!line && config_scan_next(&scan, &found) > 0)
			if (!strcmp(found.key, key) && found.value_len == strlen(quoted) &&
			    !memcmp(found.value, quoted, found.value_len))
				line = found.line;
	if (in)
		fclose(in);
	free(quoted);
	free(text);
	return line;
}

/* Without them egressd does not start: unlike a mail user, that is an error. */
static int check_process_user(const char *file, const char *key, const char *name)
{
	uid_t uid;
	gid_t gid;
	int error = config_user(name, &uid, &gid);
	unsigned at = line_of(file, key, name);
	char *where, *line;

	if (!error && uid != 0)
		return CTL_OK;
	where = at ? show_printf("%s:%u", file, at) : show_printf("%s", file);
	if (!error)
		line = show_printf("%s: %s: \"%s\" is root: expected a user without rights", where,
				   key, name);
	else if (error == -ENOENT)
		line = show_printf("%s: %s: there is no user \"%s\": expected an existing user or "
				   "a number",
				   where, key, name);
	else
		line = show_printf("%s: %s: \"%s\": %s", where, key, name, strerror(-error));
	free(where);
	ctl_config_error(NULL, line);
	free(line);
	return CTL_CONFIG;
}

static int config_check(struct ctl *ctl)
{
	const char *file = ctl->args.config_file ? ctl->args.config_file : CONFIG_DEFAULT_FILE;
	int judge, recorder;
	struct policy policy;

	if (ctl->config_is_default)
		ctl_say("%s: can't be read: %s; the defaults hold", file, strerror(ENOENT));
	judge = check_process_user(file, "judge_user", ctl->config.judge_user);
	recorder = check_process_user(file, "recorder_user", ctl->config.recorder_user);
	if (judge || recorder)
		return CTL_CONFIG;
	/* A user that is missing is said, but is no error of the file. */
	ctl_users_policy(&ctl->config, &policy, true);
	if (ctl->config_is_default)
		printf("OK: %s does not exist, the defaults hold\n", CONFIG_DEFAULT_FILE);
	else
		printf("OK: %s\n", file);
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
