/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, unloads, shows and checks the table with nft(8); must not touch another table. */
#include "ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ruleset_link.h"
#include "ruleset_listing.h"
#include "ruleset_run.h"
#include "ruleset_text.h"

/* What a reload must empty, since it only adds elements; those of `hot_uids` keep the limit that
 * they were made with. `refused` keeps what it counted. */
static const char *const static_sets[] = { "smtp_ports", "mta_uids", "may_send", "hot_uids" };

static void trim_newlines(char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
}

/* Takes the first text which says something; the other one is freed. */
static void message_set(char **message, char *text)
{
	free(*message);
	*message = NULL;
	if (!text)
		return;
	trim_newlines(text);
	if (*text)
		*message = text;
	else
		free(text);
}

static void message_printf(char **message, const char *before, const char *what, const char *after)
{
	struct ruleset_text text = { 0 };

	ruleset_text_printf(&text, "%s%s%s", before, what, after);
	message_set(message, ruleset_text_take(&text));
}

/* nft with its words, its output in *out. -EINVAL: nft refused, *message is what it said. */
static int nft(const struct ruleset *ruleset, const char *const argv[], const char *input,
	       int netns_fd, char **out, char **message)
{
	char *said, *complaint;
	int ret = ruleset_run(argv, input, netns_fd, &said, &complaint);

	if (ret < 0) {
		message_printf(message, ruleset->nft_program, ": ", ruleset_run_error(ret));
		return ret;
	}
	if (ret > 0) {
		free(said);
		message_set(message, complaint);
		return -EINVAL;
	}
	free(complaint);
	*out = said;
	return 0;
}

static int nft_apply(const struct ruleset *ruleset, const char *text, int netns_fd, char **message)
{
	const char *const argv[] = { ruleset->nft_program, "-f", "-", NULL };
	char *out;
	int ret = nft(ruleset, argv, text, netns_fd, &out, message);

	if (!ret)
		free(out);
	return ret;
}

static int nft_list(const struct ruleset *ruleset, bool stateless, int netns_fd, char **text,
		    char **message)
{
	const char *const whole[] = { ruleset->nft_program, "list", "table", "inet",
				      ruleset->table,	    NULL };
	const char *const rules[] = { ruleset->nft_program, "-s", "list", "table", "inet",
				      ruleset->table,	    NULL };

	return nft(ruleset, stateless ? rules : whole, NULL, netns_fd, text, message);
}

/* 0: the table is there; -ENOENT. */
static int table_there(const struct ruleset *ruleset)
{
	struct ruleset_link *link = NULL;
	uint64_t handle;
	int ret = ruleset_link_open(&link);

	if (!ret)
		ret = ruleset_link_table(link, ruleset->table, &handle);
	ruleset_link_free(link);
	return ret;
}

/* Empties what is there, but not its counters, in the transaction that writes it anew. */
static char *renewing_text(const struct ruleset *ruleset, const char *rules)
{
	struct ruleset_text text = { 0 };

	ruleset_text_printf(&text, "flush table inet %s\n", ruleset->table);
	for (size_t i = 0; i < sizeof(static_sets) / sizeof(static_sets[0]); i++)
		ruleset_text_printf(&text, "flush set inet %s %s\n", ruleset->table,
				    static_sets[i]);
	ruleset_text_add(&text, rules, strlen(rules));
	return ruleset_text_take(&text);
}

static char *replacing_text(const struct ruleset *ruleset, const char *rules)
{
	struct ruleset_text text = { 0 };

	/* `add` first, so that `delete` can't fail; `destroy` is nft 1.0.7's. */
	ruleset_text_printf(&text, "add table inet %s\ndelete table inet %s\n", ruleset->table,
			    ruleset->table);
	ruleset_text_add(&text, rules, strlen(rules));
	return ruleset_text_take(&text);
}

static int table_renew(const struct ruleset *ruleset, const char *rules, char **message)
{
	char *text = renewing_text(ruleset, rules);
	int ret, whole;

	if (!text)
		return -ENOMEM;
	ret = nft_apply(ruleset, text, RULESET_RUN_HERE, message);
	free(text);
	if (ret)
		return ret;
	/* A flush keeps chains and sets that are not ours, and how ours were made. */
	whole = ruleset_check(ruleset, message);
	if (whole < 0) {
		message_printf(message, "loaded, but could not be checked: ", strerror(-whole), "");
		return 0;
	}
	return whole ? -EINVAL : 0;
}

static int load(const struct ruleset *ruleset, char **message)
{
	char *rules = NULL, *text = NULL;
	int ret;

	*message = NULL;
	ret = ruleset_render(ruleset, &rules, message);
	if (ret < 0)
		return ret;
	ret = table_there(ruleset);
	if (ret == -ENOENT) {
		ret = nft_apply(ruleset, rules, RULESET_RUN_HERE, message);
		goto out;
	}
	if (!ret)
		ret = table_renew(ruleset, rules, message);
	if (ret != -EINVAL)
		goto out;
	text = replacing_text(ruleset, rules);
	if (!text) {
		ret = -ENOMEM;
		goto out;
	}
	ret = nft_apply(ruleset, text, RULESET_RUN_HERE, message);
	if (!ret)
		message_printf(message, "table inet ", ruleset->table,
			       " was there with another structure: deleted and made anew in one "
			       "transaction, its counters start at 0");
out:
	free(rules);
	free(text);
	return ret;
}

/* The same rules without the limit for each uid; false: they have none. */
static bool without_limit(const struct ruleset *ruleset, struct ruleset *plain)
{
	*plain = *ruleset;
	plain->hot_rate = 0;
	return ruleset->hot_rate != 0;
}

static void say_without_limit(char **message, const char *why)
{
	char *told = strndup(why ? why : "", strcspn(why ? why : "", "\n"));

	message_printf(
		message,
		"without a limit for each user (hot_rate), which this kernel or nft refuses: ",
		told ? told : "", "");
	free(told);
}

int ruleset_load(const struct ruleset *ruleset, char **message)
{
	struct ruleset plain;
	char *why;
	int ret = load(ruleset, message);

	if (ret != -EINVAL || !without_limit(ruleset, &plain))
		return ret;
	why = *message;
	if (load(&plain, message) == 0) {
		say_without_limit(message, why);
		free(why);
		return 0;
	}
	message_set(message, why); /* not the limit's fault */
	return ret;
}

int ruleset_unload(const struct ruleset *ruleset, char **message)
{
	char *bytes;
	int ret;

	*message = NULL;
	ret = table_there(ruleset);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	bytes = replacing_text(ruleset, "");
	if (!bytes)
		return -ENOMEM;
	ret = nft_apply(ruleset, bytes, RULESET_RUN_HERE, message);
	free(bytes);
	return ret;
}

int ruleset_show(const struct ruleset *ruleset, char **text, char **message)
{
	int ret = table_there(ruleset);

	*message = NULL;
	return ret ? ret : nft_list(ruleset, false, RULESET_RUN_HERE, text, message);
}

/* What these rules look like when nft lists them, from a namespace that has nothing else. */
static int listing_made(const struct ruleset *ruleset, struct listing *listing, char **message)
{
	char *rules = NULL, *text = NULL;
	int netns_fd = -1, ret;

	ret = ruleset_render(ruleset, &rules, message);
	if (!ret)
		ret = ruleset_run_netns(&netns_fd);
	if (!ret)
		ret = nft_apply(ruleset, rules, netns_fd, message);
	if (!ret)
		ret = nft_list(ruleset, true, netns_fd, &text, message);
	if (!ret)
		ret = listing_parse(text, ruleset->queue_num, listing);
	if (netns_fd >= 0)
		close(netns_fd);
	free(rules);
	free(text);
	return ret;
}

/* As ruleset_load() has them: *note says what is left out, or stays NULL. */
static int listing_wanted(const struct ruleset *ruleset, struct listing *listing, char **note,
			  char **message)
{
	struct ruleset plain;
	char *why;
	int ret = listing_made(ruleset, listing, message);

	if (ret != -EINVAL || !without_limit(ruleset, &plain))
		return ret;
	why = *message;
	*message = NULL;
	if (listing_made(&plain, listing, message) == 0) {
		say_without_limit(note, why);
		free(why);
		return 0;
	}
	message_set(message, why);
	return ret;
}

int ruleset_check(const struct ruleset *ruleset, char **message)
{
	struct listing wanted = { 0 }, held = { 0 };
	char *text = NULL, *lines = NULL, *note = NULL;
	int ret;

	*message = NULL;
	ret = table_there(ruleset);
	if (!ret)
		ret = nft_list(ruleset, true, RULESET_RUN_HERE, &text, message);
	if (!ret)
		ret = listing_parse(text, ruleset->queue_num, &held);
	if (!ret)
		ret = listing_wanted(ruleset, &wanted, &note, message);
	if (!ret)
		ret = listing_compare(&wanted, &held, &lines);
	if (ret >= 0)
		message_set(message, lines);
	if (ret == 0 && note) {
		message_set(message, note);
		note = NULL;
	}
	free(note);
	listing_free(&wanted);
	listing_free(&held);
	free(text);
	return ret > 0 ? 1 : ret;
}
