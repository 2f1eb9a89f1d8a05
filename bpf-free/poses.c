/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares what a process calls itself with the file it runs. Pure: it looks at no file. */
#include "poses.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "script.h"

#define NAME_BYTES 64

enum {
	PATH = 1 << 0,	 /* a plain word that others use too: only with a system folder before it */
	TITLE = 1 << 1,	 /* or with a colon behind it, as it titles itself */
	INTERP = 1 << 2, /* many programs take this place: only an interpreter can't be it */
	WHERE = 1 << 3,	 /* its helpers lie in a folder of its name */
};

/*
 * Compiled programs that are impersonated, without version (apache2: "apache"), and parts of the
 * other file names that honestly run under that name: renamed builds, multi-call programs, links of
 * the Debian alternatives. Never one that is a script itself (fail2ban-server, lfd, spamd):
 * such retitle themselves, and their interpreter's file would not have the name.
 */
static const struct program {
	const char *name;
	unsigned flags;
	const char *also; /* "part|part" */
} programs[] = {
	{ "nginx", 0, "openresty|tengine|angie" },
	{ "apache", 0, "httpd" },
	{ "httpd", 0, "apache|busybox|toybox" },
	{ "lighttpd", 0, "" },
	{ "haproxy", 0, "" },
	{ "varnishd", 0, "" },
	{ "php", 0, "hhvm" },
	{ "php-cgi", 0, "php" },
	{ "php-cli", 0, "php" },
	{ "php-fpm", 0, "php" },
	{ "lsphp", 0, "php" },
	{ "perl", 0, "" },
	{ "python", 0, "pypy" },
	{ "ruby", 0, "" },
	{ "java", 0, "" },
	{ "sh", 0, "bash|dash|ash|zsh|ksh|busybox|toybox|posh|yash|tcsh" },
	{ "bash", 0, "" },
	{ "dash", 0, "busybox|toybox" },
	{ "sshd", 0, "dropbear" },
	{ "cron", PATH, "busybox|toybox" },
	{ "crond", 0, "cron|busybox|toybox" },
	{ "atd", PATH, "" },
	{ "init", PATH | INTERP, "" },
	{ "systemd", 0, "init|systemctl" },
	{ "systemd-journald", 0, "" },
	{ "systemd-logind", 0, "elogind" },
	{ "systemd-udevd", 0, "udev" },
	{ "systemd-networkd", 0, "" },
	{ "systemd-resolved", 0, "" },
	{ "systemd-timesyncd", 0, "" },
	{ "udevd", 0, "udev" },
	{ "dbus-daemon", 0, "" },
	{ "polkitd", 0, "" },
	{ "rsyslogd", 0, "" },
	{ "syslogd", 0, "syslog|busybox|toybox|metalog" },
	{ "klogd", 0, "busybox|toybox|syslog" },
	{ "syslog-ng", 0, "" },
	{ "auditd", 0, "" },
	{ "acpid", 0, "busybox|toybox" },
	{ "agetty", 0, "" },
	{ "mingetty", 0, "getty|busybox|toybox" },
	{ "inetd", PATH, "busybox|toybox" },
	{ "xinetd", 0, "" },
	{ "cupsd", 0, "" },
	{ "ntpd", 0, "busybox|toybox|chronyd" },
	{ "chronyd", 0, "" },
	{ "irqbalance", 0, "" },
	{ "named", PATH, "bind" },
	{ "unbound", 0, "" },
	{ "mysqld", 0, "mariadb" },
	{ "mariadbd", 0, "mysqld" },
	{ "postgres", 0, "postmaster" },
	{ "mongod", 0, "" },
	{ "redis-server", 0, "redis|valkey|keydb" },
	{ "memcached", 0, "" },
	{ "exim", 0, "" },
	{ "sendmail", PATH | TITLE | INTERP, "" },
	{ "dovecot", WHERE, "" },
	{ "vsftpd", 0, "" },
	{ "proftpd", 0, "" },
	{ "pure-ftpd", 0, "" },
	{ "dockerd", 0, "" },
	{ "containerd", 0, "" },
	{ "NetworkManager", 0, "" },
	{ "clamd", 0, "" },
};
#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* Postfix's daemons, as its master starts them: "smtp -t unix -u -c" (master_ent.c). */
static const char postfix_daemons[] =
	"smtp|smtpd|qmgr|pickup|cleanup|bounce|local|virtual|pipe|lmtp|tlsmgr|trivial-rewrite|"
	"anvil|error|showq|scache|proxymap|flush|verify|oqmgr|postscreen|tlsproxy|dnsblog|";

/* Programs that run another one's image under the other one's name. */
static const char *const hosts[] = { "qemu-", "ld-", "ld.so", "box64", "box86", "wine", "rosetta" };

/* Threads of the kernel: how their names begin. As ps(1) shows them: in brackets. */
static const char kernel_threads[] =
	"kworker|kthread|ksoftirqd|migration|cpuhp|rcu_|rcuo|kswapd|khugepaged|ksmd|kcompactd|"
	"kauditd|khelper|kdevtmpfs|khungtaskd|oom_reaper|writeback|kintegrityd|kblockd|bioset|"
	"kthrotld|watchdog|jbd2/|ext4-|xfs|btrfs-|scsi_|nvme|md0|kdmflush|loop0|irq/|idle_inject|"
	"flush-|pdflush|events/|aio/|netns|kpsmoused|ata_sff|edac-|devfreq|ipv6_addr|kstrp|nfsd|"
	"nfsiod|lockd|rpciod|cifsd|crypto|kmpath|kaluad|mld|zswap|psimon|bdi-|async/|khubd|eth0|"
	"card0|ttm_swap|sync_supers";

/* Those with a slash, which no file's name can have: comm says them only of itself. */
static const char *const kernel_comms[] = {
	"kworker/",	"ksoftirqd/", "migration/", "cpuhp/", "jbd2/",
	"idle_inject/", "rcuop/",     "rcuob/",	    "rcuos/",
};

static const char *const system_folders[] = {
	"/usr/sbin/",
	"/usr/bin/",
	"/sbin/",
	"/bin/",
	"/usr/lib/",
	"/lib/",
	"/usr/libexec/",
	"/usr/local/sbin/",
	"/usr/local/bin/",
	"/usr/local/apache/",
	"/usr/local/apache2/",
};

/* Where anybody may put a file. */
static const char *const open_folders[] = { "/tmp/", "/var/tmp/", "/dev/shm/", "/memfd:" };

#define BEGINS_WITH_ANY(text, table)                                                               \
	begins_with_any(text, table, sizeof(table) / sizeof((table)[0]))
static bool begins_with_any(const char *text, const char *const table[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, table[i], strlen(table[i])))
			return true;
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The next of "part|part"; NULL at the end. */
static const char *next_part(const char **parts, char part[NAME_BYTES])
{
	size_t len = strcspn(*parts, "|");

	if (!len || len >= NAME_BYTES)
		return NULL;
	memcpy(part, *parts, len);
	part[len] = 0;
	*parts += len + ((*parts)[len] == '|');
	return part;
}

static bool contains_part(const char *text, const char *parts)
{
	char part[NAME_BYTES];

	while (next_part(&parts, part))
		if (strcasestr(text, part))
			return true;
	return false;
}

static bool begins_with_part(const char *text, const char *parts)
{
	char part[NAME_BYTES];

	while (next_part(&parts, part))
		if (!strncmp(text, part, strlen(part)))
			return true;
	return false;
}

/* The word without its version: python3.11 -> python. */
static size_t without_version(const char *word, size_t len)
{
	size_t all = len;

	while (len && (isdigit((unsigned char)word[len - 1]) || word[len - 1] == '.'))
		len--;
	if (len > 1 && len < all && word[len - 1] == '-')
		len--;
	return len ? len : all;
}

static const struct program *find_program(const char *word, size_t len)
{
	len = without_version(word, len);
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (strlen(programs[i].name) == len && !strncasecmp(programs[i].name, word, len))
			return &programs[i];
	return NULL;
}

static bool in_system_folder(const char *path)
{
	return BEGINS_WITH_ANY(path, system_folders);
}

/* /usr/sbin/x and /sbin/x are one place on most systems. */
static const char *without_usr(const char *path)
{
	return strncmp(path, "/usr/", 5) ? path : path + 4;
}

/* "/tmp/jail/usr/sbin/x" is in /usr/sbin of a jail. len: of the claimed folder. */
static bool lies_in(const char *exe, const char *folder, size_t len)
{
	size_t have = (size_t)(base_name(exe) - exe), cut = (size_t)(without_usr(folder) - folder);

	folder += cut;
	len -= cut;
	return have >= len && !memcmp(exe + have - len, folder, len);
}

/* May this file go by the program's name? */
static bool may_be(const struct program *program, const char *exe, const char *cmdline, size_t len)
{
	const char *name = program->flags & WHERE ? exe : base_name(exe);

	if (program->flags & INTERP && script_interp(exe, cmdline, len) == INTERP_NONE)
		return true;
	return strcasestr(name, program->name) || contains_part(name, program->also);
}

/* The first word of a title: up to a blank, or to the colon of "nginx: worker process" or of
 * "lsphp:/path". */
static size_t first_word(const char *title)
{
	size_t len = strcspn(title, " \t");

	for (size_t i = 0; i < len; i++)
		if (title[i] == ':' && (i + 1 == len || title[i + 1] == ':' || title[i + 1] == '/'))
			return i;
	return len;
}

static bool claims_program(const struct owner *owner, const char *title)
{
	size_t len = first_word(title), base = len;
	const struct program *program;
	bool in_system = title[0] == '/' && in_system_folder(title);

	while (base && title[base - 1] != '/')
		base--;
	program = find_program(title + base, len - base);
	if (!program && !strncmp(title, "dovecot/", 8))
		program = find_program(title, 7);
	if (!program ||
	    (program->flags & PATH && !in_system && !(program->flags & TITLE && title[len] == ':')))
		return false;
	if (!may_be(program, owner->exe, owner->cmdline, owner->cmdline_bytes))
		return true;
	/* Of that name, but not that file: one in an open folder that gives the system's path. */
	return in_system && BEGINS_WITH_ANY(owner->exe, open_folders) &&
	       !lies_in(owner->exe, title, base);
}

/* "[kworker/0:1]", and nothing behind it: as ps(1) writes a thread of the kernel, or a program that
 * has no arguments any more. Others write "[celeryd@host]" or "[app] worker". */
static bool claims_brackets(const struct owner *owner, const char *title)
{
	size_t len = strlen(title), inner;
	char name[NAME_BYTES];

	while (len && title[len - 1] == ' ')
		len--;
	if (len < 3 || len - 2 >= sizeof(name) || title[0] != '[' || title[len - 1] != ']')
		return false;
	inner = len - 2;
	memcpy(name, title + 1, inner);
	name[inner] = 0;
	if (strpbrk(name, " @[]") || !strcmp(base_name(owner->exe), name))
		return false;
	if (begins_with_part(name, kernel_threads))
		return true;
	return claims_program(owner, name);
}

/* Two words of postfix's own command line follow: "-t" and what its socket is; "-n" may precede. */
static bool claims_postfix(const struct owner *owner, const char *title)
{
	const char *end = owner->cmdline + owner->cmdline_bytes, *word = title;
	char text[256], name[NAME_BYTES];
	size_t len = 0, n = strcspn(title, " ");
	const char *type;

	if (!n || n + 2 > sizeof(name))
		return false;
	memcpy(name, title, n);
	memcpy(name + n, "|", 2);
	type = strstr(postfix_daemons, name);
	if (!type || (type > postfix_daemons && type[-1] != '|'))
		return false;
	/* one title, or words: seen as one text */
	for (; word < end && len < sizeof(text) - 1; word++)
		text[len++] = *word ? *word : ' ';
	text[len] = 0;
	return (strstr(text, " -t unix") || strstr(text, " -t inet") || strstr(text, " -t fifo") ||
		strstr(text, " -t pass")) &&
	       !strstr(owner->exe, "postfix");
}

static bool all_empty(const struct owner *owner)
{
	for (size_t i = 0; i < owner->cmdline_bytes; i++)
		if (owner->cmdline[i])
			return false;
	return owner->cmdline_bytes > 0;
}

bool poses(const struct owner *owner)
{
	const char *title = owner->cmdline;

	if (owner->exe[0] != '/' || (owner->cut & OWNER_CUT_EXE) ||
	    BEGINS_WITH_ANY(base_name(owner->exe), hosts))
		return false;
	if (BEGINS_WITH_ANY(owner->proc.comm, kernel_comms))
		return true;
	if (!owner->cmdline_bytes)
		return false;
	if (all_empty(owner))
		return true;
	if (!strcmp(title, owner->exe))
		return false;
	if (title[0] == '-') /* a login shell */
		title++;
	return claims_brackets(owner, title) || claims_program(owner, title) ||
	       claims_postfix(owner, title);
}
