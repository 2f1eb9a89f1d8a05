/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds a php-fpm worker's status page and connects to it. It trusts nobody but the worker's own
 * master to answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fpm.h"
#include "proc.h"
#include "script.h"

#define CACHED	  64
#define POOL_NAME 64
#define VALID_NS  (10000 * NS_PER_MS) /* a pool moved to another file is seen then */

struct cached {
	pid_t master;
	uint64_t master_start, read_ns;
	char pool[POOL_NAME];
	char config[FPM_CONF_VALUE];
	struct fpm_files files;
	int error;
	struct fpm_page page;
};

struct fpm {
	struct cached cached[CACHED];
	unsigned next;
};

int fpm_new(struct fpm **fpm)
{
	*fpm = calloc(1, sizeof(**fpm));
	return *fpm ? 0 : -ENOMEM;
}

void fpm_free(struct fpm *fpm)
{
	free(fpm);
}

static bool same_file(int root_fd, const char *path, const struct fpm_file_id *was)
{
	struct fpm_file_id id;

	return !path[0] || (!fpm_file_id(root_fd, path, &id) && !memcmp(&id, was, sizeof(id)));
}

static struct cached *find_cached(struct fpm *fpm, int root_fd, const struct owner_ref *master,
				  const char *pool, const char *config)
{
	for (unsigned i = 0; i < CACHED; i++) {
		struct cached *c = &fpm->cached[i];

		if (c->master == master->pid && c->master_start == master->start_ticks &&
		    !strcmp(c->pool, pool) && !strcmp(c->config, config))
			return clock_mono_ns() - c->read_ns < VALID_NS &&
					       same_file(root_fd, config, &c->files.main_id) &&
					       same_file(root_fd, c->files.pool_file,
							 &c->files.pool_id)
				       ? c
				       : NULL;
	}
	return NULL;
}

static int find_page(struct fpm *fpm, int root_fd, const struct owner_ref *master, const char *pool,
		     const char *config, uint64_t deadline_ns, struct fpm_page *page)
{
	struct cached *c = find_cached(fpm, root_fd, master, pool, config);

	if (!c) {
		int error;

		c = &fpm->cached[fpm->next++ % CACHED];
		memset(c, 0, sizeof(*c));
		error = fpm_files_read(root_fd, config, pool, deadline_ns, &c->files);
		if (error) /* ENOENT is kept for "no such page" */
			return error == -ENOENT ? -EIO : error;
		c->files.conf.pool_name = NULL; /* not ours to keep */
		c->error = fpm_conf_page(&c->files.conf, &c->page);
		c->master = master->pid;
		c->master_start = master->start_ticks;
		c->read_ns = clock_mono_ns();
		snprintf(c->pool, sizeof(c->pool), "%s", pool);
		snprintf(c->config, sizeof(c->config), "%s", config);
	}
	if (!c->error)
		*page = c->page;
	return c->error;
}

/* Workers are forked by their master and run nothing else (fpm_children.c). */
static bool runs_same(int master_fd, const struct owner *worker)
{
	char exe[OWNER_PATH_BYTES];
	size_t n = strlen(worker->exe);

	return n && !proc_link(master_fd, "exe", exe, sizeof(exe), NULL) &&
	       !strncmp(exe, worker->exe, n) && (!exe[n] || !strcmp(exe + n, " (deleted)"));
}

/* The master's configuration file. Only root's word counts: whoever runs a master can have it say
 * anything, with a program, a title or a preloaded library of their own. */
static int config_of(int master_fd, const struct owner *worker, char config[FPM_CONF_VALUE])
{
	char title[OWNER_CMDLINE_BYTES];
	const char *path;
	size_t len, n;
	int error;

	if (worker->parents[0].uid != 0 || !runs_same(master_fd, worker))
		return -EBADMSG;
	error = proc_read(master_fd, "cmdline", title, sizeof(title), &len);
	if (error)
		return error;
	n = script_fpm_config(title, len, &path);
	if (!n || n >= FPM_CONF_VALUE)
		return -ENOENT;
	memcpy(config, path, n);
	config[n] = 0;
	return 0;
}

static enum owner_why why_of(int error)
{
	switch (error) {
	case 0:
		return OWNER_WHY_NONE;
	case -EACCES:
	case -EPERM:
		return OWNER_WHY_DENIED;
	case -ETIME:
	case -EAGAIN: /* unix(7): the backlog is full, so every worker is busy */
		return OWNER_WHY_DEADLINE;
	case -ESRCH:
		return OWNER_WHY_EXITED;
	case -ENOENT:
		return OWNER_WHY_NO_STATUS_PAGE;
	case -EADDRNOTAVAIL:
		return OWNER_WHY_NOT_TOLD;
	case -EBADMSG:
		return OWNER_WHY_NOT_TRUSTED;
	default:
		return OWNER_WHY_ERROR;
	}
}

/* The path is looked up below the master's root; /proc/self/fd spares its length limit. */
static int dial_unix(int root_fd, const char *path, const struct owner_ref *master, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;
	struct stat st;
	int at, error = fpm_open_below(root_fd, path, O_PATH, &at);

	if (error)
		return error == -ENOENT ? -ECONNREFUSED : error;
	if (fstat(at, &st) || !S_ISSOCK(st.st_mode))
		error = -ECONNREFUSED;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", at);
	if (!error && connect(fd, (struct sockaddr *)&address, sizeof(address)))
		error = errno == ENOENT ? -ECONNREFUSED : -errno;
	close(at);
	if (error)
		return error;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	/* systemd may have made the socket for it; then root is the one who listens. */
	return peer.pid == master->pid || peer.uid == 0 ? 0 : -EBADMSG;
}

static int dial_tcp(const struct fpm_page *page, struct sockdiag *diag, int fd)
{
	struct owner_query listener = { .family = (uint8_t)page->family, .sport = page->port };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(page->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(page->port) };
	bool v4 = page->family == AF_INET;
	uint32_t uid;
	int error;

	memcpy(listener.src, page->address, sizeof(listener.src));
	error = sockdiag_listener_uid(diag, &listener, &uid);
	if (error)
		return error == -ENOENT ? -ECONNREFUSED : error;
	if (uid != 0) /* as the master, config_of() */
		return -EBADMSG;
	memcpy(&in.sin_addr, page->address, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, page->address, sizeof(in6.sin6_addr));
	if (connect(fd, v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
		    v4 ? sizeof(in) : sizeof(in6)) &&
	    errno != EINPROGRESS)
		return -errno;
	return 0;
}

static int dial_page(const struct fpm_page *page, int root_fd, struct sockdiag *diag,
		     const struct owner_ref *master, int *out)
{
	int error, fd = socket(page->is_unix ? AF_UNIX : page->family,
			       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	error = page->is_unix ? dial_unix(root_fd, page->unix_path, master, fd)
			      : dial_tcp(page, diag, fd);
	if (error)
		close(fd);
	else
		*out = fd;
	return error;
}

enum owner_why fpm_dial(struct fpm *fpm, int proc_fd, struct sockdiag *diag,
			const struct owner *worker, uint64_t deadline_ns, struct fpm_call *call)
{
	const char *pool = script_fpm_pool(worker->cmdline, worker->cmdline_bytes);
	const struct owner_ref *master = &worker->parents[0];
	char config[FPM_CONF_VALUE];
	int master_fd, root_fd = -1, error;
	struct proc_stat stat;
	struct fpm_page page;

	if (!pool || strlen(pool) >= POOL_NAME || !worker->n_parents)
		return OWNER_WHY_NOT_TOLD;
	error = proc_open_pid(proc_fd, master->pid, &master_fd);
	if (error)
		return why_of(error);
	error = config_of(master_fd, worker, config);
	if (!error) {
		root_fd = openat(master_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		error = root_fd < 0 ? -errno : 0;
	}
	if (!error)
		error = find_page(fpm, root_fd, master, pool, config, deadline_ns, &page);
	if (!error)
		error = dial_page(&page, root_fd, diag, master, &call->fd);
	if (!error && (proc_stat_of(master_fd, &stat) || stat.start_ticks != master->start_ticks)) {
		close(call->fd);
		error = -ESRCH;
	}
	if (!error) {
		memcpy(call->status_path, page.status_path, sizeof(call->status_path));
		call->master = *master;
	}
	if (root_fd >= 0)
		close(root_fd);
	close(master_fd);
	return why_of(error);
}
