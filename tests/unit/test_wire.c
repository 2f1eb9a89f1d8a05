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
	record.id = UINT64_MAX - 1;
	record.owner.poses = true;
	record.owner.caller = (struct owner_ref){ .pid = 811, .uid = 34, .start_ticks = 98,
						  .comm = "lender" };
	strcpy(record.indev, "docker0");
	len = encode();
	assert_true(len < 700); /* texts by their length */
	assert_int_equal(wire_kind(message, (size_t)len), WIRE_RECORD);
	memset(&back, 0xaa, sizeof(back));
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), 0);
	assert_memory_equal(&back.flow, &record.flow, sizeof(record.flow));
	assert_memory_equal(&back.owner, &record.owner, sizeof(record.owner));
	assert_memory_equal(back.excerpt, record.excerpt, sizeof(record.excerpt));
	assert_int_equal(back.id, UINT64_MAX - 1);
	assert_int_equal(back.ts_ns, record.ts_ns);
	assert_true(back.owner.poses);
	assert_int_equal(back.owner.caller.pid, 811);
	assert_string_equal(back.owner.caller.comm, "lender");
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
	memset(owner->caller.comm, 0xfd, OWNER_COMM_BYTES - 1);
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
	message[2] = WIRE_BATCH + 1;
	assert_int_equal(wire_kind(message, (size_t)len), -EBADMSG);
	message[2] = WIRE_RECORD;
	message[1]++;
	assert_int_equal(wire_kind(message, (size_t)len), -EBADMSG);
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), -EBADMSG);
}

static struct note note, note_back;

static int encode_note(void)
{
	int len;

	memset(message, 0xcc, sizeof(message));
	len = wire_encode_note(&note, message, sizeof(message));
	assert_true(len > 0);
	return len;
}

static void a_note_comes_back_the_same(void **state)
{
	int len;

	(void)state;
	fixture_note(&note, 42);
	len = encode_note();
	assert_true(len < 350);
	assert_int_equal(wire_kind(message, (size_t)len), WIRE_NOTE);
	memset(&note_back, 0xaa, sizeof(note_back));
	assert_int_equal(wire_decode_note(message, (size_t)len, &note_back), 0);
	assert_memory_equal(&note_back.site, &note.site, sizeof(note.site));
	assert_memory_equal(&note_back.object, &note.object, sizeof(note.object));
	assert_string_equal(note_back.trigger.uri, "/wp-content/uploads/x.php");
	assert_int_equal(note_back.trigger.status, 200);
	assert_int_equal(note_back.trigger.ts_ns, T0_NS);
	assert_int_equal(note_back.id, 42);
	assert_int_equal(note_back.ts_ns, note.ts_ns);
	assert_int_equal(wire_decode_record(message, (size_t)len, &back), -EBADMSG);
}

static void a_note_carries_only_the_parts_it_has(void **state)
{
	int len;

	(void)state;
	fixture_note(&note, 7);
	note.parts = NOTE_TRIGGER;
	len = encode_note();
	memset(&note_back, 0xaa, sizeof(note_back));
	assert_int_equal(wire_decode_note(message, (size_t)len, &note_back), 0);
	assert_int_equal(note_back.parts, NOTE_TRIGGER);
	assert_string_equal(note_back.trigger.client, "203.0.113.9");
	assert_string_equal(note_back.site.vhost, "");
	assert_int_equal(note_back.site.from, SITE_FROM_NONE);
	assert_false(note_back.object.has_digest);
}

static void a_note_of_no_part_or_a_new_one_is_none(void **state)
{
	int len;

	(void)state;
	fixture_note(&note, 7);
	note.parts = 0;
	assert_int_equal(wire_encode_note(&note, message, sizeof(message)), -EMSGSIZE);
	note.parts = NOTE_OBJECT << 1;
	assert_int_equal(wire_encode_note(&note, message, sizeof(message)), -EMSGSIZE);
	note.parts = NOTE_OBJECT;
	len = encode_note();
	message[3 + 16] = 0;
	assert_int_equal(wire_decode_note(message, (size_t)len, &note_back), -EBADMSG);
	message[3 + 16] = NOTE_OBJECT | 8;
	assert_int_equal(wire_decode_note(message, (size_t)len, &note_back), -EBADMSG);
}

static void a_copy_without_its_digest_is_refused(void **state)
{
	(void)state;
	fixture_note(&note, 7);
	note.object.has_digest = false;
	assert_int_equal(wire_encode_note(&note, message, sizeof(message)), -EMSGSIZE);
	note.object.has_copy = false;
	encode_note();
}

static void the_longest_note_fits(void **state)
{
	int len;

	(void)state;
	fixture_note(&note, UINT64_MAX);
#define FILL(field) memset(field, 0xff, sizeof(field) - 1)
	FILL(note.site.account), FILL(note.site.vhost), FILL(note.site.root);
	FILL(note.site.source), FILL(note.trigger.method), FILL(note.trigger.uri);
	FILL(note.trigger.client), FILL(note.trigger.vhost), FILL(note.trigger.log);
#undef FILL
	len = encode_note();
	assert_int_equal(wire_decode_note(message, (size_t)len, &note_back), 0);
	assert_memory_equal(&note_back.site, &note.site, sizeof(note.site));
	assert_string_equal(note_back.trigger.uri, note.trigger.uri);
	assert_int_equal(wire_encode_note(&note, message, (size_t)len - 1), -EMSGSIZE);
}

static void a_note_cut_at_any_byte_is_refused(void **state)
{
	static struct note before;
	int len, cut;

	(void)state;
	fixture_note(&note, 42);
	len = encode_note();
	memset(&note_back, 0x55, sizeof(note_back));
	before = note_back;
	for (cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc((size_t)cut + 1);

		memcpy(copy, message, (size_t)cut);
		assert_int_equal(wire_decode_note(copy, (size_t)cut, &note_back), -EBADMSG);
		free(copy);
	}
	assert_memory_equal(&note_back, &before, sizeof(before));
	message[len] = 0;
	assert_int_equal(wire_decode_note(message, (size_t)len + 1, &note_back), -EBADMSG);
}

static void a_flipped_bit_gives_a_sound_note_or_none(void **state)
{
	unsigned refused = 0;
	int len, bit;

	(void)state;
	fixture_note(&note, 42);
	len = encode_note();
	for (bit = 0; bit < 8 * len; bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (wire_decode_note(message, (size_t)len, &note_back) < 0) {
			refused++;
		} else {
			assert_true(note_back.parts > 0 && note_back.parts < 8);
			assert_true(note_back.site.from < SITE_FROM_N);
			assert_true(note_back.trigger.match < MATCH_N);
			assert_true(note_back.object.why < OBJECT_WHY_N);
			assert_true(note_back.object.has_digest || !note_back.object.has_copy);
			assert_non_null(memchr(note_back.trigger.uri, 0,
					       sizeof(note_back.trigger.uri)));
			assert_non_null(memchr(note_back.site.source, 0,
					       sizeof(note_back.site.source)));
		}
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(refused > 150);
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
		cmocka_unit_test(a_note_comes_back_the_same),
		cmocka_unit_test(a_note_carries_only_the_parts_it_has),
		cmocka_unit_test(a_note_of_no_part_or_a_new_one_is_none),
		cmocka_unit_test(a_copy_without_its_digest_is_refused),
		cmocka_unit_test(the_longest_note_fits),
		cmocka_unit_test(a_note_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_flipped_bit_gives_a_sound_note_or_none),
		cmocka_unit_test(a_status_comes_back_the_same),
		cmocka_unit_test(options_change_the_recorders_keys_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
