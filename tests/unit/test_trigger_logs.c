/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access logs that grow, rotate, are cut, are no files, and belong to somebody hostile. */
#include <errno.h>

#include "fixture.h"
#include "web/trigger_logs.h"

#define LOG   "/logs/access.log"
#define FILE_ "logs/access.log"
#define NOW   (T0_NS)

struct scene {
	struct trigger_logs *logs;
	int root_fd, log;
	unsigned n, unread;
	char uris[64][32];
};

static struct scene scene;

static void on_line(void *context, unsigned log, const struct trigger_line *line)
{
	struct scene *here = context;

	(void)log;
	if (!line) {
		here->unread++;
		return;
	}
	assert_true(here->n < 64);
	snprintf(here->uris[here->n++], 32, "%.31s", line->uri);
}

static void append(const char *file, const char *text)
{
	FILE *out = fopen(file, "a");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void append_request(const char *file, const char *uri)
{
	char line[128];

	snprintf(line, sizeof(line), "1700000000.000 \"GET %s HTTP/1.1\"\n", uri);
	append(file, line);
}

static struct trigger_format *format(void)
{
	struct trigger_format *made;

	assert_int_equal(trigger_format_make(SITES_NGINX, 0, "$msec \"$request\"", &made), 0);
	return made;
}

static int enter(void **state)
{
	if (fixture_enter(state) || mkdir("logs", 0755))
		return -1;
	memset(&scene, 0, sizeof(scene));
	scene.root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	scene.logs = trigger_logs_new(scene.root_fd);
	return scene.root_fd >= 0 && scene.logs ? 0 : -1;
}

static int leave(void **state)
{
	trigger_logs_free(scene.logs);
	close(scene.root_fd);
	return fixture_leave(state);
}

static void watch(void)
{
	scene.log = trigger_logs_add(scene.logs, LOG, format(), NOW);
	assert_true(scene.log >= 0);
}

static bool hold(int64_t since_ns)
{
	return trigger_logs_hold(scene.logs, (unsigned)scene.log, since_ns, on_line, &scene);
}

static void read_at(int64_t now_ns)
{
	trigger_logs_read(scene.logs, now_ns, on_line, &scene);
}

static void expect(const char *uris)
{
	char got[2048] = "";

	for (unsigned i = 0; i < scene.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, scene.uris[i]);
	}
	assert_string_equal(got, uris);
}

static void only_what_appeared_since_is_given(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	append_request(FILE_, "/a");
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	append_request(FILE_, "/b");
	trigger_logs_mark(scene.logs, NOW + 2 * NS_PER_S);
	assert_true(hold(NOW + NS_PER_S + 1));
	expect("/b");
	append_request(FILE_, "/c");
	read_at(NOW + 3 * NS_PER_S);
	read_at(NOW + 4 * NS_PER_S);
	expect("/b /c");
	assert_false(trigger_logs_release(scene.logs, (unsigned)scene.log));
}

static void a_line_is_given_once_it_is_whole(void **state)
{
	(void)state;
	watch();
	append(FILE_, "1700000000.000 \"GET /a");
	watch(); /* it did not exist */
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	assert_true(hold(NOW + NS_PER_S));
	expect("");
	append(FILE_, "b HTTP");
	read_at(NOW + 2 * NS_PER_S);
	expect("");
	append(FILE_, "/1.1\"\n1700000000.000 ");
	read_at(NOW + 3 * NS_PER_S);
	expect("/ab");
	append(FILE_, "\"GET /c HTTP/1.1\"\r\n");
	read_at(NOW + 4 * NS_PER_S);
	expect("/ab /c");
	assert_int_equal(scene.unread, 0);
}

static void a_renamed_log_is_read_in_both_files(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	assert_true(hold(NOW));
	assert_int_equal(rename(FILE_, "logs/access.log.1"), 0);
	append_request("logs/access.log.1", "/a");
	append_request(FILE_, "/b");
	read_at(NOW + NS_PER_S);
	append_request("logs/access.log.1", "/c");
	append_request(FILE_, "/d");
	read_at(NOW + 2 * NS_PER_S);
	expect("/a /b /c /d");
	assert_false(trigger_logs_release(scene.logs, (unsigned)scene.log));
}

static void a_log_that_was_renamed_before_is_read_in_both_files_for_a_new_question(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	assert_int_equal(rename(FILE_, "logs/access.log.1"), 0);
	append_request("logs/access.log.1", "/a");
	append_request(FILE_, "/b");
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	assert_true(hold(NOW + 1));
	expect("/a /b");
}

static void a_log_that_was_cut_is_read_from_its_start(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	assert_true(hold(NOW));
	assert_int_equal(truncate(FILE_, 0), 0);
	append_request(FILE_, "/a");
	read_at(NOW + NS_PER_S);
	expect("/a");
	assert_false(trigger_logs_release(scene.logs, (unsigned)scene.log));
}

static void a_log_that_was_cut_and_grew_again_is_read_from_its_start(void **state)
{
	(void)state;
	append_request(FILE_, "/old1");
	watch();
	assert_true(hold(NOW));
	assert_int_equal(truncate(FILE_, 0), 0);
	append_request(FILE_, "/a111");
	append_request(FILE_, "/b");
	read_at(NOW + NS_PER_S);
	expect("/a111 /b");
}

static void lines_that_were_cut_away_unread_are_missed_and_said_so(void **state)
{
	(void)state;
	watch();
	append_request(FILE_, "/old");
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	assert_true(hold(NOW + NS_PER_S));
	append_request(FILE_, "/a");
	trigger_logs_mark(scene.logs, NOW + 2 * NS_PER_S);
	assert_int_equal(truncate(FILE_, 0), 0);
	read_at(NOW + 3 * NS_PER_S);
	expect("");
	assert_true(trigger_logs_release(scene.logs, (unsigned)scene.log));
}

static void what_is_older_than_every_mark_is_not_whole(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	assert_false(hold(NOW - NS_PER_S));
	expect("");
}

static void what_is_no_regular_file_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(FILE_, 0666), 0);
	watch(); /* does not wait */
	assert_true(hold(NOW));
	read_at(NOW + NS_PER_S);
	assert_int_equal(unlink(FILE_), 0);
	assert_int_equal(mkdir(FILE_, 0755), 0);
	read_at(NOW + 2 * NS_PER_S);
	assert_int_equal(rmdir(FILE_), 0);
	assert_int_equal(symlink("/dev/zero", FILE_), 0); /* below our own root: there is none */
	read_at(NOW + 3 * NS_PER_S);
	expect("");
	assert_int_equal(unlink(FILE_), 0);
	append_request(FILE_, "/a");
	read_at(NOW + 4 * NS_PER_S);
	expect("/a");
}

static void links_are_followed_below_the_root_only(void **state)
{
	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	append_request("real/log", "/old");
	assert_int_equal(symlink("/real/log", FILE_), 0);
	watch();
	assert_true(hold(NOW));
	append_request("real/log", "/a");
	read_at(NOW + NS_PER_S);
	expect("/a");
}

static void a_huge_line_is_one_that_could_not_be_read(void **state)
{
	char *huge = malloc(3 * TRIGGER_LINE_BYTES);

	(void)state;
	assert_non_null(huge);
	watch();
	append(FILE_, "");
	read_at(NOW);
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	assert_true(hold(NOW + NS_PER_S));
	memset(huge, 'x', 3 * TRIGGER_LINE_BYTES);
	huge[3 * TRIGGER_LINE_BYTES - 1] = '\0';
	append(FILE_, huge);
	read_at(NOW + 2 * NS_PER_S);
	append(FILE_, "\n");
	append_request(FILE_, "/a");
	read_at(NOW + 3 * NS_PER_S);
	expect("/a");
	assert_int_equal(scene.unread, 1);
	free(huge);
}

static void a_flood_is_read_in_turns(void **state)
{
	unsigned turns = 0;

	(void)state;
	watch();
	append(FILE_, "");
	trigger_logs_mark(scene.logs, NOW + NS_PER_S);
	assert_true(hold(NOW + NS_PER_S));
	FILE *out = fopen(FILE_, "a");

	assert_non_null(out);
	for (unsigned i = 0; i < 3 << 20; i += 16)
		fputs("no such format.\n", out);
	assert_int_equal(fclose(out), 0);
	append_request(FILE_, "/end");
	while (!scene.n && turns++ < 10)
		read_at(NOW + 2 * NS_PER_S + turns);
	expect("/end");
	assert_in_range(turns, 3, 5);
	assert_int_equal(scene.unread, (3 << 20) / 16);
}

static void logs_that_are_no_longer_named_are_dropped_when_nobody_holds_them(void **state)
{
	int other;

	(void)state;
	append(FILE_, "");
	append("logs/other", "");
	watch();
	other = trigger_logs_add(scene.logs, "/logs/other", format(), NOW);
	assert_int_not_equal(other, scene.log);
	assert_true(hold(NOW));
	trigger_logs_renew(scene.logs);
	trigger_logs_drop_old(scene.logs);
	assert_int_equal(trigger_logs_find(scene.logs, LOG), scene.log);
	assert_int_equal(trigger_logs_find(scene.logs, "/logs/other"), -ENOENT);
	trigger_logs_release(scene.logs, (unsigned)scene.log);
	trigger_logs_drop_old(scene.logs);
	assert_int_equal(trigger_logs_find(scene.logs, LOG), -ENOENT);
}

static void a_log_without_anybody_is_looked_at_all_the_same_when_asked(void **state)
{
	(void)state;
	append_request(FILE_, "/old");
	watch();
	append_request(FILE_, "/a");
	assert_true(trigger_logs_past(scene.logs, NOW, NOW + NS_PER_S, on_line, &scene));
	expect("/a");
	assert_false(trigger_logs_past(scene.logs, NOW - 1, NOW + NS_PER_S, on_line, &scene));
}

static void files_are_told_from_what_is_none_and_never_outside(void **state)
{
	(void)state;
	assert_int_equal(mkdir("site", 0755), 0);
	append("site/a.css", "x");
	append("outside.css", "x");
	assert_int_equal(symlink("../outside.css", "site/link.css"), 0);
	assert_true(trigger_is_file(scene.root_fd, "/site", "/a.css"));
	assert_false(trigger_is_file(scene.root_fd, "/site", "/b.css"));
	assert_false(trigger_is_file(scene.root_fd, "/site", "/"));
	assert_false(trigger_is_file(scene.root_fd, "/site", "/../outside.css"));
	assert_false(trigger_is_file(scene.root_fd, "/site", "/link.css"));
}

static void found_log(void *context, enum sites_server server, const char *path)
{
	(void)context, (void)server, (void)path;
	fail_msg("found %s", path);
}

static void open_logs_of_nobodys_server_are_not_found(void **state)
{
	char link[64];
	int proc;

	(void)state;
	assert_int_equal(mkdir("proc", 0755), 0);
	assert_int_equal(mkdir("proc/1", 0755), 0);
	assert_int_equal(mkdir("proc/1/fd", 0755), 0);
	assert_int_equal(symlink("/usr/sbin/nginx", "proc/1/exe"), 0);
	snprintf(link, sizeof(link), "/home/user/access.log");
	assert_int_equal(symlink(link, "proc/1/fd/3"), 0);
	assert_int_equal(chown("proc/1", 1000, 1000), 0);
	proc = open("proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(trigger_servers_logs(proc, found_log, NULL), 0);
	close(proc);
}

static void count_log(void *context, enum sites_server server, const char *path)
{
	assert_int_equal(server, SITES_APACHE);
	assert_string_equal(path, "/var/log/apache2/shop-access.log");
	++*(unsigned *)context;
}

static void open_logs_of_roots_server_are_found(void **state)
{
	unsigned n = 0;
	int proc;

	(void)state;
	assert_int_equal(mkdir("proc", 0755), 0);
	assert_int_equal(mkdir("proc/7", 0755), 0);
	assert_int_equal(mkdir("proc/7/fd", 0755), 0);
	assert_int_equal(symlink("/usr/sbin/apache2 (deleted)", "proc/7/exe"), 0);
	assert_int_equal(symlink("/var/log/apache2/shop-access.log", "proc/7/fd/3"), 0);
	assert_int_equal(symlink("/var/log/apache2/error.log", "proc/7/fd/4"), 0);
	assert_int_equal(symlink("socket:[1]access.log", "proc/7/fd/5"), 0);
	assert_int_equal(symlink("/tmp/access.log (deleted)", "proc/7/fd/6"), 0);
	proc = open("proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(trigger_servers_logs(proc, count_log, &n), 1);
	assert_int_equal(n, 1);
	close(proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		SCENE(only_what_appeared_since_is_given),
		SCENE(a_line_is_given_once_it_is_whole),
		SCENE(a_renamed_log_is_read_in_both_files),
		SCENE(a_log_that_was_renamed_before_is_read_in_both_files_for_a_new_question),
		SCENE(a_log_that_was_cut_is_read_from_its_start),
		SCENE(a_log_that_was_cut_and_grew_again_is_read_from_its_start),
		SCENE(lines_that_were_cut_away_unread_are_missed_and_said_so),
		SCENE(what_is_older_than_every_mark_is_not_whole),
		SCENE(what_is_no_regular_file_is_not_read),
		SCENE(links_are_followed_below_the_root_only),
		SCENE(a_huge_line_is_one_that_could_not_be_read),
		SCENE(a_flood_is_read_in_turns),
		SCENE(logs_that_are_no_longer_named_are_dropped_when_nobody_holds_them),
		SCENE(a_log_without_anybody_is_looked_at_all_the_same_when_asked),
		SCENE(files_are_told_from_what_is_none_and_never_outside),
		SCENE(open_logs_of_nobodys_server_are_not_found),
		SCENE(open_logs_of_roots_server_are_found),
	};

	return cmocka_run_group_tests_name("trigger_logs", tests, NULL, NULL);
}
