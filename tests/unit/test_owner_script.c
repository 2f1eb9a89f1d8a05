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

#define ARGV   OWNER_SCRIPT_ARGV
#define INLINE OWNER_SCRIPT_INLINE
#define STDIN  OWNER_SCRIPT_STDIN
#define NONE   OWNER_SCRIPT_NONE

static const struct {
	const char *exe, *argv; /* arguments separated by | */
	enum owner_script_from from;
	const char *path;
} cases[] = {
	/* php */
	{ "/usr/bin/php8.2", "php|/var/www/x.php|25", ARGV, "/var/www/x.php" },
	{ "/usr/bin/php8.2", "php|x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-d|memory_limit=1G|x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-dmemory_limit=1G|-n|x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-c|/etc/php.ini|-z|ext.so|-f|x.php|a", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-fx.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|--file=x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|--file|x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|--define|a=1|x.php", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-r|mail(1);|/var/www/x.php", INLINE, NULL },
	{ "/usr/bin/php8.2", "php|-nr|mail(1);", INLINE, NULL },
	{ "/usr/bin/php8.2", "php|--run|mail(1);", INLINE, NULL },
	{ "/usr/bin/php8.2", "php|-R|mail(1);", INLINE, NULL },
	{ "/usr/bin/php8.2", "php|-F|line.php", ARGV, "line.php" },
	{ "/usr/bin/php8.2", "php", STDIN, NULL },
	{ "/usr/bin/php8.2", "php|--|a|b", STDIN, NULL },
	{ "/usr/bin/php8.2", "php|-", STDIN, NULL },
	{ "/usr/bin/php8.2", "php|-S|0:80|-t|/srv|router.php", NONE, NULL },
	{ "/usr/bin/php8.2", "php|x.php|-r|no", ARGV, "x.php" },
	{ "/usr/bin/php8.2", "php|-f", NONE, NULL },
	{ "/opt/plesk/php/8.2/bin/php", "php|x.php", ARGV, "x.php" },
	{ "/usr/bin/php-cgi8.2", "php-cgi|-q|-d|a=b|/srv/x.php", ARGV, "/srv/x.php" },
	{ "/usr/bin/php-cgi8.2", "php-cgi|-b|127.0.0.1:9000", NONE, NULL },
	{ "/usr/bin/php-cgi8.2", "php-cgi", NONE, NULL },
	{ "/usr/sbin/php-fpm8.2", "php-fpm: pool www", NONE, NULL },
	{ "/usr/sbin/apache2", "/usr/sbin/apache2|-k|start", NONE, NULL },
	/* perl */
	{ "/usr/bin/perl", "/usr/bin/perl|-w|/srv/m.pl", ARGV, "/srv/m.pl" },
	{ "/usr/bin/perl5.36-x86_64-linux-gnu", "perl|m.pl|-e|x", ARGV, "m.pl" },
	{ "/usr/bin/perl", "perl|-I|lib|-Mstrict|-MIO::Socket=a|m.pl", ARGV, "m.pl" },
	{ "/usr/bin/perl", "perl|-Ilib|-i.bak|-0777|m.pl", ARGV, "m.pl" },
	{ "/usr/bin/perl", "perl|-ne|print", INLINE, NULL },
	{ "/usr/bin/perl", "perl|-MSocket|-e|x|m.pl", INLINE, NULL },
	{ "/usr/bin/perl", "perl|-E|say", INLINE, NULL },
	{ "/usr/bin/perl", "perl|-x/srv|m.pl", ARGV, "m.pl" },
	{ "/usr/bin/perl", "perl|-S|m.pl", NONE, NULL },
	{ "/usr/bin/perl", "perl|--|-odd.pl", ARGV, "-odd.pl" },
	{ "/usr/bin/perl", "perl|-T", STDIN, NULL },
	{ "/usr/bin/perl", "httpd -k start", NONE, NULL }, /* $0 was set */
	{ "/usr/bin/perl", "perl|-l012|-F:|-ane|x", INLINE, NULL },
	/* python */
	{ "/usr/bin/python3.11", "python3|/srv/s.py|-c|x", ARGV, "/srv/s.py" },
	{ "/usr/bin/python3.11", "python3|-u|-W|ignore|-X|dev|s.py", ARGV, "s.py" },
	{ "/usr/bin/python3.11", "python3|-Wignore|-OO|s.py", ARGV, "s.py" },
	{ "/usr/bin/python3.11", "python3|-c|import os|s.py", INLINE, NULL },
	{ "/usr/bin/python3.11", "python3|-Bc|import os", INLINE, NULL },
	{ "/usr/bin/python3.11", "python3|-m|http.server", NONE, NULL },
	{ "/usr/bin/python3.11", "python3|-", STDIN, NULL },
	{ "/usr/bin/python2.7", "python|--check-hash-based-pycs|always|s.py", ARGV, "s.py" },
	{ "/usr/bin/python3.11", "python3", STDIN, NULL },
	/* ruby */
	{ "/usr/bin/ruby3.1", "ruby|-w|s.rb", ARGV, "s.rb" },
	{ "/usr/bin/ruby3.1", "ruby|-I|lib|-r|json|-rset|s.rb", ARGV, "s.rb" },
	{ "/usr/bin/ruby3.1", "ruby|-C|/srv|s.rb", ARGV, "s.rb" },
	{ "/usr/bin/ruby3.1", "ruby|--disable|gems|s.rb", ARGV, "s.rb" },
	{ "/usr/bin/ruby3.1", "ruby|-W0|-Ku|-E|UTF-8|s.rb", ARGV, "s.rb" },
	{ "/usr/bin/ruby3.1", "ruby|-rsocket|-e|x", INLINE, NULL },
	{ "/usr/bin/ruby3.1", "ruby|-S|rake", NONE, NULL },
	/* node */
	{ "/usr/bin/node", "node|/srv/s.js", ARGV, "/srv/s.js" },
	{ "/usr/bin/node", "node|-r|dotenv/config|--max-old-space-size=512|s.js", ARGV, "s.js" },
	{ "/usr/bin/node", "node|--require|x|--inspect|s.js", ARGV, "s.js" },
	{ "/usr/bin/node", "node|-e|x", INLINE, NULL },
	{ "/usr/bin/node", "node|-pe|x", INLINE, NULL },
	{ "/usr/bin/node", "node|--eval=x", INLINE, NULL },
	{ "/usr/bin/node", "node|inspect|s.js", NONE, NULL },
	{ "/usr/bin/node", "node|-", STDIN, NULL },
	{ "/usr/bin/node", "node|--test", NONE, NULL },
	/* shells */
	{ "/usr/bin/bash", "bash|/srv/s.sh|25", ARGV, "/srv/s.sh" },
	{ "/usr/bin/bash", "/bin/bash|-e|-x|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "bash|-o|pipefail|-O|extglob|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "bash|-eo|pipefail|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "bash|+o|history|+x|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "bash|--rcfile|x|--norc|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "bash|-c|echo > /dev/tcp/1/25|/srv/s.sh", INLINE, NULL },
	{ "/usr/bin/dash", "sh|-ec|x", INLINE, NULL },
	{ "/usr/bin/bash", "bash|-lc|x", INLINE, NULL },
	{ "/usr/bin/dash", "sh|-s|a", STDIN, NULL },
	{ "/usr/bin/dash", "sh|-|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/dash", "sh|--|s.sh", ARGV, "s.sh" },
	{ "/usr/bin/bash", "-bash", STDIN, NULL },
	{ "/usr/bin/bash", "bash|-i", STDIN, NULL },
	{ "/usr/bin/zsh", "zsh|-f|s.zsh", ARGV, "s.zsh" },
	{ "/usr/bin/ksh93", "ksh|s.ksh", ARGV, "s.ksh" },
	{ "/bin/busybox", "sh|/srv/s.sh", ARGV, "/srv/s.sh" },
	{ "/bin/busybox", "/bin/busybox|ash|s.sh", ARGV, "s.sh" },
	{ "/bin/busybox", "busybox|sh|-c|x", INLINE, NULL },
	{ "/bin/busybox", "wget|s.sh", NONE, NULL },
	/* no interpreter, whatever it calls itself */
	{ "/tmp/x", "php|/srv/x.php", NONE, NULL },
	{ "/usr/bin/phpize8.2", "php|x.php", NONE, NULL },
	{ "/usr/bin/pythonic", "python|x.py", NONE, NULL },
	{ "", "bash|x", NONE, NULL },
};

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
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = words(cases[i].argv, cmdline);
		struct script_args args;

		print_message("# %s: %s\n", cases[i].exe, cases[i].argv);
		script_of_args(script_interp(cases[i].exe, cmdline, len), cmdline, len, false,
			       &args);
		assert_int_equal(args.from, cases[i].from);
		if (cases[i].path)
			assert_string_equal(args.path, cases[i].path);
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
	script_of_args(INTERP_PYTHON, "python3\0-m\0x\0", 13, false, &args);
	assert_int_equal(args.why, OWNER_WHY_NOT_TOLD);
}

static void cut_cmdline(void **unused)
{
	char cmdline[256];
	struct script_args args;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = words(cases[i].argv, cmdline);

		for (size_t n = 0; n < len; n++) {
			char *copy = malloc(n + 1);

			memcpy(copy, cmdline, n);
			copy[n] = 0;
			script_of_args(script_interp(cases[i].exe, copy, n), copy, n, true, &args);
			if (args.from == ARGV)
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

static void titles(void **unused)
{
	static const char worker[] = "php-fpm: pool site-1\0\0\0\0";
	static const char master[] = "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)\0";
	static const char lsphp[] = "lsphp:/home/u/x.php\0";
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
	assert_null(script_lsphp_title("lsphp:x.php", 12));
	assert_null(script_lsphp_title("lsphp:/", 8));
	assert_null(script_lsphp_title("lsphp", 6));
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
		{ "titles of php-fpm and lsphp are read, and only whole ones", titles },
		{ "paths are joined and cleaned, and refused when they don't fit", joins },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_script", tests, NULL, NULL);
}
