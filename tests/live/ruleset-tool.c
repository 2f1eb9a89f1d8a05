/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft/ruleset.h on the command line, for tests/live/test_ruleset.py: one verb, one function, its
 * answer printed. Exit code: what the function returned, 0 to 9; 100 + errno for -errno.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nft/ruleset.h"

static uint16_t ports[RULESET_PORTS_MAX] = { 25, 465, 587 };
static uint32_t mail_uids[RULESET_UIDS_MAX];
static struct ruleset ruleset = {
	.nft_program = "/usr/sbin/nft",
	.table = "egressd",
	.ports = ports,
	.n_ports = 3,
	.mail_uids = mail_uids,
	.mark_mask = 0x00f00000,
	.mark_allow = 0x00a00000,
	.mark_deny = 0x00d00000,
	.nflog_group = 25,
	.queue_num = 2525,
};

/* Says the message, and turns a return value into an exit code. */
static int done(int ret, char *message)
{
	if (message)
		printf("%s\n", message);
	free(message);
	if (ret < 0)
		fprintf(stderr, "%s\n", strerror(-ret));
	return ret < 0 ? 100 - ret : ret;
}

static int verb_render(struct ruleset_link *link)
{
	char *text = NULL, *message;
	int ret = ruleset_render(&ruleset, &text, &message);

	(void)link;
	if (!ret)
		fputs(text, stdout);
	free(text);
	return done(ret, message);
}

static int verb_load(struct ruleset_link *link)
{
	char *message;
	int ret = ruleset_load(&ruleset, &message);

	(void)link;
	return done(ret, message);
}

static int verb_unload(struct ruleset_link *link)
{
	char *message;
	int ret = ruleset_unload(&ruleset, &message);

	(void)link;
	return done(ret, message);
}

static int verb_show(struct ruleset_link *link)
{
	char *text = NULL, *message;
	int ret = ruleset_show(&ruleset, &text, &message);

	(void)link;
	if (!ret)
		fputs(text, stdout);
	free(text);
	return done(ret, message);
}

static int verb_check(struct ruleset_link *link)
{
	char *message;
	int ret = ruleset_check(&ruleset, &message);

	(void)link;
	return done(ret, message);
}

static int verb_clashes(struct ruleset_link *link)
{
	char *message;
	int ret = ruleset_clashes(&ruleset, &message);

	(void)link;
	return done(ret, message);
}

static int verb_fill(struct ruleset_link *link)
{
	enum ruleset_queue form;
	int ret = ruleset_agent_fill(link, ruleset.table, ruleset.queue_num, &form);

	if (!ret)
		puts(ruleset_queue_words[form]);
	return done(ret, NULL);
}

static int verb_empty(struct ruleset_link *link)
{
	return done(ruleset_agent_empty(link, ruleset.table), NULL);
}

static int verb_form(struct ruleset_link *link)
{
	enum ruleset_queue form;
	int ret = ruleset_agent_form(link, ruleset.table, &form);

	if (!ret)
		puts(ruleset_queue_words[form]);
	return done(ret, NULL);
}

static int verb_counters(struct ruleset_link *link)
{
	uint64_t packets[RULESET_COUNTER_N], handle;
	int ret = ruleset_counters(link, ruleset.table, packets, &handle);

	for (int i = 0; !ret && i < RULESET_COUNTER_N; i++)
		printf("%s %" PRIu64 "\n", ruleset_counter_words[i], packets[i]);
	if (!ret)
		printf("handle %" PRIu64 "\n", handle);
	return done(ret, NULL);
}

static int print_refused(void *context, uint32_t uid, uint16_t port, uint64_t packets)
{
	(void)context;
	printf("%" PRIu32 " %u %" PRIu64 "\n", uid, port, packets);
	return 0;
}

static int verb_refused(struct ruleset_link *link)
{
	return done(ruleset_refused(link, ruleset.table, print_refused, NULL), NULL);
}

static const struct {
	const char *word;
	int (*run)(struct ruleset_link *link);
} verbs[] = {
	{ "render", verb_render },     { "load", verb_load },	    { "unload", verb_unload },
	{ "show", verb_show },	       { "check", verb_check },	    { "clashes", verb_clashes },
	{ "fill", verb_fill },	       { "empty", verb_empty },	    { "form", verb_form },
	{ "counters", verb_counters }, { "refused", verb_refused },
};

static int usage(void)
{
	fputs("usage: ruleset-tool [-m] [-t TABLE] [-u UID]... [-p PORT]... [-g GROUP] [-q QUEUE] "
	      "[-f FILE] [-n NFT] [-l HOT_RATE] [-b HOT_BURST] VERB\n",
	      stderr);
	return 99;
}

int main(int argc, char **argv)
{
	struct ruleset_link *link;
	bool own_ports = false;
	int option, ret;

	while ((option = getopt(argc, argv, "mt:u:p:g:q:f:n:l:b:")) != -1) {
		if (option == 'm')
			ruleset.monitor = true;
		else if (option == 't')
			ruleset.table = optarg;
		else if (option == 'u' && ruleset.n_mail_uids < RULESET_UIDS_MAX)
			mail_uids[ruleset.n_mail_uids++] = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'p' && (!own_ports || ruleset.n_ports < RULESET_PORTS_MAX)) {
			ruleset.n_ports = own_ports ? ruleset.n_ports : 0;
			own_ports = true;
			ports[ruleset.n_ports++] = (uint16_t)strtoul(optarg, NULL, 10);
		} else if (option == 'g')
			ruleset.nflog_group = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'q')
			ruleset.queue_num = (uint16_t)strtoul(optarg, NULL, 10);
		else if (option == 'f')
			ruleset.rules_file = optarg;
		else if (option == 'l')
			ruleset.hot_rate = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'b')
			ruleset.hot_burst = (uint32_t)strtoul(optarg, NULL, 10);
		else if (option == 'n')
			ruleset.nft_program = optarg;
		else
			return usage();
	}
	if (optind + 1 != argc)
		return usage();
	ret = ruleset_link_open(&link);
	if (ret < 0)
		return done(ret, NULL);
	ret = -1;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[optind], verbs[i].word))
			ret = verbs[i].run(link);
	ruleset_link_free(link);
	return ret < 0 ? usage() : ret;
}
