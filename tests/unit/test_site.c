/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which site a script belongs to, by its path alone. */
#include "fixture.h"

#include "agent/site.h"

static void belongs(const char *script, const char *site)
{
	char got[256];

	snprintf(got, sizeof(got), "%.*s", (int)site_length(script), script);
	assert_string_equal(got, site);
}

static void known_web_roots_name_the_site(void **state)
{
	(void)state;
	belongs("/var/www/html/wp/wp-content/x.php", "/var/www/html");
	belongs("/var/www/vhosts/shop.example/httpdocs/a/x.php", "/var/www/vhosts/shop.example");
	belongs("/var/www/clients/client1/web3/web/x.php", "/var/www/clients/client1/web3");
	belongs("/srv/www/shop/x.php", "/srv/www/shop");
	belongs("/home/kim/public_html/blog/x.php", "/home/kim/public_html");
	belongs("/home2/kim/public_html/x.php", "/home2/kim/public_html");
	belongs("/home/kim/domains/a.example/public_html/x/y.php",
		"/home/kim/domains/a.example/public_html");
	belongs("/home/kim/web/a.example/public_html/x.php", "/home/kim/web/a.example/public_html");
	belongs("/home/kim/htdocs/a.example/x.php", "/home/kim/htdocs/a.example");
}

static void elsewhere_it_is_the_scripts_folder(void **state)
{
	(void)state;
	belongs("/tmp/x.pl", "/tmp");
	belongs("/home/kim/bin/spam/x.py", "/home/kim/bin/spam");
	belongs("/homes/kim/public_html/x.php", "/homes/kim/public_html");
	belongs("/var/www/x.php", "/var/www");
	belongs("/var/www/vhosts/x.php", "/var/www/vhosts");
	belongs("/var/wwwx/a/b.php", "/var/wwwx/a");
	belongs("/var/www/shop/",
		"/var/www/shop"); /* a script is never a folder; bytes are bytes */
}

static void a_system_folder_is_nobodys_site(void **state)
{
	(void)state;
	belongs("/x.pl", "");
	belongs("/usr/bin/swaks", "");
	belongs("/bin/x", "");
	belongs("/sbin/x", "");
	belongs("/lib64/x/y.py", "");
	belongs("/usr/lib/python3/dist-packages/x.py", "");
	belongs("/usr/share/doc/x/examples/x.pl", "");
	belongs("/usr/local/bin/backup", "");
	belongs("/usr/local/sbin/backup", "");
	belongs("/etc/cron.daily/report", "");
	belongs("/usr/binary/x.pl", "/usr/binary");
	belongs("/usr/local/www/shop/x.php", "/usr/local/www/shop");
	belongs("/usr/share/nginx/html/x.php", "/usr/share/nginx/html");
	belongs("/library/x.pl", "/library");
	belongs("/home/kim/usr/bin/x.pl", "/home/kim/usr/bin");
}

static void works_in(const char *folder, const char *site)
{
	char got[256];

	snprintf(got, sizeof(got), "%.*s", (int)site_of_folder(folder), folder);
	assert_string_equal(got, site);
}

static void a_working_folder_names_a_site_only_by_a_known_form(void **state)
{
	(void)state;
	works_in("/var/www/shop.example", "/var/www/shop.example");
	works_in("/var/www/shop.example/public/uploads", "/var/www/shop.example");
	works_in("/var/www/vhosts/shop.example/httpdocs", "/var/www/vhosts/shop.example");
	works_in("/home/kim/public_html", "/home/kim/public_html");
	works_in("/home/kim/domains/a.example/public_html/x",
		 "/home/kim/domains/a.example/public_html");
	works_in("/", "");
	works_in("", "");
	works_in("/home/kim", "");
	works_in("/var/www", "");
	works_in("/srv/www", "");
	works_in("/tmp", "");
	works_in("var/www/shop", "");
	works_in("/var/www/shop/../other", "");
	works_in("/var/www/shop/", "");
}

static void a_path_that_leaves_its_root_does_not_name_it(void **state)
{
	(void)state;
	belongs("/var/www/shop/../other/x.php", "/var/www/shop/../other");
	belongs("/var/www//shop/x.php", "/var/www//shop");
	belongs("/var/www/./a/x.php", "/var/www/./a");
}

static void what_is_no_absolute_path_has_none(void **state)
{
	(void)state;
	belongs("", "");
	belongs("x.php", "");
	belongs("a/b.php", "");
	belongs("phar://x/y", "");
}

static void hostile_bytes_are_bytes(void **state)
{
	(void)state;
	belongs("/var/www/\x1b[31m\n/x.php", "/var/www/\x1b[31m\n");
	belongs("/home/\xff/public_html/x", "/home/\xff/public_html");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_web_roots_name_the_site),
		cmocka_unit_test(elsewhere_it_is_the_scripts_folder),
		cmocka_unit_test(a_system_folder_is_nobodys_site),
		cmocka_unit_test(a_working_folder_names_a_site_only_by_a_known_form),
		cmocka_unit_test(a_path_that_leaves_its_root_does_not_name_it),
		cmocka_unit_test(what_is_no_absolute_path_has_none),
		cmocka_unit_test(hostile_bytes_are_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
