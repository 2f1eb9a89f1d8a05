// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of /proc/PID/syscall, and what it hints at. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf-free/hint.h"

static const char call_text[] =
	"42 0x3 0x7ffd00000000 0x10 0x0 0xffffffffffffffff 0x5 0x7ff 0x7fe\n";

static void calls(void **unused)
{
	struct hint_call call;

	(void)unused;
	assert_int_equal(hint_parse_call(call_text, sizeof(call_text) - 1, &call), 0);
	assert_int_equal(call.number, 42);
	assert_int_equal(call.args[0], 3);
	assert_true(call.args[4] == UINT64_MAX);
	assert_int_equal(call.args[5], 5);
	assert_int_equal(hint_parse_call("running\n", 8, &call), -EBUSY);
	assert_int_equal(hint_parse_call("-1 0x7f 0x0\n", 12, &call), -ENOENT);
	assert_int_equal(hint_parse_call("42 3 4 5 6 7 8 9\n", 17, &call), -EBADMSG);
	assert_int_equal(hint_parse_call("99999999999 0x0", 15, &call), -EBADMSG);
	assert_int_equal(hint_parse_call("1 0x11111111111111111 0x0", 25, &call), -EBADMSG);
}

/* In a block of its own size, so that a sanitizer sees a read behind it. */
static char *first_bytes(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	return copy;
}

static void cut(void **unused)
{
	struct hint_call call;
	char *copy;

	(void)unused;
	for (size_t n = 0; n < sizeof(call_text); n++) {
		copy = first_bytes(call_text, n);
		if (!hint_parse_call(copy, n, &call))
			assert_int_equal(call.args[5], 5);
		free(copy);
	}
}

/* hint_thread() of this test itself, from a /proc of one file. */
static void hint_of(const char *text, struct hint *hint)
{
	char folder[] = "/tmp/egt-hint-XXXXXX", name[64];
	FILE *file;
	int fd;

	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(fd, "7", 0700), 0);
	snprintf(name, sizeof(name), "%s/7/syscall", folder);
	file = fopen(name, "w");
	fputs(text, file);
	fclose(file);
	assert_int_equal(hint_thread(fd, 7, 7, hint), 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(unlinkat(fd, "7", AT_REMOVEDIR), 0);
	close(fd);
	assert_int_equal(rmdir(folder), 0);
}

static void hints(void **unused)
{
	struct hint hint;
	char text[128];

	(void)unused;
	snprintf(text, sizeof(text), "%d 0x5 0x1 0x10 0x0 0x0 0x0 0x7ff 0x7fe\n", (int)SYS_connect);
	hint_of(text, &hint);
	assert_int_equal(hint.n, 1);
	assert_int_equal(hint.fds[0], 5);
	assert_false(hint.waits);
	snprintf(text, sizeof(text), "%d 0x9 0x1 0x1 0x0 0x0 0x0 0x7ff 0x7fe\n", (int)SYS_pselect6);
	hint_of(text, &hint);
	assert_int_equal(hint.n, 1);
	assert_int_equal(hint.fds[0], 8);
	assert_true(hint.waits);
	snprintf(text, sizeof(text), "%d 0x4 0x1 0x1 0x0 0x0 0x0 0x7ff 0x7fe\n",
		 (int)SYS_epoll_pwait);
	hint_of(text, &hint);
	assert_int_equal(hint.n, 0);
	assert_true(hint.waits);
	hint_of("running\n", &hint);
	assert_true(hint.running);
	assert_false(hint.waits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a system call and its arguments are read, or nothing", calls },
		{ "texts cut at any byte give no other number", cut },
		{ "a call names its socket, or that the newest descriptors are worth a look",
		  hints },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_hint", tests, NULL, NULL);
}
