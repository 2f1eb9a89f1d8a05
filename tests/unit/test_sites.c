// SPDX-License-Identifier: GPL-2.0-or-later
/* What the configurations of nginx, apache, php-fpm and the panels say of a box's sites. */
#include "sites_fixture.h"

static void nginx_server_has_names_root_pool_and_place(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	put_http("server { # one\n"
		 "	server_name WWW.Shop.example *.shop.example shop.example. ~^x(.+)$ _ "
		 "\"\";\n"
		 "	root \"/srv//shop/./htdocs/\";\n"
		 "	location / { root /srv/other; }\n"
		 "	location ~ [^/]\\.php(/|$) { fastcgi_pass unix:/var/run/php/shop.sock; }\n"
		 "}\n"
		 "server { server_name .both.example; root html; }\n"
		 "server { server_name var.example; root /srv/$host; }\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 3);
	vhost = vhost_of(sites, "www.shop.example");
	assert_int_equal(vhost->server, SITES_NGINX);
	assert_int_equal(vhost->n_names, 3);
	assert_string_equal(vhost->names[1], "shop.example");
	assert_string_equal(vhost->names[2], "*.shop.example");
	assert_string_equal(vhost->root, "/srv/shop/htdocs");
	assert_string_equal(vhost->pool, "unix:/run/php/shop.sock");
	assert_null(vhost->user);
	assert_string_equal(vhost->file, "/etc/nginx/nginx.conf");
	assert_int_equal(vhost->line, 4);
	vhost = vhost_of(sites, "both.example");
	assert_string_equal(vhost->names[1], "*.both.example");
	assert_string_equal(vhost->root, "/usr/share/nginx/html");
	assert_null(vhost_of(sites, "var.example")->root);
	assert_int_equal(sites->skipped, 2); /* the regular expression, the variable */
	sites_free(sites);
}

static void nginx_logs_are_inherited_only_where_none_is_said(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	put_http("server { server_name inherits.example; }\n"
		 "server { server_name own.example;\n"
		 "	access_log /var/log/own.log two buffer=32k flush=5m if=$loggable;\n"
		 "	access_log logs/relative.log;\n"
		 "	access_log syslog:server=unix:/dev/log two;\n"
		 "	access_log /var/log/$host.log two;\n"
		 "	access_log /var/log/packed.gz two gzip=4 flush=1m;\n"
		 "	access_log /var/log/own.log two;\n"
		 "	access_log /var/log/no.log nosuch;\n"
		 "	location ~ \\.php$ { access_log /var/log/php.log; }\n"
		 "	location /quiet { access_log off; }\n"
		 "}\n"
		 "server { server_name off.example; access_log off; }\n"
		 "log_format two escape=json '$host \"$request\"' ' $status'\n \" it's\";\n"
		 "access_log /var/log/http.log two;\n");
	sites = load();
	vhost = vhost_of(sites, "inherits.example");
	assert_int_equal(vhost->n_logs, 1);
	assert_log(vhost, 0, "/var/log/http.log", "$host \"$request\" $status it's");
	assert_int_equal(vhost->logs[0].escape, SITES_ESCAPE_JSON);
	vhost = vhost_of(sites, "own.example");
	assert_int_equal(vhost->n_logs, 3);
	assert_log(vhost, 0, "/var/log/own.log", "$host \"$request\" $status it's");
	assert_log(vhost, 1, "/usr/share/nginx/logs/relative.log", NGINX_COMBINED);
	assert_int_equal(vhost->logs[1].escape, SITES_ESCAPE_DEFAULT);
	assert_log(vhost, 2, "/var/log/php.log", NGINX_COMBINED);
	assert_int_equal(vhost_of(sites, "off.example")->n_logs, 0);
	assert_int_equal(sites->skipped, 4);
	sites_free(sites);
}

static void nginx_logs_to_its_default_when_nothing_is_said(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("server { server_name a.example; }");
	sites = load();
	assert_int_equal(vhost_of(sites, "a.example")->n_logs, 1);
	assert_log(vhost_of(sites, "a.example"), 0, "/var/log/nginx/access.log", NGINX_COMBINED);
	sites_free(sites);
}

static void nginx_words_are_split_as_nginx_does(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	put_http("log_format f '{\"a\": \"$a\", # no comment }' ${b}x{ ;\n" /* a block called so */
		 "}\n"
		 "log_format g 'it\\'s \\\\ \\t.' ${b}x#y \"\\.\" ;\n"
		 "map $x $y { default server; server { root /not/a/server; } }\n"
		 "server{server_name a.example;root '/srv/a b\\'c';access_log /l g;}server\n{\n"
		 "root /srv/second; content_by_lua_block { -- } '\n"
		 "  local s = \"}\" .. '\\'}' .. [==[ } ]] }]==] if x then y = { 1 } end }\n"
		 "server_name b.example; }");
	sites = load();
	assert_int_equal(sites->n_vhosts, 2);
	vhost = vhost_of(sites, "a.example");
	assert_string_equal(vhost->root, "/srv/a b'c");
	assert_log(vhost, 0, "/l", "it's \\ \t.${b}x#y\\.");
	vhost = vhost_of(sites, "b.example");
	assert_string_equal(vhost->root, "/srv/second");
	sites_free(sites);
}

static void nginx_pools_are_found_through_upstreams_and_never_guessed(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("server { server_name up.example; location ~ \\.php$ { fastcgi_pass php; } }\n"
		 "upstream php { server 127.0.0.1:9000 weight=5; server localhost:9000 backup; }\n"
		 "upstream two { server unix:/run/a.sock; server unix:/run/b.sock; }\n"
		 "server { server_name two.example; location / { fastcgi_pass two; } }\n"
		 "server { server_name differ.example;\n"
		 "	location ~ /a/.*\\.php$ { fastcgi_pass unix:/run/a.sock; }\n"
		 "	location ~ \\.php$ { fastcgi_pass unix:/run/b.sock; } }\n"
		 "server { server_name php.example;\n"
		 "	location /app { fastcgi_pass unix:/run/app.sock; }\n"
		 "	location / { location ~ \\.php$ { if ($x) { fastcgi_pass [::1]:9001; } } } "
		 "}\n"
		 "server { server_name variable.example; location ~ php { fastcgi_pass $pool; } "
		 "}\n");
	sites = load();
	assert_string_equal(vhost_of(sites, "up.example")->pool, "127.0.0.1:9000");
	assert_null(vhost_of(sites, "two.example")->pool);
	assert_null(vhost_of(sites, "differ.example")->pool);
	assert_string_equal(vhost_of(sites, "php.example")->pool, "[::1]:9001");
	assert_null(vhost_of(sites, "variable.example")->pool);
	sites_free(sites);
}

static void nginx_includes_are_relative_sorted_and_in_place(void **unused)
{
	struct sites *sites;

	(void)unused;
	put("etc/nginx/nginx.conf", "http { include formats; include sites/*/*.conf; }\n"
				    "include /nowhere/*.conf; include missing.conf;");
	put("etc/nginx/formats", "log_format short '$request';\n");
	put("etc/nginx/sites/b/1.conf", "server { server_name b1.example; include inside.inc; }");
	put("etc/nginx/sites/a/2.conf", "server { server_name a2.example; include inside.inc; }");
	put("etc/nginx/sites/a/.3.conf", "server { server_name hidden.example; }");
	put("etc/nginx/inside.inc", "root /srv/inside; access_log /l short;");
	sites = load();
	assert_int_equal(sites->n_vhosts, 2);
	assert_string_equal(sites->vhosts[0].names[0], "a2.example");
	assert_string_equal(sites->vhosts[0].file, "/etc/nginx/sites/a/2.conf");
	assert_string_equal(sites->vhosts[1].names[0], "b1.example");
	assert_string_equal(sites->vhosts[1].root, "/srv/inside");
	assert_log(&sites->vhosts[1], 0, "/l", "$request");
	assert_int_equal(sites->skipped, 1); /* missing.conf; a pattern may fit nothing */
	sites_free(sites);
}

static void apache_vhost_has_names_root_user_pool_and_logs(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	put("etc/apache2/envvars",
	    "unset HOME\nif [ 1 ] ; then\n\tSUFFIX=\"-${X##y}\"\nelse\n\tSUFFIX=\nfi\n"
	    "export APACHE_LOG_DIR=/logs/apache$SUFFIX\nBAD=`id`\n");
	put("etc/apache2/apache2.conf",
	    "Define BASE /srv\n"
	    "LogFormat \"%v:%p %h \\\"%r\\\"\" vhost_combined\n"
	    "customlog ${APACHE_LOG_DIR}/other.log vhost_combined\n"
	    "GlobalLog logs/all.log \"%U\"\n"
	    "  <VirtualHost 192.0.2.1:80 [2001:db8::1]:80>\n"
	    "	ServerAlias alias.example *.Alias.example\n"
	    "	ServerName https://Main.example:443\n"
	    "	DocumentRoot \"${BASE}/main site/\"\n"
	    "	SuexecUserGroup \\\n\t\tmain main\n"
	    "	<Directory /srv/main>\n		<FilesMatch \"\\.php$\"><!-- no -->\n"
	    "	</FilesMatch>\n	</Directory>\n"
	    "	<FilesMatch \"\\.php$\">\n	SetHandler "
	    "\"proxy:unix:/run/php/main.sock|fcgi://localhost\"\n"
	    "	</FilesMatch>\n"
	    "	<Location \"/server-status\">\n	SetHandler server-status\n	</Location>\n"
	    "	LogFormat \"%r\" mine\n"
	    "	CustomLog ${APACHE_LOG_DIR}/main.log mine env=!quiet\n"
	    "	CustomLog \"|/usr/bin/rotatelogs /x 86400\" mine\n"
	    "	CustomLog ${NOT_KNOWN}/x.log mine\n"
	    "	TransferLog transfer.log\n"
	    "</VirtualHost>\n"
	    "<VirtualHost *>\nServerName plain.example\n"
	    "ProxyPassMatch ^/(.*\\.php)$ fcgi://127.0.0.1:9000/srv/$1\n</VirtualHost>\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 2);
	vhost = vhost_of(sites, "main.example");
	assert_int_equal(vhost->server, SITES_APACHE);
	assert_int_equal(vhost->line, 5);
	assert_int_equal(vhost->n_names, 3);
	assert_string_equal(vhost->names[1], "alias.example");
	assert_string_equal(vhost->names[2], "*.alias.example");
	assert_string_equal(vhost->root, "/srv/main site");
	assert_string_equal(vhost->user, "main");
	assert_string_equal(vhost->pool, "unix:/run/php/main.sock");
	assert_int_equal(vhost->n_logs, 3);
	assert_log(vhost, 0, "/logs/apache/main.log", "%r");
	assert_log(vhost, 1, "/etc/apache2/transfer.log", "%h %l %u %t \"%r\" %>s %b");
	assert_log(vhost, 2, "/etc/apache2/logs/all.log", "%U");
	vhost = vhost_of(sites, "plain.example");
	assert_string_equal(vhost->pool, "127.0.0.1:9000");
	assert_int_equal(vhost->n_logs, 2);
	assert_log(vhost, 0, "/logs/apache/other.log", "%v:%p %h \"%r\"");
	sites_free(sites);
}

static void apache_macros_are_put_in(void **unused)
{
	struct sites *sites;

	(void)unused;
	put("etc/apache2/apache2.conf",
	    "<Macro Host $name $nameroot>\n<VirtualHost *>\n\tServerName $name\n\tDocumentRoot "
	    "$nameroot/www\n"
	    "\tUse Log $name\n</VirtualHost>\n</Macro>\n"
	    "  <macro Log $n>\n\tCustomLog /var/log/$n.log \"%h\"\n  </macro>\n"
	    "<Macro Self>\nServerName self.example\nUse Self\nUse Self\n</Macro>\n"
	    "Use Host a.example /srv/a\nuse host b.example /srv/b\nUse Host too.few\nUse Nothing\n"
	    "<VirtualHost *>\nUse Self\n</VirtualHost>\n<Macro Open>\n<VirtualHost *>\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 3);
	assert_string_equal(sites->vhosts[0].names[0], "a.example");
	assert_string_equal(sites->vhosts[0].root, "/srv/a/www");
	assert_log(&sites->vhosts[0], 0, "/var/log/a.example.log", "%h");
	assert_int_equal(sites->vhosts[0].line, 16);
	assert_int_equal(sites->vhosts[1].line, 17);
	assert_string_equal(sites->vhosts[1].names[0], "b.example");
	assert_string_equal(sites_name(&sites->vhosts[2]), "self.example");
	assert_true(sites->skipped >= 4);
	sites_free(sites);
}

static void apache_conditions_are_judged_by_what_is_loaded(void **unused)
{
	static const char *const names[] = { "always",	"suexec", "itk",     "built-in", "define",
					     "without", "file",	  "version", "no" };
	char path[128], text[128];
	struct sites *sites;

	(void)unused;
	put("etc/httpd/conf/httpd.conf",
	    "ServerRoot \"/opt/httpd\"\nInclude conf.modules.d\nInclude vhost/always\n"
	    "<IfModule mod_suexec.c>\nInclude vhost/suexec\n</IfModule>\n"
	    "<IfModule !mod_suexec.c>\nInclude vhost/no\n<IfModule x>\n</IfModule>\n"
	    "Include vhost/no\n</IfModule>\n"
	    "<IfModule itk_module>\nInclude vhost/itk\n</IfModule>\n"
	    "<IfModule log_config_module>\nInclude vhost/built-in\n</IfModule>\n"
	    "Define SITE\n<IfDefine SITE>\nInclude vhost/define\n</IfDefine>\nUnDefine SITE\n"
	    "<IfDefine SITE>\nInclude vhost/no\n</IfDefine>\n"
	    "<IfDefine !SITE>\nInclude vhost/without\n</IfDefine>\n"
	    "<IfFile /opt/httpd/conf.modules.d/1.conf>\nInclude vhost/file\n</IfFile>\n"
	    "<IfFile !/opt/httpd/conf.modules.d/1.conf>\nInclude vhost/no\n</IfFile>\n"
	    "<IfVersion >= 2.4>\nInclude vhost/version\n</IfVersion>\n");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "opt/httpd/vhost/%s", names[i]);
		snprintf(text, sizeof(text), "<VirtualHost *>\nServerName %s\n</VirtualHost>\n",
			 names[i]);
		put(path, text);
	}
	put("opt/httpd/conf.modules.d/sub/0.conf",
	    "LoadModule mpm_itk_module modules/mpm_itk.so\n");
	put("opt/httpd/conf.modules.d/1.conf", "LoadModule suexec_module modules/mod_suexec.so\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_string_equal(sites->vhosts[i].names[0], names[i]);
	assert_int_equal(sites->skipped, 0);
	sites_free(sites);
}

static void apache_vhosts_inherit_from_the_server_that_is_one_too(void **unused)
{
	struct sites *sites;
	const struct sites_vhost *vhost;

	(void)unused;
	put("etc/httpd/conf/httpd.conf",
	    "<VirtualHost *:80>\nServerName a.example\n</VirtualHost>\n"
	    "<VirtualHost *:80>\nServerName b.example\nDocumentRoot /srv/b\nCustomLog /b CLF\n"
	    "</VirtualHost>\nServerName box.example\n"
	    "DocumentRoot /var/www/html\nCustomLog logs/access_log \"%h\"\n"
	    "<FilesMatch \\.php$>\nSetHandler \"proxy:fcgi://[::]:9000\"\n</FilesMatch>\n"
	    "<Directory /admin>\nSetHandler \"proxy:unix:/run/admin.sock|fcgi://x\"\n"
	    "</Directory>\n");
	sites = load();
	assert_int_equal(sites->n_vhosts, 3);
	vhost = vhost_of(sites, "a.example");
	assert_string_equal(vhost->root, "/var/www/html");
	assert_string_equal(vhost->pool, "127.0.0.1:9000");
	assert_log(vhost, 0, "/etc/httpd/logs/access_log", "%h");
	vhost = vhost_of(sites, "b.example");
	assert_string_equal(vhost->root, "/srv/b");
	assert_int_equal(vhost->n_logs, 1);
	assert_log(vhost, 0, "/b", "%h %l %u %t \"%r\" %>s %b");
	assert_int_equal(vhost_of(sites, "box.example")->line, 10);
	sites_free(sites);
}

static void pools_give_vhosts_their_user(void **unused)
{
	struct sites *sites;

	(void)unused;
	put("etc/php/8.2/fpm/pool.d/a.conf",
	    "; comment\n[shop]\nuser = alice ; her\nlisten = /run/php/$pool.sock\n"
	    "[port]\nuser=\"bob\"\nlisten = 9000\n");
	put("etc/php/7.4/fpm/pool.d/b.conf",
	    "user = nobody\n[global]\nuser = root\n[relative]\nprefix = /srv/p\n"
	    "listen = p.sock\nuser = carol\n[env]\nuser = ${WHO}\nlisten = /run/env.sock\n");
	put("etc/php-fpm.d/c.conf",
	    "[one]\nlisten=/run/twice.sock\nuser=dave\n[no listen]\nuser=eve\n");
	put("etc/php-fpm.d/d.conf", "[other]\nlisten=/run/twice.sock\nuser=frank\n");
	put_http("server { server_name a; location ~ php { fastcgi_pass "
		 "unix:/var/run/php/shop.sock; } }\n"
		 "server { server_name b; location ~ php { fastcgi_pass localhost:9000; } }\n"
		 "server { server_name c; location ~ php { fastcgi_pass unix:/srv/p/p.sock; } }\n"
		 "server { server_name d; location ~ php { fastcgi_pass unix:/run/twice.sock; } }\n"
		 "server { server_name e; location ~ php { fastcgi_pass unix:/run/env.sock; } }\n");
	sites = load();
	assert_int_equal(sites->n_pools, 6);
	assert_string_equal(vhost_of(sites, "a")->user, "alice");
	assert_string_equal(vhost_of(sites, "b")->user, "bob");
	assert_string_equal(vhost_of(sites, "c")->user, "carol");
	assert_null(vhost_of(sites, "d")->user);
	assert_null(vhost_of(sites, "e")->user);
	assert_int_equal(sites->skipped, 1); /* [no listen] */
	sites_free(sites);
}

static void panels_give_accounts(void **unused)
{
	struct sites *sites;

	(void)unused;
	put("etc/trueuserdomains",
	    "# cPanel\nshop.example: alice\n\nno colon\n*: nobody\nbad domain: x\n");
	put("etc/userdatadomains",
	    "Blog.example: "
	    "bob==root==main==blog.example==/home/bob/public_html==192.0.2.1:80==x==0==\n");
	put("etc/virtual/domainowners", "da.example: carol\r\n");
	put("etc/passwd", "root:x:0:0::/root:/bin/sh\n:x:4242::\nbad\nplesk:x:4242:1::/:/bin/sh\n"
			  "again:x:4242:1::/:/bin/sh\n");
	put("var/www/vhosts/system/p.example/conf/x", "");
	put("var/www/vhosts/system/addon.example/conf/x", "");
	put("var/www/vhosts/system/rooted.example/conf/x", "");
	put("var/www/vhosts/p.example/httpdocs/index.php", "");
	put("var/www/vhosts/rooted.example/x", "");
	assert_int_equal(chown("var/www/vhosts/p.example", 4242, 4242), 0);
	sites = load();
	assert_int_equal(sites->n_accounts, 4);
	assert_int_equal(sites->skipped, 2);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const lines[] = {
			"blog.example bob /home/bob/public_html /etc/userdatadomains:1",
			"shop.example alice - /etc/trueuserdomains:2",
			"da.example carol - /etc/virtual/domainowners:1",
			"p.example plesk /var/www/vhosts/p.example /var/www/vhosts/p.example:0"
		};
		const struct sites_account *account = &sites->accounts[i];
		char line[1024];

		snprintf(line, sizeof(line), "%s %s %s %s:%u", account->domain, account->user,
			 account->root ? account->root : "-", account->file, account->line);
		assert_string_equal(line, lines[i]);
	}
	sites_free(sites);
}

static void assert_logged(const struct sites *sites, const char *name, bool unlogged,
			  bool conditional)
{
	const struct sites_vhost *vhost = vhost_of(sites, name);

	if (vhost->unlogged != unlogged || vhost->conditional != conditional)
		fail_msg("%s: unlogged %d, conditional %d", name, vhost->unlogged,
			 vhost->conditional);
}

static void nginx_requests_that_come_to_no_log_are_told(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("access_log /var/log/all;\n"
		 "server { server_name inherits; location / { root /x; } }\n"
		 "server { server_name off; access_log off; }\n"
		 "server { server_name part; location /a { location /b { access_log off; } } }\n"
		 "server { server_name if; if ($x) { access_log off; } }\n"
		 "server { server_name when; access_log /l combined if=$x; }\n"
		 "server { server_name late; access_log /l combined buffer=32k; }\n"
		 "server { server_name both; access_log /l combined if=$x; access_log /m; }\n"
		 "server { server_name sent; access_log syslog:server=x; }\n"
		 "server { server_name twice; access_log syslog:server=x; access_log /l; }\n"
		 "server { server_name var; access_log /l/$host; }\n"
		 "server { server_name else; location /a { access_log /l/a; } }\n"
		 "server { server_name whena; location /a { access_log /l/a combined if=$x; } }\n");
	sites = load();
	assert_logged(sites, "inherits", false, false);
	assert_logged(sites, "off", true, false);
	assert_logged(sites, "part", true, false);
	assert_logged(sites, "if", true, false);
	assert_logged(sites, "when", true, true);
	assert_logged(sites, "late", true, true);
	assert_logged(sites, "both", false, false);
	assert_logged(sites, "sent", true, false);
	assert_logged(sites, "twice", false, false);
	assert_logged(sites, "var", true, false);
	assert_logged(sites, "else", false, false);
	assert_logged(sites, "whena", true, true);
	assert_true(vhost_of(sites, "both")->logs[1].whole);
	assert_false(vhost_of(sites, "both")->logs[0].whole);
	assert_int_equal(vhost_of(sites, "else")->n_logs, 2);
	assert_false(vhost_of(sites, "else")->logs[1].whole);
	sites_free(sites);
	put_http("access_log off; server { server_name none; }"
		 "server { server_name own; access_log /l; }");
	sites = load();
	assert_logged(sites, "none", true, false);
	assert_logged(sites, "own", false, false);
	sites_free(sites);
}

static void apache_requests_that_come_to_no_log_are_told(void **unused)
{
	struct sites *sites;

	(void)unused;
	put("etc/apache2/apache2.conf",
	    "CustomLog /var/log/all combined\nLogFormat \"%t %r\" combined\n"
	    "<VirtualHost *>\nServerName inherits\n</VirtualHost>\n"
	    "<VirtualHost *>\nServerName when\nCustomLog /l combined env=!x\n</VirtualHost>\n"
	    "<VirtualHost *>\nServerName pipe\nCustomLog |/bin/x combined\n</VirtualHost>\n"
	    "<VirtualHost *>\nServerName two\nCustomLog /l combined env=x\nCustomLog /m combined\n"
	    "</VirtualHost>\n");
	sites = load();
	assert_logged(sites, "inherits", false, false);
	assert_logged(sites, "when", true, true);
	assert_logged(sites, "pipe", true, false);
	assert_logged(sites, "two", false, false);
	sites_free(sites);
	put("etc/apache2/apache2.conf",
	    "BufferedLogs On\n<VirtualHost *>\nServerName late\nCustomLog /l common\n"
	    "LogFormat \"%t %r\" common\n</VirtualHost>\n");
	sites = load();
	assert_logged(sites, "late", true, true);
	sites_free(sites);
}

static void php_that_goes_to_several_places_is_unclear(void **unused)
{
	struct sites *sites;

	(void)unused;
	put_http("server { server_name none; }\n"
		 "server { server_name one; fastcgi_pass unix:/a; }\n"
		 "server { server_name var; fastcgi_pass unix:/$host; }\n"
		 "server { server_name two; location /a { fastcgi_pass unix:/a; }\n"
		 " location /b { fastcgi_pass unix:/b; } }\n");
	sites = load();
	assert_false(vhost_of(sites, "none")->pool_unclear);
	assert_false(vhost_of(sites, "one")->pool_unclear);
	assert_true(vhost_of(sites, "var")->pool_unclear);
	assert_true(vhost_of(sites, "two")->pool_unclear);
	sites_free(sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nginx_server_has_names_root_pool_and_place),
		T(nginx_logs_are_inherited_only_where_none_is_said),
		T(nginx_logs_to_its_default_when_nothing_is_said),
		T(nginx_words_are_split_as_nginx_does),
		T(nginx_pools_are_found_through_upstreams_and_never_guessed),
		T(nginx_includes_are_relative_sorted_and_in_place),
		T(apache_vhost_has_names_root_user_pool_and_logs),
		T(apache_macros_are_put_in),
		T(apache_conditions_are_judged_by_what_is_loaded),
		T(apache_vhosts_inherit_from_the_server_that_is_one_too),
		T(pools_give_vhosts_their_user),
		T(panels_give_accounts),
		T(nginx_requests_that_come_to_no_log_are_told),
		T(apache_requests_that_come_to_no_log_are_told),
		T(php_that_goes_to_several_places_is_unclear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
