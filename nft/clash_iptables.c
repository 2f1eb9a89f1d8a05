/* SPDX-License-Identifier: GPL-2.0-or-later */
/* iptables-save(8)'s text into the model of clash.h; must not judge it. */
#include "clash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX  128 /* of one rule; the rest is not read */
#define WORD_BYTES 256 /* longer ones are cut: no port list of 15 is longer */

struct words {
	char word[WORDS_MAX][WORD_BYTES];
	int n;
};

/* Words between spaces; "..." with \" inside is one (--comment). */
static void words_split(const char *line, size_t len, struct words *words)
{
	size_t i = 0;

	for (words->n = 0; words->n < WORDS_MAX; words->n++) {
		char *word = words->word[words->n];
		size_t used = 0;
		bool quoted = false;

		while (i < len && line[i] == ' ')
			i++;
		if (i == len)
			return;
		for (; i < len && (quoted || line[i] != ' '); i++) {
			if (line[i] == '"') {
				quoted = !quoted;
				continue;
			}
			if (quoted && line[i] == '\\' && i + 1 < len)
				i++;
			if (used < WORD_BYTES - 1)
				word[used++] = line[i];
		}
		word[used] = '\0';
	}
}

/* "25", "20:30", ":1024", "1024:"; what is not a number matches nothing. */
static uint64_t port_range(const struct clash *clash, const char *text, size_t len)
{
	unsigned long first = 0, last = 65535;
	const char *end = text + len;
	char *after = (char *)text;

	if (text < end && *text != ':') {
		first = strtoul(text, &after, 10);
		if (after == text)
			return 0;
		last = first;
	}
	if (after < end && *after == ':')
		last = after + 1 < end ? strtoul(after + 1, NULL, 10) : 65535;
	return first > 65535
		       ? 0
		       : clash_range(clash, (uint32_t)first, last > 65535 ? 65535 : (uint32_t)last);
}

static uint64_t port_list(const struct clash *clash, const char *text)
{
	uint64_t ports = 0;

	while (*text) {
		size_t len = strcspn(text, ",");

		ports |= port_range(clash, text, len);
		text += len + (text[len] == ',');
	}
	return ports;
}

static bool word_is(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

static void rule_option(const struct clash *clash, const char *option, const char *value,
			bool negated, struct clash_rule *rule, const char **target)
{
	static const char *const dports[] = {
		"--dport", "--dports", "--destination-port", "--destination-ports", "--ports", NULL
	};
	static const char *const tcps[] = { "tcp", "6", "all", "0", NULL };
	uint64_t ports;
	char *end;

	if (word_is(option, dports)) {
		ports = port_list(clash, value);
		rule->match.ports &= negated ? ~ports : ports;
		rule->match.named = true;
	} else if (!strcmp(option, "-p") && word_is(value, tcps) == negated) {
		rule->match.ports = 0; /* another protocol */
	} else if (!strcmp(option, "-j") || !strcmp(option, "-g")) {
		*target = value;
	} else if (!strcmp(option, "--queue-num") || !strcmp(option, "--queue-balance")) {
		rule->queue_first = (uint32_t)strtoul(value, &end, 10);
		rule->queue_last =
			*end == ':' ? (uint32_t)strtoul(end + 1, NULL, 10) : rule->queue_first;
	}
}

static int rule_target(struct clash *clash, const char *where, const char *target,
		       struct clash_rule *rule)
{
	static const char *const drops[] = { "DROP", "TARPIT", "STEAL", NULL };
	static const char *const queues[] = { "NFQUEUE", "QUEUE", NULL };
	long chain;

	if (word_is(target, drops)) {
		rule->action = CLASH_DROP;
	} else if (!strcmp(target, "REJECT")) {
		rule->action = CLASH_REJECT;
	} else if (word_is(target, queues)) {
		rule->action = CLASH_QUEUE;
	} else {
		/* A chain, or a target that is none: then nothing is ever found behind it. */
		chain = clash_chain(clash, where, target);
		if (chain < 0)
			return (int)chain;
		rule->action = CLASH_JUMP;
		rule->target = (size_t)chain;
	}
	return 0;
}

/* -A CHAIN ... -j TARGET */
static int read_rule(struct clash *clash, const char *where, const char *line, size_t len,
		     struct words *words)
{
	struct clash_rule rule = { .match.ports = clash_all(clash) };
	const char *target = NULL;
	char *text;
	long chain;
	int ret = 0;

	words_split(line, len, words);
	if (words->n < 2)
		return 0;
	chain = clash_chain(clash, where, words->word[1]);
	if (chain < 0)
		return (int)chain;
	rule.chain = (size_t)chain;
	for (int i = 2; i + 1 < words->n; i++) {
		if (!strcmp(words->word[i], "--comment")) {
			i++; /* its words are no options */
			continue;
		}
		rule_option(clash, words->word[i], words->word[i + 1],
			    !strcmp(words->word[i - 1], "!"), &rule, &target);
	}
	if (target)
		ret = rule_target(clash, where, target, &rule);
	if (ret || rule.action == CLASH_NONE)
		return ret;
	text = strndup(line, len);
	if (!text)
		return -ENOMEM;
	ret = clash_rule(clash, &rule, text);
	free(text);
	return ret;
}

/* :CHAIN POLICY [packets:bytes]; a chain of one's own has the policy "-". */
static int read_chain(struct clash *clash, const char *where, const char *line, size_t len,
		      struct words *words)
{
	static const char *const out[] = { "OUTPUT", "FORWARD", "POSTROUTING", NULL };
	long chain;

	words_split(line + 1, len - 1, words);
	if (words->n < 1)
		return 0;
	chain = clash_chain(clash, where, words->word[0]);
	if (chain < 0)
		return (int)chain;
	if (words->n > 1 && strcmp(words->word[1], "-") != 0)
		clash->chains[chain].out = word_is(words->word[0], out);
	return 0;
}

int clash_read_iptables(struct clash *clash, const char *text, const char *program)
{
	struct words *words = malloc(sizeof(*words));
	struct ruleset_text where = { 0 };
	int ret = words ? 0 : -ENOMEM;

	while (!ret && *text) {
		size_t len = strcspn(text, "\n");

		if (*text == '*') {
			ruleset_text_free(&where);
			ruleset_text_printf(&where, "%s table %.*s", program,
					    len > WORD_BYTES ? WORD_BYTES : (int)len - 1, text + 1);
			ret = where.failed ? -ENOMEM : 0;
		} else if (where.bytes && *text == ':') {
			ret = read_chain(clash, where.bytes, text, len, words);
		} else if (where.bytes && !strncmp(text, "-A ", 3)) {
			ret = read_rule(clash, where.bytes, text, len, words);
		}
		text += len + (text[len] == '\n');
	}
	ruleset_text_free(&where);
	free(words);
	return ret;
}
