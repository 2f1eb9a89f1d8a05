/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state folder: made, handed over, refused, locked. Needs root (folders of other users). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/statedir.h"

#define UID 64999
static char base[] = "/tmp/egt-statedir-XXXXXX";

static char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static int open_it(const char *name, struct statedir *statedir, char *why)
{
	return statedir_open(statedir, below(name), UID, UID, why, 256);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(base) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", base);
	return system(command);
}

static void needs_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void a_new_folder_is_made_with_its_parents_for_the_user(void **state)
{
	struct statedir statedir;
	struct stat status;
	char why[256];

	(void)state;
	needs_root();
	assert_int_equal(open_it("a/b/c", &statedir, why), 0);
	assert_int_equal(fstat(statedir.dir_fd, &status), 0);
	assert_int_equal(status.st_uid, UID);
	assert_int_equal(status.st_mode & 07777, 0750);
	assert_int_equal(fstat(statedir.evidence_fd, &status), 0);
	assert_int_equal(status.st_uid, UID);
	assert_int_equal(stat(below("a/b/c/objects"), &status), 0);
	assert_int_equal(status.st_uid, UID);
	assert_int_equal(status.st_mode & 07777, 0750);
	assert_int_equal(stat(below("a/b"), &status), 0);
	assert_int_equal(status.st_uid, 0);
	statedir_close(&statedir);
}

static void a_folder_that_another_egressd_works_in_is_refused(void **state)
{
	struct statedir first, second;
	char why[256];

	(void)state;
	needs_root();
	assert_int_equal(open_it("locked", &first, why), 0);
	assert_int_equal(open_it("locked", &second, why), -EWOULDBLOCK);
	assert_non_null(strstr(why, "another egressd works in it"));
	statedir_close(&first);
	assert_int_equal(open_it("locked", &second, why), 0);
	statedir_close(&second);
}

static void a_folder_of_others_with_files_in_it_is_refused_untouched(void **state)
{
	struct statedir statedir;
	struct stat status;
	char why[256];
	int fd;

	(void)state;
	needs_root();
	assert_int_equal(mkdir(below("etc"), 0755), 0);
	fd = open(below("etc/passwd"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open_it("etc", &statedir, why), -EPERM);
	assert_non_null(strstr(why, "expected a folder of its own"));
	assert_int_equal(stat(below("etc"), &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode & 07777, 0755);
}

static void an_empty_folder_of_roots_is_handed_over(void **state)
{
	struct statedir statedir;
	struct stat status;
	char why[256];

	(void)state;
	needs_root();
	assert_int_equal(mkdir(below("empty"), 0755), 0);
	assert_int_equal(open_it("empty", &statedir, why), 0);
	assert_int_equal(fstat(statedir.dir_fd, &status), 0);
	assert_int_equal(status.st_uid, UID);
	statedir_close(&statedir);
}

static void a_link_is_not_followed(void **state)
{
	struct statedir statedir;
	char why[256], target[256];

	(void)state;
	needs_root();
	assert_int_equal(mkdir(below("target"), 0755), 0);
	strcpy(target, below("target"));
	assert_int_equal(symlink(target, below("link")), 0);
	assert_true(open_it("link", &statedir, why) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_folder_is_made_with_its_parents_for_the_user),
		cmocka_unit_test(a_folder_that_another_egressd_works_in_is_refused),
		cmocka_unit_test(a_folder_of_others_with_files_in_it_is_refused_untouched),
		cmocka_unit_test(an_empty_folder_of_roots_is_handed_over),
		cmocka_unit_test(a_link_is_not_followed),
	};

	return cmocka_run_group_tests_name("statedir", tests, set_up, tear_down);
}
