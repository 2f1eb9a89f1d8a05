// SPDX-License-Identifier: GPL-2.0-or-later
/* Which configurations running servers are said to read, and that these are read. */
#include "sites_fixture.h"

#include "web/sites_servers.h"

static struct sites_servers servers;

static int forget(void **state)
{
	memset(&servers, 0, sizeof(servers));
	return fixture_enter(state);
}

#define TAKE(exe, cmdline) sites_servers_take(&servers, exe, cmdline, sizeof(cmdline))

static void expect(unsigned i, enum sites_program program, const char *conf, const char *prefix)
{
	assert_true(i < servers.n);
	assert_int_equal(servers.running[i].program, program);
	assert_string_equal(servers.running[i].conf, conf);
	assert_string_equal(servers.running[i].prefix, prefix);
}

static void nginx_tells_its_file_in_its_title(void **unused)
{
	(void)unused;
	assert_true(TAKE("/usr/sbin/nginx", "nginx: master process /usr/sbin/nginx -g daemon on; "
					    "master_process on;"));
	expect(0, SITES_PROGRAM_NGINX, "/etc/nginx/nginx.conf", "/usr/share/nginx");
	assert_true(TAKE("/usr/sbin/nginx", "nginx: master process nginx -c /srv/n.conf"));
	expect(1, SITES_PROGRAM_NGINX, "/srv/n.conf", "/usr/share/nginx");
	assert_true(TAKE("/opt/sbin/nginx", "nginx: master process nginx -p /srv/p/ -c own.conf"));
	expect(2, SITES_PROGRAM_NGINX, "/srv/p/own.conf", "/srv/p");
	assert_true(TAKE("/usr/sbin/nginx", "/usr/sbin/nginx\0-c\0/srv/with blank.conf"));
	expect(3, SITES_PROGRAM_NGINX, "/srv/with blank.conf", "/usr/share/nginx");
	assert_true(TAKE("/usr/sbin/nginx", "nginx: worker process"));
	assert_true(TAKE("/usr/sbin/nginx", "nginx: master process nginx -c /srv/n.conf"));
	assert_int_equal(servers.n, 4);
}

static void what_a_command_line_leaves_open_is_a_doubt(void **unused)
{
	static char huge[9000];

	(void)unused;
	assert_false(TAKE("/opt/nginx/nginx", "nginx: master process nginx"));
	assert_false(TAKE("/usr/sbin/nginx", "nginx: master process nginx -p relative"));
	assert_false(
		TAKE("/usr/sbin/nginx", "nginx: master process nginx -c /srv/with blank.conf"));
	assert_false(TAKE("/usr/sbin/nginx", "nginx: master process nginx -c /srv/../x.conf"));
	assert_false(TAKE("/usr/sbin/nginx", "nginx: master process nginx -c"));
	assert_false(TAKE("/usr/sbin/apache2", "apache2\0-D\0SPECIAL"));
	assert_false(TAKE("/usr/sbin/php-fpm8.2", "php-fpm: master process (/etc/php/8.2/f"));
	assert_false(TAKE("/usr/sbin/php-fpm8.2", "php-fpm: master process (own.conf)"));
	assert_false(TAKE("/usr/bin/caddy", "caddy\0run"));
	memset(huge, 'a', sizeof(huge));
	assert_false(TAKE("/usr/sbin/nginx", huge));
	huge[0] = 0;
	assert_false(sites_servers_take(&servers, "/usr/sbin/nginx", huge, 0));
}

static void apache_and_fpm_tell_their_files(void **unused)
{
	(void)unused;
	assert_true(TAKE("/usr/sbin/apache2", "/usr/sbin/apache2\0-DFOREGROUND\0-k\0start"));
	expect(0, SITES_PROGRAM_APACHE, "/etc/apache2/apache2.conf", "/etc/apache2");
	assert_true(TAKE("/usr/sbin/apache2", "apache2\0-d\0/srv/a\0-f\0own.conf"));
	expect(1, SITES_PROGRAM_APACHE, "/srv/a/own.conf", "/srv/a");
	assert_true(TAKE("/usr/sbin/httpd", "httpd\0-k\0start"));
	assert_int_equal(servers.n, 2);
	assert_true(TAKE("/usr/sbin/php-fpm8.2", "php-fpm: master process (/srv/fpm.conf)"));
	expect(2, SITES_PROGRAM_FPM, "/srv/fpm.conf", "/");
	assert_true(TAKE("/usr/sbin/php-fpm8.2", "php-fpm: pool www"));
	assert_true(TAKE("/usr/sbin/php-fpm8.2", "php-fpm8.2\0-n\0--fpm-config\0/srv/g.conf"));
	expect(3, SITES_PROGRAM_FPM, "/srv/g.conf", "/");
}

static void put_process(const char *pid, const char *exe, const char *cmdline)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%s/cmdline", pid);
	put(path, cmdline);
	snprintf(path, sizeof(path), "proc/%s/exe", pid);
	assert_int_equal(symlink(exe, path), 0);
}

static void only_roots_servers_are_believed(void **unused)
{
	int proc;

	(void)unused;
	put_process("7", "/usr/sbin/nginx (deleted)", "nginx: master process nginx -c /srv/n.conf");
	put_process("8", "/usr/sbin/nginx", "nginx: master process nginx -c /home/eve/n.conf");
	put_process("9", "/usr/bin/bash", "nginx: master process nginx -c /srv/m.conf");
	assert_int_equal(chown("proc/8", 1000, 1000), 0);
	proc = open("proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(proc >= 0);
	sites_servers_find(proc, -1, &servers);
	assert_int_equal(servers.n, 1);
	assert_false(servers.unclear);
	expect(0, SITES_PROGRAM_NGINX, "/srv/n.conf", "/usr/share/nginx");
	put_process("10", "/usr/sbin/litespeed", "litespeed");
	sites_servers_find(proc, -1, &servers);
	assert_true(servers.unclear);
	close(proc);
}

static struct sites *load_running(void)
{
	struct sites *sites = NULL;
	int fd = open_root();

	assert_int_equal(sites_load(fd, &servers, now_ns() + UINT64_C(20000000000), &sites), 0);
	assert_int_equal(sites_stamp(fd, sites), sites->stamp);
	close(fd);
	return sites;
}

static void what_they_read_is_read_and_what_is_missing_is_a_doubt(void **unused)
{
	struct sites_question question = { .user = "alice" };
	struct sites_answer answer;
	struct sites *sites;

	(void)unused;
	put_http("server { server_name usual; root /srv/u; }");
	put("srv/n.conf", "http { server { server_name own; root /srv/o; access_log l;\n"
			  "fastcgi_pass unix:/run/o; } }");
	put("srv/fpm.conf", "[global]\n[o]\nuser = alice\nlisten = /run/o\n");
	put("srv/a/own.conf",
	    "<VirtualHost *>\nServerName heard\nDocumentRoot h\n</VirtualHost>\n");
	assert_true(TAKE("/usr/sbin/nginx", "nginx: master process nginx -c /srv/n.conf -p /p"));
	assert_true(TAKE("/usr/sbin/php-fpm8.2", "php-fpm: master process (/srv/fpm.conf)"));
	assert_true(TAKE("/usr/sbin/apache2", "apache2\0-d\0/srv/a\0-f\0own.conf"));
	sites = load_running();
	assert_int_equal(sites->n_vhosts, 3);
	assert_string_equal(vhost_of(sites, "own")->user, "alice");
	assert_string_equal(vhost_of(sites, "own")->logs[0].path, "/p/l");
	assert_string_equal(vhost_of(sites, "heard")->root, "/srv/a/h");
	vhost_of(sites, "usual");
	assert_false(sites->unclear);
	for (unsigned i = 0; i < sites->n_vhosts; i++)
		if (!sites->vhosts[i].user)
			sites->vhosts[i].user = (char *)"bob";
	sites_find(sites, &question, &answer);
	assert_int_equal(answer.from, SITES_USER);
	sites->unclear = true; /* there may be more of alice's */
	sites_find(sites, &question, &answer);
	assert_int_equal(answer.from, SITES_NONE);
	sites_free(sites);
	assert_int_equal(unlink("srv/n.conf"), 0);
	sites = load_running();
	assert_true(sites->unclear);
	sites_free(sites);
}

#undef T
#define T(test) cmocka_unit_test_setup_teardown(test, forget, fixture_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nginx_tells_its_file_in_its_title),
		T(what_a_command_line_leaves_open_is_a_doubt),
		T(apache_and_fpm_tell_their_files),
		T(only_roots_servers_are_believed),
		T(what_they_read_is_read_and_what_is_missing_is_a_doubt),
	};

	return cmocka_run_group_tests_name("sites_servers", tests, NULL, NULL);
}
