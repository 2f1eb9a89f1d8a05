/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the rules that others loaded stand in our way; must not read anything itself. */
#include "clash.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASH_DEPTH	32  /* the kernel follows 16 jumps (NFT_JUMP_STACK_SIZE) */
#define CLASH_SHOWN_MAX 50  /* rules said one by one */
#define CLASH_TEXT_MAX	400 /* bytes of a rule in a line */

const char *const clash_action_words[CLASH_ACTION_N] = {
	[CLASH_NONE] = "passes",  [CLASH_DROP] = "drops", [CLASH_REJECT] = "rejects",
	[CLASH_QUEUE] = "queues", [CLASH_JUMP] = "jumps",
};
static_assert(sizeof(clash_action_words) / sizeof(clash_action_words[0]) == CLASH_ACTION_N,
	      "a word for each action");

static const char *const table_words[CLASH_TABLE_N] = {
	[CLASH_FILTER] = "filter", [CLASH_MANGLE] = "mangle",	  [CLASH_NAT] = "nat",
	[CLASH_RAW] = "raw",	   [CLASH_SECURITY] = "security",
};

uint64_t clash_all(const struct clash *clash)
{
	return clash->n_ports >= 64 ? UINT64_MAX : (UINT64_C(1) << clash->n_ports) - 1;
}

uint64_t clash_range(const struct clash *clash, uint32_t first, uint32_t last)
{
	uint64_t ports = 0;

	for (unsigned i = 0; i < clash->n_ports && i < 64; i++)
		if (clash->ports[i] >= first && clash->ports[i] <= last)
			ports |= UINT64_C(1) << i;
	return ports;
}

static void *grown(void *array, size_t n, size_t *room, size_t bytes)
{
	void *more;

	if (n < *room)
		return array;
	more = reallocarray(array, *room ? *room * 2 : 32, bytes);
	if (more)
		*room = *room ? *room * 2 : 32;
	return more;
}

long clash_chain(struct clash *clash, const char *where, const char *name)
{
	struct clash_chain chain = { 0 };
	void *chains;

	/* From the end: a listing speaks of one table at a time. */
	for (size_t i = clash->n_chains; i-- > 0;)
		if (!strcmp(clash->chains[i].name, name) && !strcmp(clash->chains[i].where, where))
			return (long)i;
	chains = grown(clash->chains, clash->n_chains, &clash->chains_room, sizeof(chain));
	if (!chains)
		return -ENOMEM;
	clash->chains = chains;
	chain.where = strdup(where);
	chain.name = strdup(name);
	if (!chain.where || !chain.name) {
		free(chain.where);
		free(chain.name);
		return -ENOMEM;
	}
	clash->chains[clash->n_chains] = chain;
	return (long)clash->n_chains++;
}

int clash_rule(struct clash *clash, const struct clash_rule *rule, const char *text)
{
	void *rules = grown(clash->rules, clash->n_rules, &clash->rules_room, sizeof(*rule));
	char *copy;

	if (!rules)
		return -ENOMEM;
	clash->rules = rules;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	clash->rules[clash->n_rules] = *rule;
	clash->rules[clash->n_rules++].text = copy;
	return 0;
}

void clash_free(struct clash *clash)
{
	for (size_t i = 0; i < clash->n_chains; i++) {
		free(clash->chains[i].where);
		free(clash->chains[i].name);
	}
	for (size_t i = 0; i < clash->n_rules; i++)
		free(clash->rules[i].text);
	free(clash->chains);
	free(clash->rules);
	*clash = (struct clash){ .ports = clash->ports, .n_ports = clash->n_ports };
}

void clash_covered(const char *save_text, bool tables[CLASH_TABLE_N])
{
	for (const char *line = save_text; *line;) {
		size_t len = strcspn(line, "\n");

		for (int i = 0; i < CLASH_TABLE_N; i++)
			if (*line == '*' && len == strlen(table_words[i]) + 1 &&
			    !memcmp(line + 1, table_words[i], len - 1))
				tables[i] = true;
		line += len + (line[len] == '\n');
	}
}

bool clash_is_covered(const struct clash_covered *covered, const char *family, const char *table)
{
	const bool *tables = !strcmp(family, "ip")    ? covered->ip
			     : !strcmp(family, "ip6") ? covered->ip6
						      : NULL;

	for (int i = 0; tables && i < CLASH_TABLE_N; i++)
		if (tables[i] && !strcmp(table, table_words[i]))
			return true;
	return false;
}

/* The ports that a rule matches and that a word was said about, on the way to it or in it. */
static uint64_t rule_named_ports(const struct clash *clash, const struct clash_rule *rule)
{
	const struct clash_chain *chain = &clash->chains[rule->chain];
	uint64_t ports = chain->named;

	if (rule->match.named && chain->reached)
		ports = clash_all(clash);
	return ports & rule->match.ports;
}

/* Follows jumps from the chains that packets to others come by, until nothing new is reached. */
static void clash_reach(struct clash *clash)
{
	bool more = true;

	for (size_t i = 0; i < clash->n_chains; i++)
		clash->chains[i].reached |= clash->chains[i].out;
	for (int depth = 0; more && depth < CLASH_DEPTH; depth++) {
		more = false;
		for (size_t i = 0; i < clash->n_rules; i++) {
			const struct clash_rule *rule = &clash->rules[i];
			struct clash_chain *target;
			uint64_t named;
			bool reached;

			if (rule->action != CLASH_JUMP)
				continue;
			target = &clash->chains[rule->target];
			named = rule_named_ports(clash, rule) & ~target->named;
			reached = clash->chains[rule->chain].reached && !rule->match.named &&
				  rule->match.ports && !target->reached;
			target->named |= named;
			target->reached |= reached;
			more |= named || reached;
		}
	}
}

static void say_ports(const struct clash *clash, uint64_t ports, struct ruleset_text *lines)
{
	const char *comma = " ";

	for (unsigned i = 0; i < clash->n_ports && i < 64; i++) {
		if (!(ports & (UINT64_C(1) << i)))
			continue;
		ruleset_text_printf(lines, "%s%u", comma, clash->ports[i]);
		comma = ", ";
	}
}

static void line_begin(struct ruleset_text *lines)
{
	if (lines->len)
		ruleset_text_add(lines, "\n", 1);
}

static void say_rule(const struct clash *clash, const struct clash_rule *rule, uint64_t ports,
		     struct ruleset_text *lines)
{
	const struct clash_chain *chain = &clash->chains[rule->chain];

	line_begin(lines);
	ruleset_text_escaped(lines, chain->where, CLASH_TEXT_MAX);
	ruleset_text_add(lines, ", chain ", 8);
	ruleset_text_escaped(lines, chain->name, CLASH_TEXT_MAX);
	ruleset_text_add(lines, ": ", 2);
	ruleset_text_escaped(lines, rule->text, CLASH_TEXT_MAX);
	ruleset_text_printf(lines, ": %s", clash_action_words[rule->action]);
	if (rule->action == CLASH_QUEUE)
		ruleset_text_add(lines, " to our number", 14);
	else
		say_ports(clash, ports, lines);
}

unsigned clash_lines(struct clash *clash, uint16_t queue_num, struct ruleset_text *lines)
{
	unsigned count = 0, shown = 0;

	clash_reach(clash);
	for (size_t i = 0; i < clash->n_chains; i++) {
		if (strcmp(clash->chains[i].name, "SMTPOUTPUT") != 0)
			continue;
		count++;
		shown++;
		line_begin(lines);
		ruleset_text_escaped(lines, clash->chains[i].where, CLASH_TEXT_MAX);
		ruleset_text_printf(lines, ", chain SMTPOUTPUT: csf's SMTP_BLOCK, which judges the "
					   "same ports");
	}
	for (size_t i = 0; i < clash->n_rules; i++) {
		const struct clash_rule *rule = &clash->rules[i];
		uint64_t ports = rule_named_ports(clash, rule);
		bool queues = rule->action == CLASH_QUEUE && queue_num >= rule->queue_first &&
			      queue_num <= rule->queue_last;
		bool stops = rule->action == CLASH_DROP || rule->action == CLASH_REJECT;

		if (!queues && !(stops && ports))
			continue;
		count++;
		if (++shown <= CLASH_SHOWN_MAX)
			say_rule(clash, rule, ports, lines);
	}
	if (shown > CLASH_SHOWN_MAX)
		ruleset_text_printf(lines, "\n... and %u more", shown - CLASH_SHOWN_MAX);
	return count;
}

/* "%5u %6u %5u %1u %5u %5u %5u %8u %2d" of nfnetlink_queue.c: number, portid, length, ... */
unsigned clash_queue_line(const char *proc_text, uint16_t queue_num, struct ruleset_text *lines)
{
	while (*proc_text) {
		unsigned long number, portid;
		char *end;

		number = strtoul(proc_text, &end, 10);
		portid = end != proc_text ? strtoul(end, &end, 10) : 0;
		if (end != proc_text && number == queue_num) {
			line_begin(lines);
			ruleset_text_printf(lines,
					    "queue %u is bound already, by netlink portid %lu "
					    "(as a rule the pid of its program)",
					    queue_num, portid);
			return 1;
		}
		proc_text += strcspn(proc_text, "\n");
		proc_text += *proc_text == '\n';
	}
	return 0;
}
