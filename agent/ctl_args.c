/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the command line and says in one line what is wrong with it; does nothing else.
 */
#include "ctl_args.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_time.h"

static const struct {
	unsigned bit;
	int letter; /* also what getopt_long returns */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
} options[] = {
	{ CTL_CONFIG_FILE, 'c', "config", "FILE", "configuration (" CONFIG_DEFAULT_FILE ")" },
	{ CTL_OUTPUT, 'o', "output", "FORMAT", "table (the default), json, jsonl or csv" },
	{ CTL_SINCE, 1001, "since", "TIME", "only what was seen at this time or later" },
	{ CTL_UNTIL, 1002, "until", "TIME", "only what was seen before this time" },
	{ CTL_USER, 'u', "user", "USER", "only this user, by name or number" },
	{ CTL_OFFENDER, 1009, "offender", "ID", "only this offender's (the id of list-offenders)" },
	{ CTL_SORT, 1003, "sort", "KEY", "the order" },
	{ CTL_LIMIT, 'n', "limit", "N", "at most so many rows; 0: all" },
	{ CTL_COLUMNS, 1004, "columns", "A,B,C", "these columns, in this order" },
	{ CTL_NO_HEADER, 1005, "no-header", NULL, "no line of headings (table, csv)" },
	{ CTL_UTC, 1006, "utc", NULL, "times in UTC, not in the local zone" },
	{ CTL_PCAP, 1007, "pcap", "FILE", "write the packet to a new pcapng file; -: to stdout" },
	{ CTL_OWNERS, 1008, "owners", "FILE", "who owned the flows of the capture" },
};
#define OPTIONS_N (sizeof(options) / sizeof(options[0]))

static size_t option_index(unsigned bit)
{
	size_t i;

	for (i = 0; i < OPTIONS_N - 1 && options[i].bit != bit; i++)
		;
	return i;
}

const char *ctl_option_help(unsigned option)
{
	return options[option_index(option)].help;
}

const char *ctl_option_name(unsigned option)
{
	static const char *const shown[OPTIONS_N] = {
		"-c, --config FILE", "-o, --output FORMAT", "    --since TIME",
		"    --until TIME",  "-u, --user USER",	    "    --offender ID",
		"    --sort KEY",    "-n, --limit N",	    "    --columns A,B,C",
		"    --no-header",   "    --utc",	    "    --pcap FILE",
		"    --owners FILE",
	};

	return shown[option_index(option)];
}

char *ctl_option_typed(const struct ctl_args *args, unsigned option)
{
	size_t i = option_index(option);

	if (args->shorts & option)
		return show_printf("-%c", options[i].letter);
	return show_printf("--%s", options[i].name);
}

static int wrong(const struct ctl_args *args, unsigned option, const char *expected,
		 const char *got, char **message)
{
	char *typed = ctl_option_typed(args, option);

	*message = show_printf("%s: expected %s, got \"%s\"", typed, expected, got);
	free(typed);
	return -EINVAL;
}

static char *join_words(const char *const *words, unsigned n)
{
	char *text = show_printf("%s", words[0]);

	for (unsigned i = 1; i < n; i++) {
		char *longer = show_printf("%s%s%s", text, i + 1 < n ? ", " : " or ", words[i]);

		free(text);
		text = longer;
	}
	return text;
}

/* The word's index, or -EINVAL with a message. */
static int read_word(const struct ctl_args *args, unsigned option, const char *text,
		     const char *const *words, unsigned n, char **message)
{
	char *expected;
	int error;

	for (unsigned i = 0; i < n; i++)
		if (!strcmp(text, words[i]))
			return (int)i;
	expected = join_words(words, n);
	error = wrong(args, option, expected, text, message);
	free(expected);
	return error;
}

static int read_number(const struct ctl_args *args, unsigned option, const char *expected,
		       const char *text, int64_t least, int64_t *out, char **message)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < least)
		return wrong(args, option, expected, text, message);
	*out = number;
	return 0;
}

/* What does not depend on other options; the times and the order wait for --utc and the command. */
static int take_option(struct ctl_args *args, size_t index, const char *value, const char **sort,
		       char **message)
{
	int word;

	if (options[index].value && !*value && options[index].bit != CTL_COLUMNS)
		return wrong(args, options[index].bit, options[index].value, "", message);
	args->given |= options[index].bit;
	switch (options[index].bit) {
	case CTL_CONFIG_FILE:
		args->config_file = value;
		break;
	case CTL_OUTPUT:
		word = read_word(args, CTL_OUTPUT, value, show_format_words, FORMAT_N, message);
		if (word < 0)
			return word;
		args->format = (enum show_format)word;
		break;
	case CTL_SINCE:
		args->since = value;
		break;
	case CTL_UNTIL:
		args->until = value;
		break;
	case CTL_USER:
		args->user = value;
		break;
	case CTL_SORT:
		*sort = value;
		break;
	case CTL_LIMIT:
		return read_number(args, CTL_LIMIT, "a number of rows, 0 for all", value, 0,
				   &args->limit, message);
	case CTL_OFFENDER:
		return read_number(args, CTL_OFFENDER,
				   "the id of an offender (list-offenders "
				   "--columns id,who,program)",
				   value, 1, &args->offender, message);
	case CTL_COLUMNS:
		args->columns = value;
		break;
	case CTL_NO_HEADER:
		args->no_header = true;
		break;
	case CTL_UTC:
		args->utc = true;
		break;
	case CTL_PCAP:
		args->pcap = value;
		break;
	case CTL_OWNERS:
		args->owners = value;
		break;
	}
	return 0;
}

static int check_times(struct ctl_args *args, int64_t now_ns, char **message)
{
	if (args->since && ctl_time_parse(args->since, now_ns, args->utc, &args->since_ns))
		return wrong(args, CTL_SINCE, CTL_TIME_EXPECTED, args->since, message);
	if (args->until && ctl_time_parse(args->until, now_ns, args->utc, &args->until_ns))
		return wrong(args, CTL_UNTIL, CTL_TIME_EXPECTED, args->until, message);
	if (args->until && !args->until_ns)
		args->until_ns = 1; /* 0 would mean: open */
	if (args->since && args->until && args->since_ns >= args->until_ns) {
		*message = show_printf("--until: expected a time after --since %s, got \"%s\"",
				       args->since, args->until);
		return -EINVAL;
	}
	return 0;
}

static int check_arguments(const struct ctl_args *args, char **message)
{
	const struct ctl_command *command = args->command;
	bool instead = args->given & command->instead;
	const char *option = command->instead ? options[option_index(command->instead)].name : NULL;

	if (args->n_arguments > command->most)
		*message = show_printf("%s: \"%s\" is one argument too many; usage: egressctl "
				       "%s%s%s",
				       command->name, args->arguments[command->most], command->name,
				       command->arguments ? " " : "",
				       command->arguments ? command->arguments : "");
	else if (instead && args->n_arguments)
		*message = show_printf("%s: expected %s or --%s, not both", command->name,
				       command->arguments, option);
	else if (!instead && args->n_arguments < command->least && option)
		*message = show_printf("%s: expected %s or --%s", command->name, command->arguments,
				       option);
	else if (!instead && args->n_arguments < command->least)
		*message = show_printf("%s: expected %s", command->name, command->arguments);
	else
		return 0;
	return -EINVAL;
}

static int check_command(struct ctl_args *args, const char *sort, char **message)
{
	const struct ctl_command *command = args->command;
	unsigned senseless = args->given & ~(command->options | CTL_EVERYWHERE);

	for (size_t i = 0; i < OPTIONS_N; i++) {
		char *typed;

		if (!(senseless & options[i].bit))
			continue;
		typed = ctl_option_typed(args, options[i].bit);

		*message = show_printf("%s means nothing to \"%s\"; see \"egressctl help %s\"",
				       typed, command->name, command->name);
		free(typed);
		return -EINVAL;
	}
	if (check_arguments(args, message))
		return -EINVAL;
	if (sort) {
		int word = read_word(args, CTL_SORT, sort, command->sort_words,
				     command->n_sort_words, message);
		if (word < 0)
			return word;
		args->sort = (unsigned)word;
	}
	return args->columns ? ctl_columns_check(args, message) : 0;
}

/* getopt's answer for an option it does not know, or one without its value. */
static int bad_option(int code, const char *word, char **message)
{
	for (size_t i = 0; code == ':' && i < OPTIONS_N; i++) {
		if (options[i].letter != optopt)
			continue;
		if (strncmp(word, "--", 2) != 0)
			*message =
				show_printf("-%c: expected a value (%s)", optopt, options[i].value);
		else
			*message = show_printf("--%s: expected a value (%s)", options[i].name,
					       options[i].value);
		return -EINVAL;
	}
	if (optopt > ' ' && optopt < 0x7f && strncmp(word, "--", 2) != 0)
		*message = show_printf("unknown option \"-%c\"; see \"egressctl help\"", optopt);
	else if (optopt)
		*message = show_printf("\"%s\" takes no value", word);
	else
		*message = show_printf("unknown option \"%s\"; see \"egressctl help\"", word);
	return -EINVAL;
}

static void long_options(struct option *longs)
{
	for (size_t i = 0; i < OPTIONS_N; i++)
		longs[i] = (struct option){ options[i].name,
					    options[i].value ? required_argument : no_argument,
					    NULL, options[i].letter };
	longs[OPTIONS_N] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[OPTIONS_N + 1] = (struct option){ "version", no_argument, NULL, 'V' };
	longs[OPTIONS_N + 2] = (struct option){ 0 };
}

static int read_words(struct ctl_args *args, int argc, char **argv, const char **sort, int *wants,
		      char **message)
{
	struct option longs[OPTIONS_N + 3];
	unsigned n = 0;

	long_options(longs);
	optind = 0; /* glibc: starts anew */
	for (;;) {
		int before = optind ? optind : 1;
		/* "-": words that are no options come as 1, in their order, also with
		 * POSIXLY_CORRECT; ":": errors are ours to say. */
		int code = getopt_long(argc, argv, "-:c:o:u:n:hV", longs, NULL);
		size_t i;

		if (code == -1)
			break;
		if (code == 1) {
			args->arguments[n++] = optarg;
			continue;
		}
		if (code == 'h' || code == 'V') {
			*wants = code;
			continue;
		}
		if (code == '?' || code == ':')
			return bad_option(code, argv[before], message);
		for (i = 0; i < OPTIONS_N && options[i].letter != code; i++)
			;
		if (!strncmp(argv[before], "--", 2))
			args->shorts &= ~options[i].bit;
		else
			args->shorts |= options[i].bit;
		if (take_option(args, i, optarg ? optarg : "", sort, message))
			return -EINVAL;
	}
	while (optind < argc)
		args->arguments[n++] = argv[optind++];
	args->arguments[n] = NULL;
	args->n_arguments = n;
	return 0;
}

int ctl_args_parse(struct ctl_args *args, int argc, char **argv, int64_t now_ns, char **message)
{
	const char *sort = NULL;
	int wants = 0, error;

	memset(args, 0, sizeof(*args));
	args->arguments = args->words = calloc((size_t)argc + 1, sizeof(*args->words));
	if (!args->words)
		abort();
	opterr = 0;
	error = read_words(args, argc, argv, &sort, &wants, message);
	if (error)
		return error;
	if (wants) {
		args->command = ctl_command_by_name(wants == 'h' ? "help" : "version");
		if (wants == 'V')
			args->n_arguments = 0;
		return 0;
	}
	if (!args->n_arguments)
		return 0;
	args->command = ctl_command_by_name(args->arguments[0]);
	if (!args->command) {
		*message = show_printf("unknown command \"%s\"; see \"egressctl help\"",
				       args->arguments[0]);
		return -EINVAL;
	}
	args->arguments++;
	args->n_arguments--;
	error = check_command(args, sort, message);
	return error ? error : check_times(args, now_ns, message);
}

void ctl_args_free(struct ctl_args *args)
{
	free(args->words);
	free(args->own_columns);
	memset(args, 0, sizeof(*args));
}
