/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Apache's directives say of its virtual hosts: names, root, user, where PHP goes, logs and
 * their formats (core, mod_log_config, mod_suexec, mpm-itk, mod_ruid2, mod_proxy_fcgi,
 * mod_fastcgi). Takes words that are split already; reads nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sites_apache.h"

/* modules/loggers/mod_log_config.c, DEFAULT_LOG_FORMAT; its nickname is CLF. */
static char common[] = "%h %l %u %t \"%r\" %>s %b";

static const char *arg(const struct apache *apache, unsigned i)
{
	return words_at(&apache->words, i);
}

static struct draft *here(struct apache *apache)
{
	return apache->vhost ? apache->vhost : &apache->server;
}

static unsigned scope_here(const struct apache *apache)
{
	return apache->vhost ? apache->vhost->scope : 0;
}

/* "[https://]name[:port]" */
static void take_server_name(struct apache *apache)
{
	const char *name = strstr(arg(apache, 1), "://");
	char host[SITES_NAME_BYTES];
	struct draft *draft = here(apache);
	struct draft_name *plain = draft->plain, *last = draft->plain_last;
	size_t len;

	name = name ? name + 3 : arg(apache, 1);
	len = *name == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":/");
	if (len >= sizeof(host) || len > strlen(name)) {
		build_skip(apache->build);
		return;
	}
	memcpy(host, name, len);
	host[len] = 0;
	draft->plain = draft->plain_last = NULL; /* it goes before the aliases */
	draft_name(apache->build, draft, host);
	if (!draft->plain) {
		draft->plain = plain;
		draft->plain_last = last;
	} else if (plain) {
		draft->plain_last->next = plain;
		draft->plain_last = last;
	}
}

static void take_alias(struct apache *apache)
{
	for (unsigned i = 1; i < apache->words.n; i++)
		draft_name(apache->build, here(apache), arg(apache, i));
}

static void take_root(struct apache *apache)
{
	struct draft *draft = here(apache);

	draft->root_said = true;
	draft->root = apache_path(apache, arg(apache, 1));
	if (!draft->root)
		build_skip(apache->build);
	if (!apache->vhost) {
		if (!apache->kept_file)
			apache->kept_file = build_text(apache->build, apache->file);
		draft->file = apache->kept_file;
		draft->line = apache->line;
	}
}

static void take_many_roots(struct apache *apache)
{
	struct draft *draft = here(apache);

	build_skip(apache->build); /* mod_vhost_alias: one root for each name */
	draft->root_said = true;
	draft->root = NULL;
}

/* "#1000" is a uid; its name is not known here. */
static void take_user(struct apache *apache)
{
	if (*arg(apache, 1) == '#')
		build_skip(apache->build);
	else if (apache->vhost)
		apache->vhost->user = build_text(apache->build, arg(apache, 1));
}

/* CustomLog FILE|PIPE FORMAT|NICKNAME [env=|expr=]; TransferLog has none of these. */
static void take_log(struct apache *apache, struct draft_logs *logs, const char *format,
		     bool has_condition)
{
	struct draft_log log = { .scope = scope_here(apache) };

	logs->said = true;
	if (!strncmp(arg(apache, 1), "/dev/", 5))
		return;
	if (*arg(apache, 1) != '|' && !strchr(arg(apache, 1), ':'))
		log.path = apache_path(apache, arg(apache, 1));
	log.format = build_text(apache->build, format);
	if (!log.path || !log.format) {
		build_skip(apache->build);
		return;
	}
	log.whole = !has_condition;
	logs->any_conditional |= has_condition;
	draft_log(apache->build, logs, &log);
}

static void take_custom_log(struct apache *apache)
{
	take_log(apache, &here(apache)->logs, arg(apache, 2), apache->words.n > 3);
}

static void take_transfer_log(struct apache *apache)
{
	take_log(apache, &here(apache)->logs, "", false);
}

static void take_global_log(struct apache *apache)
{
	if (apache->vhost)
		build_skip(apache->build);
	else
		take_log(apache, &apache->global_logs, arg(apache, 2), apache->words.n > 3);
}

static void take_buffered(struct apache *apache)
{
	apache->logs_late = !strcasecmp(arg(apache, 1), "on");
}

static void take_format(struct apache *apache)
{
	struct apache_format *format = build_bytes(apache->build, sizeof(*format));

	if (!format)
		return;
	format->text = build_text(apache->build, arg(apache, 1));
	format->name = build_text(apache->build, arg(apache, 2)); /* "": that of TransferLog */
	format->scope = scope_here(apache);
	if (!format->text || !format->name)
		return;
	format->next = apache->formats;
	apache->formats = format;
}

/* "unix:/run/x.sock|fcgi://localhost/…", "fcgi://127.0.0.1:9000/…". False: it is no FastCGI. */
static bool take_url(struct apache *apache, const char *url, char **pool)
{
	const char *bar = strchr(url, '|');
	char address[SITES_PATH_BYTES];
	size_t len;

	if (!strncasecmp(url, "unix:", 5) && bar && !strncasecmp(bar + 1, "fcgi://", 7))
		len = (size_t)(bar - url);
	else if (!strncasecmp(url, "fcgi://", 7))
		len = strcspn(url += 7, "/");
	else
		return false;
	*pool = NULL;
	if (len < sizeof(address)) {
		memcpy(address, url, len);
		address[len] = 0;
		*pool = build_listen(apache->build, address);
	}
	if (!*pool)
		build_skip(apache->build);
	return true;
}

/* Outside of <Directory> and the like a handler is the whole vhost's, or server's. */
static void take_pass(struct apache *apache, const char *url, bool is_php)
{
	const struct apache_section *section = &apache->sections[apache->depth];
	char *pool;

	if (!apache->vhost && section->is_elsewhere)
		return;
	if (take_url(apache, url, &pool))
		draft_pool(here(apache), pool, is_php || section->is_php);
}

static void take_handler(struct apache *apache)
{
	if (!strncasecmp(arg(apache, 1), "proxy:", 6))
		take_pass(apache, arg(apache, 1) + 6, false);
}

static void take_proxy_pass(struct apache *apache)
{
	if (apache->sections[apache->depth].is_elsewhere && apache->words.n == 2)
		take_pass(apache, arg(apache, 1), false);
	else
		take_pass(apache, arg(apache, 2), strstr(arg(apache, 1), "php") != NULL);
}

/* FastCgiExternalServer PATH -socket S | -host H:P … */
static void take_external_server(struct apache *apache)
{
	for (unsigned i = 2; i + 1 < apache->words.n; i++)
		if (!strcmp(arg(apache, i), "-socket") || !strcmp(arg(apache, i), "-host"))
			draft_pool(here(apache), build_listen(apache->build, arg(apache, i + 1)),
				   true);
}

static void take_define(struct apache *apache)
{
	apache_define(apache, arg(apache, 1), arg(apache, 2));
}

static void take_undefine(struct apache *apache)
{
	apache_define(apache, arg(apache, 1), NULL);
}

static void take_module(struct apache *apache)
{
	apache_module(apache, arg(apache, 1));
}

static void take_server_root(struct apache *apache)
{
	char *root = build_path(apache->build, NULL, arg(apache, 1));

	if (root)
		apache->root = root;
	else
		build_skip(apache->build);
}

static const struct {
	const char *name;
	void (*take)(struct apache *apache);
} directives[] = {
	{ "AssignUserID", take_user },
	{ "BufferedLogs", take_buffered },
	{ "CustomLog", take_custom_log },
	{ "Define", take_define },
	{ "DocumentRoot", take_root },
	{ "FastCgiExternalServer", take_external_server },
	{ "GlobalLog", take_global_log },
	{ "LoadModule", take_module },
	{ "LogFormat", take_format },
	{ "ProxyPass", take_proxy_pass },
	{ "ProxyPassMatch", take_proxy_pass },
	{ "RUidGid", take_user },
	{ "ServerAlias", take_alias },
	{ "ServerName", take_server_name },
	{ "ServerRoot", take_server_root },
	{ "SetHandler", take_handler },
	{ "SuexecUserGroup", take_user },
	{ "suPHP_UserGroup", take_user },
	{ "TransferLog", take_transfer_log },
	{ "UnDefine", take_undefine },
	{ "VirtualDocumentRoot", take_many_roots },
};

void apache_directive(struct apache *apache)
{
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (!strcasecmp(arg(apache, 0), directives[i].name)) {
			directives[i].take(apache);
			return;
		}
}

void apache_begin_vhost(struct apache *apache)
{
	struct draft *vhost = build_bytes(apache->build, sizeof(*vhost));

	if (apache->vhost || !vhost) {
		build_skip(apache->build); /* Apache has none within another */
		return;
	}
	if (!apache->kept_file)
		apache->kept_file = build_text(apache->build, apache->file);
	vhost->file = apache->kept_file;
	vhost->line = apache->line;
	vhost->scope = ++apache->n_scopes;
	apache->vhost = vhost;
}

void apache_end_vhost(struct apache *apache, bool dropped)
{
	struct draft *vhost = apache->vhost;

	apache->vhost = NULL;
	if (dropped || !vhost || !vhost->file)
		return;
	if (apache->vhosts_last)
		apache->vhosts_last->next = vhost;
	else
		apache->vhosts = vhost;
	apache->vhosts_last = vhost;
}

/* A vhost's own nicknames come first, then the server's; what is no nickname is a format. */
static char *find_format(struct apache *apache, const struct draft_log *log)
{
	const struct apache_format *server = NULL;

	for (const struct apache_format *format = apache->formats; format; format = format->next) {
		apache->work++;
		if (strcmp(format->name, log->format))
			continue;
		if (format->scope == log->scope)
			return format->text;
		if (!format->scope && !server)
			server = format;
	}
	if (server)
		return server->text;
	if (!*log->format || !strcmp(log->format, "CLF"))
		return common;
	return strchr(log->format, '%') ? log->format : NULL;
}

static void add_logs(struct apache *apache, const struct draft_logs *logs,
		     struct sites_log out[DRAFT_LOGS], unsigned *n)
{
	for (const struct draft_log *log = logs->first; log; log = log->next) {
		struct sites_log one = { .path = log->path,
					 .format = find_format(apache, log),
					 .whole = log->whole };

		apache->work += 1 + *n;
		if (!one.format || !draft_add_log(out, n, &one))
			build_skip(apache->build);
	}
}

static void finish_vhost(struct apache *apache, struct draft *vhost)
{
	const struct draft_logs *own = vhost->logs.said ? &vhost->logs : &apache->server.logs;
	struct sites_log logs[DRAFT_LOGS];
	unsigned n = 0;

	memset(logs, 0, sizeof(logs));
	if (!apache->global_logs.any_whole)
		draft_level(vhost, own);
	vhost->unlogged |= apache->logs_late;
	vhost->conditional |= apache->logs_late;
	add_logs(apache, own, logs, &n);
	add_logs(apache, &apache->global_logs, logs, &n);
	if (!vhost->root_said)
		vhost->root = apache->server.root;
	if (!vhost->pool_said) {
		vhost->pool = apache->server.pool;
		vhost->pool_said = apache->server.pool_said;
		vhost->pool_twice = apache->server.pool_twice;
	}
	draft_end(apache->build, SITES_APACHE, vhost, logs, n);
}

void apache_finish(struct apache *apache)
{
	for (struct draft *vhost = apache->vhosts; vhost; vhost = vhost->next) {
		if (apache->work > DRAFT_WORK) {
			apache->build->sites->cut = true;
			return;
		}
		finish_vhost(apache, vhost);
	}
	/* The server itself answers where no vhost does. */
	if (apache->server.root && apache->server.file)
		finish_vhost(apache, &apache->server);
}
