/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time that one user may cost the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/allowance.h"

#define MS INT64_C(1000000)
#define S  (1000 * MS)

static void a_user_who_spent_the_share_waits_for_the_next_second(void **state)
{
	struct allowance allowance;

	(void)state;
	allowance_init(&allowance, 50 * MS, 200 * MS);
	assert_true(allowance_left(&allowance, 33, 7 * S));
	allowance_spend(&allowance, 33, 49 * MS);
	assert_true(allowance_left(&allowance, 33, 7 * S + 1));
	allowance_spend(&allowance, 33, 1 * MS);
	assert_false(allowance_left(&allowance, 33, 8 * S - 1));
	assert_true(allowance_left(&allowance, 33, 8 * S));
}

static void one_users_share_is_not_anothers(void **state)
{
	struct allowance allowance;

	(void)state;
	allowance_init(&allowance, 50 * MS, 200 * MS);
	assert_true(allowance_left(&allowance, 33, S));
	allowance_spend(&allowance, 33, 60 * MS);
	assert_false(allowance_left(&allowance, 33, S));
	assert_true(allowance_left(&allowance, 34, S));
}

static void many_users_together_are_bounded_too(void **state)
{
	struct allowance allowance;
	unsigned served = 0;

	(void)state;
	allowance_init(&allowance, 50 * MS, 200 * MS);
	for (uint32_t uid = 1000; uid < 1100; uid++) {
		if (!allowance_left(&allowance, uid, S))
			continue;
		allowance_spend(&allowance, uid, 20 * MS);
		served++;
	}
	assert_int_equal(served, 10);
}

static void no_share_is_no_time(void **state)
{
	struct allowance allowance;

	(void)state;
	allowance_init(&allowance, 0, 0);
	assert_false(allowance_left(&allowance, 0, S));
	assert_false(allowance_left(&allowance, UINT32_MAX, 2 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_who_spent_the_share_waits_for_the_next_second),
		cmocka_unit_test(one_users_share_is_not_anothers),
		cmocka_unit_test(many_users_together_are_bounded_too),
		cmocka_unit_test(no_share_is_no_time),
	};

	return cmocka_run_group_tests_name("allowance", tests, NULL, NULL);
}
