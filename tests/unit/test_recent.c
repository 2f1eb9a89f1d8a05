/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which row a record went to: found while it is among the newest, never another one's. */
#include "fixture.h"

#include "agent/recent.h"

static int64_t row_of(struct recent *recent, uint64_t id)
{
	struct recent_row *row = recent_find(recent, id);

	return row ? row->row : -1;
}

static void the_newest_are_found_and_older_ones_are_not(void **state)
{
	struct recent *recent = recent_new();
	uint64_t id;

	(void)state;
	for (id = 1; id <= 3 * RECENT_FRESH; id++)
		recent_add(recent, 7 * id, (int64_t)id, true);
	assert_int_equal(recent_last(recent), 21 * RECENT_FRESH);
	for (id = 1; id <= 3 * RECENT_FRESH; id++)
		assert_int_equal(row_of(recent, 7 * id),
				 id > 2 * RECENT_FRESH ? (int64_t)id : -1);
	assert_int_equal(row_of(recent, 7 * 3 * RECENT_FRESH - 1), -1);
	assert_int_equal(row_of(recent, 7 * 3 * RECENT_FRESH + 1), -1);
	assert_int_equal(row_of(recent, 0), -1);
	recent_free(recent);
}

static void a_flood_of_repeats_makes_no_fresh_one_forgotten(void **state)
{
	struct recent *recent = recent_new();
	uint64_t id;

	(void)state;
	recent_add(recent, 1, 100, true);
	for (id = 2; id < 10 * RECENT_FOLDED; id++)
		recent_add(recent, id, 200, false);
	assert_int_equal(row_of(recent, 1), 100);
	assert_int_equal(row_of(recent, 2), -1);
	assert_int_equal(row_of(recent, id - 1), 200);
	assert_int_equal(row_of(recent, id - RECENT_FOLDED), 200);
	assert_int_equal(row_of(recent, id - RECENT_FOLDED - 1), -1);
	recent_free(recent);
}

static void ids_that_begin_anew_are_another_judges(void **state)
{
	struct recent *recent = recent_new();

	(void)state;
	recent_add(recent, 1, 10, true);
	recent_add(recent, 2, 20, false);
	recent_add(recent, 2, 30, true);
	assert_int_equal(row_of(recent, 1), -1);
	assert_int_equal(row_of(recent, 2), 30);
	recent_add(recent, 0, 40, true); /* a replay's: none */
	assert_int_equal(row_of(recent, 0), -1);
	assert_int_equal(recent_last(recent), 2);
	recent_clear(recent);
	assert_int_equal(row_of(recent, 2), -1);
	assert_int_equal(recent_last(recent), 0);
	recent_free(recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_are_found_and_older_ones_are_not),
		cmocka_unit_test(a_flood_of_repeats_makes_no_fresh_one_forgotten),
		cmocka_unit_test(ids_that_begin_anew_are_another_judges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
