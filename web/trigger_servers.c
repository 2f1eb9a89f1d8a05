/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which access logs the web servers have open, where no configuration tells. Only processes that
 * root runs are believed: nobody else can be one of them, whatever they call themselves. Reads
 * links in /proc and opens no file of anybody's.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trigger_logs.h"

#define FDS_MAX	 8192 /* of one server */
#define LOGS_MAX 1024

static const struct {
	const char *name;
	enum sites_server server; /* whose log it is like */
} servers[] = {
	{ "nginx", SITES_NGINX },    { "apache2", SITES_APACHE },
	{ "httpd", SITES_APACHE },   { "litespeed", SITES_APACHE },
	{ "lshttpd", SITES_APACHE }, { "openlitespeed", SITES_APACHE },
};

/* Which server a process is; false: none, or not root's. */
static bool is_server(int proc_fd, const char *pid, enum sites_server *server)
{
	char name[32], exe[PATH_MAX];
	const char *base;
	struct stat st;
	ssize_t len;

	if (fstatat(proc_fd, pid, &st, 0) < 0 || st.st_uid != 0)
		return false;
	snprintf(name, sizeof(name), "%.20s/exe", pid);
	len = readlinkat(proc_fd, name, exe, sizeof(exe) - 1);
	if (len <= 0)
		return false;
	exe[len] = '\0';
	base = strrchr(exe, '/');
	for (size_t i = 0; base && i < sizeof(servers) / sizeof(servers[0]); i++) {
		size_t n = strlen(servers[i].name);

		/* a server that was upgraded while it runs has "name (deleted)" */
		if (strncmp(base + 1, servers[i].name, n) ||
		    (base[1 + n] && strcmp(base + 1 + n, " (deleted)")))
			continue;
		*server = servers[i].server;
		return true;
	}
	return false;
}

static bool is_access_log(const char *path)
{
	const char *base = strrchr(path, '/');

	return *path == '/' && base && strstr(base, "access") && strstr(base, "log") &&
	       !strstr(base, " (deleted)");
}

static unsigned logs_of(int proc_fd, const char *pid, enum sites_server server,
			trigger_found_fn *fn, void *context)
{
	char name[32], path[PATH_MAX];
	unsigned n = 0, seen = 0;
	struct dirent *entry;
	DIR *folder;
	int fd;

	snprintf(name, sizeof(name), "%.20s/fd", pid);
	fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (seen++ < FDS_MAX && n < LOGS_MAX && (entry = readdir(folder))) {
		ssize_t len = readlinkat(fd, entry->d_name, path, sizeof(path) - 1);

		if (len <= 0)
			continue;
		path[len] = '\0';
		if (!is_access_log(path))
			continue;
		fn(context, server, path);
		n++;
	}
	closedir(folder);
	return n;
}

unsigned trigger_servers_logs(int proc_fd, trigger_found_fn *fn, void *context)
{
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	enum sites_server server;
	struct dirent *entry;
	unsigned n = 0;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (n < LOGS_MAX && (entry = readdir(folder)))
		if (isdigit((unsigned char)*entry->d_name) && is_server(fd, entry->d_name, &server))
			n += logs_of(fd, entry->d_name, server, fn, context);
	closedir(folder);
	return n;
}
