/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as what others loaded: nft's JSON, iptables-save, both, or the kernel's list of queues;
 * the first byte chooses. What is said of it are lines of printable ASCII, as many as counted.
 */
#include <errno.h>
#include <string.h>

#include "nft/clash.h"
#include "shown.h"
#include "take.h"

#define QUEUE_NUM 7
#define SHOWN_MAX 50

static const uint16_t ports[] = { 25, 465, 587 };

static unsigned check_lines(const struct ruleset_text *lines)
{
	unsigned n = 0;
	char *text, *line, *rest;

	must(!lines->failed);
	if (!lines->bytes)
		return 0;
	must(strlen(lines->bytes) == lines->len);
	text = rest = strdup(lines->bytes);
	must(text);
	while ((line = strsep(&rest, "\n"))) {
		must(*line);
		must_be_ascii(line);
		n++;
	}
	free(text);
	return n;
}

static void check_model(const struct clash *clash)
{
	uint64_t all = clash_all(clash);

	must(all == 7);
	for (size_t i = 0; i < clash->n_chains; i++)
		must(clash->chains[i].where && clash->chains[i].name);
	for (size_t i = 0; i < clash->n_rules; i++) {
		const struct clash_rule *rule = &clash->rules[i];

		must(rule->chain < clash->n_chains && rule->text);
		must(rule->action > CLASH_NONE && rule->action < CLASH_ACTION_N);
		must(rule->action != CLASH_JUMP || rule->target < clash->n_chains);
		must(!(rule->match.ports & ~all));
	}
}

static void check_said(struct clash *clash)
{
	struct ruleset_text lines = { 0 };
	unsigned count, said;

	check_model(clash);
	count = clash_lines(clash, QUEUE_NUM, &lines);
	said = check_lines(&lines);
	must(said <= count && (said > 0) == (count > 0));
	must(said == count || said > SHOWN_MAX);
	check_model(clash);
	ruleset_text_free(&lines);
}

static void check_queues(const char *text)
{
	struct ruleset_text lines = { 0 };
	unsigned count = clash_queue_line(text, QUEUE_NUM, &lines);

	must(count <= 1 && check_lines(&lines) == count);
	ruleset_text_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clash clash = { .ports = ports, .n_ports = sizeof(ports) / sizeof(ports[0]) };
	struct clash_covered covered = { 0 };
	struct take take = { data, size };
	uint8_t which = take_u8(&take);
	char *text = take_rest(&take), *second = strchr(text, '\f');
	int result = 0;

	/* Behind a form feed: iptables' text; the JSON's tables may be covered by it. */
	if (second)
		*second++ = '\0';
	switch (which % 3) {
	case 0:
		if (second) {
			clash_covered(second, covered.ip);
			must(!clash_read_iptables(&clash, second, "iptables"));
		}
		result = clash_read_nft(&clash, text, "egressd", &covered);
		must(result == 0 || result == -EBADMSG);
		break;
	case 1:
		must(!clash_read_iptables(&clash, text, "ip6tables-legacy"));
		break;
	default:
		check_queues(text);
	}
	check_said(&clash);
	clash_free(&clash);
	must(!clash.n_chains && !clash.rules);
	free(text);
	return 0;
}
