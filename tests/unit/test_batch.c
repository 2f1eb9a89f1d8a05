/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judge's batches: what is sent whole, what as a reference, and what is counted when. */
#include "fixture.h"

#include <sys/socket.h>

#include "agent/batch.h"
#include "agent/clock.h"
#include "agent/wire_batch.h"

static struct record record, back;
static struct batch *batch;
static uint64_t sent, lost;
static int fds[2];
static uint8_t bytes[WIRE_BYTES_MAX];

static int set_up(void **state)
{
	int size = 8 << 20;

	(void)state;
	sent = lost = 0;
	fixture_record(&record);
	record.id = 1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return -1;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	batch = batch_new(fds[0], (const uint8_t[16]){ 3 }, &sent, &lost);
	return batch ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	batch_free(batch);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* Adds the record with its next id; it differs in what differs between two attempts. */
static void add(void)
{
	record.id++;
	record.flow.sport++;
	record.flow.seq += 77;
	record.owner.inode++;
	record.owner.cookie++;
	record.owner.lookup_us++;
	record.owner.proc.pid++;
	record.excerpt[20]++;
	batch_add(batch, &record);
}

struct seen {
	unsigned whole, again, messages;
	struct wire_item last;
};

/* Reads all that was sent; each item is sound. */
static struct seen see(void)
{
	struct seen seen = { 0 };
	ssize_t len;

	while ((len = recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t at = 0;
		int got;

		assert_int_equal(wire_kind(bytes, (size_t)len), WIRE_BATCH);
		while ((got = wire_next_item(bytes, (size_t)len, &at, &seen.last)) > 0) {
			if (!seen.last.body) {
				seen.again++;
				continue;
			}
			seen.whole++;
			assert_int_equal(wire_read_record(seen.last.body, seen.last.len, &back), 0);
		}
		assert_int_equal(got, 0);
		seen.messages++;
	}
	return seen;
}

static struct seen flush(void)
{
	batch_flush(batch);
	return see();
}

static void a_repeat_is_a_reference_that_can_be_counted_by_itself(void **state)
{
	struct seen seen;

	(void)state;
	add();
	seen = flush();
	assert_int_equal(seen.whole, 1);
	assert_string_equal(back.owner.script, record.owner.script);
	assert_int_equal(back.id, record.id);
	record.ts_ns += 5;
	add();
	seen = flush();
	assert_int_equal(seen.whole, 0);
	assert_int_equal(seen.again, 1);
	assert_int_equal(seen.last.again.id, record.id);
	assert_int_equal(seen.last.again.ts_ns, T0_NS + 5);
	assert_int_equal(seen.last.again.sport, record.flow.sport);
	wire_again_record(&seen.last.again, &back);
	assert_int_equal(back.id, record.id);
	assert_true(back.has_uid && back.uid == 33);
	assert_int_equal(back.verdict, VERDICT_DENY);
	assert_int_equal(back.reason, REASON_NOT_ALLOWED);
	assert_memory_equal(back.flow.dst, record.flow.dst, 16);
	assert_int_equal(back.flow.dport, 25);
	assert_int_equal(back.owner.how, OWNER_UNKNOWN);
	assert_int_equal(back.owner.why, OWNER_WHY_ERROR);
	assert_int_equal(back.owner.proc.pid, 0);
	assert_int_equal(sent, 2);
	assert_int_equal(lost, 0);
}

static void a_reference_is_short(void **state)
{
	(void)state;
	add();
	flush();
	record.ts_ns += 5;
	add();
	batch_flush(batch);
	assert_true(recv(fds[1], bytes, sizeof(bytes), 0) <= 3 + 52);
}

static void after_a_second_it_is_sent_whole_again(void **state)
{
	unsigned i;
	struct seen seen;

	(void)state;
	for (i = 0; i < 100; i++) {
		record.ts_ns = T0_NS + i * (NS_PER_S / 10);
		add();
	}
	seen = flush();
	assert_int_equal(seen.whole, 10);
	assert_int_equal(seen.again, 90);
	record.ts_ns = T0_NS; /* a clock that was set back */
	add();
	assert_int_equal(flush().whole, 1);
}

static void what_makes_another_row_or_offender_is_no_repeat(void **state)
{
	static const char *const what[] = { "uid",     "no uid",  "verdict", "reason", "via",
					    "dst",     "dport",	  "script",  "unit",   "foreign",
					    "flow",    "family",  "no ports", "cwd" };
	unsigned i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		if (i > 0)
			assert_int_equal(set_up(state), 0);
		if (!strcmp(what[i], "cwd"))
			record.owner.script[0] = '\0'; /* else it says nothing */
		add();
		switch (i) {
		case 0: record.uid++; break;
		case 1: record.has_uid = false; break;
		case 2: record.verdict = VERDICT_WOULD_DENY; break;
		case 3: record.reason = REASON_NO_UID; break;
		case 4: record.via = VIA_GUARD; break;
		case 5: record.flow.dst[3]++; break;
		case 6: record.flow.dport = 587; break;
		case 7: strcat(record.owner.script, "x"); break;
		case 8: strcat(record.owner.unit, "x"); break;
		case 9: record.foreign_holder = true; break;
		case 10: record.flow_error = FLOW_FRAGMENT; break;
		case 11: record.flow.family = AF_INET6; break;
		case 12: record.flow.has_ports = false; break;
		default: strcpy(record.owner.cwd, "/var/www/other"); break;
		}
		add();
		if (flush().whole != 2)
			fail_msg("another %s was taken for a repeat", what[i]);
		leave(state);
	}
	set_up(state);
}

static void a_foreign_holders_record_is_never_a_reference(void **state)
{
	(void)state;
	record.foreign_holder = true;
	add();
	add();
	assert_int_equal(flush().whole, 2);
}

/* The other end, as the recorder remembers: each reference must mean the program it was made of. */
static void a_reference_never_means_another_one(void **state)
{
	static char known[WIRE_SLOTS][64];
	static uint32_t serials[WIRE_SLOTS];
	uint32_t random = 5, program;
	unsigned i, again = 0;
	static uint32_t programs[40000];

	(void)state;
	memset(serials, 0, sizeof(serials));
	for (i = 1; i < 40000; i++) {
		ssize_t len;
		size_t at = 0;
		struct wire_item item;

		random = random * 1664525 + 1013904223;
		program = random >> 8;
		program = program % 4 ? program % 16 : program % 700; /* some are frequent */
		programs[i] = program;
		snprintf(record.owner.script, sizeof(record.owner.script), "/srv/%u.php", program);
		record.id = i - 1;
		record.ts_ns += 20000;
		add();
		if (i % 97 && i != 39999)
			continue;
		batch_flush(batch);
		len = recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT);
		while (wire_next_item(bytes, (size_t)len, &at, &item) > 0) {
			char expected[64];

			if (item.body) {
				assert_int_equal(wire_read_record(item.body, item.len, &back), 0);
				assert_true(item.slot < WIRE_SLOTS);
				strcpy(known[item.slot], back.owner.script);
				serials[item.slot] = item.serial;
				continue;
			}
			again++;
			assert_int_equal(serials[item.slot], item.serial);
			snprintf(expected, sizeof(expected), "/srv/%u.php",
				 programs[item.again.id]);
			assert_string_equal(known[item.slot], expected);
		}
	}
	assert_true(again > 20000);
	assert_int_equal(sent, 39999);
}

static void a_full_batch_is_sent_by_itself_and_in_order(void **state)
{
	unsigned i, n = 0, messages = 0;
	struct wire_item item;
	ssize_t len;

	(void)state;
	memset(record.owner.cmdline, 'c', sizeof(record.owner.cmdline));
	record.owner.cmdline_bytes = sizeof(record.owner.cmdline);
	for (i = 0; i < 50; i++) {
		fixture_dst(&record, i);
		add();
	}
	assert_true(sent > 0 && sent < 50);
	batch_flush(batch);
	assert_int_equal(sent, 50);
	while ((len = recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		size_t at = 0;

		messages++;
		while (wire_next_item(bytes, (size_t)len, &at, &item) > 0) {
			assert_int_equal(wire_read_record(item.body, item.len, &back), 0);
			assert_int_equal(back.id, 2 + n++);
		}
	}
	assert_int_equal(n, 50);
	assert_true(messages >= 7 && messages <= 9);
}

static void the_longest_record_has_room(void **state)
{
	struct owner *owner = &record.owner;
	unsigned i;

	(void)state;
#define FILL(field) memset(field, 0xff, sizeof(field) - 1)
	FILL(record.rule), FILL(owner->exe), FILL(owner->cwd), FILL(owner->script);
	FILL(owner->unit), FILL(owner->container), FILL(owner->request_method);
	FILL(owner->request_uri), FILL(owner->request_host), FILL(owner->request_client);
#undef FILL
	owner->cmdline_bytes = sizeof(owner->cmdline);
	owner->n_parents = OWNER_PARENTS;
	owner->n_holders = OWNER_HOLDERS;
	for (i = 0; i < 3; i++)
		add();
	assert_int_equal(flush().whole, 3); /* names so long are not compared */
	assert_int_equal(sent, 3);
}

static void a_channel_that_is_full_loses_the_batch_as_a_number_and_no_meaning(void **state)
{
	struct seen seen;
	uint64_t before;
	int size = 4096;

	(void)state;
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	memset(record.owner.cmdline, 'c', sizeof(record.owner.cmdline));
	record.owner.cmdline_bytes = sizeof(record.owner.cmdline);
	while (lost == 0) {
		fixture_dst(&record, (uint32_t)record.id);
		add();
		add();
		add();
		batch_flush(batch);
	}
	assert_int_equal(lost, 3);
	before = sent;
	see();
	add(); /* like those that were lost: nobody has the whole one */
	seen = flush();
	assert_int_equal(seen.whole, 1);
	assert_int_equal(seen.again, 0);
	assert_int_equal(sent, before + 1);
	assert_int_equal(lost, 3);
}

static void it_is_due_two_milliseconds_after_its_oldest(void **state)
{
	int64_t before, after, due;

	(void)state;
	assert_true(batch_due_ns(batch) == INT64_MAX);
	before = clock_ns(CLOCK_MONOTONIC);
	add();
	after = clock_ns(CLOCK_MONOTONIC);
	due = batch_due_ns(batch);
	assert_true(due >= before + BATCH_DELAY_NS && due <= after + BATCH_DELAY_NS);
	add();
	assert_true(batch_due_ns(batch) == due);
	flush();
	assert_true(batch_due_ns(batch) == INT64_MAX);
	batch_flush(batch); /* nothing */
	assert_int_equal(see().messages, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repeat_is_a_reference_that_can_be_counted_by_itself),
		TEST(a_reference_is_short),
		TEST(after_a_second_it_is_sent_whole_again),
		TEST(what_makes_another_row_or_offender_is_no_repeat),
		TEST(a_foreign_holders_record_is_never_a_reference),
		TEST(a_reference_never_means_another_one),
		TEST(a_full_batch_is_sent_by_itself_and_in_order),
		TEST(the_longest_record_has_room),
		TEST(a_channel_that_is_full_loses_the_batch_as_a_number_and_no_meaning),
		TEST(it_is_due_two_milliseconds_after_its_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
