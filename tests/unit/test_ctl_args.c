/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of egressctl: which options each command takes, where they may stand, and the
 * one line that says what was wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int egressctl_main(int argc, char **argv);
#define main egressctl_main
#include "../../agent/egressctl.c"
#undef main
#include "../../agent/ctl_args.c"
#include "../../agent/ctl_columns.c"
#include "../../agent/ctl_say.c"
#include "../../agent/ctl_time.c"

/* The commands themselves are not under test. */
#define COMMAND(name)                                                                              \
	int name(struct ctl *ctl)                                                                  \
	{                                                                                          \
		(void)ctl;                                                                         \
		fail_msg("%s ran", #name);                                                         \
		return 0;                                                                          \
	}
COMMAND(ctl_status)
COMMAND(ctl_list_offenders)
COMMAND(ctl_list_verdicts)
COMMAND(ctl_show)
COMMAND(ctl_watch)
COMMAND(ctl_replay)
COMMAND(ctl_rules)
COMMAND(ctl_config)
COMMAND(ctl_help)
COMMAND(ctl_version)

#define NOW_NS	   (1795433445LL * 1000000000LL)
#define WORDS_MOST 16

/* Splits line at spaces into argv ("''" is an empty word) and parses it. */
static int parse(const char *line, struct ctl_args *args, char **message)
{
	static char copy[512];
	char *argv[WORDS_MOST + 1] = { "egressctl" }, *save = NULL;
	int argc = 1;

	*message = NULL;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_in_range(argc, 1, WORDS_MOST - 1);
		argv[argc++] = !strcmp(word, "''") ? "" : word;
	}
	argv[argc] = NULL;
	return ctl_args_parse(args, argc, argv, NOW_NS, message);
}

static void good(const char *line, struct ctl_args *args)
{
	char *message = NULL;

	if (parse(line, args, &message))
		fail_msg("\"%s\" was refused: %s", line, message);
	assert_null(message);
}

static void options_may_stand_before_and_after_the_command(void **state)
{
	static const char *const lines[] = {
		"-c f -o json list-offenders --limit 3 --utc",
		"list-offenders -c f -o json --limit 3 --utc",
		"--utc --limit=3 list-offenders --config f --output json",
		"-ojson -n3 -cf --utc list-offenders",
	};
	struct ctl_args args;
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		good(lines[i], &args);
		assert_string_equal(args.command->name, "list-offenders");
		assert_string_equal(args.config_file, "f");
		assert_int_equal(args.format, FORMAT_JSON);
		assert_int_equal(args.limit, 3);
		assert_true(args.utc);
		assert_int_equal(args.n_arguments, 0);
		assert_int_equal(args.given, CTL_CONFIG_FILE | CTL_OUTPUT | CTL_LIMIT | CTL_UTC);
		ctl_args_free(&args);
	}
}

static void posixly_correct_changes_nothing(void **state)
{
	struct ctl_args args;
	(void)state;

	setenv("POSIXLY_CORRECT", "1", 1);
	good("replay a.pcap --owners o b.pcap --utc", &args);
	unsetenv("POSIXLY_CORRECT");
	assert_int_equal(args.n_arguments, 2);
	assert_string_equal(args.arguments[0], "a.pcap");
	assert_string_equal(args.arguments[1], "b.pcap");
	assert_null(args.arguments[2]);
	assert_string_equal(args.owners, "o");
	ctl_args_free(&args);
}

static void times_are_read_when_all_options_are_known(void **state)
{
	struct ctl_args args;
	(void)state;

	setenv("TZ", "CET-1", 1);
	tzset();
	good("list-verdicts --since -1h --until 2026-11-23T12:00 --utc", &args);
	assert_int_equal(args.since_ns, NOW_NS - 3600LL * 1000000000);
	assert_int_equal(args.until_ns, 1795435200LL * 1000000000);
	ctl_args_free(&args);
	good("list-verdicts --until 1970-01-01 --utc", &args);
	assert_int_equal(args.until_ns, 1); /* 0 would be: no end */
	ctl_args_free(&args);
}

static void each_sort_and_column_of_a_command_is_its_own(void **state)
{
	struct ctl_args args;
	(void)state;

	good("list-offenders --sort last --columns rank,USER,many_programs", &args);
	assert_int_equal(args.sort, SORT_LAST);
	ctl_args_free(&args);
	good("list-verdicts --sort oldest --columns id,excerpt", &args);
	assert_int_equal(args.sort, 1);
	ctl_args_free(&args);
}

static void words_after_two_dashes_are_arguments(void **state)
{
	struct ctl_args args;
	(void)state;

	good("replay -- -odd.pcap --utc", &args);
	assert_int_equal(args.n_arguments, 2);
	assert_string_equal(args.arguments[0], "-odd.pcap");
	assert_false(args.utc);
	ctl_args_free(&args);
}

static void an_option_stands_in_for_the_argument(void **state)
{
	struct ctl_args args;
	(void)state;

	good("show --offender 4 -o json", &args);
	assert_int_equal(args.offender, 4);
	assert_int_equal(args.n_arguments, 0);
	ctl_args_free(&args);
	good("show 7", &args);
	assert_int_equal(args.offender, 0);
	assert_string_equal(args.arguments[0], "7");
	ctl_args_free(&args);
}

static void help_and_version_are_commands_and_options(void **state)
{
	struct ctl_args args;
	(void)state;

	good("--help", &args);
	assert_string_equal(args.command->name, "help");
	assert_int_equal(args.n_arguments, 0);
	ctl_args_free(&args);
	good("list-offenders -h", &args);
	assert_string_equal(args.command->name, "help");
	assert_string_equal(args.arguments[0], "list-offenders");
	ctl_args_free(&args);
	good("-V", &args);
	assert_string_equal(args.command->name, "version");
	ctl_args_free(&args);
	good("", &args);
	assert_null(args.command);
	ctl_args_free(&args);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "frobnicate", "unknown command \"frobnicate\"; see \"egressctl help\"" },
		{ "--frob status", "unknown option \"--frob\"; see \"egressctl help\"" },
		{ "status -x", "unknown option \"-x\"; see \"egressctl help\"" },
		{ "status -ojson -qz", "unknown option \"-q\"; see \"egressctl help\"" },
		{ "--u status",
		  "unknown option \"--u\"; see \"egressctl help\"" }, /* two begin so */
		{ "status --utc=3", "\"--utc=3\" takes no value" },
		{ "list-offenders --limit", "--limit: expected a value (N)" },
		{ "status -c", "-c: expected a value (FILE)" },
		{ "status -c ''", "-c: expected FILE, got \"\"" },
		{ "list-offenders --limit ten",
		  "--limit: expected a number of rows, 0 for all, got \"ten\"" },
		{ "list-offenders --limit -1",
		  "--limit: expected a number of rows, 0 for all, got \"-1\"" },
		{ "list-offenders --limit 5x",
		  "--limit: expected a number of rows, 0 for all, got \"5x\"" },
		{ "list-offenders --limit 99999999999999999999",
		  "--limit: expected a number of rows, 0 for all, got \"99999999999999999999\"" },
		{ "-o yaml status", "-o: expected table, json, jsonl or csv, got \"yaml\"" },
		{ "list-offenders --sort size", "--sort: expected attempts, destinations, "
						"networks, first or last, got \"size\"" },
		{ "list-verdicts --sort attempts",
		  "--sort: expected newest or oldest, got \"attempts\"" },
		{ "list-verdicts --since 25:00",
		  "--since: expected " CTL_TIME_EXPECTED ", got \"25:00\"" },
		{ "list-verdicts --until x", "--until: expected " CTL_TIME_EXPECTED ", got \"x\"" },
		{ "list-verdicts --since -1h --until -2h",
		  "--until: expected a time after --since -1h, got \"-2h\"" },
		{ "status --limit 3",
		  "--limit means nothing to \"status\"; see \"egressctl help status\"" },
		{ "--pcap x list-verdicts", "--pcap means nothing to \"list-verdicts\"; see "
					    "\"egressctl help list-verdicts\"" },
		{ "version --utc",
		  "--utc means nothing to \"version\"; see \"egressctl help version\"" },
		{ "watch --until now",
		  "--until means nothing to \"watch\"; see \"egressctl help watch\"" },
		{ "list-verdicts --columns id,ts,ID", "--columns: \"id\" stands there twice" },
		{ "show", "show: expected ID or --offender" },
		{ "show --utc -o json", "show: expected ID or --offender" },
		{ "show 1 --offender 2", "show: expected ID or --offender, not both" },
		{ "replay", "replay: expected FILE..." },
		{ "rules", "rules: expected load|unload|show|check" },
		{ "show 1 2", "show: \"2\" is one argument too many; usage: egressctl show ID" },
		{ "status now", "status: \"now\" is one argument too many; usage: egressctl "
				"status" },
	};
	struct ctl_args args;
	char *message;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(cases[i].line, &args, &message) != -EINVAL)
			fail_msg("\"%s\" was taken", cases[i].line);
		assert_string_equal(message, cases[i].message);
		free(message);
		ctl_args_free(&args);
	}
}

static void a_wrong_column_is_named_with_those_there_are(void **state)
{
	static const char *const wrong[] = { "rank,nope", "nope", "rank,,user", "''", "rank," };
	static const char *const named[] = { "got \"nope\"", "got \"nope\"", "got \"\"", "got \"\"",
					     "got \"\"" };
	struct ctl_args args;
	char line[64], *message;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "list-offenders --columns %s", wrong[i]);
		assert_int_equal(parse(line, &args, &message), -EINVAL);
		assert_non_null(strstr(message, "--columns: expected some of id rank "));
		assert_non_null(strstr(message, named[i]));
		free(message);
		ctl_args_free(&args);
	}
}

static void the_tables_fit_together(void **state)
{
	(void)state;
	for (const struct ctl_command *command = ctl_commands; command->name; command++) {
		assert_non_null(command->run);
		assert_non_null(command->summary);
		assert_true(command->least == 0 || command->arguments);
		assert_true(command->least <= command->most);
		assert_int_equal(command->options & command->instead, command->instead);
		assert_true(!command->instead || command->least);
		assert_int_equal(!!(command->options & CTL_COLUMNS), !!command->kind);
		assert_int_equal(!!(command->options & CTL_SORT), !!command->n_sort_words);
	}
	for (unsigned bit = CTL_CONFIG_FILE; bit <= CTL_OWNERS; bit <<= 1) {
		const char *name = ctl_option_name(bit);
		char expected[32];

		snprintf(expected, sizeof(expected), "--%s", options[option_index(bit)].name);
		assert_int_equal(options[option_index(bit)].bit, bit);
		assert_non_null(strstr(name, expected));
		assert_int_equal(options[option_index(bit)].letter < 256,
				 name[0] == '-' && name[1] != '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_before_and_after_the_command),
		cmocka_unit_test(posixly_correct_changes_nothing),
		cmocka_unit_test(times_are_read_when_all_options_are_known),
		cmocka_unit_test(each_sort_and_column_of_a_command_is_its_own),
		cmocka_unit_test(words_after_two_dashes_are_arguments),
		cmocka_unit_test(an_option_stands_in_for_the_argument),
		cmocka_unit_test(help_and_version_are_commands_and_options),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
		cmocka_unit_test(a_wrong_column_is_named_with_those_there_are),
		cmocka_unit_test(the_tables_fit_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
