/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/packet.h"

static const uint8_t eight[8] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8 };

/* Offsets that must fail whatever is asked: behind the end, and where a sum would wrap. */
static const size_t far[] = { 8, 9, 1000, SIZE_MAX / 2, SIZE_MAX - 3, SIZE_MAX - 1, SIZE_MAX };

static void reads_big_endian(void **state)
{
	struct packet packet = { eight, sizeof(eight) };
	uint32_t be32;
	uint16_t be16;
	uint8_t u8;

	(void)state;
	assert_true(packet_u8(&packet, 0, &u8) && u8 == 0x81);
	assert_true(packet_u8(&packet, 7, &u8) && u8 == 0xf8);
	assert_true(packet_be16(&packet, 1, &be16) && be16 == 0x92a3);
	assert_true(packet_be16(&packet, 6, &be16) && be16 == 0xe7f8);
	assert_true(packet_be32(&packet, 0, &be32) && be32 == 0x8192a3b4);
	assert_true(packet_be32(&packet, 4, &be32) && be32 == 0xc5d6e7f8);
}

static void refuses_past_the_end(void **state)
{
	uint32_t be32 = 0x55555555;
	uint16_t be16 = 0x5555;
	uint8_t u8 = 0x55, *exact;

	(void)state;
	for (size_t len = 0; len <= sizeof(eight); len++) {
		exact = malloc(len ? len : 1);
		assert_non_null(exact);
		memcpy(exact, eight, len);
		struct packet packet = { exact, len };

		for (size_t at = 0; at <= sizeof(eight) + 1; at++) {
			assert_int_equal(packet_u8(&packet, at, &u8), at < len);
			assert_int_equal(packet_be16(&packet, at, &be16), at + 2 <= len);
			assert_int_equal(packet_be32(&packet, at, &be32), at + 4 <= len);
		}
		free(exact);
	}
}

static void leaves_out_alone(void **state)
{
	struct packet packet = { eight, sizeof(eight) }, span = { eight + 1, 3 };
	uint8_t u8 = 0x55, copy[4] = { 1, 2, 3, 4 };
	uint32_t be32 = 0x55555555;
	uint16_t be16 = 0x5555;

	(void)state;
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		assert_false(packet_u8(&packet, far[i], &u8));
		assert_false(packet_be16(&packet, far[i], &be16));
		assert_false(packet_be32(&packet, far[i], &be32));
		assert_false(packet_copy(&packet, far[i], copy, 4));
		if (far[i] > 8)
			assert_false(packet_from(&packet, far[i], &span));
	}
	assert_int_equal(u8, 0x55);
	assert_int_equal(be16, 0x5555);
	assert_int_equal(be32, 0x55555555);
	assert_memory_equal(copy, ((uint8_t[]){ 1, 2, 3, 4 }), 4);
	assert_ptr_equal(span.bytes, eight + 1);
	assert_int_equal(span.len, 3);
}

static void copies_what_is_there(void **state)
{
	struct packet packet = { eight, sizeof(eight) };
	uint8_t copy[9] = { 0 };

	(void)state;
	assert_true(packet_copy(&packet, 0, copy, 8));
	assert_memory_equal(copy, eight, 8);
	assert_true(packet_copy(&packet, 8, copy, 0));
	assert_false(packet_copy(&packet, 0, copy, 9));
	assert_false(packet_copy(&packet, 5, copy, 4));
	assert_false(packet_copy(&packet, 9, copy, 0));
	assert_false(packet_copy(&packet, 1, copy, SIZE_MAX));
}

static void spans_stay_inside(void **state)
{
	struct packet packet = { eight, sizeof(eight) }, span;
	uint8_t u8;

	(void)state;
	assert_true(packet_from(&packet, 3, &span));
	assert_ptr_equal(span.bytes, eight + 3);
	assert_int_equal(span.len, 5);
	assert_false(packet_u8(&span, 5, &u8));
	assert_true(packet_from(&packet, 8, &span));
	assert_int_equal(span.len, 0);
	assert_false(packet_u8(&span, 0, &u8));
}

static void nothing_is_a_packet_too(void **state)
{
	struct packet nothing = { NULL, 0 }, span = { eight, 8 };
	uint8_t u8;

	(void)state;
	assert_false(packet_u8(&nothing, 0, &u8));
	assert_true(packet_copy(&nothing, 0, &u8, 0));
	assert_true(packet_from(&nothing, 0, &span));
	assert_int_equal(span.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "an accessor reads big-endian numbers into host order", reads_big_endian },
		{ "an accessor refuses every offset past the end, for every length",
		  refuses_past_the_end },
		{ "a refused access leaves its out-parameter alone, also where a sum would wrap",
		  leaves_out_alone },
		{ "a copy is made only of bytes that are all there", copies_what_is_there },
		{ "a span begins at its offset and ends with its packet", spans_stay_inside },
		{ "a packet without bytes needs no pointer", nothing_is_a_packet_too },
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
