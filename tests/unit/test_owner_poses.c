// SPDX-License-Identifier: GPL-2.0-or-later
/* Titles as they are found on hosting boxes, honest ones and those of malware. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf-free/poses.h"

struct title {
	const char *exe, *comm;
	const char *cmdline; /* words divided by '|' */
};

#define PERL   "/usr/bin/perl"
#define PHP    "/usr/bin/php8.2"
#define PYTHON "/usr/bin/python3.11"

static const struct title honest[] = {
	/* web servers and PHP */
	{ "/usr/sbin/nginx", "nginx", "nginx: worker process" },
	{ "/usr/sbin/nginx", "nginx", "nginx: master process /usr/sbin/nginx -g daemon on;" },
	{ "/usr/local/openresty/nginx/sbin/nginx", "nginx", "nginx: worker process" },
	{ "/usr/local/sbin/nginx-rc", "nginx-rc", "nginx: worker process" },
	{ "/usr/sbin/nginx.dpkg-tmp", "nginx", "nginx: worker process" },
	{ "/usr/sbin/tengine", "tengine", "nginx: cache manager process" },
	{ "/usr/sbin/apache2", "apache2", "/usr/sbin/apache2|-k|start" },
	{ "/usr/sbin/httpd-prefork", "httpd-prefork", "/usr/sbin/httpd2|-k|start" },
	{ "/usr/sbin/httpd", "httpd", "/usr/sbin/httpd|-DFOREGROUND" },
	{ "/usr/sbin/httpd.worker", "httpd.worker", "/usr/sbin/httpd|-DFOREGROUND" },
	{ "/usr/sbin/php-fpm8.2", "php-fpm8.2", "php-fpm: pool shop" },
	{ "/usr/sbin/php-fpm8.2", "php-fpm8.2",
	  "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)" },
	{ "/opt/cpanel/ea-php81/root/usr/sbin/php-fpm", "php-fpm", "php-fpm: pool example_com" },
	{ PHP, "php", "/usr/bin/php|/var/www/shop/cron.php" },
	{ PHP, "php", "php|artisan|queue:work" },
	{ "/usr/bin/php-cgi8.2", "php-cgi", "/usr/bin/php-cgi" },
	{ "/usr/local/lsws/lsphp81/bin/lsphp", "lsphp", "lsphp:/home/u/public_html/index.php" },
	{ "/opt/alt/php80/usr/bin/lsphp", "lsphp", "/usr/bin/php|x.php" },
	{ "/usr/bin/frankenphp", "frankenphp", "php|run" },
	/* mail */
	{ "/usr/lib/postfix/sbin/smtp", "smtp", "smtp|-t|unix|-u|-c" },
	{ "/usr/lib/postfix/sbin/qmgr", "qmgr", "qmgr|-l|-t|unix|-u" },
	{ "/usr/libexec/postfix/smtpd", "smtpd", "smtpd|-n|smtp|-t|inet|-u" },
	{ "/usr/lib/postfix/sbin/master", "master", "/usr/lib/postfix/sbin/master|-w" },
	{ "/usr/sbin/exim4", "exim4", "/usr/sbin/exim4|-bd|-q30m" },
	{ "/usr/sbin/exim4", "exim4", "/usr/sbin/sendmail|-t|-i" },
	{ "/usr/bin/msmtp", "sendmail", "/usr/sbin/sendmail|-t" },
	{ "/usr/sbin/sendmail.sendmail", "sendmail", "sendmail: accepting connections" },
	{ "/usr/lib/dovecot/imap-login", "imap-login", "dovecot/imap-login" },
	{ "/usr/sbin/dovecot", "dovecot", "/usr/sbin/dovecot|-F" },
	{ PERL, "spamd child", "spamd child" },
	{ PERL, "/usr/sbin/spamd", "/usr/sbin/spamd --create-prefs --max-children 5" },
	{ PERL, "amavisd-new (ch", "/usr/sbin/amavisd-new (ch3-avail)" },
	{ PERL, "postgrey", "/usr/bin/perl|-T|/usr/sbin/postgrey|--inet=10023" },
	/* databases and caches */
	{ "/usr/lib/postgresql/15/bin/postgres", "postgres", "postgres: 15/main: walwriter " },
	{ "/usr/sbin/mariadbd", "mariadbd", "/usr/sbin/mysqld" },
	{ "/usr/sbin/mysqld", "mysqld", "/usr/sbin/mariadbd" },
	{ "/usr/bin/redis-check-rdb", "redis-server", "/usr/bin/redis-server 127.0.0.1:6379" },
	{ "/usr/bin/valkey-server", "redis-server", "redis-server *:6379" },
	/* the system's own */
	{ "/usr/sbin/sshd", "sshd", "sshd: deploy@pts/0" },
	{ "/usr/lib/openssh/sshd-session", "sshd-session", "sshd: deploy [priv]" },
	{ "/usr/sbin/sshd", "sshd", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups" },
	{ "/usr/bin/bash", "bash", "-bash" },
	{ "/usr/bin/dash", "sh", "-sh" },
	{ "/usr/bin/dash", "sh", "sh|-c|php /home/u/x.php" },
	{ "/usr/bin/bash", "bash", "-su" },
	{ "/usr/bin/busybox", "ash", "-ash" },
	{ "/bin/busybox", "crond", "crond|-f" },
	{ "/bin/busybox", "syslogd", "/sbin/syslogd|-n" },
	{ "/usr/sbin/cron", "cron", "/usr/sbin/CRON|-f" },
	{ "/usr/sbin/crond", "crond", "/usr/sbin/CROND|-n" },
	{ "/usr/lib/systemd/systemd", "systemd", "/sbin/init" },
	{ "/usr/lib/systemd/systemd", "(sd-pam)", "(sd-pam)" },
	{ "/usr/bin/udevadm", "systemd-udevd", "/lib/systemd/systemd-udevd" },
	{ "/usr/sbin/rsyslogd", "rsyslogd", "/usr/sbin/rsyslogd|-n|-iNONE" },
	{ "/usr/bin/dbus-daemon", "dbus-daemon", "@dbus-daemon --system" },
	{ "/usr/sbin/avahi-daemon", "avahi-daemon", "avahi-daemon: running [box.local]" },
	{ "/sbin/agetty", "agetty", "/sbin/agetty|-o|-p -- \\u|--noclear|tty1|linux" },
	/* interpreters: names of scripts, and titles that they give themselves */
	{ PYTHON, "python3", "python3|-m|http.server" },
	{ PYTHON, "gunicorn", "gunicorn: master [shop.wsgi]" },
	{ PYTHON, "celeryd", "[celeryd: w1@box:MainProcess] -active- (worker)" },
	{ PYTHON, "celeryd", "[celeryd@box:MainProcess]" },
	{ PYTHON, "fail2ban-server", "/usr/bin/python3|/usr/bin/fail2ban-server|-xf|start" },
	{ "/usr/bin/ruby3.1", "ruby", "puma 5.6.5 (tcp://0.0.0.0:3000) [shop]" },
	{ "/usr/bin/ruby3.1", "bundle", "sidekiq 6.5 shop [0 of 5 busy]" },
	{ "/usr/bin/node", "node", "npm start" },
	{ "/usr/bin/node", "PM2 v5.3.0: God", "PM2 v5.3.0: God Daemon (/root/.pm2)" },
	{ "/usr/bin/node", "next-server", "next-server (v14.1.0)" },
	{ "/usr/lib/jvm/java-17-openjdk-amd64/bin/java", "java", "java|-jar|app.jar" },
	{ PERL, "lfd", "lfd - sleeping" },
	{ "/usr/local/cpanel/3rdparty/perl/536/bin/perl", "queueprocd",
	  "queueprocd - wait to process a task" },
	{ PERL, "report", "/usr/bin/perl|-w|/home/u/bin/report" },
	{ PERL, "cron", "cron: nightly report" }, /* a script of that name retitles itself */
	{ PERL, "munin-node", "/usr/sbin/munin-node [127.0.0.1]" },
	/* other images under a loader, jails */
	{ "/usr/bin/qemu-aarch64-static", "nginx", "nginx: worker process" },
	{ "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "nginx", "/usr/sbin/nginx" },
	{ "/tmp/jail/usr/bin/php8.2", "php", "/usr/bin/php|x.php" },
	{ "/tmp/build/nginx", "nginx", "./nginx|-p|." },
	{ "/usr/bin/[", "[", "[|-f|x|]" },
	{ "/home/u/my tools/bot", "bot", "/home/u/my tools/bot" },
	{ "/usr/bin/bash", "bash", "[bash]" },
	{ "/usr/sbin/nginx", "nginx", "" },  /* no arguments could be read */
	{ "", "", "nginx: worker process" }, /* nor which program it is */
};

static const struct title liars[] = {
	{ PERL, "nginx", "nginx: worker process" },
	{ PHP, "php", "/usr/sbin/apache2|-k|start" },
	{ PHP, "php", "/usr/sbin/apache2 -k start" },
	{ PHP, "php", "nginx: worker" },
	{ PERL, "perl", "[kworker/0:1]" },
	{ "/tmp/.x/run", "kworker/u4:2", "[kworker/u4:2]" },
	{ "/usr/bin/dash", "kworker/0:0", "sh" },
	{ PERL, "perl", "[eth0]" },
	{ "/dev/shm/.a", "kthreadd", "[kthreadd]" },
	{ "/var/tmp/k", "k", "[kswapd0]  " },
	{ PERL, "perl", "[httpd]" },
	{ PERL, "perl", "[bash]" },
	{ PERL, "perl", "-bash" },
	{ PERL, "perl", "/usr/local/apache/bin/httpd -DSSL" },
	{ PERL, "perl", "/usr/sbin/httpd" },
	{ PERL, "perl", "/sbin/klogd -c 1 -x -x" },
	{ PERL, "perl", "/sbin/syslogd" },
	{ PERL, "perl", "/usr/sbin/acpid" },
	{ PERL, "perl", "/usr/sbin/cron -f" },
	{ PERL, "perl", "/sbin/init" },
	{ PERL, "perl", "crond" },
	{ PERL, "perl", "/usr/sbin/sshd -D" },
	{ PERL, "sshd", "sshd: root@notty" },
	{ PERL, "perl", "sendmail: accepting connections" },
	{ PERL, "perl", "/usr/sbin/sendmail -t -i" },
	{ PERL, "perl", "/usr/sbin/exim4|-bd|-q30m" },
	{ PYTHON, "smtp", "smtp -t unix -u -c" },
	{ PYTHON, "smtp", "smtp|-n|relay|-t|unix|-u" },
	{ PYTHON, "python3", "php-fpm: pool shop" },
	{ PYTHON, "python3", "/usr/sbin/mysqld" },
	{ PYTHON, "python3", "postgres: 15/main: walwriter" },
	{ PYTHON, "python3", "/lib/systemd/systemd-logind" },
	{ PYTHON, "python3", "dovecot/imap-login" },
	{ "/memfd:a", "a", "/usr/sbin/sshd|-D" },
	{ "/home/u/public_html/.cache/x", "x", "/usr/bin/php|/home/u/index.php" },
	{ "/tmp/php", "php", "/usr/bin/php|index.php" },
	{ "/dev/shm/nginx", "nginx", "/usr/sbin/nginx" },
	{ "/memfd:sshd", "sshd", "/usr/sbin/sshd" },
	{ PERL, "perl", "|" }, /* every word empty */
	{ "/tmp/x", "x", "||||" },
};

static bool ask(const struct title *title)
{
	static struct owner owner;

	owner_init(&owner);
	strcpy(owner.exe, title->exe);
	strncpy(owner.proc.comm, title->comm, sizeof(owner.proc.comm) - 1);
	owner.cmdline_bytes = strlen(title->cmdline);
	strcpy(owner.cmdline, title->cmdline);
	for (char *at = owner.cmdline; *at || at < owner.cmdline + owner.cmdline_bytes; at++)
		if (*at == '|')
			*at = 0;
	if (owner.cmdline_bytes)
		owner.cmdline_bytes++; /* the last word's NUL */
	return poses(&owner);
}

static void honest_titles(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(honest) / sizeof(honest[0]); i++)
		if (ask(&honest[i]))
			fail_msg("%s does not pose as \"%s\"", honest[i].exe, honest[i].cmdline);
}

static void false_titles(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(liars) / sizeof(liars[0]); i++)
		if (!ask(&liars[i]))
			fail_msg("%s poses as \"%s\"", liars[i].exe, liars[i].cmdline);
}

static void a_cut_exe_says_nothing(void **unused)
{
	static struct owner owner;

	(void)unused;
	owner_init(&owner);
	strcpy(owner.exe, "/usr/bin/per");
	strcpy(owner.cmdline, "nginx: worker process");
	owner.cmdline_bytes = strlen(owner.cmdline) + 1;
	assert_true(poses(&owner));
	owner.cut = OWNER_CUT_EXE;
	assert_false(poses(&owner));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "programs that re-title themselves honestly are not told to pose",
		  honest_titles },
		{ "programs under another program's name are told to pose", false_titles },
		{ "an executable's path that is cut is compared with nothing",
		  a_cut_exe_says_nothing },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
