/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a running egressd can take over from a new configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "agent/config.h"

static struct config old, new;

static int set_up(void **state)
{
	(void)state;
	config_defaults(&old);
	config_defaults(&new);
	return 0;
}

static void the_same_needs_no_restart(void **state)
{
	(void)state;
	assert_null(config_needs_restart(&old, &new));
}

static void policy_and_budgets_change_while_it_runs(void **state)
{
	(void)state;
	new.mode = MODE_MONITOR;
	new.ports[0] = 2525;
	strcpy(new.mail_users[0], "exim");
	new.lookup_ms = 7;
	new.fold_s = 9;
	new.keep_days = 3;
	assert_null(config_needs_restart(&old, &new));
}

static void what_was_opened_or_given_up_at_the_start_is_named(void **state)
{
	(void)state;
	new.queue_num = 7;
	assert_string_equal(config_needs_restart(&old, &new), "queue_num");
	set_up(state);
	new.nflog_group = 7;
	assert_string_equal(config_needs_restart(&old, &new), "nflog_group");
	set_up(state);
	strcpy(new.table, "other");
	assert_string_equal(config_needs_restart(&old, &new), "table");
	set_up(state);
	strcpy(new.state_dir, "/elsewhere");
	assert_string_equal(config_needs_restart(&old, &new), "state_dir");
	set_up(state);
	strcpy(new.judge_user, "nobody");
	assert_string_equal(config_needs_restart(&old, &new), "judge_user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_needs_no_restart, set_up),
		cmocka_unit_test_setup(policy_and_budgets_change_while_it_runs, set_up),
		cmocka_unit_test_setup(what_was_opened_or_given_up_at_the_start_is_named, set_up),
	};

	return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
