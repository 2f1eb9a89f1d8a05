/* SPDX-License-Identifier: GPL-2.0-or-later */
/* egressd: reads the command line and the configuration, and hands over to the keeper. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "keeper.h"
#include "log.h"
#include "notify.h"

/* Exit codes, as in `egressd --help`. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 4 };

static const char help[] =
	"Usage: egressd [-c FILE] [-t] [-v]\n"
	"Holds connections to mail servers until their owner is known; lets only the mail\n"
	"server's user out. Runs in the foreground, logs to stderr.\n"
	"\n"
	"  -c, --config FILE  configuration (default " CONFIG_DEFAULT_FILE ")\n"
	"  -t, --test         test the configuration and end\n"
	"  -v, --verbose      log more\n"
	"  -h, --help         this text\n"
	"  -V, --version      the version\n"
	"\n"
	"Signals: HUP reloads the configuration (a bad one changes nothing), TERM and INT end\n"
	"cleanly. The rules stay when egressd ends: `egressctl rules unload` takes them away.\n"
	"Exit codes: 0 ended as told, 1 failed, 2 wrong usage, 4 bad configuration.\n";

static void say_config_error(void *context, const char *line)
{
	(void)context;
	log_error("%s", line);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "test", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },	    { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	    { NULL, 0, NULL, 0 },
	};
	static struct judge_settings settings; /* tens of KiB: not for the stack */
	const char *config_file = CONFIG_DEFAULT_FILE;
	struct keeper_users users;
	bool test = false, verbose = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:tvhV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case 'V':
			puts("egressd " EGRESSD_VERSION);
			return EXIT_OK;
		default:
			fputs("Try `egressd --help`.\n", stderr);
			return EXIT_USAGE;
		}
	}
	log_open("egressd", verbose);
	if (optind < argc) {
		log_error("\"%s\": expected no argument (see `egressd --help`)", argv[optind]);
		return EXIT_USAGE;
	}
	if (config_load(&settings.config, config_file, say_config_error, NULL) < 0)
		return EXIT_CONFIG;
	config_policy(&settings.config, &settings.policy, say_config_error, NULL);
	if (keeper_find_users(&settings.config, &users) < 0)
		return EXIT_CONFIG;
	if (test) {
		printf("%s: OK\n", config_file);
		return EXIT_OK;
	}
	if (geteuid() != 0) {
		log_error("not root: egressd needs root to start, and gives it up itself");
		return EXIT_FAILED;
	}
	notify_open();
	return keeper_run(config_file, &settings, &users);
}
