// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc on a fake tree: hostile names, cut files, deleted programs. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf-free/describe.h"
#include "bpf-free/paths.h"
#include "bpf-free/proc.h"
#include "bpf-free/search.h"

static char home[] = "/tmp/egt-proc-XXXXXX";
static int proc_fd = -1;
static struct describe env;

static void path_of(char *out, const char *name)
{
	assert_true(snprintf(out, 512, "%s/%s", home, name) < 512);
}

static void make_folders(char *path)
{
	for (char *at = path + strlen(home) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0755);
		*at = '/';
	}
}

static void put(const char *name, const void *bytes, size_t len)
{
	char path[512];
	FILE *file;

	path_of(path, name);
	make_folders(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void put_link(const char *name, const char *target)
{
	char path[512];

	path_of(path, name);
	make_folders(path);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static size_t stat_text(char *out, pid_t pid, const char *comm, size_t comm_len, pid_t ppid,
			unsigned long long start)
{
	size_t n = (size_t)sprintf(out, "%d (", pid);

	memcpy(out + n, comm, comm_len);
	n += comm_len;
	return n + (size_t)sprintf(out + n,
				   ") S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %llu 1 2 3\n",
				   ppid, start);
}

/* args_bytes: what the kernel says of how long its arguments were (proc(5), 48 and 49). */
static void process_of(pid_t pid, const char *comm, pid_t ppid, unsigned long long start,
		       unsigned args_bytes)
{
	char name[64], text[512];
	size_t n = stat_text(text, pid, comm, strlen(comm), ppid, start) - 1;

	n += (size_t)sprintf(text + n,
			     " 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 "
			     "4096 %u 50 51 52\n",
			     4096 + args_bytes);
	sprintf(name, "%d/stat", pid);
	put(name, text, n);
	sprintf(name, "%d/status", pid);
	put(name, text,
	    (size_t)sprintf(text,
			    "Name:\tx\nState:\tS (sleeping)\nUid:\t%d\t34\t34\t34\n"
			    "Gid:\t%d\t36\t36\t36\nFDSize:\t64\nVmSize:\t1 kB\n",
			    pid + 1000, pid + 2000));
}

static void process(pid_t pid, const char *comm, pid_t ppid, unsigned long long start)
{
	process_of(pid, comm, ppid, start, 0); /* not told */
}

/* A web server that runs CGI programs, with this environment of its own. */
static void server(pid_t pid, const void *env_text, size_t len)
{
	char name[64];

	process(pid, "apache2", 1, 20);
	sprintf(name, "%d/environ", pid);
	put(name, env_text, len);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static struct search_care care;

static int setup(void **unused)
{
	(void)unused;
	assert_non_null(mkdtemp(home));
	put("stat", "cpu 1 2\nbtime 1700000000\nprocesses 5\n", 38);
	proc_fd = open(home, O_RDONLY | O_DIRECTORY);
	assert_true(proc_fd >= 0);
	search_care_end(&care);
	describe_init(&env, proc_fd, &care);
	return 0;
}

static int teardown(void **unused)
{
	(void)unused;
	describe_done(&env);
	close(proc_fd);
	return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct owner owner;

static int describe(pid_t pid)
{
	int fd, error = proc_open_pid(proc_fd, pid, &fd);

	owner_init(&owner);
	if (error)
		return error;
	owner.how = OWNER_CONFIRMED;
	error = describe_process(&env, fd, pid, 0, &owner);
	close(fd);
	return error;
}

static void hostile_comm(void **unused)
{
	static const char *const names[] = { "a) R 1 (", ") (", "\n) Z 9 9\n", "((((",
					     "))))",	 "",	" ",	       "123456789012345" };
	struct proc_stat stat;
	char text[512];

	(void)unused;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = stat_text(text, 42, names[i], strlen(names[i]), 7, 123456);

		assert_int_equal(proc_parse_stat(text, n, &stat), 0);
		assert_string_equal(stat.comm, names[i]);
		assert_int_equal(stat.ppid, 7);
		assert_int_equal(stat.state, 'S');
		assert_int_equal(stat.start_ticks, 123456);
	}
}

static void cut_stat(void **unused)
{
	struct proc_stat stat = { .ppid = 99 };
	char text[512];
	size_t n = stat_text(text, 42, "a) R 1 (", 8, 7, 123456), whole = n - 6;

	(void)unused;
	for (size_t len = 0; len < n; len++) {
		char *copy = malloc(len ? len : 1);
		int error;

		memcpy(copy, text, len);
		error = proc_parse_stat(copy, len, &stat);
		/* complete from the blank behind the start time on */
		assert_int_equal(error, len < whole ? -EBADMSG : 0);
		if (error)
			assert_int_equal(stat.ppid, 99);
		free(copy);
	}
}

static void cut_status(void **unused)
{
	static const char text[] = "Name:\ta\\nUid:\t0\t0\nState:\tS (s)\nUid:\t1\t2\t3\t4\n"
				   "Gid:\t5\t6\t7\t8\nFDSize:\t64\nVmSize:\t1 kB\n";
	struct proc_status status;

	(void)unused;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, text, len);
		if (!proc_parse_status(copy, len, &status)) {
			assert_int_equal(status.uid, 1);
			assert_int_equal(status.euid, 2);
			assert_int_equal(status.gid, 5);
		}
		free(copy);
	}
	assert_int_equal(proc_parse_status(text, sizeof(text) - 1, &status), 0);
	assert_int_equal(status.fd_slots, 64);
	assert_false(status.kernel_thread);
	assert_int_equal(proc_parse_status("Uid:\t4294967296\t1\nGid:\t1\n", 25, &status),
			 -EBADMSG);
	assert_int_equal(proc_parse_status("Uid:\t-1\t1\nGid:\t1\n", 18, &status), -EBADMSG);
	assert_int_equal(proc_parse_status("Uid:\t1\t1\nGid:\t1\n", 17, &status), 0);
	assert_true(status.kernel_thread);
}

static void environment(void **unused)
{
	static const char env_text[] = "A=1\0REQUEST_URI=/x?a=b\0XREQUEST_METHOD=no\0\0=\0"
				       "REQUEST_METHOD=\0CUT=yes";
	const size_t n = sizeof(env_text) - 1; /* the last one without its NUL */

	(void)unused;
	assert_string_equal(proc_env_value(env_text, n, "REQUEST_URI"), "/x?a=b");
	assert_string_equal(proc_env_value(env_text, n, "REQUEST_METHOD"), "");
	assert_null(proc_env_value(env_text, n, "CUT"));
	assert_null(proc_env_value(env_text, n, "REQUEST"));
	assert_null(proc_env_value(env_text, 0, "A"));
}

static void described(void **unused)
{
	(void)unused;
	process(1, "init", 0, 1);
	process(10, "cron", 1, 50);
	process(42, "evil) R 0 (\n", 10, 12345);
	put_link("42/exe", "/usr/bin/perl");
	put_link("42/cwd", "/srv/app");
	put("42/cmdline",
	    "perl\0m.pl\0"
	    "25",
	    13);
	put("42/loginuid", "1000", 4);
	put("42/cgroup", "0::/system.slice/cron.service\n", 30);
	/* what anybody may put there is no request: no web server started it */
	put("42/environ", "REQUEST_METHOD=GET\0HTTP_HOST=a.example\0SECRET=x\0", 48);
	put_link("42/fd/0", "/dev/null");
	assert_int_equal(describe(42), 0);
	assert_int_equal(owner.how, OWNER_CONFIRMED);
	assert_int_equal(owner.proc.pid, 42);
	assert_int_equal(owner.proc.uid, 1042);
	assert_int_equal(owner.euid, 34);
	assert_int_equal(owner.gid, 2042);
	assert_int_equal(owner.login_uid, 1000);
	assert_string_equal(owner.proc.comm, "evil) R 0 (\n");
	assert_int_equal(owner.proc.start_ticks, 12345);
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	assert_in_range(owner.start_ns / 1000000000 - (real.tv_sec - boot.tv_sec),
			12345 / sysconf(_SC_CLK_TCK) - 2, 12345 / sysconf(_SC_CLK_TCK) + 2);
	assert_string_equal(owner.exe, "/usr/bin/perl");
	assert_false(owner.exe_deleted);
	assert_string_equal(owner.cwd, "/srv/app");
	assert_int_equal(owner.cmdline_bytes, 13);
	assert_string_equal(owner.unit, "cron.service");
	assert_string_equal(owner.request_method, "");
	assert_string_equal(owner.request_host, "");
	assert_int_equal(owner.n_parents, 2);
	assert_int_equal(owner.parents[0].pid, 10);
	assert_int_equal(owner.parents[1].pid, 1);
	assert_string_equal(owner.parents[1].comm, "init");
	assert_int_equal(owner.cut, 0);
	/* neither /srv/app nor a root: the argument stays as it is */
	assert_string_equal(owner.script, "m.pl");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_ARGV);
}

static void programs_gone(void **unused)
{
	static const struct {
		const char *link, *exe;
		bool deleted, memfd;
	} cases[] = {
		/* no file says that it has no name left (the live test has some that do) */
		{ "/usr/bin/x (deleted)", "/usr/bin/x (deleted)", false, false },
		{ "/memfd:kworker (deleted)", "/memfd:kworker (deleted)", false, false },
		{ "/memfd:kworker", "/memfd:kworker", false, false },
		{ "/usr/bin/x(deleted)", "/usr/bin/x(deleted)", false, false },
	};

	(void)unused;
	process(43, "x", 1, 60);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_link("43/exe", cases[i].link);
		assert_int_equal(describe(43), 0);
		assert_string_equal(owner.exe, cases[i].exe);
		assert_int_equal(owner.exe_deleted, cases[i].deleted);
		assert_int_equal(owner.exe_memfd, cases[i].memfd);
		assert_int_equal(owner.script_from, OWNER_SCRIPT_NONE);
		assert_int_equal(owner.script_why, OWNER_WHY_NONE);
	}
}

static void missing_files(void **unused)
{
	(void)unused;
	process(44, "x", 1, 60);
	assert_int_equal(describe(44), 0);
	assert_string_equal(owner.exe, "");
	assert_int_equal(owner.cmdline_bytes, 0);
	assert_int_equal(owner.login_uid, OWNER_UID_NONE);
	put("44/loginuid", "4294967295", 10);
	assert_int_equal(describe(44), 0);
	assert_int_equal(owner.login_uid, OWNER_UID_NONE);
	put("44/loginuid", "12x", 3);
	assert_int_equal(describe(44), 0);
	assert_int_equal(owner.login_uid, OWNER_UID_NONE);
	put("44/stat", "44 (x) S 1", 10);
	assert_int_equal(describe(44), -ESRCH);
	assert_int_equal(owner.proc.pid, 0);
	assert_int_equal(owner.how, OWNER_CONFIRMED);
	assert_int_equal(describe(4711), -ESRCH);
}

static void long_texts(void **unused)
{
	char text[10000];

	(void)unused;
	process(45, "perl", 1, 60);
	put_link("45/exe", "/usr/bin/perl");
	memset(text, 'a', sizeof(text));
	put("45/cmdline", text, sizeof(text));
	assert_int_equal(describe(45), 0);
	assert_int_equal(owner.cmdline_bytes, OWNER_CMDLINE_BYTES - 1);
	assert_int_equal(owner.cmdline[owner.cmdline_bytes], 0);
	assert_int_equal(owner.cut, OWNER_CUT_CMDLINE);
	assert_int_equal(owner.script_from, OWNER_SCRIPT_NONE);
	memcpy(text, "perl", 5);
	put("45/cmdline", text, sizeof(text));
	assert_int_equal(describe(45), 0);
	assert_int_equal(owner.cut, OWNER_CUT_CMDLINE | OWNER_CUT_SCRIPT);
	assert_int_equal(strlen(owner.script), OWNER_CMDLINE_BYTES - 1 - 5);
	memcpy(text, "REQUEST_URI=", 12);
	text[5000] = 0;
	memcpy(text + 5001, "REQUEST_METHOD=GET", 19);
	put("45/environ", text, sizeof(text));
	server(9, "A=x", 4);
	process(45, "perl", 9, 60);
	put_link("45/fd/0", "/dev/null");
	put("45/cmdline", "perl\0/m", 8);
	assert_int_equal(describe(45), 0);
	assert_string_equal(owner.request_method, "GET");
	assert_int_equal(strlen(owner.request_uri), sizeof(owner.request_uri) - 1);
	assert_int_equal(owner.cut, OWNER_CUT_REQUEST);
}

/* The tree itself is the process's root: folders and files in it can be told apart. */
static void scripts(void **unused)
{
	(void)unused;
	process(46, "x", 1, 60);
	put("srv/app/m.pl", "", 0);
	put("srv/pkg/__main__.py", "", 0);
	put_link("46/root", home);
	put_link("46/cwd", "/srv");
	put_link("46/exe", "/usr/bin/perl");
	put("46/cmdline", "perl\0./app//m.pl", 17);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "/srv/app/m.pl");
	put("46/cmdline", "perl\0app", 9);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
	put("46/cmdline", "perl\0/srv/gone.pl", 18);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "/srv/gone.pl");
	put_link("46/exe", "/usr/bin/python3.11");
	put("46/cmdline", "python3\0pkg", 12);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "/srv/pkg/__main__.py");
	put_link("46/exe", "/usr/bin/php-cgi8.2");
	put("46/cmdline", "php-cgi", 8);
	put("46/environ", "SCRIPT_FILENAME=/srv/app\0GATEWAY_INTERFACE=CGI/1.1", 51);
	put_link("46/fd/0", "/dev/null");
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
	put("46/environ", "SCRIPT_FILENAME=/srv/app/m.pl\0GATEWAY_INTERFACE=CGI/1.1", 56);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "/srv/app/m.pl");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_ENVIRON);
	put_link("46/exe", "/usr/local/lsws/fcgi-bin/lsphp");
	put("46/cmdline", "lsphp:/srv/app/m.pl", 20);
	assert_int_equal(describe(46), 0);
	assert_string_equal(owner.script, "/srv/app/m.pl");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_TITLE);
	put("46/cmdline", "lsphp:/srv/app", 15);
	assert_int_equal(describe(46), 0);
	assert_int_equal(owner.script_from, OWNER_SCRIPT_NONE);
	put_link("46/exe", "/usr/sbin/php-fpm8.2");
	put("46/cmdline", "php-fpm: pool www\0\0", 19);
	assert_int_equal(describe(46), 0);
	assert_int_equal(owner.script_why, OWNER_WHY_NO_STATUS_PAGE);
	put_link("46/exe", "/usr/sbin/apache2");
	assert_int_equal(describe(46), 0);
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
}

static void standard_input(void **unused)
{
	(void)unused;
	process_of(47, "sh", 1, 60, 3);
	put("srv/in.sh", "", 0);
	put("47/cmdline", "sh", 3);
	put("47/fd/1", "", 0);
	put_link("47/root", home);
	put_link("47/exe", "/usr/bin/dash");
	put_link("47/fd/0", "/srv/in.sh");
	assert_int_equal(describe(47), 0);
	assert_string_equal(owner.script, "/srv/in.sh");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_STDIN);
	put_link("47/fd/0", "pipe:[5]");
	assert_int_equal(describe(47), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_STDIN);
	put_link("47/fd/0", "/srv");
	assert_int_equal(describe(47), 0);
	assert_string_equal(owner.script, "");
	process(47, "sh", 1,
		60); /* how long they were is not told: then what stands there counts */
	put_link("47/fd/0", "/srv/in.sh");
	assert_int_equal(describe(47), 0);
	assert_string_equal(owner.script, "/srv/in.sh");
	put_link("47/fd/7", "/srv/in.sh");
	put("47/cmdline", "sh\0/dev/fd/7", 13);
	assert_int_equal(describe(47), 0);
	assert_string_equal(owner.script, "/srv/in.sh");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_ARGV);
}

/* A title written over longer arguments says nothing of what stood there. */
static void one_word_left(void **unused)
{
	(void)unused;
	process_of(50, "perl", 1, 60, 30);
	put_link("50/exe", "/usr/bin/perl");
	put_link("50/fd/0", "/srv/in.sh");
	put("50/cmdline", "perl", 5);
	assert_int_equal(describe(50), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_NONE);
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
	put("50/stat", "50 (perl) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 60 1 2 3\n", 66);
	assert_int_equal(describe(50), 0);
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
}

/* The environment of a CGI program is its request's; of a FastCGI server, or below a server that
 * somebody's request started, it is another's. */
static void cgi_requests(void **unused)
{
	static const char request[] = "REQUEST_METHOD=POST\0REQUEST_URI=/m.pl?a=b\0"
				      "SERVER_NAME=a.example\0REMOTE_ADDR=192.0.2.1";

	(void)unused;
	server(60, "LANG=C", 7);
	process(61, "sh", 60, 50);
	process(62, "m.pl", 61, 60);
	put_link("62/exe", "/usr/bin/perl");
	put("62/cmdline", "perl\0/srv/app/m.pl", 19);
	put("62/environ", request, sizeof(request));
	put_link("62/fd/0", "pipe:[5]");
	assert_int_equal(describe(62), 0);
	assert_string_equal(owner.request_method, "POST");
	assert_string_equal(owner.request_uri, "/m.pl?a=b");
	assert_string_equal(owner.request_host, "a.example");
	assert_string_equal(owner.request_client, "192.0.2.1");
	assert_int_equal(owner.cut, 0);
	put_link("62/fd/0", "socket:[5]");
	assert_int_equal(describe(62), 0);
	assert_string_equal(owner.request_method, "");
	put_link("62/fd/0", "pipe:[5]");
	server(60, request, sizeof(request));
	assert_int_equal(describe(62), 0);
	assert_string_equal(owner.request_method, "");
}

/* Without arguments it runs what the environment says; a FastCGI server does not. */
static void php_cgi(void **unused)
{
	static const char env_text[] = "SCRIPT_FILENAME=/srv/app/m.php";

	(void)unused;
	process_of(63, "php-cgi", 1, 60, 8);
	put("srv/app/m.php", "", 0);
	put_link("63/root", home);
	put_link("63/exe", "/usr/bin/php-cgi8.2");
	put("63/cmdline", "php-cgi", 8);
	put("63/environ", env_text, sizeof(env_text));
	put_link("63/fd/0", "pipe:[5]");
	assert_int_equal(describe(63), 0);
	assert_string_equal(owner.script, "/srv/app/m.php");
	assert_int_equal(owner.script_from, OWNER_SCRIPT_ENVIRON);
	put_link("63/fd/0", "socket:[5]");
	assert_int_equal(describe(63), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
}

/* The title has the path's end only; the folder that it is in gives the rest. */
static void lsphp(void **unused)
{
	static const char folder[] = "srv/a-folder-with-a-name-that-is-long-enough/sub";
	char title[128], path[128], name[256];
	const size_t shown = 45;

	(void)unused;
	process(64, "lsphp", 1, 60);
	put_link("64/root", home);
	put_link("64/exe", "/usr/local/lsws/fcgi-bin/lsphp");
	sprintf(name, "%s/m.php", folder);
	put(name, "", 0);
	sprintf(path, "/%s/m.php", folder);
	assert_true(strlen(path) > shown);
	sprintf(title, "lsphp:%s", path + strlen(path) - shown);
	put("64/cmdline", title, strlen(title) + 1);
	sprintf(name, "/%s", folder);
	put_link("64/cwd", name);
	assert_int_equal(describe(64), 0);
	assert_string_equal(owner.script, path);
	assert_int_equal(owner.script_from, OWNER_SCRIPT_TITLE);
	put_link("64/cwd", "/srv/app");
	assert_int_equal(describe(64), 0);
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_why, OWNER_WHY_NOT_TOLD);
}

static void ancestors(void **unused)
{
	(void)unused;
	for (pid_t pid = 100; pid < 112; pid++)
		process(pid, "p", pid - 1, (unsigned long long)pid);
	assert_int_equal(describe(111), 0);
	assert_int_equal(owner.n_parents, OWNER_PARENTS);
	assert_int_equal(owner.parents[7].pid, 103);
	assert_int_equal(owner.cut, OWNER_CUT_PARENTS);
	process(120, "young", 1, 9000);
	process(121, "old", 120, 8000);
	assert_int_equal(describe(121), 0);
	assert_int_equal(owner.n_parents, 0);
	process(130, "loop", 130, 5);
	assert_int_equal(describe(130), 0);
	assert_int_equal(owner.n_parents, OWNER_PARENTS);
}

static void spared(void **unused)
{
	(void)unused;
	process(48, "x", 1, 60);
	put_link("48/exe", "/usr/bin/perl");
	put("48/cmdline", "perl\0/m.pl", 11);
	care.nobody = true;
	assert_int_equal(describe(48), 0);
	care.nobody = false;
	assert_int_equal(owner.cmdline_bytes, 0);
	assert_string_equal(owner.exe, "/usr/bin/perl");
	assert_string_equal(owner.script, "");
	assert_int_equal(owner.script_why, OWNER_WHY_DEADLINE);
}

static void mounts(void **unused)
{
	static const struct {
		const char *text;
		bool fuse;
	} cases[] = {
		{ "", false },
		{ "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", false },
		{ "22 1 8:1 / /fuse rw - ext4 fuse rw\n23 22 0:5 / /p rw shared:7 - proc proc rw\n",
		  false },
		{ "22 1 8:1 / / rw - ext4 a rw\n40 22 0:44 / /m rw - fuse.sshfs a:/ rw\n", true },
		{ "40 22 0:44 / /m rw - fuseblk /dev/sdb rw\n", true },
		{ "40 22 0:44 / /m rw - fuse a rw\n", true },
		{ "22 1 8:1 / / rw - ext4 a rw\n40 22 0:44 / /m r", true }, /* cut */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(path_mountinfo_has_fuse(cases[i].text, strlen(cases[i].text)),
				 cases[i].fuse);
}

static void no_cwd(void **unused)
{
	(void)unused;
	process(49, "perl", 1, 60);
	put_link("49/exe", "/usr/bin/perl");
	put("49/cmdline", "perl\0s.pl", 10);
	assert_int_equal(describe(49), 0);
	assert_string_equal(owner.cwd, "");
	assert_string_equal(owner.script, "s.pl");
	assert_int_equal(owner.cut, OWNER_CUT_SCRIPT);
	put("49/cmdline", "perl\0/s.pl", 11);
	assert_int_equal(describe(49), 0);
	assert_int_equal(owner.cut, 0);
}

static void finder_on_a_fake_tree(void **unused)
{
	struct owner_budget budget = { 64, 100, 100, 20 };
	struct owner_finder *finder = NULL;
	struct owner_query query = { .family = AF_INET };
	struct owner_wait *wait = NULL;
	const char *what;

	(void)unused;
	assert_int_equal(owner_finder_open(&finder, home, &budget, NULL, &what), 0);
	assert_int_equal(owner_find(finder, &query, &owner, &wait), 0);
	assert_int_equal(owner.how, OWNER_UNKNOWN);
	assert_null(wait);
	assert_int_equal(owner_continue(finder, &query, &owner), -ENOENT);
	owner_finder_free(finder);
	finder = NULL;
	assert_int_equal(owner_finder_open(&finder, "/nonexistent", &budget, NULL, &what), -ENOENT);
	assert_null(finder);
	owner_finder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a hostile process name does not move the other fields", hostile_comm },
		{ "stat cut at any byte is refused, or whole", cut_stat },
		{ "status cut at any byte never gives other numbers", cut_status },
		{ "the environment gives whole values of exact keys", environment },
		{ "a process is described from its folder", described },
		{ "deleted programs and memfds are told from others", programs_gone },
		{ "missing and broken files leave their fields empty", missing_files },
		{ "texts that don't fit are cut and say so", long_texts },
		{ "a folder is never a script, a file that is gone still is one", scripts },
		{ "a program on a descriptor is named when it is a file", standard_input },
		{ "one word left of longer arguments says nothing of standard input",
		  one_word_left },
		{ "a request is taken from a CGI program's environment, and from no other's",
		  cgi_requests },
		{ "php-cgi runs what its environment says, unless it serves FastCGI", php_cgi },
		{ "a cut title of lsphp is whole with its folder, and nothing without", lsphp },
		{ "parents end at eight, at a younger one, and in no loop", ancestors },
		{ "a process that is spared is named, and its script is said to be missing for "
		  "time",
		  spared },
		{ "a finder on a fake tree opens, and looks nothing up", finder_on_a_fake_tree },
		{ "a FUSE mount is seen in a mountinfo, and a cut one is not trusted", mounts },
		{ "a relative script without a cwd is said not to be the whole path", no_cwd },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_proc", tests, setup, teardown);
}
