/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl help and version: prints from the tables of commands, options and fields.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "ctl_args.h"
#include "ctl_time.h"

#ifndef EGRESSD_VERSION
#define EGRESSD_VERSION "unknown"
#endif

static void print_option(unsigned option)
{
	printf("  %-22s %s\n", ctl_option_name(option), ctl_option_help(option));
}

/* Those of one command, or all: then with the name of the command that means something by it. */
static void print_exit_codes(const struct ctl_command *only)
{
	static const struct {
		const char *text, *command, *more;
	} codes[] = {
		[CTL_OK] = { "done", "list-offenders", "there are none" },
		[CTL_FAILED] = { "something could not be done, read or written", "rules",
				 "check: they differ" },
		[CTL_USAGE] = { "the command line is wrong" },
		[CTL_NO_STORE] = { "there is no store, or it can't be read" },
		[CTL_CONFIG] = { "the configuration is wrong or can't be read" },
		[CTL_OFFENDERS] = { "done", "list-offenders", "there are some" },
	};

	printf("\nExit codes:\n");
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		const char *of = codes[i].command;

		if (only && !(only->exits & 1U << i))
			continue;
		printf("  %u  %s", i, codes[i].text);
		if (of && (!only || !strcmp(of, only->name)))
			printf("; %s%s%s", only ? "" : of, only ? "" : ": ", codes[i].more);
		printf("\n");
	}
}

/* In two lines: it is long. */
static void print_times(const char *label)
{
	const char *dates = strstr(CTL_TIME_EXPECTED, "2026");

	printf("  %-22s %.*s\n  %-22s %s\n", label, (int)(dates - CTL_TIME_EXPECTED),
	       CTL_TIME_EXPECTED, "", dates);
}

static void print_overview(void)
{
	printf("Usage: egressctl [-c FILE] [-o table|json|jsonl|csv] COMMAND\n"
	       "Shows who tried to send mail past the mail server, and loads egressd's rules.\n\n"
	       "Commands:\n");
	for (const struct ctl_command *command = ctl_commands; command->name; command++) {
		char text[64];

		snprintf(text, sizeof(text), "%s %s", command->name,
			 command->arguments ? command->arguments : "");
		printf("  %-30s %s\n", text, command->summary);
	}
	printf("\n`egressctl help words` says what the words in the output mean.\n");
	printf("\nOptions, where the command knows them (before or after it):\n");
	for (unsigned option = CTL_CONFIG_FILE; option <= CTL_OWNERS; option <<= 1)
		print_option(option);
	printf("\nTIME is one of %s;\nwithout a zone it is local (UTC with --utc).\n",
	       CTL_TIME_EXPECTED);
	print_exit_codes(NULL);
}

/* Names of fields, folded at 76 columns. */
static void print_fields(const struct ctl_command *command)
{
	const struct show_kind *kind = command->kind;
	bool lines = command->run == ctl_watch; /* no table: it does not end */
	unsigned at = 0;

	if (lines)
		printf("\nColumns for --columns; a line without it has the time of the last "
		       "attempt, "
		       "#id, verdict,\nuser, destination, xCOUNT of repeats, and program:\n ");
	else
		printf("\nColumns (* in the table by default; a narrow terminal gets fewer):\n ");
	for (unsigned i = 0; i < kind->n; i++) {
		const struct show_field *field = &kind->fields[i];
		unsigned len = (unsigned)strlen(field->name) + (field->keep && !lines ? 2 : 1);

		if (at + len > 76) {
			printf("\n ");
			at = 0;
		}
		printf(" %s%s", field->name, field->keep && !lines ? "*" : "");
		at += len;
	}
	printf("\nThe CSV is RFC 4180 with Unix line ends. It puts an apostrophe before a text "
	       "that a\n"
	       "spreadsheet would take for a formula (it begins with = + - @).\n");
}

static void print_command(const struct ctl_command *command)
{
	printf("Usage: egressctl %s%s%s%s\n", command->options ? "[OPTIONS] " : "", command->name,
	       command->arguments ? " " : "", command->arguments ? command->arguments : "");
	if (command->instead) {
		const char *option = ctl_option_name(command->instead);

		printf("       egressctl [OPTIONS] %s %s\n", command->name,
		       option + strspn(option, " "));
	}
	printf("%s\n", command->summary);
	if (command->help)
		printf("\n%s\n", command->help);
	if (command->options)
		printf("\nOptions:\n");
	for (unsigned option = CTL_CONFIG_FILE; option <= CTL_OWNERS; option <<= 1)
		if (command->options & option)
			print_option(option);
	if (command->n_sort_words) {
		printf("  %-22s ", "    KEY is one of");
		for (unsigned i = 0; i < command->n_sort_words; i++)
			printf("%s%s", i ? ", " : "", command->sort_words[i]);
		printf("\n");
	}
	if (command->options & CTL_SINCE)
		print_times("    TIME is one of");
	if (command->options & CTL_SINCE)
		printf("\nA row counts whole when any of its time is asked for: one row spans up "
		       "to "
		       "fold_s.\n");
	if (command->kind)
		print_fields(command);
	if (command->run == ctl_show)
		ctl_words_enums();
	print_exit_codes(command);
}

/* Is word one of command's "load|unload|show|check"? `help rules load` is help of rules. */
static bool is_verb(const struct ctl_command *command, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = command->arguments; len && at && *at;) {
		size_t n = strcspn(at, "|");

		if (n == len && !strncmp(at, word, n))
			return true;
		at += n + (at[n] == '|');
	}
	return false;
}

int ctl_help(struct ctl *ctl)
{
	const struct ctl_command *command;

	if (!ctl->args.n_arguments) {
		print_overview();
		return CTL_OK;
	}
	if (!strcmp(ctl->args.arguments[0], "words") && ctl->args.n_arguments == 1) {
		ctl_words();
		return CTL_OK;
	}
	command = ctl_command_by_name(ctl->args.arguments[0]);
	if (!command) {
		ctl_say("help: unknown command \"%s\"; see \"egressctl help\"",
			ctl->args.arguments[0]);
		return CTL_USAGE;
	}
	if (ctl->args.n_arguments > 1 && !is_verb(command, ctl->args.arguments[1])) {
		ctl_say("help: %s knows no \"%s\"; see \"egressctl help %s\"", command->name,
			ctl->args.arguments[1], command->name);
		return CTL_USAGE;
	}
	print_command(command);
	return CTL_OK;
}

int ctl_version(struct ctl *ctl)
{
	(void)ctl;
	printf("egressctl %s\n", EGRESSD_VERSION);
	return CTL_OK;
}
