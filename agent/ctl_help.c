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

static void print_exit_codes(void)
{
	printf("\nExit codes:\n"
	       "  %d  done; list-offenders: there are none\n"
	       "  %d  something could not be done, read or written; rules check: they differ\n"
	       "  %d  the command line is wrong\n"
	       "  %d  there is no store, or it can't be read\n"
	       "  %d  the configuration is wrong or can't be read\n"
	       "  %d  list-offenders: there are some\n",
	       CTL_OK, CTL_FAILED, CTL_USAGE, CTL_NO_STORE, CTL_CONFIG, CTL_OFFENDERS);
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
	printf("\nOptions, where the command knows them (before or after it):\n");
	for (unsigned option = CTL_CONFIG_FILE; option <= CTL_OWNERS; option <<= 1)
		print_option(option);
	printf("\nTIME is one of %s;\nwithout a zone it is local (UTC with --utc).\n",
	       CTL_TIME_EXPECTED);
	print_exit_codes();
}

/* Names of fields, folded at 76 columns. */
static void print_fields(const struct show_kind *kind)
{
	unsigned at = 0;

	printf("\nColumns (* in the table by default; a narrow terminal gets fewer):\n ");
	for (unsigned i = 0; i < kind->n; i++) {
		const struct show_field *field = &kind->fields[i];
		unsigned len = (unsigned)strlen(field->name) + (field->keep ? 2 : 1);

		if (at + len > 76) {
			printf("\n ");
			at = 0;
		}
		printf(" %s%s", field->name, field->keep ? "*" : "");
		at += len;
	}
	printf("\nThe CSV puts an apostrophe before a text that a spreadsheet would take for a "
	       "formula\n(it begins with = + - @).\n");
}

static void print_command(const struct ctl_command *command)
{
	printf("Usage: egressctl %s%s%s%s\n%s%s\n", command->options ? "[OPTIONS] " : "",
	       command->name, command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", "", command->summary);
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
		printf("  %-22s %s\n", "    TIME is one of", CTL_TIME_EXPECTED);
	if (command->kind)
		print_fields(command->kind);
	if (command->options)
		print_exit_codes();
}

int ctl_help(struct ctl *ctl)
{
	const struct ctl_command *command;

	if (!ctl->args.n_arguments) {
		print_overview();
		return CTL_OK;
	}
	command = ctl_command_by_name(ctl->args.arguments[0]);
	if (!command) {
		ctl_say("help: unknown command \"%s\"; see \"egressctl help\"",
			ctl->args.arguments[0]);
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
