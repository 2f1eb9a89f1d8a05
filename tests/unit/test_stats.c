/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters' words, and what was seen; also who a record is charged to. */
#include "fixture.h"

#include "agent/stats.h"

static void every_counter_has_a_word_of_its_own(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < STAT_N; i++) {
		assert_non_null(stat_word(i));
		for (k = 0; k < i; k++)
			assert_string_not_equal(stat_word(i), stat_word(k));
	}
	assert_null(stat_word(STAT_N));
	assert_null(stat_word((enum stat_id) - 1));
}

static void the_kernels_words_are_the_rule_sets(void **state)
{
	char word[64];
	unsigned i;

	(void)state;
	for (i = 0; i < RULESET_COUNTER_N; i++) {
		snprintf(word, sizeof(word), "kernel_%s", ruleset_counter_words[i]);
		assert_string_equal(stat_word(STAT_KERNEL_FIRST + i), word);
	}
}

static void a_packet_is_seen_once(void **state)
{
	static const struct {
		enum ruleset_counter counter;
		bool adds;
	} cases[RULESET_COUNTER_N] = {
		{ RULESET_LOCAL, true },
		{ RULESET_MAIL, true },
		{ RULESET_HELD, true },
		{ RULESET_NOT_OPENING, true },
		{ RULESET_FRAGMENT, true },
		{ RULESET_FORWARDED, true },
		{ RULESET_UNHELD, true },
		/* of those above: */
		{ RULESET_HOT, false },
		{ RULESET_ALLOWED, false },
		{ RULESET_BY_AGENT, false },
		{ RULESET_BY_GUARD, false },
	};
	uint64_t value[STAT_N];
	unsigned i;

	(void)state;
	for (i = 0; i < RULESET_COUNTER_N; i++) {
		memset(value, 0, sizeof(value));
		value[STAT_QUEUED] = 1000;
		value[STAT_KERNEL_FIRST + cases[i].counter] = 7;
		assert_int_equal(stats_seen(value), cases[i].adds ? 7 : 0);
	}
}

static void a_record_is_charged_to_the_queues_uid_first(void **state)
{
	struct record record;
	uint32_t uid = 1;

	(void)state;
	fixture_record(&record);
	record.uid = 33;
	record.owner.socket_uid = 34;
	record.owner.proc.uid = 35;
	assert_true(record_charged_uid(&record, &uid));
	assert_int_equal(uid, 33);
	record.has_uid = false;
	assert_true(record_charged_uid(&record, &uid));
	assert_int_equal(uid, 34);
	record.owner.has_socket = false;
	assert_true(record_charged_uid(&record, &uid));
	assert_int_equal(uid, 35);
	record.owner.proc.pid = 0;
	assert_false(record_charged_uid(&record, &uid));
	assert_int_equal(uid, 35);
	/* uid 0 is somebody */
	record.has_uid = true;
	record.uid = 0;
	assert_true(record_charged_uid(&record, &uid));
	assert_int_equal(uid, 0);
}

static void a_program_is_the_script_before_the_interpreter(void **state)
{
	struct record record;

	(void)state;
	fixture_record(&record);
	assert_string_equal(record_program(&record), "/var/www/shop/cache/x.php");
	record.owner.script[0] = '\0';
	assert_string_equal(record_program(&record), "/usr/sbin/php-fpm8.2");
	record.owner.exe[0] = '\0';
	assert_string_equal(record_program(&record), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_has_a_word_of_its_own),
		cmocka_unit_test(the_kernels_words_are_the_rule_sets),
		cmocka_unit_test(a_packet_is_seen_once),
		cmocka_unit_test(a_record_is_charged_to_the_queues_uid_first),
		cmocka_unit_test(a_program_is_the_script_before_the_interpreter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
