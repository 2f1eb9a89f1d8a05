// SPDX-License-Identifier: GPL-2.0-or-later
/* Hostile trees of configurations, big ones, changing ones, and those that Debian's packages have.
 */
#include "sites_fixture.h"

#include <sched.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define NS_PER_S_U UINT64_C(1000000000)

static void missing_files_are_no_sites(void **unused)
{
	struct sites *sites;

	(void)unused;
	sites = load();
	assert_int_equal(sites->n_vhosts + sites->n_pools + sites->n_accounts + sites->skipped, 0);
	sites_free(sites);
	sites_free(NULL);
}

static void file_that_includes_itself_is_read_once(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("server { server_name a; } include /etc/nginx/a.conf; include /etc/nginx/*.conf;");
	put("etc/nginx/a.conf", "server { server_name b; } include b.conf;");
	put("etc/nginx/b.conf", "server { server_name c; } include a.conf;");
	put("etc/apache2/apache2.conf",
	    "<VirtualHost *>\nServerName d\n</VirtualHost>\nInclude /etc/apache2\n");
	sites = load();
	/* a; then b and c by name; then a.conf, b.conf and what they include by the pattern */
	assert_int_equal(sites->n_vhosts, 1 + 2 + 2 + 2 + 1);
	assert_int_equal(sites->skipped, 1 + 1 + 2 + 1);
	sites_free(sites);
}

/* Each file includes the next one twice: 2^19 readings, were they not bounded. */
static void includes_that_multiply_are_bounded_in_time(void **unused)
{
	uint64_t begin = now_ns();
	struct sites *sites;

	(void)unused;
	put_http(
		"server { server_name whole; } server { server_name half; include /etc/nginx/0; }");
	for (int i = 0; i < 30; i++) {
		char name[64], text[128];

		snprintf(name, sizeof(name), "etc/nginx/%d", i);
		snprintf(text, sizeof(text), "include %d; include %d;", i + 1, i + 1);
		put(name, text);
	}
	sites = load_within(NS_PER_S_U / 2);
	assert_true(sites->cut);
	assert_true(now_ns() - begin < 5 * NS_PER_S_U);
	assert_int_equal(sites->n_vhosts, 1);
	assert_string_equal(sites->vhosts[0].names[0], "whole");
	assert_int_equal(sites->vhosts[0].n_logs,
			 0); /* where it logs to may have been said later */
	sites_free(sites);
}

static void deadline_that_is_past_reads_nothing(void **unused)
{
	struct sites *sites;
	int fd = open_root();

	(void)unused;
	put_http("server { server_name a; }");
	assert_int_equal(sites_load(fd, NULL, 1, &sites), 0);
	assert_true(sites->cut);
	assert_int_equal(sites->n_vhosts, 0);
	sites_free(sites);
	close(fd);
}

static void ten_thousand_vhosts_are_read(void **unused)
{
	struct sites *sites;
	struct sites_question question = { .script = "/home/u777/public_html/x.php" };
	struct sites_answer answer;
	uint64_t begin;

	(void)unused;
	put_http(
		"log_format vhosts '$host'; access_log /var/log/all.log vhosts; include vhosts/*;");
	put("etc/nginx/php", "location ~ \\.php$ { fastcgi_pass unix:/run/php/$host.sock; }");
	for (int i = 0; i < 10000; i++) {
		char name[64], text[256];

		snprintf(name, sizeof(name), "etc/nginx/vhosts/%d.conf", i);
		snprintf(text, sizeof(text),
			 "server {\n server_name v%d.example www.v%d.example;\n include php;\n"
			 " root /home/u%d/public_html;\n}\n",
			 i, i, i);
		put(name, text);
	}
	begin = now_ns();
	sites = load_within(10 * NS_PER_S_U);
	print_message("# 10,000 vhosts in %u ms\n", (unsigned)((now_ns() - begin) / 1000000));
	assert_false(sites->cut);
	assert_int_equal(sites->n_vhosts, 10000);
	assert_log(&sites->vhosts[9999], 0, "/var/log/all.log", "$host");
	sites_find(sites, &question, &answer);
	assert_int_equal(answer.from, SITES_VHOST);
	assert_string_equal(answer.name, "v777.example");
	sites_free(sites);
}

/* Twenty thousand nicknames that each of twenty thousand vhosts looks for. */
static void formats_without_number_are_bounded_in_time(void **unused)
{
	enum { MANY = 20000 };
	char *text = malloc(MANY * 200), *at = text;
	uint64_t begin = now_ns();
	struct sites *sites;

	(void)unused;
	assert_non_null(text);
	at = stpcpy(at, "http {");
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "log_format f%d x;", i);
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "server { server_name s%d; access_log /l%d f%d; }", i, i, i % 2);
	stpcpy(at, "}");
	put("etc/nginx/nginx.conf", text);
	at = text;
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "LogFormat x f%d\n", i);
	for (int i = 0; i < MANY; i++)
		at += sprintf(at,
			      "<VirtualHost *>\nServerName a%d\nCustomLog /l f%d\n</VirtualHost>\n",
			      i, i % 2);
	put("etc/apache2/apache2.conf", text);
	free(text);
	sites = load_within(30 * NS_PER_S_U);
	assert_true(sites->cut);
	assert_true(now_ns() - begin < 15 * NS_PER_S_U);
	assert_string_equal(sites->vhosts[0].names[0], "s0");
	assert_log(&sites->vhosts[0], 0, "/l0", "x");
	sites_free(sites);
}

/* Text of 3 MiB, each kind in each of the readers. */
static void long_lines_and_nuls_are_skipped(void **unused)
{
	static const char *const files[] = { "etc/nginx/vhosts/0", "etc/apache2/0",
					     "etc/php-fpm.d/0.conf", "etc/trueuserdomains",
					     "etc/passwd" };
	size_t len = 3 << 20;
	char *text = malloc(len);
	struct sites *sites;

	(void)unused;
	assert_non_null(text);
	put_http("include vhosts/*;");
	put("etc/nginx/vhosts/1", "server { server_name good.example; root /srv/a\\nb; }");
	put_bytes("etc/nginx/vhosts/2", "server { server_name a\0b; root /srv/c; }", 40);
	put("etc/apache2/apache2.conf",
	    "IncludeOptional 0\n<VirtualHost *>\nServerName good.apache\n</VirtualHost>\n");
	put("etc/php-fpm.d/1.conf", "[good]\nlisten = /run/good\nuser = u\n");
	for (int kind = 0; kind < 4; kind++) {
		memset(text, "a\0 {"[kind], len);
		for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
			put_bytes(files[i], text, len);
		sites = load();
		vhost_of(sites, "good.example");
		assert_null(vhost_of(sites, "good.example")->root);
		assert_string_equal(vhost_of(sites, NULL)->root, "/srv/c");
		vhost_of(sites, "good.apache");
		assert_int_equal(sites->n_pools, 1);
		assert_true(sites->skipped > 1);
		sites_free(sites);
	}
	free(text);
}

static void missing_braces_lose_their_own_block_only(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("include vhosts/*;");
	put("etc/nginx/vhosts/1", "server { server_name open.example; location / {");
	put("etc/nginx/vhosts/2",
	    "server { server_name a.example; } } server { server_name late.example; }");
	put("etc/nginx/vhosts/3", "; server { server_name b.example; ");
	put("etc/nginx/vhosts/4", "server { server_name c.example; root /srv/c }");
	put("etc/nginx/vhosts/5", "server { server_name d.example; root \"/srv/d; }");
	put("etc/nginx/vhosts/6", "server { server_name e.example; }");
	put("etc/apache2/apache2.conf", "Include v\n<VirtualHost *>\nServerName last.example\n");
	put("etc/apache2/v/1", "<VirtualHost *>\nServerName open.apache\n");
	put("etc/apache2/v/2", "</VirtualHost>\n<VirtualHost *>\nServerName "
			       "f.example\n</Directory>\n</VirtualHost>\n");
	put("etc/apache2/v/3", "<VirtualHost *\nServerName lost.apache\n</VirtualHost>\n");
	put("etc/apache2/v/4", "<VirtualHost *>\nServerName g.example\n<VirtualHost "
			       "*>\n</VirtualHost>\n</VirtualHost>\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 5);
	for (unsigned i = 0; i < 5; i++) {
		static const char *const names[] = { "a.example", "c.example", "e.example",
						     "f.example", "g.example" };

		assert_string_equal(sites->vhosts[i].names[0], names[i]);
		assert_null(sites->vhosts[i].root);
	}
	assert_true(sites->skipped >= 10);
	sites_free(sites);
}

static void blocks_nested_without_end_are_bounded(void **unused)
{
	enum { DEEP = 100000 };
	char *text = malloc(DEEP * 12 + 1), *at = text;
	struct sites *sites;

	(void)unused;
	assert_non_null(text);
	at = stpcpy(at, "server { server_name a;");
	for (int i = 0; i < DEEP / 2; i++)
		at = stpcpy(at, "if (x) {");
	put_http(text);
	for (at = text; at < text + DEEP * 10;)
		at = stpcpy(at, "<If x>\n");
	put("etc/apache2/apache2.conf", text);
	free(text);
	sites = load();
	assert_int_equal(sites->n_vhosts, 0);
	assert_true(sites->skipped > 1);
	sites_free(sites);
}

static void fifos_and_devices_are_not_opened(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("include vhosts/*; server { server_name a; }");
	put("etc/nginx/vhosts/x", "");
	assert_int_equal(mkfifo("etc/nginx/vhosts/fifo", 0666), 0);
	assert_int_equal(mknod("etc/nginx/vhosts/zero", S_IFCHR | 0666, makedev(1, 5)), 0);
	assert_int_equal(mkdir("etc/nginx/vhosts/folder", 0755), 0);
	assert_int_equal(mkfifo("etc/passwd", 0666), 0);
	alarm(20); /* who opens a fifo waits for ever */
	sites = load();
	alarm(0);
	assert_int_equal(sites->n_vhosts, 1);
	assert_int_equal(sites->skipped, 4);
	sites_free(sites);
}

static void links_do_not_lead_out_of_the_root(void **unused)
{
	char outside[] = "/tmp/egressd-outside-XXXXXX";
	char path[64];
	struct sites *sites;
	int fd = mkstemp(outside);

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "server { server_name out; }", 27), 27);
	close(fd);
	snprintf(path, sizeof(path), "../../../../../..%s", outside);
	put_http("include vhosts/*; include /etc/nginx/../../../../etc/nginx/up;");
	put("etc/nginx/up", "server { server_name up; }");
	put("etc/nginx/vhosts/a", "server { server_name a; root /srv/current; }");
	put("srv/releases/1/x", "");
	put("inside", "server { server_name inside; }");
	assert_int_equal(symlink("/srv/releases/1", "srv/current"), 0);
	assert_int_equal(symlink(outside, "etc/nginx/vhosts/absolute"), 0);
	assert_int_equal(symlink(path, "etc/nginx/vhosts/relative"), 0);
	assert_int_equal(symlink("/proc/self/root/inside", "etc/nginx/vhosts/magic"), 0);
	assert_int_equal(symlink("loop", "etc/nginx/vhosts/loop"), 0);
	assert_int_equal(symlink("/../inside", "etc/nginx/vhosts/inside"), 0);
	sites = load();
	unlink(outside);
	assert_int_equal(sites->n_vhosts, 2);
	assert_string_equal(vhost_of(sites, "a")->real, "/srv/releases/1");
	assert_null(vhost_of(sites, "inside")->real);
	sites_free(sites);
}

/* A FUSE server that never answers; what asks it hangs, and the alarm ends the test. */
static void fuse_mounts_are_not_entered(void **unused)
{
	char options[128], fuse_folder[] = "etc/nginx/vhosts";
	struct sites *sites;
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	(void)unused;
	assert_true(fuse >= 0);
	/* Whatever becomes of this process, the mounts go with it. */
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	put_http("include vhosts/*; include vhosts/a; include other/*; server { server_name a; "
		 "root /srv; }");
	put("etc/nginx/vhosts/x", "");
	put("etc/nginx/other/x", "server { server_name tmpfs; }");
	assert_int_equal(symlink("../vhosts/b", "etc/nginx/other/link"), 0);
	assert_int_equal(symlink("/etc/nginx/vhosts", "srv"), 0);
	assert_int_equal(mkdir("disk", 0755), 0);
	assert_int_equal(mount("none", "disk", "tmpfs", 0, NULL), 0);
	put("disk/y", "server { server_name disk; }");
	assert_int_equal(symlink("/disk/y", "etc/nginx/other/y"), 0);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fuse);
	assert_int_equal(mount("egressd-test", fuse_folder, "fuse", 0, options), 0);
	alarm(20);
	sites = load();
	alarm(0);
	close(fuse);
	assert_int_equal(umount2(fuse_folder, MNT_DETACH), 0);
	assert_int_equal(sites->n_vhosts, 3);
	vhost_of(sites, "tmpfs");
	vhost_of(sites, "disk");
	assert_null(vhost_of(sites, "a")->real);
	assert_true(sites->skipped >= 3);
	sites_free(sites);
}

static void stamp_changes_with_files_folders_and_roots_only(void **unused)
{
	struct sites *sites;
	int fd = open_root();

	(void)unused;
	put_http("include vhosts/*; include later;");
	put("etc/nginx/vhosts/a", "server { server_name a; root /srv/current; }");
	put("srv/1/x", "");
	put("srv/2/x", "");
	put("etc/other", "");
	assert_int_equal(symlink("1", "srv/current"), 0);
	sites = load();
	put("etc/other", "changed");
	put("srv/1/uploaded", "");
	assert_int_equal(sites_stamp(fd, sites), sites->stamp);
	put("etc/nginx/vhosts/b", "");
	assert_int_not_equal(sites_stamp(fd, sites), sites->stamp);
	sites_free(sites);
	sites = load();
	put("etc/nginx/vhosts/a", "server { server_name a; root /srv/currenx; }");
	assert_int_not_equal(sites_stamp(fd, sites), sites->stamp);
	put("etc/nginx/vhosts/a", "server { server_name a; root /srv/current; }");
	sites_free(sites);
	sites = load();
	put("etc/nginx/later", ""); /* was missing */
	assert_int_not_equal(sites_stamp(fd, sites), sites->stamp);
	sites_free(sites);
	sites = load();
	put("etc/trueuserdomains", "");
	assert_int_not_equal(sites_stamp(fd, sites), sites->stamp);
	sites_free(sites);
	sites = load();
	assert_int_equal(unlink("srv/current"), 0);
	assert_int_equal(symlink("2", "srv/current"), 0);
	assert_int_not_equal(sites_stamp(fd, sites), sites->stamp);
	sites_free(sites);
	close(fd);
}

static void run(const char *command)
{
	int status = system(command);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void debians_own_configurations_are_understood(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	run("mkdir etc && cp -a /etc/nginx /etc/apache2 /etc/php etc/ && "
	    "rm -f etc/nginx/sites-enabled/* etc/nginx/conf.d/* etc/apache2/sites-enabled/* && "
	    "mkdir -p etc/nginx/sites-enabled etc/apache2/sites-enabled && "
	    "ln -sf ../sites-available/default etc/nginx/sites-enabled/ && "
	    "ln -sf ../sites-available/000-default.conf ../sites-available/default-ssl.conf "
	    "etc/apache2/sites-enabled/ && "
	    "ln -sf ../conf-available/php8.2-fpm.conf etc/apache2/conf-enabled/ && "
	    "ln -sf ../mods-available/proxy.load ../mods-available/proxy_fcgi.load "
	    "etc/apache2/mods-enabled/ && "
	    "printf '%s\\n' 'server { server_name shop.example; root /srv/shop; location ~ \\.php$ "
	    "{'"
	    " 'include snippets/fastcgi-php.conf; fastcgi_pass unix:/var/run/php/php8.2-fpm.sock; "
	    "} }'"
	    " >etc/nginx/conf.d/shop.conf");
	sites = load();
	assert_int_equal(sites->skipped, 0);
	assert_int_equal(sites->n_vhosts, 4);
	vhost = vhost_of(sites, "shop.example");
	assert_string_equal(vhost->pool, "unix:/run/php/php8.2-fpm.sock");
	assert_string_equal(vhost->user, "www-data");
	assert_log(vhost, 0, "/var/log/nginx/access.log", NGINX_COMBINED);
	vhost = &sites->vhosts[1];
	assert_string_equal(vhost->file, "/etc/nginx/sites-enabled/default");
	assert_string_equal(vhost->root, "/var/www/html");
	assert_int_equal(vhost->n_names, 0);
	for (unsigned i = 2; i < 4; i++) {
		vhost = &sites->vhosts[i];
		assert_int_equal(vhost->server, SITES_APACHE);
		assert_string_equal(vhost->root, "/var/www/html");
		assert_string_equal(vhost->pool, "unix:/run/php/php8.2-fpm.sock");
		assert_string_equal(vhost->user, "www-data");
		assert_int_equal(vhost->n_logs, 1);
		assert_log(vhost, 0, "/var/log/apache2/access.log",
			   "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"");
	}
	assert_int_equal(sites->n_pools, 1);
	assert_string_equal(sites->pools[0].name, "www");
	assert_string_equal(sites->pools[0].listen, "unix:/run/php/php8.2-fpm.sock");
	sites_free(sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(missing_files_are_no_sites),
		T(file_that_includes_itself_is_read_once),
		T(includes_that_multiply_are_bounded_in_time),
		T(deadline_that_is_past_reads_nothing),
		T(ten_thousand_vhosts_are_read),
		T(formats_without_number_are_bounded_in_time),
		T(long_lines_and_nuls_are_skipped),
		T(missing_braces_lose_their_own_block_only),
		T(blocks_nested_without_end_are_bounded),
		T(fifos_and_devices_are_not_opened),
		T(links_do_not_lead_out_of_the_root),
		T(fuse_mounts_are_not_entered),
		T(stamp_changes_with_files_folders_and_roots_only),
		T(debians_own_configurations_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
