/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl rules: loads, takes away, shows and checks the rule set, and says what was done.
 */
#include "ctl_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "config_ruleset.h"
#include "ctl.h"
#include "ctl_users.h"

struct rules {
	const struct ctl *ctl;
	struct policy policy;
	struct ruleset set;
};

bool ctl_rules_permitted(void)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (!caps)
		return false;
	cap_get_flag(caps, CAP_NET_ADMIN, CAP_EFFECTIVE, &value);
	cap_free(caps);
	return value == CAP_SET;
}

/* What nft said, or the error; CTL_FAILED. */
static int failed(const char *what, int error, const char *message)
{
	char *prefix = show_printf("rules %s: ", what);

	if (message && *message)
		ctl_say_lines(prefix, message);
	else
		ctl_say("%s%s", prefix, strerror(-error));
	free(prefix);
	return CTL_FAILED;
}

/* Is the table there, so that loading it keeps its counters? */
static bool is_loaded(const struct ruleset *set)
{
	uint64_t packets[RULESET_COUNTER_N], handle;
	struct ruleset_link *link = NULL;
	bool loaded;

	if (ruleset_link_open(&link))
		return false;
	loaded = !ruleset_counters(link, set->table, packets, &handle);
	ruleset_link_free(link);
	return loaded;
}

static void say_clashes(const struct ruleset *set)
{
	char *message = NULL;
	int n = ruleset_clashes(set, &message);
	char *rest = message;

	/* Who holds the queue is as a rule the egressd that these rules are for: it says itself
	 * when it can't have it. */
	for (char *line; n > 0 && (line = strsep(&rest, "\n"));)
		if (*line && strncmp(line, "queue ", 6) != 0)
			ctl_say("warning: %s", line);
	if (n < 0)
		ctl_say("warning: could not look for clashes: %s",
			message ? message : strerror(-n));
	free(message);
}

/* A running egressd puts rules back that are gone, but not those that its admin took away. */
static void mark_unloaded(const struct config *config, bool unloaded)
{
	char path[CONFIG_PATH_BYTES + sizeof("/" CONFIG_UNLOADED_FILE)];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", config->state_dir, CONFIG_UNLOADED_FILE);
	if (!unloaded) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd >= 0)
		close(fd);
}

static int rules_load(struct rules *rules)
{
	const struct ruleset *set = &rules->set;
	bool was_loaded = is_loaded(set);
	char *message = NULL, *ports = ctl_users_ports(&rules->ctl->config);
	int error = ruleset_load(set, &message), code = CTL_OK;

	if (error) {
		code = failed("load", error, message);
		goto out;
	}
	printf("table inet %s: %s, mode %s, ports %s, %u mail user%s; %s\n", set->table,
	       was_loaded ? "renewed" : "loaded", policy_mode_words[rules->ctl->config.mode], ports,
	       set->n_mail_uids, set->n_mail_uids == 1 ? "" : "s",
	       was_loaded ? "its counters were kept" : "its counters start at 0");
	printf("The agent chain is empty: a running egressd fills it within a second; until then "
	       "the rules "
	       "decide alone.\n");
	mark_unloaded(&rules->ctl->config, false);
	fflush(stdout);
	if (message)
		ctl_say_lines("warning: ", message);
	ctl_users_policy(&rules->ctl->config, &rules->policy, true);
	say_clashes(set);
out:
	free(message);
	free(ports);
	return code;
}

static int rules_unload(struct rules *rules)
{
	bool was_loaded = is_loaded(&rules->set);
	char *message = NULL;
	int error;

	mark_unloaded(&rules->ctl->config, true);
	error = ruleset_unload(&rules->set, &message);

	if (error) {
		int code = failed("unload", error, message);

		free(message);
		return code;
	}
	free(message);
	if (was_loaded)
		printf("table inet %s: taken away; every user may send again\n", rules->set.table);
	else
		printf("table inet %s: was not loaded\n", rules->set.table);
	return CTL_OK;
}

/* Line by line: a newline is the only control that nft writes for layout but the tab. */
static void print_lines(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), tabs = strspn(text, "\t");
		char *raw, *clean;

		if (tabs > len)
			tabs = len;
		raw = show_printf("%.*s", (int)(len - tabs), text + tabs);
		clean = show_clean(raw);
		printf("%.*s%s\n", (int)tabs, text, clean);
		free(clean);
		free(raw);
		text += len + (text[len] == '\n');
	}
}

static int not_loaded(const struct rules *rules)
{
	ctl_say("table inet %s is not loaded: nothing is guarded; egressctl rules load loads it",
		rules->set.table);
	return CTL_FAILED;
}

static int rules_show(struct rules *rules)
{
	char *text = NULL, *message = NULL;
	int error = ruleset_show(&rules->set, &text, &message), code = CTL_OK;

	if (error == -ENOENT)
		code = not_loaded(rules);
	else if (error)
		code = failed("show", error, message);
	else
		print_lines(text);
	free(text);
	free(message);
	return code;
}

static int rules_check(struct rules *rules)
{
	char *message = NULL;
	int error = ruleset_check(&rules->set, &message), code = CTL_FAILED;

	if (error == -ENOENT) {
		code = not_loaded(rules);
	} else if (error < 0) {
		code = failed("check", error, message);
	} else if (error) {
		printf("table inet %s differs from the configuration:\n", rules->set.table);
		print_lines(message ? message : "");
	} else {
		printf("OK: table inet %s is whole\n", rules->set.table);
		if (message)
			ctl_say_lines("warning: ", message);
		code = CTL_OK;
	}
	free(message);
	return code;
}

int ctl_rules(struct ctl *ctl)
{
	static const struct {
		const char *name;
		int (*run)(struct rules *rules);
	} verbs[] = { { "load", rules_load },
		      { "unload", rules_unload },
		      { "show", rules_show },
		      { "check", rules_check } };
	struct rules rules = { .ctl = ctl };
	const char *verb = ctl->args.arguments[0];
	int code;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		code = ctl_config_load(ctl);
		if (code)
			return code;
		if (!ctl_rules_permitted()) {
			ctl_say("rules %s: needs root (CAP_NET_ADMIN)", verb);
			return CTL_FAILED;
		}
		ctl_users_policy(&ctl->config, &rules.policy, false);
		config_ruleset(&ctl->config, &rules.policy, &rules.set);
		return verbs[i].run(&rules);
	}
	ctl_say("rules: expected load, unload, show or check, got \"%s\"", verb);
	return CTL_USAGE;
}
