// SPDX-License-Identifier: GPL-2.0-or-later
/* Which site a process is said to work for, and when none is. */
#include "sites_fixture.h"

static struct sites_vhost vhosts[8];
static struct sites_account accounts[4];
static struct sites_pool pools[3];
static struct sites sites;
static struct sites_question question;
static struct sites_answer answer;

/* "name,name root pool user"; "-" for what is not said. */
static void put_vhost(unsigned i, const char *text)
{
	static char texts[8][512], *names[8][8];
	struct sites_vhost *vhost = &vhosts[i];
	char *at, *rest = texts[i], *list, *words[4];

	snprintf(texts[i], sizeof(texts[i]), "%s", text);
	for (unsigned w = 0; w < 4; w++) {
		words[w] = strsep(&rest, " ");
		assert_non_null(words[w]);
		if (!strcmp(words[w], "-"))
			words[w] = NULL;
	}
	memset(vhost, 0, sizeof(*vhost));
	list = words[0];
	vhost->names = names[i];
	while (list && (at = strsep(&list, ",")))
		names[i][vhost->n_names++] = at;
	vhost->root = words[1];
	vhost->pool = words[2];
	vhost->user = words[3];
	vhost->file = "/conf";
	vhost->line = i + 1;
	sites.vhosts = vhosts;
	if (sites.n_vhosts <= i)
		sites.n_vhosts = i + 1;
}

static void put_account(unsigned i, char *user, char *domain, char *root)
{
	accounts[i] = (struct sites_account){ user, domain, "/panel", i + 1, root };
	sites.accounts = accounts;
	sites.n_accounts = i + 1;
}

static void put_pool(unsigned i, char *name, char *user, char *listen)
{
	pools[i] = (struct sites_pool){ name, user, "/pool", i + 1, listen };
	sites.pools = pools;
	sites.n_pools = i + 1;
}

static int forget(void **unused)
{
	(void)unused;
	memset(&sites, 0, sizeof(sites));
	memset(&question, 0, sizeof(question));
	return 0;
}

static void ask(enum sites_from from, const char *name, const char *root)
{
	memset(&answer, 0x5a, sizeof(answer));
	sites_find(&sites, &question, &answer);
	assert_int_equal(answer.from, from);
	if (name)
		assert_string_equal(answer.name, name);
	else
		assert_null(answer.name);
	if (root)
		assert_string_equal(answer.root, root);
	else
		assert_null(answer.root);
}

static void longest_root_wins(void **unused)
{
	(void)unused;
	put_vhost(0, "outer /srv/www - -");
	put_vhost(1, "inner /srv/www/inner - -");
	put_vhost(2, "slash / - -");
	question.script = "/srv/www/inner/a/x.php";
	ask(SITES_VHOST, "inner", "/srv/www/inner");
	assert_int_equal(answer.line, 2);
	assert_string_equal(answer.file, "/conf");
	assert_ptr_equal(answer.vhost, &vhosts[1]);
	question.script = "/srv/www/x.php";
	ask(SITES_VHOST, "outer", "/srv/www");
	question.script = "/opt/x.php";
	ask(SITES_NONE, NULL, NULL);
}

static void roots_are_compared_by_whole_components(void **unused)
{
	(void)unused;
	put_vhost(0, "shop /srv/shop - -");
	question.script = "/srv/shop2/x.php";
	ask(SITES_NONE, NULL, NULL);
	question.script = "/srv/shop";
	ask(SITES_VHOST, "shop", "/srv/shop");
}

static void script_path_with_dots_or_no_slash_says_nothing(void **unused)
{
	static const char *const scripts[] = { "/srv/shop/../evil/x.php",
					       "/srv/shop/./x.php",
					       "/srv/shop//x.php",
					       "srv/shop/x.php",
					       "x",
					       "/srv/shop/" };

	(void)unused;
	put_vhost(0, "shop /srv/shop - -");
	for (unsigned i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		question.script = scripts[i];
		ask(SITES_NONE, NULL, NULL);
	}
}

static void root_that_is_a_link_is_found_by_either_path(void **unused)
{
	(void)unused;
	put_vhost(0, "app /srv/app/current - -");
	vhosts[0].real = "/srv/app/releases/7";
	question.script = "/srv/app/releases/7/index.php";
	ask(SITES_VHOST, "app", "/srv/app/current");
	question.script = "/srv/app/releases/6/index.php";
	ask(SITES_NONE, NULL, NULL);
}

static void two_sites_with_one_root_are_none(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/both - -");
	put_vhost(1, "b /srv/both - -");
	question.script = "/srv/both/x.php";
	ask(SITES_NONE, NULL, NULL);
}

static void one_site_on_two_ports_is_one(void **unused)
{
	(void)unused;
	put_vhost(0, "a,www.a - - -"); /* sends to https */
	put_vhost(1, "www.a,a /srv/a - -");
	put_vhost(2, "a /srv/a - -");
	question.script = "/srv/a/x.php";
	ask(SITES_VHOST, "www.a", "/srv/a");
	question.script = NULL;
	question.host = "a";
	ask(SITES_HOST, "www.a", "/srv/a");
	put_vhost(3, "a /srv/elsewhere - -");
	ask(SITES_NONE, NULL, NULL);
}

static void host_decides_between_sites_of_one_root(void **unused)
{
	(void)unused;
	put_vhost(0, "a.example /srv/both - -");
	put_vhost(1, "b.example,*.b.example /srv/both - -");
	question.script = "/srv/both/x.php";
	question.host = "X.B.example.:8080";
	ask(SITES_VHOST, "b.example", "/srv/both");
	question.host = "c.example";
	ask(SITES_NONE, NULL, NULL);
	put_vhost(2, "c.example /srv/c - -"); /* the script is not there */
	put_vhost(3, "b.example /srv/both - -");
	question.host = "b.example";
	ask(SITES_VHOST, "b.example", "/srv/both");
}

static void pool_or_user_decides_unless_somebody_may_share_it(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/both unix:/run/a alice");
	put_vhost(1, "b /srv/both unix:/run/b bob");
	put_pool(0, "pool-b", "bob", "unix:/run/b");
	question.script = "/srv/both/x.php";
	question.pool_name = "pool-b";
	ask(SITES_VHOST, "b", "/srv/both");
	question.pool_name = NULL;
	question.user = "alice";
	ask(SITES_VHOST, "a", "/srv/both");
	put_vhost(2, "c /srv/both - -"); /* may be alice's too */
	sites.cut = true;		 /* let no other way answer */
	ask(SITES_NONE, NULL, NULL);
}

static void host_finds_the_whole_name_before_wildcards(void **unused)
{
	(void)unused;
	put_vhost(0, "*.example - - -");
	put_vhost(1, "two,*.shop.example /srv/two - -");
	put_vhost(2, "www.shop.example /srv/three - -");
	put_vhost(3, "mail,mail.* /srv/four - -");
	question.host = "www.shop.example:443";
	ask(SITES_HOST, "www.shop.example", "/srv/three");
	question.host = "a.b.shop.example";
	ask(SITES_HOST, "two", "/srv/two");
	question.host = "mail.example.org";
	ask(SITES_HOST, "mail", "/srv/four");
	question.host = "mail.example"; /* the leading star wins; its vhost has no name */
	ask(SITES_HOST, NULL, NULL);
	assert_ptr_equal(answer.vhost, &vhosts[0]);
	question.host = "shop.invalid";
	ask(SITES_NONE, NULL, NULL);
	question.host = "[::1]:80";
	ask(SITES_NONE, NULL, NULL);
}

static void host_of_another_users_site_says_nothing(void **unused)
{
	(void)unused;
	put_vhost(0, "victim.example /srv/victim - alice");
	question.host = "victim.example";
	question.user = "eve";
	ask(SITES_NONE, NULL, NULL);
	question.user = "alice";
	ask(SITES_HOST, "victim.example", "/srv/victim");
}

static void hostile_host_and_pattern_are_compared_in_time(void **unused)
{
	static char host[251], pattern[256];
	uint64_t begin = now_ns();

	(void)unused;
	memset(host, 'a', 250);
	for (unsigned i = 0; i < 240; i += 2)
		memcpy(pattern + i, "*a", 2);
	strcpy(pattern + 240, "b - - -");
	put_vhost(0, pattern);
	question.host = host;
	ask(SITES_NONE, NULL, NULL);
	assert_true(now_ns() - begin < 1000000000);
}

static void pool_with_one_site_names_it(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/a unix:/run/a -");
	put_vhost(1, "b /srv/b unix:/run/www www-data");
	put_vhost(2, "c /srv/c unix:/run/www www-data");
	put_pool(0, "a", "alice", "unix:/run/a");
	put_pool(1, "www", "www-data", "unix:/run/www");
	put_pool(2, "a", "bob", "unix:/run/www");
	question.pool_name = "a";
	question.user = "alice";
	ask(SITES_POOL, "a", "/srv/a");
	question.user = NULL; /* two pools have that name */
	ask(SITES_NONE, NULL, NULL);
	question.pool_name = "www";
	ask(SITES_NONE, NULL, NULL);
}

static void panel_names_the_only_domain_of_an_account(void **unused)
{
	(void)unused;
	put_account(0, "alice", "alice.example", NULL);
	put_account(1, "alice", "alice.example", "/home/alice/public_html");
	put_account(2, "bob", "bob.example", NULL);
	put_vhost(0, "bob.example,www.bob.example /home/bob/www - -");
	question.user = "alice";
	question.home = "/home/alice";
	ask(SITES_PANEL, "alice.example", "/home/alice/public_html");
	assert_int_equal(answer.line, 2);
	assert_null(answer.vhost);
	question.user = "bob";
	ask(SITES_PANEL, "bob.example", "/home/bob/www");
	assert_ptr_equal(answer.vhost, &vhosts[0]);
	put_vhost(1, "addon.example /home/bob/addon - bob");
	question.home = NULL;
	/* the panel's list is not all of bob's, and whose the first vhost is nobody says */
	ask(SITES_NONE, NULL, NULL);
	vhosts[0].user = (char *)"dave";
	ask(SITES_USER, "addon.example", "/home/bob/addon");
}

static void script_or_host_decides_between_an_accounts_domains(void **unused)
{
	(void)unused;
	put_account(0, "u", "one.example", "/home/u/public_html");
	put_account(1, "u", "two.example", "/home/u/public_html/two");
	put_account(2, "v", "three.example", "/home/v");
	question.user = "u";
	question.home = "/home/u";
	question.script = "/home/u/public_html/two/x.php";
	ask(SITES_PANEL, "two.example", "/home/u/public_html/two");
	question.script = "/home/u/public_html/x.php";
	ask(SITES_PANEL, "one.example", "/home/u/public_html");
	question.script = "/home/u/cron.php";
	ask(SITES_HOME, NULL, "/home/u");
	question.host = "www.two.example"; /* that script is not of it */
	ask(SITES_HOME, NULL, "/home/u");
	question.script = NULL;
	ask(SITES_PANEL, "two.example", "/home/u/public_html/two");
	question.host = "not-two.example";
	ask(SITES_HOME, NULL, "/home/u");
}

static void only_vhost_of_a_user_or_home_names_it(void **unused)
{
	(void)unused;
	put_vhost(0, "a /home/alice/www - -");
	put_vhost(1, "b /srv/b - bob");
	put_vhost(2, "c /home/carol/www - dave"); /* dave's, though in carol's home */
	question.user = "alice";
	question.home = "/home/alice/";
	ask(SITES_USER, "a", "/home/alice/www");
	question.user = "bob"; /* nobody says that the first is not bob's as well */
	question.home = "/home/bob";
	ask(SITES_HOME, NULL, "/home/bob");
	vhosts[0].user = (char *)"alice";
	ask(SITES_USER, "b", "/srv/b");
	question.user = "carol";
	question.home = "/home/carol";
	ask(SITES_HOME, NULL, "/home/carol");
	put_vhost(3, "a2 /home/alice/www2 - -");
	question.user = "alice";
	question.home = "/home/alice";
	ask(SITES_HOME, NULL, "/home/alice");
}

static void home_is_the_last_word_and_some_homes_are_none(void **unused)
{
	static const char *const none[] = { "", "/", "/nonexistent", "/bin", "relative" };

	(void)unused;
	question.user = "u";
	question.home = "/home/u";
	question.script = "/home/u/bin/x.pl";
	ask(SITES_HOME, NULL, "/home/u");
	assert_string_equal(answer.file, "/etc/passwd");
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		question.home = none[i];
		ask(SITES_NONE, NULL, NULL);
	}
	question = (struct sites_question){ "", "", "", "", "" };
	ask(SITES_NONE, NULL, NULL);
}

static void what_was_not_read_whole_does_not_say_that_there_is_one_only(void **unused)
{
	(void)unused;
	put_vhost(0, "a /home/u/www unix:/run/a u");
	put_pool(0, "a", "u", "unix:/run/a");
	put_account(0, "u", "a", NULL);
	sites.cut = true;
	question = (struct sites_question){ .user = "u", .home = "/home/u", .pool_name = "a" };
	ask(SITES_HOME, NULL, "/home/u");
	question.script = "/home/u/www/x.php";
	ask(SITES_VHOST, "a", "/home/u/www");
}

/* Debian's default vhost, and one whose pool's file is not among those that are read. */
static void users_of_the_system_own_no_site(void **unused)
{
	(void)unused;
	put_vhost(0, "- /var/www/html - -");
	put_vhost(1, "legacy.example /srv/www/legacy.example/public unix:/run/legacy -");
	question.user = "www-data";
	question.home = "/var/www";
	question.is_service = true;
	ask(SITES_NONE, NULL, NULL);
	question.script = "/srv/www/legacy.example/newsletter.pl";
	ask(SITES_NONE, NULL, NULL);
	question.script = "/var/www/tool/x.pl";
	ask(SITES_NONE, NULL, NULL);
	question.script = "/srv/www/legacy.example/public/x.php";
	ask(SITES_VHOST, "legacy.example", "/srv/www/legacy.example/public");
	assert_true(sites_is_service(33, "www-data"));
	assert_true(sites_is_service(5000, "nginx"));
	assert_true(sites_is_service(65534, "nobody"));
	assert_true(sites_is_service(999, "shop"));
	assert_false(sites_is_service(1000, "shop"));
	assert_false(sites_is_service(1000, NULL));
}

static void known_script_outside_a_root_rules_that_site_out(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/a unix:/run/a u");
	put_pool(0, "a", "u", "unix:/run/a");
	put_account(0, "u", "b.example", NULL);
	question = (struct sites_question){ .user = "u", .home = "/home/u", .pool_name = "a" };
	ask(SITES_POOL, "a", "/srv/a");
	question.script = "/opt/x.pl";
	ask(SITES_NONE, NULL, NULL);
	question.pool_name = NULL;
	ask(SITES_NONE, NULL, NULL);
	question.script = "/home/u/../v/x.pl";
	ask(SITES_NONE, NULL, NULL);
	question.script = "/home/u/bin/x.pl";
	ask(SITES_HOME, NULL, "/home/u");
	vhosts[0].user = (char *)"w"; /* so u has that domain only */
	ask(SITES_PANEL, "b.example", NULL);
	question.script = "/opt/x.pl";
	ask(SITES_NONE, NULL, NULL);
	question.script = "/home/u/bin/x.pl";
	vhosts[0].user = (char *)"u";
	sites.n_accounts = 0;
	ask(SITES_HOME, NULL, "/home/u");
	vhosts[0].root = NULL; /* it may be there */
	ask(SITES_USER, "a", NULL);
	put_vhost(1, "v /srv/v - v");
	put_vhost(2, "w /srv/v - w");
	question.script = "/srv/v/x.php"; /* one of these two, not u's */
	ask(SITES_NONE, NULL, NULL);
	question.host = "a";
	ask(SITES_NONE, NULL, NULL);
}

static void whose_pool_is_not_clear_may_be_the_pools_too(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/a unix:/run/a -");
	put_vhost(1, "b /srv/b - -"); /* no PHP */
	put_pool(0, "a", "alice", "unix:/run/a");
	question.pool_name = "a";
	ask(SITES_POOL, "a", "/srv/a");
	vhosts[1].pool_unclear = true;
	ask(SITES_NONE, NULL, NULL);
}

static void vhost_of_another_user_or_pool_can_not_be_the_processes(void **unused)
{
	(void)unused;
	put_vhost(0, "a /srv/a unix:/run/a alice");
	put_vhost(1, "b /srv/b unix:/run/b -");
	put_vhost(2, "c /srv/c - -");
	put_vhost(3, "d /srv/d - alice");
	put_pool(0, "b", "bob", "unix:/run/b");
	assert_true(sites_may_be(&sites, &question, &vhosts[0]));
	question.user = "bob";
	assert_false(sites_may_be(&sites, &question, &vhosts[0]));
	assert_true(sites_may_be(&sites, &question, &vhosts[1]));
	assert_true(sites_may_be(&sites, &question, &vhosts[2]));
	assert_false(sites_may_be(&sites, &question, &vhosts[3]));
	question.user = "alice";
	question.pool_name = "elsewhere"; /* its file is not known, so neither where it listens */
	assert_true(sites_may_be(&sites, &question, &vhosts[1]));
	put_pool(1, "elsewhere", "alice", "unix:/run/a");
	assert_true(sites_may_be(&sites, &question, &vhosts[0]));
	assert_false(sites_may_be(&sites, &question, &vhosts[1]));
	assert_true(sites_may_be(&sites, &question, &vhosts[2]));
	/* mod_php runs as the server, whomever suexec has for CGI programs */
	vhosts[3].server = SITES_APACHE;
	question = (struct sites_question){ .user = "www-data", .is_service = true };
	assert_true(sites_may_be(&sites, &question, &vhosts[3]));
}

#undef T
#define T(test) cmocka_unit_test_setup(test, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(longest_root_wins),
		T(roots_are_compared_by_whole_components),
		T(script_path_with_dots_or_no_slash_says_nothing),
		T(root_that_is_a_link_is_found_by_either_path),
		T(two_sites_with_one_root_are_none),
		T(one_site_on_two_ports_is_one),
		T(host_decides_between_sites_of_one_root),
		T(pool_or_user_decides_unless_somebody_may_share_it),
		T(host_finds_the_whole_name_before_wildcards),
		T(host_of_another_users_site_says_nothing),
		T(hostile_host_and_pattern_are_compared_in_time),
		T(pool_with_one_site_names_it),
		T(panel_names_the_only_domain_of_an_account),
		T(script_or_host_decides_between_an_accounts_domains),
		T(only_vhost_of_a_user_or_home_names_it),
		T(home_is_the_last_word_and_some_homes_are_none),
		T(what_was_not_read_whole_does_not_say_that_there_is_one_only),
		T(users_of_the_system_own_no_site),
		T(known_script_outside_a_root_rules_that_site_out),
		T(whose_pool_is_not_clear_may_be_the_pools_too),
		T(vhost_of_another_user_or_pool_can_not_be_the_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
