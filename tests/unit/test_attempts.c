/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/attempts.h"
#include "frames.h"

#define SECOND 1000000000LL

static const uint8_t key[16] = "0123456789abcdef";

static struct flow flow_of(uint32_t n)
{
	struct flow flow = { .family = AF_INET, .sport = 40000, .dport = 25, .seq = n };

	memcpy(flow.dst, &n, 4);
	return flow;
}

static void retransmits_are_one_attempt(void **state)
{
	/* When Linux sends a SYN again: 1, 3, 7, 15, 31, 63 and 127 s after the first. */
	static const int64_t at[] = { 1, 3, 7, 15, 31, 63, 127 };
	struct attempts *attempts = attempts_new(16, key);
	struct flow flow = flow_of(1);

	(void)state;
	assert_non_null(attempts);
	assert_false(attempts_repeat(attempts, &flow, true, 33, 0));
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		assert_true(attempts_repeat(attempts, &flow, true, 33, at[i] * SECOND));
	attempts_free(attempts);
}

static void later_is_another_attempt(void **state)
{
	struct attempts *attempts = attempts_new(16, key);
	struct flow flow = flow_of(1);

	(void)state;
	assert_false(attempts_repeat(attempts, &flow, true, 33, 5));
	assert_true(attempts_repeat(attempts, &flow, true, 33, 5 + ATTEMPTS_TTL_NS - 1));
	assert_false(attempts_repeat(attempts, &flow, true, 33, 5 + ATTEMPTS_TTL_NS));
	assert_true(attempts_repeat(attempts, &flow, true, 33, 5 + 2 * ATTEMPTS_TTL_NS - 1));
	attempts_free(attempts);
}

static void every_field_counts(void **state)
{
	struct attempts *attempts = attempts_new(64, key);
	struct flow flow = flow_of(1), other;

	(void)state;
	assert_false(attempts_repeat(attempts, &flow, true, 0, 0));
	for (unsigned i = 0; i < 16; i++) {
		other = flow;
		other.src[i] ^= 1;
		assert_false(attempts_repeat(attempts, &other, true, 0, 0));
		other = flow;
		other.dst[i] ^= 1;
		assert_false(attempts_repeat(attempts, &other, true, 0, 0));
	}
	other = flow, other.sport++;
	assert_false(attempts_repeat(attempts, &other, true, 0, 0));
	other = flow, other.dport++;
	assert_false(attempts_repeat(attempts, &other, true, 0, 0));
	other = flow, other.seq++;
	assert_false(attempts_repeat(attempts, &other, true, 0, 0));
	other = flow, other.family = AF_INET6;
	assert_false(attempts_repeat(attempts, &other, true, 0, 0));
	assert_false(attempts_repeat(attempts, &flow, true, 1, 0));
	assert_false(attempts_repeat(attempts, &flow, false, 0, 0));
	assert_true(attempts_repeat(attempts, &flow, false, 77, 0)); /* no uid has no number */
	assert_true(attempts_repeat(attempts, &flow, true, 0, 0));
	other = flow, other.ttl = 9, other.tcp_flags = 0xc2, other.payload_offset = 60;
	assert_true(attempts_repeat(attempts, &other, true, 0, 0));
	attempts_free(attempts);
}

static void full_table_drops_the_oldest(void **state)
{
	enum { SLOTS = 8 };
	struct attempts *attempts = attempts_new(SLOTS, key);
	struct flow flow;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++) {
		flow = flow_of(i);
		assert_false(attempts_repeat(attempts, &flow, true, 33, i));
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		flow = flow_of(i);
		assert_true(attempts_repeat(attempts, &flow, true, 33, SLOTS));
	}
	flow = flow_of(SLOTS);
	assert_false(attempts_repeat(attempts, &flow, true, 33, SLOTS));
	for (uint32_t i = 1; i <= SLOTS; i++) {
		flow = flow_of(i);
		assert_true(attempts_repeat(attempts, &flow, true, 33, SLOTS));
	}
	flow = flow_of(0);
	assert_false(attempts_repeat(attempts, &flow, true, 33, SLOTS));
	attempts_free(attempts);
}

static void a_flood_keeps_the_last(void **state)
{
	enum { SLOTS = 256, FLOOD = 20000 };
	struct attempts *attempts = attempts_new(SLOTS, key);
	struct flow flow;

	(void)state;
	for (uint32_t i = 0; i < FLOOD; i++) {
		flow = flow_of(i);
		assert_false(attempts_repeat(attempts, &flow, true, 33, i));
		if (i >= SLOTS) {
			flow = flow_of(i - SLOTS / 2);
			assert_true(attempts_repeat(attempts, &flow, true, 33, i));
		}
	}
	for (uint32_t i = FLOOD - SLOTS; i < FLOOD; i++) {
		flow = flow_of(i);
		assert_true(attempts_repeat(attempts, &flow, true, 33, FLOOD));
	}
	attempts_free(attempts);
}

static void time_may_step_back(void **state)
{
	struct attempts *attempts = attempts_new(4, key);
	struct flow flow = flow_of(1);

	(void)state;
	assert_false(attempts_repeat(attempts, &flow, true, 33, 1000 * SECOND));
	assert_true(attempts_repeat(attempts, &flow, true, 33, 999 * SECOND));
	assert_false(attempts_repeat(attempts, &flow, true, 33, 100 * SECOND));
	assert_false(attempts_repeat(attempts, &flow, true, 33, INT64_MIN));
	assert_false(attempts_repeat(attempts, &flow, true, 33, INT64_MAX));
	assert_true(attempts_repeat(attempts, &flow, true, 33, INT64_MAX));
	attempts_free(attempts);
}

static void one_slot_works(void **state)
{
	struct attempts *attempts = attempts_new(1, key);
	struct flow one = flow_of(1), two = flow_of(2);

	(void)state;
	assert_non_null(attempts);
	for (unsigned i = 0; i < 3; i++) {
		assert_false(attempts_repeat(attempts, &one, true, 33, 0));
		assert_true(attempts_repeat(attempts, &one, true, 33, 0));
		assert_false(attempts_repeat(attempts, &two, true, 33, 0));
	}
	attempts_free(attempts);
}

static void sizes_are_powers_of_two(void **state)
{
	static const unsigned bad[] = { 0, 3, 6, 1000, UINT32_MAX, 1U << 31 };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(attempts_new(bad[i], key));
	attempts_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the SYNs that a kernel sends again are one attempt",
		  retransmits_are_one_attempt },
		{ "the same SYN after the time of retransmits is another attempt",
		  later_is_another_attempt },
		{ "addresses, ports, sequence number, family and uid tell attempts apart",
		  every_field_counts },
		{ "a full table forgets its oldest attempt first", full_table_drops_the_oldest },
		{ "after a flood the last attempts are known, and only they",
		  a_flood_keeps_the_last },
		{ "a clock that steps back neither forgets nor crashes", time_may_step_back },
		{ "a table of one slot works", one_slot_works },
		{ "a table's size is a power of two", sizes_are_powers_of_two },
	};

	return cmocka_run_group_tests_name("attempts", tests, NULL, NULL);
}
