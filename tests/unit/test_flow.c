/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/flow.h"
#include "frames.h"

#define STEPS 6

/* A form of packet, and what flow_parse() says when only its first N bytes are there: the error of
 * the last step whose `from` is at most N. */
struct form {
	const char *name;
	void (*make)(struct bytes *bytes);
	size_t ports_from; /* has_ports from this length on; 0: never */
	bool fragment, options;
	uint8_t protocol; /* of the whole packet */
	size_t payload_offset;
	struct {
		size_t from;
		enum flow_error error;
	} step[STEPS];
};

static void make_v4(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_df(struct bytes *b)
{
	put_ipv4(b, 6, 0x4000, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_options(struct bytes *b)
{
	put_ipv4(b, 6, 0, 10);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_data(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	b->b[20 + 12] = 0x70; /* two words of options, then data (RFC 7413) */
	put_zero(b, 8 + 5);
	end_ip(b);
}

static void make_v4_tiny_fragment(struct bytes *b)
{
	put_ipv4(b, 6, 0x2000, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	b->n -= 12;
	end_ip(b);
}

static void make_v4_first_fragment(struct bytes *b)
{
	put_ipv4(b, 6, 0x2000, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	b->n -= 4;
	end_ip(b);
}

static void make_v4_second_fragment(struct bytes *b)
{
	put_ipv4(b, 6, 0x0001, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_udp_fragment(struct bytes *b)
{
	put_ipv4(b, 17, 0x2001, 0);
	put_zero(b, 16);
	end_ip(b);
}

static void make_v4_udp(struct bytes *b)
{
	put_ipv4(b, 17, 0, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_ah(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	put_ah(b);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v4_no_length(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
}

static void make_v4_short_length(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	end_ip(b);
	b->b[3] = 19;
	put_tcp(b, 25, FLOW_TCP_SYN);
}

static void make_v4_padded(struct bytes *b)
{
	put_ipv4(b, 6, 0, 0);
	end_ip(b); /* a length of 20: what looks like TCP is padding */
	put_tcp(b, 25, FLOW_TCP_SYN);
}

static void make_v4_padded_tcp(struct bytes *b)
{
	make_v4(b);
	b->b[20 + 12] = 0x60; /* a word of options, which only padding would hold */
	put_zero(b, 6);
}

static void make_v4_ihl(struct bytes *b)
{
	make_v4(b);
	b->b[0] = 0x44;
}

static void make_v4_data_offset(struct bytes *b)
{
	make_v4(b);
	b->b[20 + 12] = 0x40;
}

static void make_version(struct bytes *b)
{
	make_v4(b);
	b->b[0] = 0x55;
}

static void make_v6(struct bytes *b)
{
	put_ipv6(b, 6);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v6_every_extension(struct bytes *b)
{
	put_ipv6(b, 6);
	put_extension(b, 0, 0);	      /* 40: hop-by-hop */
	put_extension(b, 60, 1);      /* 48: destination options */
	put_extension(b, 43, 2);      /* 64: routing */
	put_ah(b);		      /* 88 */
	put_extension(b, 135, 0);     /* 112: mobility */
	put_extension(b, 139, 0);     /* 120: HIP */
	put_extension(b, 140, 0);     /* 128: shim6 */
	put_tcp(b, 25, FLOW_TCP_SYN); /* 136 */
	end_ip(b);
}

static void make_v6_atomic(struct bytes *b)
{
	put_ipv6(b, 6);
	put_fragment(b, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v6_tiny_fragment(struct bytes *b)
{
	put_ipv6(b, 6);
	put_fragment(b, 1);
	put_tcp(b, 25, FLOW_TCP_SYN);
	b->n -= 12;
	end_ip(b);
}

static void make_v6_empty_fragment(struct bytes *b)
{
	put_ipv6(b, 6);
	put_fragment(b, 1);
	put_extension(b, 60, 0);
	end_ip(b);
}

static void make_v6_second_fragment(struct bytes *b)
{
	put_ipv6(b, 6);
	put_fragment(b, 8);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v6_hidden_fragment(struct bytes *b)
{
	put_ipv6(b, 60); /* the second piece of a chain that may lead to TCP */
	put_fragment(b, 8);
	put_zero(b, 8);
	end_ip(b);
}

static void make_v6_udp_fragment(struct bytes *b)
{
	put_ipv6(b, 17);
	put_fragment(b, 9);
	put_zero(b, 8);
	end_ip(b);
}

static void make_v6_no_next(struct bytes *b)
{
	put_ipv6(b, 59);
	put_extension(b, 60, 0);
	put_zero(b, 20);
	end_ip(b);
}

static void make_v6_sixteen(struct bytes *b)
{
	put_ipv6(b, 6);
	for (unsigned i = 0; i < FLOW_EXTENSIONS_MAX; i++)
		put_extension(b, 60, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v6_seventeen(struct bytes *b)
{
	put_ipv6(b, 6);
	for (unsigned i = 0; i <= FLOW_EXTENSIONS_MAX; i++)
		put_extension(b, 60, 0);
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

static void make_v6_jumbo(struct bytes *b)
{
	put_ipv6(b, 6);
	put_extension(b, 0, 0);
	b->b[42] = 0xc2; /* RFC 2675: 70000 bytes; the capture has fewer */
	b->b[43] = 4;
	memcpy(b->b + 44, (uint8_t[]){ 0, 1, 0x11, 0x70 }, 4);
	put_tcp(b, 25, FLOW_TCP_SYN);
}

static void make_v6_padded(struct bytes *b)
{
	put_ipv6(b, 6);
	put_tcp(b, 25, FLOW_TCP_SYN);
	b->n -= 8;
	end_ip(b);
	b->n += 8;
}

static void make_v6_routing_past_end(struct bytes *b)
{
	put_ipv6(b, 6);
	put_extension(b, 43, 0);
	b->b[41] = 255;
	put_tcp(b, 25, FLOW_TCP_SYN);
	end_ip(b);
}

#define ANY_IP                                                                                     \
	{ 0, FLOW_EMPTY },                                                                         \
	{                                                                                          \
		1, FLOW_CUT_IP                                                                     \
	}

static const struct form forms[] = {
	{ "IPv4 and TCP",
	  make_v4,
	  24,
	  false,
	  false,
	  6,
	  40,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "IPv4 that may not be fragmented",
	  make_v4_df,
	  24,
	  false,
	  false,
	  6,
	  40,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "IPv4 with 40 bytes of options",
	  make_v4_options,
	  64,
	  false,
	  true,
	  6,
	  80,
	  { ANY_IP, { 60, FLOW_CUT_TCP }, { 74, FLOW_OK } } },
	{ "a SYN with TCP options and data",
	  make_v4_data,
	  24,
	  false,
	  false,
	  6,
	  48,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "an IPv4 first fragment of 8 bytes",
	  make_v4_tiny_fragment,
	  24,
	  true,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 28, FLOW_FRAGMENT } } },
	{ "an IPv4 first fragment with the flags",
	  make_v4_first_fragment,
	  24,
	  true,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "an IPv4 second fragment",
	  make_v4_second_fragment,
	  0,
	  true,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_FRAGMENT } } },
	{ "an IPv4 fragment of UDP",
	  make_v4_udp_fragment,
	  0,
	  true,
	  false,
	  17,
	  0,
	  { ANY_IP, { 20, FLOW_NOT_TCP } } },
	{ "UDP", make_v4_udp, 0, false, false, 17, 0, { ANY_IP, { 20, FLOW_NOT_TCP } } },
	{ "IPv4, an authentication header and TCP",
	  make_v4_ah,
	  48,
	  false,
	  true,
	  6,
	  64,
	  { ANY_IP, { 20, FLOW_CUT_EXTENSION }, { 44, FLOW_CUT_TCP }, { 58, FLOW_OK } } },
	{ "IPv4 of length 0 (segmentation offload)",
	  make_v4_no_length,
	  24,
	  false,
	  false,
	  6,
	  40,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "IPv4 shorter than its own header",
	  make_v4_short_length,
	  0,
	  false,
	  false,
	  6,
	  0,
	  { ANY_IP } },
	{ "IPv4 that ends before what looks like TCP",
	  make_v4_padded,
	  0,
	  false,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_CUT_TCP } } },
	{ "TCP options that would lie in the padding",
	  make_v4_padded_tcp,
	  24,
	  false,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_OK } } },
	{ "an IPv4 header length of 4 words",
	  make_v4_ihl,
	  0,
	  false,
	  false,
	  0,
	  0,
	  { ANY_IP, { 20, FLOW_BAD_IHL } } },
	{ "a TCP header length of 4 words",
	  make_v4_data_offset,
	  24,
	  false,
	  false,
	  6,
	  0,
	  { ANY_IP, { 20, FLOW_CUT_TCP }, { 34, FLOW_BAD_DATA_OFFSET } } },
	{ "IP version 5",
	  make_version,
	  0,
	  false,
	  false,
	  0,
	  0,
	  { { 0, FLOW_EMPTY }, { 1, FLOW_BAD_VERSION } } },
	{ "IPv6 and TCP",
	  make_v6,
	  44,
	  false,
	  false,
	  6,
	  60,
	  { ANY_IP, { 40, FLOW_CUT_TCP }, { 54, FLOW_OK } } },
	{ "IPv6 with each kind of extension header",
	  make_v6_every_extension,
	  140,
	  false,
	  true,
	  6,
	  156,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 136, FLOW_CUT_TCP }, { 150, FLOW_OK } } },
	{ "an IPv6 atomic fragment",
	  make_v6_atomic,
	  52,
	  true,
	  true,
	  6,
	  68,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_CUT_TCP }, { 62, FLOW_OK } } },
	{ "an IPv6 first fragment of 8 bytes",
	  make_v6_tiny_fragment,
	  52,
	  true,
	  true,
	  6,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_CUT_TCP }, { 56, FLOW_FRAGMENT } } },
	{ "an IPv6 first fragment that ends before TCP",
	  make_v6_empty_fragment,
	  0,
	  true,
	  true,
	  6,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 56, FLOW_FRAGMENT } } },
	{ "an IPv6 second fragment",
	  make_v6_second_fragment,
	  0,
	  true,
	  true,
	  6,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_FRAGMENT } } },
	{ "an IPv6 second fragment of an extension header",
	  make_v6_hidden_fragment,
	  0,
	  true,
	  true,
	  60,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_FRAGMENT } } },
	{ "an IPv6 fragment of UDP",
	  make_v6_udp_fragment,
	  0,
	  true,
	  true,
	  17,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_NOT_TCP } } },
	{ "IPv6 without a next header",
	  make_v6_no_next,
	  0,
	  false,
	  true,
	  59,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_NOT_TCP } } },
	{ "IPv6 with as many extension headers as are walked",
	  make_v6_sixteen,
	  172,
	  false,
	  true,
	  6,
	  188,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 168, FLOW_CUT_TCP }, { 182, FLOW_OK } } },
	{ "IPv6 with one extension header too many",
	  make_v6_seventeen,
	  0,
	  false,
	  true,
	  60,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 168, FLOW_LONG_CHAIN } } },
	{ "an IPv6 jumbogram",
	  make_v6_jumbo,
	  52,
	  false,
	  true,
	  6,
	  68,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION }, { 48, FLOW_CUT_TCP }, { 62, FLOW_OK } } },
	{ "IPv6 whose length ends within TCP",
	  make_v6_padded,
	  44,
	  false,
	  false,
	  6,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_TCP } } },
	{ "an IPv6 routing header longer than the packet",
	  make_v6_routing_past_end,
	  0,
	  false,
	  true,
	  43,
	  0,
	  { ANY_IP, { 40, FLOW_CUT_EXTENSION } } },
};

static enum flow_error expected_at(const struct form *form, size_t len)
{
	enum flow_error error = form->step[0].error;

	for (unsigned i = 1; i < STEPS && form->step[i].from; i++)
		if (len >= form->step[i].from)
			error = form->step[i].error;
	return error;
}

static void is_read_at_every_length(void **state)
{
	const struct form *form = *state;
	struct bytes bytes = { .n = 0 };
	enum flow_error error, expected;
	struct flow flow;

	form->make(&bytes);
	for (size_t len = 0; len <= bytes.n; len++) {
		struct packet packet = exact_copy(bytes.b, len);

		expected = expected_at(form, len);
		error = flow_parse(&packet, &flow);
		if (error != expected)
			fail_msg("%zu of %zu bytes: %s, not %s", len, bytes.n,
				 flow_error_words[error], flow_error_words[expected]);
		assert_int_equal(flow.has_ports, form->ports_from && len >= form->ports_from);
		if (flow.has_ports) {
			assert_int_equal(flow.sport, 40000);
			assert_int_equal(flow.dport, 25);
		} else {
			assert_int_equal(flow.sport | flow.dport | flow.tcp_flags, 0);
		}
		if (error == FLOW_OK) {
			assert_int_equal(flow.tcp_flags, FLOW_TCP_SYN);
			assert_int_equal(flow.seq, 0x01020304);
			assert_int_equal(flow.ack, 0x05060708);
		}
		assert_true(flow.payload_offset <= len);
		assert_int_equal(flow.family != 0, error != FLOW_EMPTY &&
							   error != FLOW_BAD_VERSION &&
							   len >= (bytes.b[0] >> 4 == 4 ? 20 : 40));
		free((void *)packet.bytes);
	}
	assert_int_equal(flow.fragment, form->fragment);
	assert_int_equal(flow.has_ip_options, form->options);
	assert_int_equal(flow.protocol, form->protocol);
	assert_int_equal(flow.payload_offset, form->payload_offset);
}

static void addresses_are_kept(void **state)
{
	struct bytes four = syn4(587, FLOW_TCP_SYN), six = syn6(465, FLOW_TCP_SYN);
	struct packet packet = packet_of(&four);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct flow flow;

	(void)state;
	assert_int_equal(flow_parse(&packet, &flow), FLOW_OK);
	assert_string_equal(flow_address_text(flow.family, flow.src, src, sizeof(src)),
			    "192.0.2.1");
	assert_string_equal(flow_address_text(flow.family, flow.dst, dst, sizeof(dst)),
			    "198.51.100.2");
	assert_int_equal(flow.dport, 587);
	assert_int_equal(flow.ttl, 64);
	packet = packet_of(&six);
	assert_int_equal(flow_parse(&packet, &flow), FLOW_OK);
	assert_string_equal(flow_address_text(flow.family, flow.src, src, sizeof(src)),
			    "2001:db8::1");
	assert_string_equal(flow_address_text(flow.family, flow.dst, dst, sizeof(dst)),
			    "2001:db8:ffff::2");
	assert_int_equal(flow.dport, 465);
	assert_int_equal(flow.ttl, 63);
	assert_string_equal(flow_address_text(AF_UNIX, flow.dst, dst, sizeof(dst)), "");
	assert_string_equal(flow_address_text(AF_INET6, flow.dst, dst, 4), "");
}

/* Each byte of a valid packet set to each value: nothing is read outside, whatever it says. */
static void survives_every_byte_value(void **state)
{
	struct bytes bytes = { .n = 0 };
	struct flow flow;

	(void)state;
	make_v6_every_extension(&bytes);
	for (size_t at = 0; at < bytes.n; at++) {
		for (unsigned value = 0; value < 256; value++) {
			struct packet packet = exact_copy(bytes.b, bytes.n);
			enum flow_error error;

			((uint8_t *)packet.bytes)[at] = (uint8_t)value;
			error = flow_parse(&packet, &flow);
			assert_true(error < FLOW_ERROR_N);
			assert_true(flow.payload_offset <= packet.len);
			assert_true(error != FLOW_OK || flow.has_ports);
			free((void *)packet.bytes);
		}
	}
}

static void flags_say_what_opens(void **state)
{
	static const struct {
		uint8_t flags;
		bool opens, syn;
	} cases[] = {
		{ 0, false, false },
		{ FLOW_TCP_SYN, true, true },
		{ FLOW_TCP_SYN | 0xc0, true, true }, /* ECN set-up: RFC 3168 */
		{ FLOW_TCP_SYN | FLOW_TCP_ACK, true, false },
		{ FLOW_TCP_SYN | FLOW_TCP_FIN, true, false },
		{ FLOW_TCP_SYN | FLOW_TCP_RST, true, false },
		{ FLOW_TCP_ACK, false, false },
		{ FLOW_TCP_RST | FLOW_TCP_ACK, false, false },
		{ 0xff, true, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow flow = { .tcp_flags = cases[i].flags };

		assert_int_equal(flow_opens(&flow), cases[i].opens);
		assert_int_equal(flow_is_syn(&flow), cases[i].syn);
	}
}

static void knows_itself(void **state)
{
	static const struct {
		int family;
		const char *src, *dst;
		bool self;
	} cases[] = {
		{ AF_INET, "192.0.2.1", "127.0.0.1", true },
		{ AF_INET, "192.0.2.1", "127.255.0.9", true },
		{ AF_INET, "192.0.2.1", "0.0.0.0", true },
		{ AF_INET, "192.0.2.1", "192.0.2.1", true },
		{ AF_INET, "192.0.2.1", "192.0.2.2", false },
		{ AF_INET, "192.0.2.1", "128.0.0.1", false },
		{ AF_INET, "127.0.0.1", "192.0.2.1", false },
		{ AF_INET6, "2001:db8::1", "::1", true },
		{ AF_INET6, "2001:db8::1", "::", true },
		{ AF_INET6, "2001:db8::1", "2001:db8::1", true },
		{ AF_INET6, "2001:db8::1", "2001:db8::2", false },
		{ AF_INET6, "2001:db8::1", "::ffff:127.0.0.1", true },
		{ AF_INET6, "2001:db8::1", "::ffff:0.0.0.0", true },
		{ AF_INET6, "::ffff:192.0.2.1", "::ffff:192.0.2.1", true },
		{ AF_INET6, "2001:db8::1", "::ffff:192.0.2.1", false },
		{ AF_INET6, "2001:db8::1", "::127.0.0.1", false },
		{ AF_INET6, "2001:db8::1", "fe80::1", false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow flow = { .family = (uint8_t)cases[i].family };

		assert_int_equal(inet_pton(cases[i].family, cases[i].src, flow.src), 1);
		assert_int_equal(inet_pton(cases[i].family, cases[i].dst, flow.dst), 1);
		if (flow_dst_is_self(&flow) != cases[i].self)
			fail_msg("%s > %s", cases[i].src, cases[i].dst);
	}
	assert_false(flow_dst_is_self(&(struct flow){ .family = 0 }));
}

static void errors_have_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FLOW_ERROR_N; i++) {
		assert_non_null(flow_error_words[i]);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(flow_error_words[i], flow_error_words[j]);
	}
}

#define FORMS (sizeof(forms) / sizeof(forms[0]))

int main(void)
{
	static char names[FORMS][128];
	struct CMUnitTest tests[FORMS + 5] = { 0 };
	size_t n = 0;

	for (; n < FORMS; n++) {
		snprintf(names[n], sizeof(names[n]),
			 "%s is read right, cut after each of its bytes", forms[n].name);
		tests[n] = (struct CMUnitTest){ names[n], is_read_at_every_length, NULL, NULL,
						(void *)&forms[n] };
	}
	tests[n++] = (struct CMUnitTest){ "addresses, ports and hop limit are those of the packet",
					  addresses_are_kept };
	tests[n++] = (struct CMUnitTest){ "no value of any byte makes the parser read outside",
					  survives_every_byte_value };
	tests[n++] = (struct CMUnitTest){ "the SYN bit opens, SYN alone is an attempt",
					  flags_say_what_opens };
	tests[n++] = (struct CMUnitTest){ "loopback, unspecified and own addresses are this box",
					  knows_itself };
	tests[n++] =
		(struct CMUnitTest){ "each flow error has a word of its own", errors_have_words };
	return _cmocka_run_group_tests("flow", tests, n, NULL, NULL);
}
