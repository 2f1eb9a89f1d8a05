// SPDX-License-Identifier: GPL-2.0-or-later
/* Interpreters, their arguments and titles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf-free/script.h"
#include "script_lines.h"

#define N_LINES (sizeof(script_lines) / sizeof(script_lines[0]))

static size_t words(const char *argv, char *out)
{
	size_t len = strlen(argv) + 1;

	memcpy(out, argv, len);
	for (size_t i = 0; i < len; i++)
		if (out[i] == '|')
			out[i] = 0;
	out[len] = 0;
	return len;
}

static void table(void **unused)
{
	char cmdline[256];

	(void)unused;
	for (size_t i = 0; i < N_LINES; i++) {
		size_t len = words(script_lines[i].argv, cmdline);
		struct script_args args;

		script_of_args(script_interp(script_lines[i].exe, cmdline, len), cmdline, len,
			       false, &args);
		if (args.from != script_lines[i].from)
			print_message("# %s: %s\n", script_lines[i].exe, script_lines[i].argv);
		assert_int_equal(args.from, script_lines[i].from);
		if (script_lines[i].path)
			assert_string_equal(args.path, script_lines[i].path);
		else
			assert_null(args.path);
	}
}

static void why_not(void **unused)
{
	struct script_args args;

	(void)unused;
	script_of_args(INTERP_NONE, "x\0", 2, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NONE);
	script_of_args(INTERP_APACHE, "apache2\0", 8, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NOT_TOLD);
	script_of_args(INTERP_PERL, "", 0, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NOT_TOLD);
	script_of_args(INTERP_PYTHON, "python3\0-m\0", 11, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NOT_TOLD);
	script_of_args(INTERP_PYTHON, "python3\0-m\0x\0", 13, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NONE);
}

static void cut_cmdline(void **unused)
{
	char cmdline[256];
	struct script_args args;

	(void)unused;
	for (size_t i = 0; i < N_LINES; i++) {
		size_t len = words(script_lines[i].argv, cmdline);

		for (size_t n = 0; n < len; n++) {
			char *copy = malloc(n + 1);

			memcpy(copy, cmdline, n);
			copy[n] = 0;
			script_of_args(script_interp(script_lines[i].exe, copy, n), copy, n, true,
				       &args);
			if (args.from == ARGV || args.from == MODULE)
				assert_true(args.path >= copy && args.path <= copy + n);
			assert_int_not_equal(args.from, STDIN); /* there was more */
			free(copy);
		}
	}
	script_of_args(INTERP_PERL, "perl\0/srv/lo", 12, true, &args);
	assert_int_equal(args.from, ARGV);
	assert_true(args.cut);
	script_of_args(INTERP_PERL, "perl\0/srv/long.pl\0a", 19, true, &args);
	assert_false(args.cut);
}

static void believed(void **unused)
{
	struct script_args args;

	(void)unused;
	script_of_args(INTERP_PERL, "perl\0-x/srv\0m.pl", 17, false, &args);
	assert_true(args.moved && !args.if_file);
	script_of_args(INTERP_PERL, "perl\0-wx\0m.pl", 14, false, &args);
	assert_false(args.moved);
	script_of_args(INTERP_LSPHP, "lsphp\0x.php", 12, false, &args);
	assert_true(args.if_file && !args.moved);
	script_of_args(INTERP_BUN, "bun\0x.ts", 9, false, &args);
	assert_true(args.if_file);
	script_of_args(INTERP_DENO, "deno\0run\0npm:x", 15, false, &args);
	assert_false(args.if_file);
}

static void titles(void **unused)
{
	static const char worker[] = "php-fpm: pool site-1\0\0\0\0";
	static const char master[] = "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)\0";
	static const char lsphp[] = "lsphp:/home/u/x.php\0";
	static const char longest[] = "lsphp:123456789012345678901234567890123456789012345";
	static const char longer[] = "lsphp:1234567890123456789012345678901234567890123456";
	const char *path;
	size_t n;

	(void)unused;
	assert_string_equal(script_fpm_pool(worker, sizeof(worker)), "site-1");
	assert_null(script_fpm_pool(master, sizeof(master)));
	assert_null(script_fpm_pool("php-fpm: pool ", 15));
	assert_null(script_fpm_pool("php-fpm: pool x", 15)); /* cut */
	n = script_fpm_config(master, sizeof(master), &path);
	assert_int_equal(n, 29);
	assert_memory_equal(path, "/etc/php/8.2/fpm/php-fpm.conf", n);
	assert_int_equal(script_fpm_config("php-fpm: master process (x)", 28, &path), 0);
	assert_int_equal(script_fpm_config(worker, sizeof(worker), &path), 0);
	assert_string_equal(script_lsphp_title(lsphp, sizeof(lsphp)), "/home/u/x.php");
	assert_string_equal(script_lsphp_title("lsphp8.2:/x.php", 16), "/x.php");
	assert_string_equal(script_lsphp_title("lsphp:ome/x.php", 16), "ome/x.php");
	assert_string_equal(script_lsphp_title("/opt/lsphp5:/x.php", 19), "/x.php");
	assert_null(script_lsphp_title("lsphp:", 7));
	assert_null(script_lsphp_title("lsphp", 6));
	assert_null(script_lsphp_title("lsphp:/x.php", 12)); /* cut */
	assert_null(script_lsphp_title("lsphp-x:/x.php", 15));
	assert_null(script_lsphp_title("php:/x.php", 11));
	assert_non_null(script_lsphp_title(longest, sizeof(longest)));
	assert_null(script_lsphp_title(longer, sizeof(longer)));
}

static void joins(void **unused)
{
	char out[16];

	(void)unused;
	assert_true(script_join("/srv", "x.php", out, sizeof(out)));
	assert_string_equal(out, "/srv/x.php");
	assert_true(script_join("/srv/", ".//./x", out, sizeof(out)));
	assert_string_equal(out, "/srv/x");
	assert_true(script_join("/srv", "../x", out, sizeof(out)));
	assert_string_equal(out, "/srv/../x");
	assert_true(script_join("/srv", "//a/./b", out, sizeof(out)));
	assert_string_equal(out, "/a/b");
	assert_true(script_join("/", "", out, sizeof(out)));
	assert_string_equal(out, "/");
	assert_true(script_join("/1234567", "123456", out, sizeof(out)));
	assert_false(script_join("/1234567", "1234567", out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "each interpreter's arguments name the script, or say why not", table },
		{ "what is missing is said only of interpreters", why_not },
		{ "a command line cut at any byte is survived, and a cut script says so",
		  cut_cmdline },
		{ "a script that may lie elsewhere, or be none, is marked so", believed },
		{ "titles of php-fpm and lsphp are read, and only whole ones", titles },
		{ "paths are joined and cleaned, and refused when they don't fit", joins },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_script", tests, NULL, NULL);
}
