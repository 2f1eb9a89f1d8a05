/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl: shows what egressd recorded and loads its rules. This file reads the command line,
 * prepares the terminal and runs one command of the table; no command's work is done here.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_args.h"

static const char *const verdict_sorts[] = { "newest", "oldest" };

const struct ctl_command ctl_commands[] = {
	{ "status", ctl_status, NULL, 0, 0, CTL_CONFIG_FILE | CTL_OUTPUT | CTL_UTC, CTL_EXITS_STORE,
	  "what runs, what was seen, what was lost",
	  "Reads the store and, when it may (as root), the kernel. Formats: table, json, jsonl." },
	{ "list-offenders", ctl_list_offenders, NULL, 0, 0,
	  CTL_LIST_OPTIONS | CTL_SINCE | CTL_UNTIL | CTL_USER | CTL_SORT | CTL_LIMIT,
	  CTL_EXITS_STORE | 1 << CTL_OFFENDERS, "who tried to send mail past the mail server",
	  "One row for each user and script (or program, where no script is known), ranked by\n"
	  "--sort. Networks are counted as /24 (IPv4) and /48 (IPv6). Exit code 0: none; 5: some.\n"
	  "SITE is the virtual host, and in brackets how that is known (`help show`); without one "
	  "the\n"
	  "folder of the script. `show --offender ID` tells all of one: ID is the first column.\n"
	  "LAST_ID is its newest verdict: `egressctl show LAST_ID` tells all of it, and how to "
	  "list\n"
	  "the others. WORKS_IN, where no script is known: the web root that the program worked "
	  "in\n"
	  "at every attempt, a hint (a process chooses its folder).",
	  &show_offender_kind, store_sort_words, SORT_N },
	{ "list-verdicts", ctl_list_verdicts, NULL, 0, 0,
	  CTL_LIST_OPTIONS | CTL_SINCE | CTL_UNTIL | CTL_USER | CTL_OFFENDER | CTL_SORT | CTL_LIMIT,
	  CTL_EXITS_STORE, "each verdict, with who asked for it",
	  "The newest first. A row whose COUNT is more than 1 stands for repeats of one owner and\n"
	  "destination. A table stops after 1000 rows unless --limit says otherwise.",
	  &show_verdict_kind, verdict_sorts, 2 },
	{ "show", ctl_show, "ID", 1, 1,
	  CTL_CONFIG_FILE | CTL_OUTPUT | CTL_UTC | CTL_PCAP | CTL_OFFENDER, CTL_EXITS_STORE,
	  "one verdict, whole, with its packet; or --offender ID",
	  "With --offender: which site it is, how that is known, and the web requests behind its\n"
	  "attempts. --pcap writes the packet as pcapng with the owner in its comment. A file "
	  "that\n"
	  "exists is never overwritten. Formats: table, json, jsonl.",
	  .instead = CTL_OFFENDER },
	{ "watch", ctl_watch, NULL, 0, 0, CTL_LIST_OPTIONS | CTL_SINCE | CTL_USER, CTL_EXITS_STORE,
	  "new verdicts as they come, until Ctrl-C",
	  "A row is shown when it is made, and again when repeats were folded into it.\n"
	  "With --since it begins with what was seen from then on.",
	  &show_verdict_kind },
	{ "replay", ctl_replay, "FILE...", 1, 1U << 20, CTL_LIST_OPTIONS | CTL_OWNERS,
	  CTL_EXITS_CONFIG, "what the policy says to the packets of a capture",
	  "Reads pcap and pcapng. Without --owners nobody is known, so nobody may send.\n"
	  "Users are named by number: the capture may be another box's. Of several captures each\n"
	  "row names its own (FILE).\n\n"
	  "The owners file has a line for each flow; the first that fits counts:\n"
	  "  192.0.2.7:* > *:25 uid=33 gid=33 exe=/usr/bin/php8.2 script=/var/www/x.php\n"
	  "  local 192.0.2.8                # this address is the box's own\n"
	  "IPv6 addresses stand in brackets, * is any address or port, # begins a comment. Values "
	  "with\n"
	  "blanks or escapes (\\\" \\\\ \\xHH) in double quotes. Keys: uid gid (who made the "
	  "socket)\n"
	  "pid holder_uid holder_euid (the process) exe cmdline cwd script unit container comm\n"
	  "poses (1: it does) caller_pid caller_uid (who called connect) how why.",
	  &show_replay_kind },
	{ "rules", ctl_rules, "load|unload|show|check", 1, 1, CTL_CONFIG_FILE, CTL_EXITS_CONFIG,
	  "the rule set in the kernel",
	  "load    loads it, or renews it in one transaction, and names what may clash with it\n"
	  "unload  takes it away: everybody may send again\n"
	  "show    prints what the kernel holds\n"
	  "check   compares that with the configuration; exit code 1 when it differs" },
	{ "config", ctl_config, "show|check", 1, 1, CTL_CONFIG_FILE, CTL_EXITS_CONFIG,
	  "the configuration",
	  "show    prints the effective one, defaults included\n"
	  "check   says OK, or each error as FILE:LINE: KEY: what was expected; exit code 4" },
	{ "version", ctl_version, NULL, 0, 0, 0, CTL_EXITS_SIMPLE, "the version", NULL },
	{ "help", ctl_help, "[COMMAND|words]", 0, 2, 0, CTL_EXITS_SIMPLE,
	  "this, or more about one command, or the words", NULL },
	{ NULL },
};

const struct ctl_command *ctl_command_by_name(const char *name)
{
	for (const struct ctl_command *command = ctl_commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

/* Widths of characters are known in UTF-8 only; a terminal that may not read it gets ASCII. */
static void prepare_output(struct ctl *ctl)
{
	bool terminal = isatty(STDOUT_FILENO), utf8;
	struct winsize size = { 0 };
	const char *columns = getenv("COLUMNS");

	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!utf8)
		setlocale(LC_CTYPE, "C.UTF-8");
	ctl->show.utc = ctl->args.utc;
	ctl->show.header = !ctl->args.no_header;
	ctl->show.ascii = terminal && !utf8;
	ctl->show.now_ns = ctl_now_ns();
	if (!terminal)
		return;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	if (size.ws_col)
		ctl->show.width = size.ws_col;
	else if (columns && atoi(columns) > 0)
		ctl->show.width = (unsigned)atoi(columns);
	else
		ctl->show.width = 80;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	char *message = NULL;
	int code;

	/* A closed pipe is an error of write(2) like a full disk, and is seen below. */
	signal(SIGPIPE, SIG_IGN);
	if (ctl_args_parse(&ctl.args, argc, argv, ctl_now_ns(), &message)) {
		ctl_say("%s", message);
		free(message);
		ctl_args_free(&ctl.args);
		return CTL_USAGE;
	}
	prepare_output(&ctl);
	if (ctl.args.command) {
		code = ctl.args.command->run(&ctl);
	} else {
		ctl_say("expected a command; see \"egressctl help\"");
		code = CTL_USAGE;
	}
	ctl_args_free(&ctl.args);
	errno = 0;
	if (fflush(stdout) && (code == CTL_OK || code == CTL_OFFENDERS))
		code = ctl_write_failed(errno ? -errno : -EIO);
	return code;
}
