/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between judge and recorder: there and back, and everything that is none. */
#include "fixture.h"

#include "agent/wire.h"

static struct record record, back, untouched;
static uint8_t message[WIRE_BYTES_MAX];

static int encode(void)
{
	int len;

	memset(message, 0xcc, sizeof(message));
	len = wire_encode_record(&record, message, sizeof(message));
	assert_true(len > 0);
	return len;
}

static void a_record_comes_back_the_same(void **state)
{
	int len;

	(void)state;
	fixture_record(&record);
	strcpy(record.indev, "docker0");
	len = encode();
	assert_true(len < 700); /* texts by their length */
	assert_int_equal(wire_kind(message, (size_t)len), WIRE_RECORD);
	memset(&back, 0xaa, sizeof(back));
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), 0);
	assert_memory_equal(&back.flow, &record.flow, sizeof(record.flow));
	assert_memory_equal(&back.owner, &record.owner, sizeof(record.owner));
	assert_memory_equal(back.excerpt, record.excerpt, sizeof(record.excerpt));
	assert_int_equal(back.ts_ns, record.ts_ns);
	assert_string_equal(back.rule, "default");
	assert_string_equal(back.indev, "docker0");
	assert_int_equal(back.packet_bytes, 40);
}

static void the_longest_record_fits(void **state)
{
	struct owner *owner = &record.owner;
	unsigned i;
	int len;

	(void)state;
	fixture_record(&record);
#define FILL(field) memset(field, 0xff, sizeof(field) - 1)
	FILL(record.rule), FILL(record.indev), FILL(owner->exe), FILL(owner->cwd),
		FILL(owner->script);
	FILL(owner->unit), FILL(owner->container), FILL(owner->request_method);
	FILL(owner->request_uri), FILL(owner->request_host), FILL(owner->request_client);
#undef FILL
	memset(owner->cmdline, 0, sizeof(owner->cmdline));
	owner->cmdline_bytes = sizeof(owner->cmdline);
	for (i = 0; i < OWNER_PARENTS; i++) {
		memset(owner->parents[i].comm, 0xfe, OWNER_COMM_BYTES - 1);
		owner->holders[i] = owner->parents[i];
	}
	owner->n_parents = OWNER_PARENTS;
	owner->n_holders = 100000; /* counts all, carries eight */
	record.flow.family = AF_INET6;
	record.excerpt_bytes = RECORD_EXCERPT_BYTES;
	record.packet_bytes = 65535;
	len = encode();
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), 0);
	assert_memory_equal(&back.owner, &record.owner, sizeof(record.owner));
	assert_int_equal(back.owner.n_holders, 100000);
	assert_int_equal(wire_encode_record(&record, message, (size_t)len), len);
	assert_int_equal(wire_encode_record(&record, message, (size_t)len - 1), -EMSGSIZE);
}

static void a_record_of_nothing_is_a_record(void **state)
{
	int len;

	(void)state;
	memset(&record, 0, sizeof(record));
	len = encode();
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), 0);
	assert_memory_equal(&back, &record, sizeof(record));
}

static void a_message_cut_at_any_byte_is_refused(void **state)
{
	int len, cut;

	(void)state;
	fixture_record(&record);
	len = encode();
	memset(&back, 0x55, sizeof(back));
	untouched = back;
	for (cut = 0; cut < len; cut++) {
		/* of exactly that size, so that a sanitizer sees a read beyond */
		uint8_t *copy = malloc((size_t)cut + 1);

		memcpy(copy, message, (size_t)cut);
		assert_int_equal(wire_decode_record(copy, (size_t)cut, &back), -EBADMSG);
		free(copy);
	}
	assert_memory_equal(&back, &untouched, sizeof(back));
	message[len] = 0;
	assert_int_equal(wire_decode_record(message, (size_t)len + 1, &back), -EBADMSG);
}

/* What a decoded record promises, whatever the bytes were. */
static void assert_sound(const struct record *got)
{
	assert_true(got->via < VIA_N && got->mode < MODE_N && got->verdict < VERDICT_N);
	assert_true(got->reason < REASON_N && got->flow_error < FLOW_ERROR_N);
	assert_true(got->owner.how < OWNER_HOW_N && got->owner.why < OWNER_WHY_N);
	assert_true(got->owner.script_from < OWNER_SCRIPT_FROM_N);
	assert_true(got->owner.script_why < OWNER_WHY_N);
	assert_true(strnlen(got->rule, sizeof(got->rule)) < sizeof(got->rule));
	assert_true(strnlen(got->indev, sizeof(got->indev)) < sizeof(got->indev));
	assert_true(strnlen(got->owner.exe, OWNER_PATH_BYTES) < OWNER_PATH_BYTES);
	assert_true(strnlen(got->owner.script, OWNER_PATH_BYTES) < OWNER_PATH_BYTES);
	assert_true(strnlen(got->owner.proc.comm, OWNER_COMM_BYTES) < OWNER_COMM_BYTES);
	assert_true(got->owner.cmdline_bytes <= OWNER_CMDLINE_BYTES);
	assert_true(got->owner.n_parents <= OWNER_PARENTS);
	assert_true(got->excerpt_bytes <= RECORD_EXCERPT_BYTES);
	assert_true(got->flow.family == 0 || got->flow.family == AF_INET ||
		    got->flow.family == AF_INET6);
}

static void a_flipped_bit_gives_a_sound_record_or_none(void **state)
{
	unsigned refused = 0;
	int len, bit;

	(void)state;
	fixture_record(&record);
	len = encode();
	for (bit = 0; bit < 8 * len; bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (wire_decode_record(message, (size_t)len, &back) == 0)
			assert_sound(&back);
		else
			refused++;
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(refused > 300);
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), 0);
}

static void noise_gives_a_sound_record_or_none(void **state)
{
	uint32_t random = 1;
	unsigned i, k;

	(void)state;
	fixture_record(&record);
	for (i = 0; i < 3000; i++) {
		int len = encode();

		for (k = 0; k < 8; k++) {
			random = random * 1664525 + 1013904223;
			message[3 + (random >> 8) % (unsigned)(len - 3)] = (uint8_t)(random >> 24);
		}
		if (wire_decode_record(message, (size_t)len, &back) == 0)
			assert_sound(&back);
	}
}

static void another_kind_is_refused(void **state)
{
	struct wire_status status;
	int len;

	(void)state;
	fixture_record(&record);
	len = encode();
	assert_int_equal(wire_decode_status(message, (size_t)len, &status), -EBADMSG);
	assert_int_equal(wire_kind(message, 2), -EBADMSG);
	message[2] = 0;
	assert_int_equal(wire_kind(message, (size_t)len), -EBADMSG);
	message[2] = WIRE_OPTIONS + 1;
	assert_int_equal(wire_kind(message, (size_t)len), -EBADMSG);
	message[2] = WIRE_RECORD;
	message[1]++;
	assert_int_equal(wire_kind(message, (size_t)len), -EBADMSG);
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), -EBADMSG);
}

static void a_status_comes_back_the_same(void **state)
{
	struct wire_status status, read;
	unsigned i;
	int len;

	(void)state;
	memset(&status, 0, sizeof(status));
	for (i = 0; i < STAT_N; i++)
		status.stats.value[i] = UINT64_MAX - i;
	strcpy(status.stats.judge_epoch, "1700000000-812");
	memset(status.stats.kernel_epoch, 'k', sizeof(status.stats.kernel_epoch) - 1);
	status.ts_ns = T0_NS;
	status.judge_pid = 812;
	status.queue_form = RULESET_QUEUE_COMPAT;
	status.mode = MODE_MONITOR;
	status.rules_whole = 1;
	status.queue_waiting = 4000000000;
	len = wire_encode_status(&status, message, sizeof(message));
	assert_int_equal(wire_kind(message, (size_t)len), WIRE_STATS);
	memset(&read, 0, sizeof(read));
	assert_int_equal(wire_decode_status(message, (size_t)len, &read), 0);
	assert_memory_equal(&read, &status, sizeof(read));
	while (--len >= 0)
		assert_int_equal(wire_decode_status(message, (size_t)len, &read), -EBADMSG);
	status.mode = MODE_N;
	assert_int_equal(wire_encode_status(&status, message, sizeof(message)), -EMSGSIZE);
}

static void options_change_the_recorders_keys_only(void **state)
{
	struct config sent, config;
	int len;

	(void)state;
	fixture_config(&sent);
	sent.fold_s = 7;
	sent.evidence = false;
	sent.store_bytes = 1ULL << 40;
	strcpy(sent.state_dir, "/elsewhere");
	fixture_config(&config);
	strcpy(config.state_dir, "/here");
	len = wire_encode_options(&sent, message, sizeof(message));
	assert_int_equal(wire_kind(message, (size_t)len), WIRE_OPTIONS);
	assert_int_equal(wire_decode_options(message, (size_t)len, &config), 0);
	assert_int_equal(config.fold_s, 7);
	assert_false(config.evidence);
	assert_int_equal(config.store_bytes, 1ULL << 40);
	assert_string_equal(config.state_dir, "/here");
	config.fold_s = 9;
	while (--len >= 0)
		assert_int_equal(wire_decode_options(message, (size_t)len, &config), -EBADMSG);
	assert_int_equal(config.fold_s, 9);
	sent.excerpt_bytes = RECORD_EXCERPT_BYTES + 1;
	len = wire_encode_options(&sent, message, sizeof(message));
	assert_int_equal(wire_decode_options(message, (size_t)len, &config), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back_the_same),
		cmocka_unit_test(the_longest_record_fits),
		cmocka_unit_test(a_record_of_nothing_is_a_record),
		cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_flipped_bit_gives_a_sound_record_or_none),
		cmocka_unit_test(noise_gives_a_sound_record_or_none),
		cmocka_unit_test(another_kind_is_refused),
		cmocka_unit_test(a_status_comes_back_the_same),
		cmocka_unit_test(options_change_the_recorders_keys_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
