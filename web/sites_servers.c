/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which configurations the running servers read, as /proc tells; opens no file of anybody's. */
#include "sites_servers.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CMDLINE_BYTES 8192
#define WORDS_MAX     128

/* Where each is compiled to look (nginx -V, apache2 -V). A conf that is relative is below the
 * prefix that is given; Debian's and RHEL's nginx have an absolute one. */
static const struct {
	const char *exe;
	enum sites_program program;
	const char *prefix, *conf;
} builds[] = {
	{ "/usr/sbin/nginx", SITES_PROGRAM_NGINX, "/usr/share/nginx", "/etc/nginx/nginx.conf" },
	{ "/usr/local/nginx/sbin/nginx", SITES_PROGRAM_NGINX, "/usr/local/nginx",
	  "conf/nginx.conf" },
	{ "/usr/local/openresty/nginx/sbin/nginx", SITES_PROGRAM_NGINX,
	  "/usr/local/openresty/nginx", "conf/nginx.conf" },
	{ "/usr/sbin/apache2", SITES_PROGRAM_APACHE, "/etc/apache2", "apache2.conf" },
	{ "/usr/local/apache2/bin/httpd", SITES_PROGRAM_APACHE, "/usr/local/apache2",
	  "conf/httpd.conf" },
};

struct words {
	const char *at[WORDS_MAX];
	unsigned n;
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_named(const char *exe, const char *name)
{
	const char *slash = strrchr(exe, '/');

	return slash && !strcmp(slash + 1, name);
}

/* Absolute and without "..", or below base. */
static bool put_path(char out[SITES_RUNNING_BYTES], const char *base, const char *path)
{
	int len;

	if (!*path || strstr(path, ".."))
		return false;
	if (*path == '/')
		len = snprintf(out, SITES_RUNNING_BYTES, "%s", path);
	else if (base && *base == '/')
		len = snprintf(out, SITES_RUNNING_BYTES, "%s/%s", base, path);
	else
		return false;
	if (len >= SITES_RUNNING_BYTES - 1)
		return false;
	while (len > 1 && out[len - 1] == '/')
		out[--len] = '\0';
	return true;
}

static bool add(struct sites_servers *servers, const struct sites_running *one)
{
	for (unsigned i = 0; i < servers->n; i++)
		if (servers->running[i].program == one->program &&
		    !strcmp(servers->running[i].conf, one->conf) &&
		    !strcmp(servers->running[i].prefix, one->prefix))
			return true;
	if (servers->n == SITES_RUNNING_MAX)
		return false;
	servers->running[servers->n++] = *one;
	return true;
}

/* The value of an option that is given as "-xVALUE" or "-x VALUE"; NULL: it has none. */
static const char *value_of(const struct words *words, unsigned *i)
{
	if (words->at[*i][2])
		return words->at[*i] + 2;
	return *i + 1 < words->n ? words->at[++*i] : NULL;
}

static bool build_of(const char *exe, const char **prefix, const char **conf)
{
	*prefix = *conf = NULL;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		if (!strcmp(builds[i].exe, exe)) {
			*prefix = builds[i].prefix;
			*conf = builds[i].conf;
		}
	return *conf != NULL;
}

static bool finish(struct sites_servers *servers, enum sites_program program, const char *prefix,
		   const char *conf)
{
	struct sites_running *one = &(struct sites_running){ .program = program };

	return prefix && conf && put_path(one->prefix, NULL, prefix) &&
	       put_path(one->conf, one->prefix, conf) && add(servers, one);
}

/* nginx's getopt is its own (ngx_get_options(), src/core/nginx.c). The title has lost where its
 * words ended: directives of -g are passed over up to the next option. */
static bool take_nginx(struct sites_servers *servers, const char *exe, const struct words *words)
{
	const char *prefix, *conf;

	build_of(exe, &prefix, &conf);
	for (unsigned i = 1; i < words->n; i++) {
		const char *word = words->at[i], *value;

		if (word[0] != '-' || !word[1])
			return false;
		if (!strchr("cpges", word[1]))
			continue;
		value = value_of(words, &i);
		if (!value)
			return false;
		if (word[1] == 'c')
			conf = value;
		else if (word[1] == 'p')
			prefix = value;
		while (word[1] == 'g' && i + 1 < words->n && words->at[i + 1][0] != '-')
			i++;
	}
	return finish(servers, SITES_PROGRAM_NGINX, prefix, conf);
}

/* server/main.c of Apache: AP_SERVER_BASEARGS. Directives of the command line are not read. */
static bool take_apache(struct sites_servers *servers, const char *exe, const struct words *words)
{
	static const char *const harmless[] = { "FOREGROUND", "NO_DETACH", "DEBUG", "ONE_PROCESS" };
	const char *prefix, *conf;
	bool clear = true;

	build_of(exe, &prefix, &conf);
	for (unsigned i = 1; i < words->n; i++) {
		const char *word = words->at[i], *value;
		bool known = false;

		if (word[0] != '-' || !word[1])
			return false;
		if (!strchr("DCcdfEek", word[1]))
			continue;
		value = value_of(words, &i);
		if (!value)
			return false;
		for (size_t j = 0; j < sizeof(harmless) / sizeof(harmless[0]); j++)
			known |= !strcmp(value, harmless[j]);
		if (word[1] == 'f')
			conf = value;
		else if (word[1] == 'd')
			prefix = value;
		else if (strchr("Cc", word[1]) || (word[1] == 'D' && !known))
			clear = false;
	}
	/* RHEL and cPanel have one path and two places: which, the folders tell (sites.c). */
	if (!conf && !prefix && !strcmp(exe, "/usr/sbin/httpd"))
		return clear;
	if (!prefix && conf && *conf == '/')
		prefix = "/etc/httpd";
	return finish(servers, SITES_PROGRAM_APACHE, prefix, conf) && clear;
}

/* "php-fpm: master process (CONF)" is what fpm_pctl_init_main()'s process calls itself. */
static bool take_fpm(struct sites_servers *servers, const char *cmdline, const struct words *words)
{
	static const char title[] = "php-fpm: master process (";
	char conf[SITES_RUNNING_BYTES];
	const char *value = NULL, *close;

	if (begins(cmdline, title)) {
		close = strrchr(cmdline, ')');
		if (!close || close - cmdline - (sizeof(title) - 1) >= sizeof(conf))
			return false;
		snprintf(conf, sizeof(conf), "%.*s", (int)(close - cmdline - (sizeof(title) - 1)),
			 cmdline + sizeof(title) - 1);
		return *conf == '/' && finish(servers, SITES_PROGRAM_FPM, "/", conf);
	}
	for (unsigned i = 1; i < words->n; i++) {
		if (begins(words->at[i], "--fpm-config="))
			value = words->at[i] + strlen("--fpm-config=");
		else if (!strcmp(words->at[i], "--fpm-config") && i + 1 < words->n)
			value = words->at[++i];
		else if (begins(words->at[i], "-y"))
			value = value_of(words, &i);
	}
	return value && *value == '/' && finish(servers, SITES_PROGRAM_FPM, "/", value);
}

static void split(char *text, size_t len, char by, struct words *words)
{
	for (size_t i = 0; i < len && words->n < WORDS_MAX;) {
		if (text[i] && text[i] != by)
			words->at[words->n++] = text + i;
		while (i < len && text[i] && text[i] != by)
			i++;
		text[i++] = '\0'; /* there is room for one at its end */
	}
}

bool sites_servers_take(struct sites_servers *servers, const char *exe, const char *cmdline,
			size_t len)
{
	static const char nginx[] = "nginx: master process ";
	char whole[CMDLINE_BYTES + 1], text[CMDLINE_BYTES + 1];
	const char *slash = strrchr(exe, '/');
	struct words words = { 0 };

	if (!slash || len >= CMDLINE_BYTES)
		return false;
	memcpy(whole, cmdline, len);
	whole[len] = '\0';
	memcpy(text, whole, len + 1);
	if (is_named(exe, "nginx")) {
		if (begins(whole, "nginx: ") && !begins(whole, nginx))
			return true; /* a worker that is root's; its master is told too */
		if (begins(whole, nginx))
			split(text + sizeof(nginx) - 1, len - (sizeof(nginx) - 1), ' ', &words);
		else
			split(text, len, '\0', &words);
		return words.n && words.n < WORDS_MAX && take_nginx(servers, exe, &words);
	}
	split(text, len, '\0', &words);
	if (!words.n || words.n == WORDS_MAX)
		return false;
	if (is_named(exe, "apache2") || is_named(exe, "httpd"))
		return take_apache(servers, exe, &words);
	if (begins(slash + 1, "php-fpm"))
		return begins(whole, "php-fpm: pool ") || take_fpm(servers, whole, &words);
	return false; /* another kind of server: nothing of its configuration is read */
}

static bool is_server(const char *exe)
{
	static const char *const names[] = { "nginx",	"apache2",	 "httpd", "litespeed",
					     "lshttpd", "openlitespeed", "caddy" };
	const char *slash = strrchr(exe, '/');

	for (size_t i = 0; slash && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(slash + 1, names[i]))
			return true;
	return slash && begins(slash + 1, "php-fpm");
}

static bool same_root(int proc_fd, const char *pid, int root_fd)
{
	struct statx here, there;
	char name[32];

	if (root_fd < 0)
		return true;
	snprintf(name, sizeof(name), "%.20s/root", pid);
	return !statx(proc_fd, name, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &there) &&
	       !statx(root_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &here) &&
	       here.stx_ino == there.stx_ino && here.stx_dev_major == there.stx_dev_major &&
	       here.stx_dev_minor == there.stx_dev_minor;
}

static void look_at(int proc_fd, const char *pid, int root_fd, struct sites_servers *servers)
{
	char name[32], exe[PATH_MAX], cmdline[CMDLINE_BYTES];
	char *deleted;
	struct stat st;
	ssize_t len;
	int fd;

	if (fstatat(proc_fd, pid, &st, 0) < 0 || st.st_uid != 0)
		return;
	snprintf(name, sizeof(name), "%.20s/exe", pid);
	len = readlinkat(proc_fd, name, exe, sizeof(exe) - 1);
	if (len <= 0)
		return;
	exe[len] = '\0';
	deleted = strstr(exe, " (deleted)");
	if (deleted)
		*deleted = '\0';
	if (!is_server(exe) || !same_root(proc_fd, pid, root_fd))
		return;
	snprintf(name, sizeof(name), "%.20s/cmdline", pid);
	fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	len = fd >= 0 ? read(fd, cmdline, sizeof(cmdline)) : -1;
	if (fd >= 0)
		close(fd);
	if (len <= 0 || !sites_servers_take(servers, exe, cmdline, (size_t)len))
		servers->unclear |= fd >= 0 && len; /* one that ended meanwhile is none */
}

void sites_servers_find(int proc_fd, int root_fd, struct sites_servers *servers)
{
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	memset(servers, 0, sizeof(*servers));
	if (!folder) {
		if (fd >= 0)
			close(fd);
		servers->unclear = true;
		return;
	}
	while ((entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name))
			look_at(fd, entry->d_name, root_fd, servers);
	closedir(folder);
}

bool sites_servers_same(const struct sites_servers *a, const struct sites_servers *b)
{
	if (a->n != b->n || a->unclear != b->unclear)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->running[i].program != b->running[i].program ||
		    strcmp(a->running[i].conf, b->running[i].conf) != 0 ||
		    strcmp(a->running[i].prefix, b->running[i].prefix) != 0)
			return false;
	return true;
}
