// SPDX-License-Identifier: GPL-2.0-or-later
/* The texts of /proc/PID/syscall and of fdinfo. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf-free/hint.h"

static const char call_text[] =
	"42 0x3 0x7ffd00000000 0x10 0x0 0xffffffffffffffff 0x5 0x7ff 0x7fe\n";
static const char epoll_text[] =
	"pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1057\n"
	"tfd:        4 events:       1d data:                4  pos:0 ino:1e61 sdev:8\n"
	"tfd:       12 events:       1d data: ffffffffffffffff  pos:0 ino:1e62 sdev:8\n";
static const char ring_text[] = "SqMask:\t0x7\nUserFiles:\t3\n    0: /tmp/socket:[77]\n"
				"    1: <none>\n    2: socket:[4711]\nUserBufs:\t0\n"
				"    3: socket:[99]\n";

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
	bool hidden;
	uint32_t fd;
	char *copy;

	(void)unused;
	for (size_t n = 0; n < sizeof(call_text); n++) {
		copy = first_bytes(call_text, n);
		if (!hint_parse_call(copy, n, &call))
			assert_int_equal(call.args[5], 5);
		free(copy);
	}
	for (size_t n = 0; n < sizeof(epoll_text); n++) {
		copy = first_bytes(epoll_text, n);
		assert_int_equal(hint_parse_epoll(copy, n, 0x1e, &fd), -ENOENT);
		free(copy);
	}
	for (size_t n = 0; n < sizeof(ring_text); n++) {
		copy = first_bytes(ring_text, n);
		assert_false(hint_parse_ring(copy, n, 471, &hidden));
		free(copy);
	}
}

static void epolls(void **unused)
{
	uint32_t fd = 0;

	(void)unused;
	assert_int_equal(hint_parse_epoll(epoll_text, sizeof(epoll_text) - 1, 0x1e62, &fd), 0);
	assert_int_equal(fd, 12);
	assert_int_equal(hint_parse_epoll(epoll_text, sizeof(epoll_text) - 1, 0x1e61, &fd), 0);
	assert_int_equal(fd, 4);
	assert_int_equal(hint_parse_epoll(epoll_text, sizeof(epoll_text) - 1, 1057, &fd), -ENOENT);
}

static void rings(void **unused)
{
	static const char silent[] = "UserFiles:\t2\nUserBufs:\t0\n";
	bool hidden = false;

	(void)unused;
	assert_true(hint_parse_ring(ring_text, sizeof(ring_text) - 1, 4711, &hidden));
	assert_false(hint_parse_ring(ring_text, sizeof(ring_text) - 1, 77, &hidden));
	assert_false(hint_parse_ring(ring_text, sizeof(ring_text) - 1, 471, &hidden));
	assert_false(hint_parse_ring(ring_text, sizeof(ring_text) - 1, 99, &hidden));
	assert_false(hidden);
	assert_false(hint_parse_ring(silent, sizeof(silent) - 1, 4711, &hidden));
	assert_true(hidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a system call and its arguments are read, or nothing", calls },
		{ "texts cut at any byte give no other number", cut },
		{ "an epoll names the descriptor of an inode", epolls },
		{ "a ring's own sockets are found, and silence about them is noticed", rings },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_hint", tests, NULL, NULL);
}
