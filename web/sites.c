/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which configurations and panel files a box may have, and what follows from them together: the
 * user of a vhost's pool, where a root's links lead. The readers do the reading.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sites_files.h"
#include "sites_open.h"
#include "sites_servers.h"

#define PLESK "/var/www/vhosts"

/* The prefix is the one that Debian's and RHEL's packages are compiled with. */
static const struct {
	const char *conf, *prefix, *log;
} nginxes[] = {
	{ "/etc/nginx/nginx.conf", "/usr/share/nginx", "/var/log/nginx/access.log" },
	{ "/usr/local/nginx/conf/nginx.conf", "/usr/local/nginx",
	  "/usr/local/nginx/logs/access.log" },
	{ "/usr/local/openresty/nginx/conf/nginx.conf", "/usr/local/openresty/nginx",
	  "/usr/local/openresty/nginx/logs/access.log" },
};

static const struct {
	const char *conf, *envvars, *root;
} apaches[] = {
	{ "/etc/apache2/apache2.conf", "/etc/apache2/envvars", "/etc/apache2" }, /* Debian */
	{ "/etc/httpd/conf/httpd.conf", NULL, "/etc/httpd" },			 /* RHEL */
	{ "/etc/apache2/conf/httpd.conf", NULL, "/etc/apache2" },		 /* cPanel */
	{ "/etc/apache2/httpd.conf", NULL, "/etc/apache2" },			 /* SUSE */
	{ "/usr/local/apache2/conf/httpd.conf", NULL, "/usr/local/apache2" },
};

static const char *const pools[] = {
	"/etc/php/*/fpm/pool.d/*.conf",			 /* Debian */
	"/etc/php-fpm.d/*.conf",			 /* RHEL */
	"/etc/opt/remi/php*/php-fpm.d/*.conf",		 /* Remi's RHEL packages */
	"/opt/cpanel/ea-php*/root/etc/php-fpm.d/*.conf", /* cPanel */
	"/opt/plesk/php/*/etc/php-fpm.d/*.conf",	 /* Plesk */
	"/usr/local/directadmin/data/users/*/php/php-fpm*.conf",
	"/usr/local/php*/etc/php-fpm.conf", /* DirectAdmin's own, builds from source */
};

static const char *const domains[] = {
	"/etc/userdatadomains",	     /* cPanel */
	"/etc/trueuserdomains",	     /* cPanel */
	"/etc/virtual/domainowners", /* DirectAdmin */
};

static void plesk_domain(struct sites_files *files, const struct panel_user *users,
			 unsigned n_users, const char *domain)
{
	struct sites_build *build = files->build;
	struct sites_account *account;
	char path[sizeof(PLESK) + NAME_MAX + 2];
	struct statx st;
	const char *user;
	int fd, error;

	snprintf(path, sizeof(path), PLESK "/%s", domain);
	error = sites_open_stat(files->root_fd, path, &fd, &st);
	build_seen(build, path, true, sites_hash(path, &st, error, true));
	if (error)
		return; /* a further domain: its files are in its subscription's folder */
	close(fd);
	if (!S_ISDIR(st.stx_mode) || !st.stx_uid ||
	    !(user = panel_user(users, n_users, st.stx_uid)))
		return;
	account = build_account(build);
	if (!account)
		return;
	account->user = build_text(build, user);
	account->domain = build_text(build, domain);
	account->file = account->root = build_text(build, path);
	if (!account->user || !account->domain || !account->file)
		build->sites->n_accounts--;
}

/* Plesk: who owns /var/www/vhosts/DOMAIN, of the domains that /var/www/vhosts/system has. */
static void take_passwd(void *context, const char *file, const char *text, size_t len)
{
	struct sites_files *files = context;
	struct panel_user *users;
	unsigned n_users, n = 0;
	char **names = NULL;

	(void)file;
	if (panel_users(text, len, &users, &n_users)) {
		files->build->no_memory = true;
		return;
	}
	if (!files_list(files, PLESK "/system", &names, &n))
		for (unsigned i = 0; i < n && !files_expired(files); i++)
			if (names[i][0] != '.' && strchr(names[i], '.'))
				plesk_domain(files, users, n_users, names[i]);
	files_free_names(names, n);
	free(users);
}

static int pool_order(const void *left, const void *right)
{
	const struct sites_pool *a = left, *b = right;

	return strcmp(a->listen, b->listen);
}

/* The user of the pool that listens there; two pools that do with two users are none. */
static char *user_of_pool(const struct sites *sites, char *listen)
{
	struct sites_pool key = { .listen = listen };
	const struct sites_pool *pool, *end = sites->pools + sites->n_pools;
	char *user;

	pool = sites->n_pools
		       ? bsearch(&key, sites->pools, sites->n_pools, sizeof(*pool), pool_order)
		       : NULL;
	if (!pool)
		return NULL;
	while (pool > sites->pools && !pool_order(pool - 1, &key))
		pool--;
	user = pool->user;
	for (; pool < end && !pool_order(pool, &key); pool++)
		if (!user || !pool->user || strcmp(user, pool->user))
			return NULL;
	return user;
}

static void find_users(struct sites *sites)
{
	if (sites->n_pools)
		qsort(sites->pools, sites->n_pools, sizeof(*sites->pools), pool_order);
	for (unsigned i = 0; i < sites->n_vhosts; i++) {
		struct sites_vhost *vhost = &sites->vhosts[i];

		if (!vhost->user && vhost->pool)
			vhost->user = user_of_pool(sites, vhost->pool);
	}
}

/* A root may be a link ("current" of deployments); scripts are named by either. */
static void find_real(struct sites_files *files, struct sites_vhost *vhost)
{
	char real[SITES_PATH_BYTES];
	struct statx st;
	int fd, error = sites_open_stat(files->root_fd, vhost->root, &fd, &st);

	build_seen(files->build, vhost->root, true, sites_hash(vhost->root, &st, error, true));
	if (error)
		return;
	if (!sites_path_of(files->root_fd, fd, real, sizeof(real)) && strcmp(real, vhost->root))
		vhost->real = build_text(files->build, real);
	close(fd);
}

static void find_reals(struct sites_files *files)
{
	struct sites *sites = files->build->sites;

	for (unsigned i = 0; i < sites->n_vhosts && !files_expired(files); i++)
		if (sites->vhosts[i].root)
			find_real(files, &sites->vhosts[i]);
}

static bool runs(const struct sites_servers *servers, enum sites_program program, const char *conf)
{
	for (unsigned i = 0; servers && i < servers->n; i++)
		if (servers->running[i].program == program &&
		    !strcmp(servers->running[i].conf, conf))
			return true;
	return false;
}

/* A configuration that a server was told to read, and that must be there. */
static void read_running(struct sites_files *files, const struct sites_source *source,
			 const struct sites_running *one)
{
	char beside[SITES_PATH_BYTES];
	const char *slash = strrchr(one->conf, '/'), *log = NULL, *envvars = NULL;
	const char *prefix = build_text(files->build, one->prefix);

	if (!prefix)
		return;
	if (!files_exists(files, one->conf)) {
		files->build->sites->unclear = true;
		return;
	}
	switch (one->program) {
	case SITES_PROGRAM_NGINX:
		for (size_t i = 0; i < sizeof(nginxes) / sizeof(nginxes[0]); i++)
			if (!strcmp(one->prefix, nginxes[i].prefix) ||
			    !strcmp(one->conf, nginxes[i].conf))
				log = nginxes[i].log;
		nginx_read(files->build, source, one->conf, prefix, log);
		break;
	case SITES_PROGRAM_APACHE:
		snprintf(beside, sizeof(beside), "%.*s/envvars", (int)(slash - one->conf),
			 one->conf);
		if (files_exists(files, beside))
			envvars = beside;
		for (size_t i = 0; i < sizeof(apaches) / sizeof(apaches[0]); i++)
			if (!strcmp(one->conf, apaches[i].conf))
				envvars = apaches[i].envvars;
		apache_read(files->build, source, one->conf, envvars, prefix);
		break;
	case SITES_PROGRAM_FPM:
		fpm_read(files->build, source, one->conf);
		break;
	}
}

static void read_all(struct sites_files *files, const struct sites_servers *servers)
{
	struct sites_source source = { files, files_include, files_exists, files_expired };

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		files_include(files, domains[i], SITES_INCLUDE_OPTIONAL, panel_take_domains,
			      files->build);
	files_include(files, "/etc/passwd", SITES_INCLUDE_OPTIONAL, take_passwd, files);
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		fpm_read(files->build, &source, pools[i]);
	for (size_t i = 0; i < sizeof(nginxes) / sizeof(nginxes[0]); i++)
		if (!runs(servers, SITES_PROGRAM_NGINX, nginxes[i].conf))
			nginx_read(files->build, &source, nginxes[i].conf, nginxes[i].prefix,
				   nginxes[i].log);
	for (size_t i = 0; i < sizeof(apaches) / sizeof(apaches[0]); i++)
		if (!runs(servers, SITES_PROGRAM_APACHE, apaches[i].conf))
			apache_read(files->build, &source, apaches[i].conf, apaches[i].envvars,
				    apaches[i].root);
	files->build->sites->unclear = servers && servers->unclear;
	for (unsigned i = 0; servers && i < servers->n; i++)
		read_running(files, &source, &servers->running[i]);
}

int sites_load(int root_fd, const struct sites_servers *servers, uint64_t deadline_ns,
	       struct sites **sites)
{
	struct sites_build build;
	struct sites_files files = { .root_fd = root_fd,
				     .deadline_ns = deadline_ns,
				     .build = &build };

	if (build_begin(&build))
		return -ENOMEM;
	read_all(&files, servers);
	find_users(build.sites);
	find_reals(&files);
	build_end(&build);
	if (build.no_memory) {
		sites_free(build.sites);
		return -ENOMEM;
	}
	*sites = build.sites;
	return 0;
}

uint64_t sites_stamp(int root_fd, const struct sites *sites)
{
	uint64_t stamp = 0;

	for (unsigned i = 0; i < sites->n_seen; i++) {
		const struct sites_seen *seen = &sites->seen[i];
		struct statx st;
		int fd, error = sites_open_stat(root_fd, seen->path, &fd, &st);

		if (!error)
			close(fd);
		stamp += sites_hash(seen->path, &st, error, seen->is_root);
	}
	return stamp;
}
