/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule set without the kernel: rendering, the comparison of listings, and the parsers of what
 * others loaded, fed with what is hostile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "nft/clash.h"
#include "nft/ruleset.h"
#include "nft/ruleset_listing.h"
#include "nft/ruleset_run.h"
#include "nft/ruleset_text.h"

static const uint16_t ports[] = { 25, 465, 587 };
static const uint32_t uids[] = { 102, 4294967294U };

static struct ruleset sample(void)
{
	return (struct ruleset){
		.nft_program = "/usr/sbin/nft",
		.table = "egressd",
		.ports = ports,
		.n_ports = 3,
		.mail_uids = uids,
		.n_mail_uids = 2,
		.mark_mask = 0x00f00000,
		.mark_allow = 0x00a00000,
		.mark_deny = 0x00d00000,
		.hot_rate = 100,
		.hot_burst = 300,
		.nflog_group = 25,
		.queue_num = 2525,
	};
}

static char *render(const struct ruleset *ruleset)
{
	char *text = NULL, *message = NULL;

	assert_int_equal(ruleset_render(ruleset, &text, &message), 0);
	assert_null(message);
	return text;
}

/* How often `part` stands in text. */
static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void every_placeholder_gets_its_value(void **state)
{
	struct ruleset ruleset = sample();
	char *text;

	(void)state;
	ruleset.table = "t_1";
	text = render(&ruleset);
	assert_int_equal(count(text, "\ntable inet t_1 {\n"), 1);
	assert_int_equal(count(text, "\n\t\telements = { 25, 465, 587 }\n"), 1);
	assert_int_equal(count(text, "\n\t\telements = { 102, 4294967294 }\n"), 2);
	/* of what is this box's own, and of what it forwards */
	assert_int_equal(count(text, "meta mark & 0x00f00000 == 0x00a00000 counter name allowed"),
			 2);
	assert_int_equal(count(text, "meta mark & 0x00f00000 == 0x00d00000 counter name refused"),
			 2);
	assert_true(count(text, "meta mark set meta mark & 0xff0fffff") >= 2);
	assert_int_equal(count(text, "log prefix \"refused_by_guard\" group 25 "), 3);
	assert_int_equal(count(text, "limit rate over 100/second burst 300 packets"), 1);
	assert_int_equal(count(text, "log prefix \"mail\" group 26 "), 2);
	assert_int_equal(count(text, "log prefix \"local\" group 27 "), 1);
	assert_int_equal(count(text, "goto refuse_enforce\n"), 1);
	assert_int_equal(count(text, "${"), 1); /* the comment which explains them */
	free(text);
}

static void monitor_goes_to_the_chains_that_accept(void **state)
{
	struct ruleset ruleset = sample();
	char *text;

	(void)state;
	ruleset.monitor = true;
	text = render(&ruleset);
	assert_int_equal(count(text, "goto refuse_monitor\n"), 1);
	assert_int_equal(count(text, "goto late_monitor\n"), 3);
	assert_int_equal(count(text, "goto refuse_enforce\n") + count(text, "goto late_enforce\n"),
			 0);
	free(text);
}

static void without_mail_users_the_sets_have_no_elements(void **state)
{
	struct ruleset ruleset = sample();
	char *text;

	(void)state;
	ruleset.n_mail_uids = 0;
	text = render(&ruleset);
	assert_int_equal(count(text, "elements = {"), 1);
	assert_int_equal(count(text, "\tset mta_uids {\n\t\ttypeof meta skuid\n\t}\n"), 1);
	free(text);
}

static void without_a_rate_there_is_no_limit_and_all_the_rest(void **state)
{
	struct ruleset ruleset = sample();
	char *limited = render(&ruleset), *text, *line, *end;

	(void)state;
	ruleset.hot_rate = 0;
	ruleset.hot_burst = 0;
	text = render(&ruleset);
	line = strstr(limited, "\t\tupdate @hot_uids { meta skuid limit ");
	assert_non_null(line);
	end = strchr(line, '\n');
	assert_non_null(end);
	memmove(line, end + 1, strlen(end)); /* with its NUL */
	assert_string_equal(text, limited);
	free(limited);
	free(text);
}

static void the_mail_servers_mark_is_a_third_one_within_the_mask(void **state)
{
	static const struct {
		uint32_t mask, allow, deny;
		const char *rule;
	} cases[] = {
		{ 0x00f00000, 0x00a00000, 0x00d00000, "meta mark & 0x00f00000 == 0x00f00000 acc" },
		{ 0x3, 0x1, 0x2, "meta mark & 0x00000003 == 0x00000003 accept" },
		{ 0x3, 0x1, 0x3, "meta mark & 0x00000003 == 0x00000002 accept" },
		{ 0x3, 0x3, 0x2, "meta mark & 0x00000003 == 0x00000001 accept" },
	};
	struct ruleset ruleset = sample();
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ruleset.mark_mask = cases[i].mask;
		ruleset.mark_allow = cases[i].allow;
		ruleset.mark_deny = cases[i].deny;
		text = render(&ruleset);
		assert_int_equal(count(text, cases[i].rule), 1);
		free(text);
	}
}

static void every_counter_is_in_the_template_and_is_used(void **state)
{
	struct ruleset ruleset = sample();
	char *text = render(&ruleset), word[64];

	(void)state;
	for (int i = 0; i < RULESET_COUNTER_N; i++) {
		snprintf(word, sizeof(word), "\n\tcounter %s {", ruleset_counter_words[i]);
		assert_int_equal(count(text, word), 1);
		snprintf(word, sizeof(word), "counter name %s ", ruleset_counter_words[i]);
		assert_true(count(text, word) >= 1);
	}
	assert_int_equal(count(text, "queue flags"), 1); /* in a comment only: the agent adds it */
	free(text);
}

static void values_that_could_carry_syntax_or_make_no_sense_are_refused(void **state)
{
	static const char *const names[] = { "", "1x", "a b", "a;flush ruleset", "a\nb", "x{" };
	struct ruleset ruleset;
	char *text = NULL, *message;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) + 6; i++) {
		ruleset = sample();
		if (i < sizeof(names) / sizeof(names[0]))
			ruleset.table = names[i];
		else if (i == 6)
			ruleset.n_ports = 0;
		else if (i == 7)
			ruleset.mark_deny = ruleset.mark_allow;
		else if (i == 8)
			ruleset.mark_allow = 0;
		else if (i == 9)
			ruleset.mark_allow = 0x01a00000;
		else if (i == 10)
			ruleset.hot_burst = 0;
		else
			ruleset.nflog_group = 65534;
		message = NULL;
		assert_int_equal(ruleset_render(&ruleset, &text, &message), -EINVAL);
		assert_non_null(message);
		assert_null(text);
		free(message);
	}
}

/* Renders a template of its own; returns the message, or NULL when it was taken. */
static char *render_template(const char *template)
{
	char path[] = "/tmp/egt-template-XXXXXX", *text = NULL, *message = NULL;
	struct ruleset ruleset = sample();
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, template, strlen(template)), (ssize_t)strlen(template));
	close(fd);
	ruleset.rules_file = path;
	ret = ruleset_render(&ruleset, &text, &message);
	assert_int_equal(ret, message ? -EINVAL : 0);
	unlink(path);
	free(text);
	return message;
}

static void a_placeholder_that_is_unknown_or_missing_is_named(void **state)
{
	static const char all[] =
		"${table} ${ports} ${mail_uids} ${mark_mask} ${mark_keep} ${mark_allow} "
		"${mark_deny} ${mark_mail}\n${hot_limit} ${group_refused} ${group_mail} "
		"${group_local} ";
	char template[512], *message;

	(void)state;
	message = render_template("a\nb ${nosuch} c\n");
	assert_string_equal(message, "line 2: unknown placeholder ${nosuch}");
	free(message);
	message = render_template("${table\n");
	assert_string_equal(message, "line 1: unknown placeholder ${");
	free(message);
	message = render_template("${\x1b[2J\xff}\n");
	assert_string_equal(message, "line 1: unknown placeholder ${\\x1b[2J\\xff}");
	free(message);
	message = render_template(all);
	assert_string_equal(message, "the placeholder ${mode} is missing");
	free(message);
	snprintf(template, sizeof(template), "%s# ${mode} in a comment is no value", all);
	message = render_template(template);
	assert_string_equal(message, "the placeholder ${mode} is missing");
	free(message);
	snprintf(template, sizeof(template), "%s\"#\" ${mode} # ${nosuch}", all);
	assert_null(render_template(template));
}

static void a_template_with_a_nul_byte_is_refused_whole(void **state)
{
	char path[] = "/tmp/egt-template-XXXXXX", *text = NULL, *message = NULL;
	static const char rest[] = "\0drop\n";
	struct ruleset ruleset = sample();
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ruleset_render(&ruleset, &text, &message), 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(write(fd, rest, sizeof(rest) - 1), (ssize_t)sizeof(rest) - 1);
	close(fd);
	free(text);
	text = NULL;
	ruleset.rules_file = path;
	assert_int_equal(ruleset_render(&ruleset, &text, &message), -EINVAL);
	assert_null(text);
	assert_non_null(message);
	free(message);
	unlink(path);
}

static char *compare(const char *wanted, const char *held)
{
	struct listing a, b;
	char *lines = NULL;

	assert_int_equal(listing_parse(wanted, 7, &a), 0);
	assert_int_equal(listing_parse(held, 7, &b), 0);
	assert_true(listing_compare(&a, &b, &lines) >= 0);
	listing_free(&a);
	listing_free(&b);
	return lines;
}

#define HEAD	     "table inet x {\n"
#define CHAIN(rules) HEAD "\tchain c {\n" rules "\t}\n}\n"

static void a_comparison_names_rules_and_their_order(void **state)
{
	char *lines;

	(void)state;
	lines = compare(CHAIN("\t\ta\n\t\tb\n"), CHAIN("\t\ta\n\t\tb\n"));
	assert_string_equal(lines, "");
	free(lines);
	lines = compare(CHAIN("\t\ta\n\t\tb\n"), CHAIN("\t\tb\n\t\ta\n"));
	assert_string_equal(lines, "missing: chain c: a\nforeign: chain c: a");
	free(lines);
	lines = compare(CHAIN(""), HEAD "\tchain d {\n\t\ta \x1b[31m\n\t}\n}\n");
	assert_string_equal(lines, "missing: chain c\nforeign: chain d");
	free(lines);
	lines = compare(CHAIN(""), CHAIN("\t\ta \x1b[31m\n"));
	assert_string_equal(lines, "foreign: chain c: a \\x1b[31m");
	free(lines);
}

static void a_comparison_takes_elements_in_any_order_and_leaves_dynamic_ones_out(void **state)
{
	char *lines;

	(void)state;
	lines = compare(HEAD "\tset s {\n\t\telements = { 1, 2,\n\t\t\t     3 }\n\t}\n}\n",
			HEAD "\tset s {\n\t\telements = { 3, 4, 1 }\n\t}\n}\n");
	assert_string_equal(lines, "missing: set s: element 2\nforeign: set s: element 4");
	free(lines);
	lines = compare(HEAD "\tset s {\n\t\tflags dynamic\n\t}\n}\n",
			HEAD "\tset s {\n\t\tflags dynamic\n\t\telements = { 3 . 25 counter,\n"
			     "\t\t\t     4 . 25 counter }\n\t}\n}\n");
	assert_string_equal(lines, "");
	free(lines);
}

static void the_agents_chain_may_hold_one_queue_rule_and_nothing_else(void **state)
{
#define AGENT(rules) HEAD "\tchain agent {\n" rules "\t}\n}\n"
	char *lines;

	(void)state;
	lines = compare(AGENT(""), AGENT("\t\tqueue flags bypass to 7\n"));
	assert_string_equal(lines, "");
	free(lines);
	lines = compare(AGENT(""), AGENT("\t\taccept\n\t\tqueue num 7 bypass\n\t\tqueue to 7\n"));
	assert_string_equal(lines,
			    "foreign: chain agent: accept\nforeign: chain agent: queue to 7");
	free(lines);
}

static void a_listing_that_is_cut_or_strange_is_read_without_harm(void **state)
{
	static const char listing[] =
		"table inet x {\n\tset s {\n\t\telements = { 1, 2,\n\t\t\t 3 }\n"
		"\t}\n\tchain c {\n\t\ta { b }\n\t}\n}\n\t}\n\t\tloose\n{}\n";
	struct listing parsed;
	char *cut;

	(void)state;
	for (size_t len = 0; len <= strlen(listing); len++) {
		cut = strndup(listing,
			      len); /* exactly as long: the sanitizer sees a step too far */
		assert_non_null(cut);
		assert_int_equal(listing_parse(cut, 7, &parsed), 0);
		listing_free(&parsed);
		free(cut);
	}
}

/* What the two parsers say together; *n: how many clashes. */
static char *clashes(const char *json, const char *save, unsigned *n)
{
	struct clash clash = { .ports = ports, .n_ports = 3 };
	struct clash_covered covered = { 0 };
	struct ruleset_text lines = { 0 };

	*n = 0;
	if (save)
		assert_int_equal(clash_read_iptables(&clash, save, "iptables"), 0);
	if (save)
		clash_covered(save, covered.ip);
	if (json)
		assert_int_equal(clash_read_nft(&clash, json, "egressd", &covered), 0);
	*n += clash_lines(&clash, 2525, &lines);
	clash_free(&clash);
	return ruleset_text_take(&lines);
}

/* In a process of its own, so that both wait at once: how many seconds; 255: it was not killed. */
static int seconds_until_killed(const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct timespec start, end;
	char *out = NULL, *err = NULL;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (ruleset_run(argv, NULL, RULESET_RUN_HERE, &out, &err) != -ETIMEDOUT || out || err)
		return 255;
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (int)(end.tv_sec - start.tv_sec);
}

static void a_program_that_does_not_end_is_killed(void **state)
{
	/* one whose output stays open in a child of its own, one that says no word more */
	static const char *const scripts[] = { "sleep 600; true",
					       "exec >&- 2>&-; sleep 600; true" };
	pid_t children[2];
	int status;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(seconds_until_killed(scripts[i]));
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_in_range(WEXITSTATUS(status), 9, 12);
	}
	assert_non_null(strstr(ruleset_run_error(-ETIMEDOUT), "killed"));
}

static void assert_clashes(const char *json, const char *save, const char *wanted)
{
	unsigned n, lines = *wanted ? 1 : 0;
	char *said = clashes(json, save, &n);

	for (const char *at = wanted; *at; at++)
		lines += *at == '\n';
	assert_string_equal(said, wanted);
	assert_int_equal(n, lines);
	free(said);
}

#define SAVE(rules)                                                                                \
	"# Generated\n*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n" rules    \
	"COMMIT\n"
#define IPT "iptables table filter, chain OUTPUT: "

static void iptables_drops_of_our_ports_are_named(void **state)
{
	(void)state;
	assert_clashes(NULL, SAVE("-A OUTPUT -p tcp -m tcp --dport 25 -j DROP\n"),
		       IPT "-A OUTPUT -p tcp -m tcp --dport 25 -j DROP: drops 25");
	assert_clashes(
		NULL, SAVE("-A OUTPUT -p tcp -m multiport --dports 1,400:500,587 -j REJECT\n"),
		IPT "-A OUTPUT -p tcp -m multiport --dports 1,400:500,587 -j REJECT: rejects "
		    "465, 587");
	assert_clashes(NULL, SAVE("-A OUTPUT -p tcp -m tcp ! --dport 20:30 -j DROP\n"),
		       IPT "-A OUTPUT -p tcp -m tcp ! --dport 20:30 -j DROP: drops 465, 587");
	assert_clashes(NULL,
		       SAVE("-A OUTPUT -p tcp -m multiport --dports 500: -g own\n-A own -j DROP\n"),
		       "iptables table filter, chain own: -A own -j DROP: drops 587");
	assert_clashes(
		NULL, SAVE("-A OUTPUT -j own\n-A own -p tcp -m tcp --dport 465 -j DROP\n"),
		"iptables table filter, chain own: -A own -p tcp -m tcp --dport 465 -j DROP: "
		"drops 465");
}

static void iptables_rules_that_are_no_clash_are_not_named(void **state)
{
	(void)state;
	assert_clashes(NULL, SAVE("-A INPUT -p tcp -m tcp --dport 25 -j DROP\n"), "");
	assert_clashes(NULL, SAVE("-A OUTPUT -p udp -m udp --dport 25 -j DROP\n"), "");
	assert_clashes(NULL, SAVE("-A OUTPUT ! -p tcp --dport 25 -j DROP\n"), "");
	assert_clashes(NULL, SAVE("-A OUTPUT -p tcp -m tcp --dport 25 -j ACCEPT\n"), "");
	assert_clashes(NULL, SAVE("-A OUTPUT -d 192.0.2.1/32 -j DROP\n"), "");
	assert_clashes(NULL, SAVE("-A own -p tcp -m tcp --dport 25 -j DROP\n"), "");
	assert_clashes(NULL,
		       SAVE("-A OUTPUT -m comment --comment \"--dport 25 \\\" -p\" -j DROP\n"), "");
	assert_clashes(NULL, SAVE("-A OUTPUT -p tcp -m tcp --sport 25 -j DROP\n"), "");
	assert_clashes(NULL, "-A OUTPUT -p tcp --dport 25 -j DROP\n", "");
}

static void a_queue_rule_to_our_number_is_named(void **state)
{
	(void)state;
	assert_clashes(
		NULL, SAVE("-A INPUT -j NFQUEUE --queue-num 2525\n"),
		"iptables table filter, chain INPUT: -A INPUT -j NFQUEUE --queue-num 2525: queues "
		"to our number");
	assert_clashes(NULL, SAVE("-A INPUT -j NFQUEUE --queue-balance 2520:2525 --queue-bypass\n"),
		       "iptables table filter, chain INPUT: -A INPUT -j NFQUEUE --queue-balance "
		       "2520:2525 --queue-bypass: queues to our number");
	assert_clashes(NULL, SAVE("-A INPUT -j NFQUEUE --queue-num 2524\n-A INPUT -j QUEUE\n"), "");
}

static void jumps_in_a_circle_come_to_an_end(void **state)
{
	(void)state;
	assert_clashes(
		NULL,
		SAVE(":b - [0:0]\n-A OUTPUT -p tcp --dport 25 -j own\n-A own -j b\n-A b -j own\n"
		     "-A b -j DROP\n-A own -j OUTPUT\n"),
		"iptables table filter, chain b: -A b -j DROP: drops 25");
}

static void hostile_iptables_text_is_escaped_and_bounded(void **state)
{
	char line[9000], *text;
	unsigned n;

	(void)state;
	assert_clashes(
		NULL,
		SAVE("-A OUTPUT -p tcp --dport 25 -m comment --comment \"\x1b]0;x\x07\xff\" -j "
		     "DROP\n"),
		IPT "-A OUTPUT -p tcp --dport 25 -m comment --comment \"\\x1b]0;x\\x07\\xff\" -j "
		    "DROP: drops 25");
	memset(line, 'a', sizeof(line));
	memcpy(line, "*filter\n:OUTPUT ACCEPT\n-A OUTPUT --dport 25 -j DROP ", 52);
	line[sizeof(line) - 1] = '\0';
	text = clashes(NULL, line, &n);
	assert_int_equal(n, 1);
	assert_true(strlen(text) < 600);
	free(text);
	for (int i = 0; i + 3 < (int)sizeof(line); i += 2)
		memcpy(line + i, "a ", 2);
	memcpy(line, "*filter\n:OUTPUT ACCEPT\n-A OUTPUT ", 33);
	free(clashes(NULL, line, &n));
	assert_clashes(NULL,
		       "*\n:\n-A\n-A \n-A x\n-A x -j\n: \n*filter\n:OUTPUT\n-A OUTPUT --dport\n"
		       "-A OUTPUT --dport : -j\n-A OUTPUT --dport x:y,,99999999999 -j DROP\n\"",
		       "");
}

#define NFT(objects) "{\"nftables\":[{\"metainfo\":{}}," objects "]}"
#define OUT	     "{\"chain\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"o\",\"hook\":\"output\"}},"
#define RULE(chain, expr)                                                                          \
	"{\"rule\":{\"family\":\"inet\",\"table\":\"f\",\"chain\":\"" chain                        \
	"\",\"handle\":3,\"expr\":[" expr "]}}"
#define DPORT(op, right)                                                                           \
	"{\"match\":{\"op\":\"" op                                                                 \
	"\",\"left\":{\"payload\":{\"protocol\":\"tcp\",\"field\":\"dport\"}},"                    \
	"\"right\":" right "}},"
#define DROP	   "{\"drop\":null}"
#define SAYS(what) "table inet f, chain o: rule with handle 3: " what

static void nft_drops_of_our_ports_are_named(void **state)
{
	(void)state;
	assert_clashes(NFT(OUT RULE("o", DPORT("==", "25") DROP)), NULL, SAYS("drops 25"));
	assert_clashes(
		NFT(OUT RULE("o", DPORT("==",
					"{\"set\":[25,{\"range\":[400,500]}]}") "{\"reject\":{}}")),
		NULL, SAYS("rejects 25, 465"));
	assert_clashes(NFT(OUT RULE("o", DPORT("!=", "{\"set\":[80,465]}") DROP)), NULL,
		       SAYS("drops 25, 587"));
	assert_clashes(NFT(OUT RULE("o", DPORT("<", "465") DROP)), NULL, SAYS("drops 25"));
	assert_clashes(NFT(OUT RULE("o", DPORT(">=", "465") DROP)), NULL, SAYS("drops 465, 587"));
	assert_clashes(NFT(OUT
			   "{\"set\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"s\",\"elem\":"
			   "[{\"elem\":{\"val\":587,\"counter\":{}}}]}}," RULE(
				   "o", DPORT("==", "\"@s\"") DROP)),
		       NULL, SAYS("drops 587"));
	assert_clashes(
		NFT(OUT RULE("o", DPORT("==", "25") "{\"jump\":{\"target\":\"j\"}}") "," RULE(
			"j", DROP)),
		NULL, "table inet f, chain j: rule with handle 3: drops 25");
	assert_clashes(
		NFT(OUT RULE("o", "{\"vmap\":{\"key\":{\"payload\":{\"protocol\":\"tcp\",\"field\":"
				  "\"dport\"}},\"data\":{\"set\":[[25,{\"accept\":null}],[465,"
				  "{\"drop\":null}]]}}}")),
		NULL, SAYS("drops 465"));
	assert_clashes(
		NFT(OUT RULE(
			"o",
			"{\"match\":{\"op\":\"==\",\"left\":{\"concat\":[{\"meta\":{\"key\":"
			"\"skuid\"}},{\"payload\":{\"protocol\":\"th\",\"field\":\"dport\"}}]},"
			"\"right\":{\"set\":[{\"concat\":[25,465]}]}}}," DROP)),
		NULL, SAYS("drops 465"));
	assert_clashes(NFT(OUT RULE("o", "{\"queue\":{\"num\":{\"range\":[2525,2530]}}}")), NULL,
		       SAYS("queues to our number"));
}

static void nft_rules_that_are_no_clash_are_not_named(void **state)
{
	(void)state;
	assert_clashes(NFT(OUT RULE("o", DPORT("==", "80") DROP)), NULL, "");
	assert_clashes(NFT(OUT RULE("o", DROP)), NULL, "");
	assert_clashes(NFT(RULE("o", DPORT("==", "25") DROP)), NULL, "");
	assert_clashes("{\"nftables\":[{\"chain\":{\"family\":\"inet\",\"table\":\"egressd\","
		       "\"name\":\"o\",\"hook\":"
		       "\"output\"}},{\"rule\":{\"family\":\"inet\",\"table\":\"egressd\","
		       "\"chain\":\"o\",\"expr\":[" DPORT("==", "25") DROP "]}}]}",
		       NULL, "");
	assert_clashes(
		NFT(OUT RULE("o",
			     "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"l4proto\"}},"
			     "\"right\":\"udp\"}}," DPORT("==", "25") DROP)),
		NULL, "");
}

static void tables_that_iptables_printed_are_not_said_twice(void **state)
{
	(void)state;
	assert_clashes("{\"nftables\":[{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":"
		       "\"OUTPUT\","
		       "\"hook\":\"output\"}},{\"rule\":{\"family\":\"ip\",\"table\":\"filter\","
		       "\"chain\":\"OUTPUT\","
		       "\"handle\":9,\"expr\":[" DPORT("==", "25") DROP "]}}]}",
		       SAVE("-A OUTPUT -p tcp -m tcp --dport 25 -j DROP\n"),
		       IPT "-A OUTPUT -p tcp -m tcp --dport 25 -j DROP: drops 25");
}

/* Each element that named the set again would be walked once for every other one. */
static void a_set_full_of_its_own_name_is_walked_once(void **state)
{
	char elements[300 * 5 + 1] = "", json[4096];

	(void)state;
	for (size_t i = 0; i < 300; i++)
		memcpy(elements + 5 * i, "\"@s\",", 6);
	snprintf(json, sizeof(json),
		 NFT(OUT "{\"set\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"s\",\"elem\":"
			 "[%s465]}}," RULE("o", DPORT("==", "\"@s\"") DROP)),
		 elements);
	assert_clashes(json, NULL, SAYS("drops 465"));
}

static void hostile_json_is_refused_or_read_without_harm(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}", "{\"nftables\":{}}", "{\"nftables\":3}", "\xff"
	};
	static const char *const odd[] = {
		NFT("3,null,[],{},{\"rule\":3},{\"rule\":{}},{\"chain\":[]},{\"chain\":{\"name\":4}"
		    "}"),
		NFT(OUT RULE("o", "3,null,[],{\"match\":3},{\"match\":{\"op\":3}},{\"vmap\":[]},{"
				  "\"jump\":{}},"
				  "{\"jump\":{\"target\":3}}")),
		NFT(OUT RULE("o", DPORT("==", "[[[[[[[[[[[[25]]]]]]]]]]]]") DROP)),
		NFT(OUT RULE("o", DPORT("==", "{\"range\":[9,1]}") DROP)),
		NFT(OUT RULE("o", DPORT("==", "-25") DROP)),
		NFT(OUT RULE("o", DPORT("==", "{\"range\":3}") DROP)),
		NFT(OUT "{\"set\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"s\",\"elem\":\"@"
			"s\"}}," RULE("o", DPORT("==", "\"@s\"") DROP)),
		NFT(OUT "{\"set\":{\"family\":\"inet\",\"table\":\"f\",\"name\":\"s\",\"elem\":[\"@"
			"s\",\"@s\"]}}," RULE("o", DPORT("==", "\"@s\"") DROP)),
	};
	struct clash_covered covered = { 0 };
	struct clash clash = { .ports = ports, .n_ports = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clash_read_nft(&clash, bad[i], "egressd", &covered), -EBADMSG);
	clash_free(&clash);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_clashes(odd[i], NULL, "");
	assert_clashes("{\"nftables\":[{\"chain\":{\"family\":\"inet\",\"table\":\"a\\u001bb\","
		       "\"name\":\"o\\n\",\"hook\":"
		       "\"output\"}},{\"rule\":{\"family\":\"inet\",\"table\":\"a\\u001bb\","
		       "\"chain\":\"o\\n\",\"handle\":1,"
		       "\"expr\":[" DPORT("==", "25") DROP "]}}]}",
		       NULL, "table inet a\\x1bb, chain o\\x0a: rule with handle 1: drops 25");
}

static void a_bound_queue_is_named_with_its_portid(void **state)
{
	static const char table[] = "    7   4242     0 2 65531     0     0        1  1\n"
				    " 2525 -4242     0 2 65531     0     0        1  1\n";
	struct ruleset_text lines = { 0 };
	char *said;

	(void)state;
	assert_int_equal(clash_queue_line(table, 8, &lines), 0);
	assert_int_equal(clash_queue_line("", 7, &lines), 0);
	assert_int_equal(clash_queue_line("x\n\n7\n", 7, &lines), 1);
	ruleset_text_free(&lines);
	assert_int_equal(clash_queue_line(table, 7, &lines), 1);
	said = ruleset_text_take(&lines);
	assert_string_equal(
		said, "queue 7 is bound already, by netlink portid 4242 (as a rule the pid of "
		      "its program)");
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_placeholder_gets_its_value),
		cmocka_unit_test(monitor_goes_to_the_chains_that_accept),
		cmocka_unit_test(without_mail_users_the_sets_have_no_elements),
		cmocka_unit_test(without_a_rate_there_is_no_limit_and_all_the_rest),
		cmocka_unit_test(the_mail_servers_mark_is_a_third_one_within_the_mask),
		cmocka_unit_test(every_counter_is_in_the_template_and_is_used),
		cmocka_unit_test(values_that_could_carry_syntax_or_make_no_sense_are_refused),
		cmocka_unit_test(a_placeholder_that_is_unknown_or_missing_is_named),
		cmocka_unit_test(a_template_with_a_nul_byte_is_refused_whole),
		cmocka_unit_test(a_comparison_names_rules_and_their_order),
		cmocka_unit_test(
			a_comparison_takes_elements_in_any_order_and_leaves_dynamic_ones_out),
		cmocka_unit_test(the_agents_chain_may_hold_one_queue_rule_and_nothing_else),
		cmocka_unit_test(a_listing_that_is_cut_or_strange_is_read_without_harm),
		cmocka_unit_test(a_program_that_does_not_end_is_killed),
		cmocka_unit_test(iptables_drops_of_our_ports_are_named),
		cmocka_unit_test(iptables_rules_that_are_no_clash_are_not_named),
		cmocka_unit_test(a_queue_rule_to_our_number_is_named),
		cmocka_unit_test(jumps_in_a_circle_come_to_an_end),
		cmocka_unit_test(hostile_iptables_text_is_escaped_and_bounded),
		cmocka_unit_test(nft_drops_of_our_ports_are_named),
		cmocka_unit_test(nft_rules_that_are_no_clash_are_not_named),
		cmocka_unit_test(tables_that_iptables_printed_are_not_said_twice),
		cmocka_unit_test(a_set_full_of_its_own_name_is_walked_once),
		cmocka_unit_test(hostile_json_is_refused_or_read_without_harm),
		cmocka_unit_test(a_bound_queue_is_named_with_its_portid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
