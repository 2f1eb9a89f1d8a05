/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bounded table against a plain model, its keyed names, the users in it; and the log's line. */
#include "fixture.h"

#include "agent/keyhash.h"
#include "agent/log.h"
#include "agent/lru.h"
#include "agent/users.h"

/* vectors_sip128 of the reference implementation (key and message 00 01 02 …) */
static void names_are_siphash_128(void **state)
{
	static const uint8_t of_none[16] = { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
					     0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 };
	static const uint8_t of_one[16] = { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
					    0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 };
	uint8_t key[16], message[1] = { 0 };
	struct keyhash name;
	unsigned i;

	(void)state;
	for (i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	name = keyhash_of(key, "", 0);
	assert_memory_equal(&name, of_none, 16);
	name = keyhash_of(key, message, 1);
	assert_memory_equal(&name, of_one, 16);
}

static void names_differ_by_any_byte_and_length(void **state)
{
	uint8_t key[16] = { 1 }, bytes[64] = { 0 };
	struct keyhash first, second;
	size_t len;

	(void)state;
	for (len = 1; len <= 64; len++) {
		first = keyhash_of(key, bytes, len);
		second = keyhash_of(key, bytes, len - 1);
		assert_memory_not_equal(&first, &second, sizeof(first));
		bytes[len - 1] ^= 0x80;
		second = keyhash_of(key, bytes, len);
		assert_memory_not_equal(&first, &second, sizeof(first));
		bytes[len - 1] ^= 0x80;
	}
}

struct evictions {
	unsigned n;
	uint64_t last;
};

static void on_evicted(void *context, void *value)
{
	struct evictions *evictions = context;

	evictions->n++;
	evictions->last = *(uint64_t *)value;
}

static struct keyhash name_of(uint64_t n)
{
	return (struct keyhash){ { n * 7, n } }; /* several to a chain */
}

static void the_one_used_longest_ago_goes(void **state)
{
	struct evictions evictions = { 0 };
	struct lru *lru = lru_new(3, sizeof(uint64_t), on_evicted, &evictions);
	uint64_t n;

	(void)state;
	for (n = 1; n <= 3; n++)
		*(uint64_t *)lru_put(lru, name_of(n)) = n;
	assert_non_null(lru_get(lru, name_of(1)));
	*(uint64_t *)lru_put(lru, name_of(4)) = 4;
	assert_int_equal(evictions.last, 2);
	assert_null(lru_get(lru, name_of(2)));
	lru_drop(lru, name_of(3));
	lru_drop(lru, name_of(77));
	*(uint64_t *)lru_put(lru, name_of(5)) = 5;
	assert_int_equal(evictions.n, 1);
	assert_int_equal(*(uint64_t *)lru_get(lru, name_of(1)), 1);
	lru_clear(lru);
	assert_null(lru_get(lru, name_of(1)));
	lru_free(lru);
}

static void it_agrees_with_a_plain_model(void **state)
{
	enum { SLOTS = 16, NAMES = 40 };
	struct lru *lru = lru_new(SLOTS, sizeof(uint64_t), NULL, NULL);
	uint64_t used_at[NAMES] = { 0 }, value[NAMES] = { 0 }, now;
	uint32_t random = 7, there = 0, i, n, oldest;
	uint64_t *got;

	(void)state;
	for (now = 1; now < 20000; now++) {
		random = random * 1664525 + 1013904223;
		n = (random >> 8) % NAMES;
		got = lru_get(lru, name_of(n));
		assert_true((got != NULL) == (used_at[n] != 0));
		if (got) {
			assert_int_equal(*got, value[n]);
			if (random >> 30 == 0) {
				lru_drop(lru, name_of(n));
				used_at[n] = 0;
				there--;
				continue;
			}
		} else {
			if (there == SLOTS) {
				for (oldest = NAMES, i = 0; i < NAMES; i++)
					if (used_at[i] &&
					    (oldest == NAMES || used_at[i] < used_at[oldest]))
						oldest = i;
				used_at[oldest] = 0;
				there--;
			}
			got = lru_put(lru, name_of(n));
			assert_int_equal(*got, 0);
			*got = value[n] = now;
			there++;
		}
		used_at[n] = now;
	}
	lru_free(lru);
}

static void users_are_named_and_strangers_are_not(void **state)
{
	struct users *users = users_new();
	uint32_t uid;

	(void)state;
	assert_string_equal(users_name(users, 0, 0), "root");
	assert_string_equal(users_name(users, 0, 1), "root");
	for (uid = 4000000000; uid < 4000000000 + 1500; uid++)
		assert_null(users_name(users, uid, 2));
	assert_string_equal(users_name(users, 0, 3), "root");
	assert_string_equal(users_name(users, 0, 400 * NS_PER_S), "root");
	users_free(users);
}

/* What the log writes to a stderr that is no terminal. */
static void logged(void (*say)(void), char *out, size_t size)
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t len;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	close(fds[1]);
	close(saved);
	len = read(fds[0], out, size - 1);
	out[len > 0 ? len : 0] = '\0';
	close(fds[0]);
}

static void say_hostile(void)
{
	log_open("egressd", false);
	log_warning("a %s line", "\x1b[2J\n<0>two\xff");
	log_debug("not without -v");
}

static void say_long(void)
{
	char text[10000];

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_open("egressd", true);
	log_debug("%s", text);
}

static void the_log_writes_one_escaped_line(void **state)
{
	char out[16384];

	(void)state;
	logged(say_hostile, out, sizeof(out));
	assert_string_equal(out, "<4>a \\x1b[2J\\x0a<0>two\\xff line\n");
	logged(say_long, out, sizeof(out));
	assert_int_equal(strncmp(out, "<7>\\x0a", 7), 0);
	assert_int_equal(strcspn(out, "\n"), strlen(out) - 1);
	assert_string_equal(out + strlen(out) - 4, "...\n");
}

static void a_log_that_nobody_reads_never_waits(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO), one;
	static char out[1 << 17];
	char *end;
	ssize_t len;

	(void)state;
	log_open("egressd", false);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	memset(out, 'x', 4096);
	while (write(fds[1], out, 4096) > 0)
		;
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0); /* as a program gets it */
	dup2(fds[1], STDERR_FILENO);
	alarm(5); /* else it would hang here */
	log_warning("one");
	log_warning("two");
	one = log_raw("three\n", 6);
	assert_true(read(fds[0], out, sizeof(out)) > 0);
	log_warning("four");
	log_warning("five");
	alarm(0);
	dup2(saved, STDERR_FILENO);
	assert_int_equal(one, -EAGAIN);
	len = read(fds[0], out, sizeof(out) - 1);
	out[len > 0 ? len : 0] = '\0';
	end = strstr(out, "<4>");
	assert_non_null(end);
	assert_string_equal(end, "<4>3 lines before this one were dropped: nobody read them\n"
				 "<4>four\n<4>five\n");
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_siphash_128),
		cmocka_unit_test(names_differ_by_any_byte_and_length),
		cmocka_unit_test(the_one_used_longest_ago_goes),
		cmocka_unit_test(it_agrees_with_a_plain_model),
		cmocka_unit_test(users_are_named_and_strangers_are_not),
		cmocka_unit_test(the_log_writes_one_escaped_line),
		cmocka_unit_test(a_log_that_nobody_reads_never_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
