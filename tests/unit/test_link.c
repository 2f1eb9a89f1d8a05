/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <pcap/dlt.h>

#include "agent/link.h"
#include "frames.h"

#define CUT (-EBADMSG)

/* A link header given as bytes, then IPv4's first bytes; what link_to_ip() says of the whole, and
 * of each shorter frame: cut while less than `whole` bytes are there. */
struct form {
	const char *name;
	int dlt;
	const char *header; /* hex, blanks ignored */
	int result;
	size_t whole; /* from this length on `result` holds; 0: from the header's end + 1 */
};

#define MACS "02 00 00 00 00 01 02 00 00 00 00 02 "

static const struct form forms[] = {
	{ "Ethernet with IPv4", DLT_EN10MB, MACS "0800", 0, 0 },
	{ "Ethernet with IPv6", DLT_EN10MB, MACS "86dd", 0, 0 },
	{ "Ethernet with ARP", DLT_EN10MB, MACS "0806", 1, 14 },
	{ "Ethernet with an 802.1Q tag", DLT_EN10MB, MACS "8100 0064 0800", 0, 0 },
	{ "Ethernet with two tags (802.1ad)", DLT_EN10MB, MACS "88a8 0064 8100 0065 86dd", 0, 0 },
	{ "Ethernet with old service tags", DLT_EN10MB,
	  MACS "9100 0064 9200 0065 9300 0066 8100 0001 0800", 0, 0 },
	{ "Ethernet with eight tags", DLT_EN10MB,
	  MACS
	  "8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 0800",
	  0, 0 },
	{ "Ethernet with more tags than are followed", DLT_EN10MB,
	  MACS
	  "8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 0001 8100 "
	  "0001 0800",
	  1, 50 },
	{ "a tag before ARP", DLT_EN10MB, MACS "8100 0064 0806", 1, 18 },
	{ "802.3 with LLC and SNAP", DLT_EN10MB, MACS "0040 aaaa0300 00000800", 0, 0 },
	{ "802.3 with a bridge's frame", DLT_EN10MB, MACS "0026 424203", 1, 16 },
	{ "802.3 with SNAP of a vendor", DLT_EN10MB, MACS "0040 aaaa0300 000c2000", 1, 22 },
	{ "802.3 with a tag in SNAP, which is not followed", DLT_EN10MB,
	  MACS "0040 aaaa0300 00008100 0001 0800", 1, 22 },
	{ "802.3 with IP in LLC", DLT_EN10MB, MACS "0040 060603", 0, 0 },
	{ "MPLS with one label", DLT_EN10MB, MACS "8847 00010140", 0, 0 },
	{ "MPLS with three labels", DLT_EN10MB, MACS "8848 00010040 00020040 00030140", 0, 0 },
	{ "PPPoE with IPv4", DLT_EN10MB, MACS "8864 11 00 0001 0040 0021", 0, 0 },
	{ "PPPoE with its link control", DLT_EN10MB, MACS "8864 11 00 0001 0040 c021", 1, 22 },
	{ "raw IP", DLT_RAW, "", 0, 0 },
	{ "raw IPv4", DLT_IPV4, "", 0, 0 },
	{ "raw IPv6", DLT_IPV6, "", 0, 0 },
	{ "Linux cooked v1", DLT_LINUX_SLL, "0004 0001 0006 020000000001 0000 0800", 0, 0 },
	{ "Linux cooked v1 with a tag", DLT_LINUX_SLL,
	  "0004 0001 0006 020000000001 0000 8100 0064 86dd", 0, 0 },
	{ "Linux cooked v1 with LLC", DLT_LINUX_SLL,
	  "0004 0001 0006 020000000001 0000 0004 aaaa0300 00000800", 0, 0 },
	{ "Linux cooked v1 with a CAN frame", DLT_LINUX_SLL,
	  "0004 0118 0000 000000000000 0000 000c", 1, 16 },
	{ "Linux cooked v2", DLT_LINUX_SLL2, "86dd 0000 00000002 0001 04 06 0200000000010000", 0,
	  0 },
	{ "Linux cooked v2 with ARP", DLT_LINUX_SLL2,
	  "0806 0000 00000002 0001 04 06 0200000000010000", 1, 2 },
	{ "null with IPv4, little-endian", DLT_NULL, "02000000", 0, 0 },
	{ "null with IPv4, big-endian", DLT_NULL, "00000002", 0, 0 },
	{ "null with FreeBSD's IPv6", DLT_NULL, "1c000000", 0, 0 },
	{ "null with macOS's IPv6, big-endian", DLT_NULL, "0000001e", 0, 0 },
	{ "null with OpenBSD's IPv6", DLT_NULL, "18000000", 0, 0 },
	{ "null with something else", DLT_NULL, "07000000", 1, 4 },
	{ "loop with IPv4", DLT_LOOP, "00000002", 0, 0 },
	{ "loop is big-endian only", DLT_LOOP, "02000000", 1, 4 },
	{ "PPP with IPv4", DLT_PPP, "0021", 0, 0 },
	{ "PPP with its address and control", DLT_PPP, "ff03 0057", 0, 0 },
	{ "PPP with a compressed protocol", DLT_PPP, "21", 0, 0 },
	{ "PPP with MPLS", DLT_PPP, "0281 00010140", 0, 0 },
	{ "PPP with its link control", DLT_PPP, "ff03 c021", 1, 4 },
	{ "PPP in HDLC", DLT_PPP_SERIAL, "ff03 0021", 0, 0 },
	{ "Cisco's HDLC in a PPP capture", DLT_PPP_SERIAL, "0f00 0800", 0, 0 },
	{ "Cisco's HDLC", DLT_C_HDLC, "0f00 86dd", 0, 0 },
	{ "Cisco's HDLC keepalive", DLT_C_HDLC, "8f00 8035", 1, 4 },
	{ "an unknown link type", DLT_IEEE802_11, "0800", 1, 0 },
};

static unsigned hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static void put_hex(struct bytes *to, const char *hex)
{
	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		put8(to, hex_value(hex[0]) << 4 | hex_value(hex[1]));
		hex++;
	}
}

static void is_found_at_every_length(void **state)
{
	const struct form *form = *state;
	struct bytes frame = { .n = 0 };
	struct packet packet, ip;
	struct link_facts facts;
	size_t header;
	int result;

	put_hex(&frame, form->header);
	header = frame.n;
	put_ipv4(&frame, 6, 0, 0);
	for (size_t len = 0; len <= frame.n; len++) {
		size_t whole = form->whole ? form->whole : header + 1;

		packet = exact_copy(frame.b, len);
		ip = (struct packet){ NULL, 0 };
		result = link_to_ip(form->dlt, &packet, &ip, &facts);
		if (!link_supported(form->dlt))
			whole = 0;
		if (result != (len >= whole ? form->result : CUT))
			fail_msg("%zu of %zu bytes: %d", len, frame.n, result);
		if (result == 0) {
			assert_ptr_equal(ip.bytes, packet.bytes + header);
			assert_int_equal(ip.len, len - header);
		} else {
			assert_null(ip.bytes);
		}
		assert_false(facts.has_uid);
		free((void *)packet.bytes);
	}
}

static void put_attribute(struct bytes *to, unsigned type, const void *value, unsigned len)
{
	uint16_t head[2] = { (uint16_t)(len + 4),
			     (uint16_t)type }; /* host order: nfnetlink_log.h */

	put(to, head, 4);
	put(to, value, len);
	put_zero(to, (4 - len % 4) % 4);
}

enum { NFLOG_PREFIX = 10, NFLOG_UID = 11, NFLOG_GID = 14, NFLOG_PAYLOAD = 9 };

static void nflog_has_the_uid(void **state)
{
	struct bytes frame = { .n = 0 }, syn = syn4(25, 2);
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put(&frame, "\2\0\0\31", 4);
	put_attribute(&frame, NFLOG_PREFIX, "refused", 8);
	put_attribute(&frame, NFLOG_UID, "\0\0\0\41", 4);
	put_attribute(&frame, NFLOG_GID, "\0\0\1\0", 4);
	put_attribute(&frame, NFLOG_PAYLOAD, syn.b, 39); /* padded to 4 */
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_NFLOG, &packet, &ip, &facts), 0);
	assert_true(facts.has_uid);
	assert_int_equal(facts.uid, 33);
	assert_int_equal(facts.gid, 256);
	assert_int_equal(ip.len, 39);
	assert_memory_equal(ip.bytes, syn.b, 39);
}

static void nflog_without_uid(void **state)
{
	struct bytes frame = { .n = 0 }, syn = syn6(25, 2);
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put(&frame, "\12\0\0\31", 4);
	put_attribute(&frame, NFLOG_GID, "\0\0\1\0", 4);
	put_attribute(&frame, NFLOG_UID, "\0\0", 2); /* of no length that a uid has */
	put_attribute(&frame, NFLOG_PAYLOAD, syn.b, (unsigned)syn.n);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_NFLOG, &packet, &ip, &facts), 0);
	assert_false(facts.has_uid);
	assert_int_equal(ip.len, syn.n);
}

static void nflog_uid_without_gid(void **state)
{
	struct bytes frame = { .n = 0 }, syn = syn4(25, 2);
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put(&frame, "\2\0\0\31", 4);
	put_attribute(&frame, NFLOG_UID, "\0\0\0\0", 4);
	put_attribute(&frame, NFLOG_PAYLOAD, syn.b, (unsigned)syn.n);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_NFLOG, &packet, &ip, &facts), 0);
	assert_true(facts.has_uid);
	assert_int_equal(facts.uid, 0);
	assert_int_equal(facts.gid, UINT32_MAX);
}

static void nflog_is_bounded(void **state)
{
	struct bytes frame = { .n = 0 }, syn = syn4(25, 2);
	struct packet packet, ip;
	struct link_facts facts;
	size_t payload;
	int result;

	(void)state;
	put(&frame, "\2\0\0\31", 4);
	put_attribute(&frame, NFLOG_UID, "\0\0\0\41", 4);
	payload = frame.n + 4;
	put_attribute(&frame, NFLOG_PAYLOAD, syn.b, (unsigned)syn.n);
	for (size_t len = 0; len <= frame.n; len++) {
		packet = exact_copy(frame.b, len);
		result = link_to_ip(DLT_NFLOG, &packet, &ip, &facts);
		if (len > payload) { /* a snap length cuts the packet, no more */
			assert_int_equal(result, 0);
			assert_int_equal(ip.len, len - payload);
		} else {
			assert_int_not_equal(result, 0);
		}
		free((void *)packet.bytes);
	}
	for (unsigned value = 0; value < 65536; value++) { /* any length of the first attribute */
		uint16_t len = (uint16_t)value;

		packet = exact_copy(frame.b, frame.n);
		memcpy((uint8_t *)packet.bytes + 4, &len, 2);
		result = link_to_ip(DLT_NFLOG, &packet, &ip, &facts);
		if (value < 4)
			assert_int_equal(result, CUT);
		if (!result)
			assert_true(ip.bytes >= packet.bytes &&
				    ip.bytes + ip.len <= packet.bytes + packet.len);
		free((void *)packet.bytes);
	}
}

static void nflog_of_other_families(void **state)
{
	struct bytes frame = { .n = 0 };
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put(&frame, "\3\0\0\31", 4); /* NFPROTO_ARP */
	put_attribute(&frame, NFLOG_PAYLOAD, "arp", 3);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_NFLOG, &packet, &ip, &facts), 1);
	frame.b[0] = 2;
	frame.b[6] = NFLOG_PREFIX; /* IPv4, but no payload */
	frame.b[7] = 0;
	assert_int_equal(link_to_ip(DLT_NFLOG, &packet, &ip, &facts), 1);
}

static void labels_end(void **state)
{
	struct bytes frame = { .n = 0 };
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put_hex(&frame, MACS "8847");
	for (unsigned i = 0; i < 200; i++)
		put32(&frame, 0x00010040);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_EN10MB, &packet, &ip, &facts), 1);
	frame.n = 14;
	put_hex(&frame, "00010140 00000000"); /* a pseudowire's control word, no IP */
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_EN10MB, &packet, &ip, &facts), 1);
}

static void padding_is_the_links(void **state)
{
	struct bytes frame = { .n = 0 };
	struct packet packet, ip;
	struct link_facts facts;

	(void)state;
	put_hex(&frame, MACS "0800");
	put_ipv4(&frame, 6, 0, 0);
	put_tcp(&frame, 25, 2);
	end_ip(&frame);
	put_zero(&frame, 6);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_EN10MB, &packet, &ip, &facts), 0);
	assert_int_equal(ip.len, 40);
	frame.b[17] = 19; /* a length that can't be is for flow_parse() to judge */
	assert_int_equal(link_to_ip(DLT_EN10MB, &packet, &ip, &facts), 0);
	assert_int_equal(ip.len, 46);
	frame.n = 0;
	put_hex(&frame, MACS "86dd");
	put_ipv6(&frame, 6);
	put_tcp(&frame, 25, 2);
	end_ip(&frame);
	put_zero(&frame, 9);
	packet = packet_of(&frame);
	assert_int_equal(link_to_ip(DLT_EN10MB, &packet, &ip, &facts), 0);
	assert_int_equal(ip.len, 60);
}

static void supported_types(void **state)
{
	static const int yes[] = { DLT_EN10MB,	  DLT_RAW,	  DLT_IPV4,   DLT_IPV6,
				   DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,   DLT_LOOP,
				   DLT_PPP,	  DLT_PPP_SERIAL, DLT_C_HDLC, DLT_NFLOG };
	static const int no[] = { -1, DLT_IEEE802_11, DLT_IEEE802_11_RADIO, DLT_USB_LINUX, 9999 };

	(void)state;
	for (unsigned i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(link_supported(yes[i]));
	for (unsigned i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(link_supported(no[i]));
}

#define FORMS (sizeof(forms) / sizeof(forms[0]))

int main(void)
{
	static char names[FORMS][128];
	struct CMUnitTest tests[FORMS + 8] = { 0 };
	size_t n = 0;

	for (; n < FORMS; n++) {
		snprintf(names[n], sizeof(names[n]),
			 "%s is told right, cut after each of its bytes", forms[n].name);
		tests[n] = (struct CMUnitTest){ names[n], is_found_at_every_length, NULL, NULL,
						(void *)&forms[n] };
	}
	tests[n++] =
		(struct CMUnitTest){ "NFLOG gives the packet, its uid and gid", nflog_has_the_uid };
	tests[n++] = (struct CMUnitTest){ "NFLOG without a whole uid has none", nflog_without_uid };
	tests[n++] =
		(struct CMUnitTest){ "NFLOG with a uid alone has no gid", nflog_uid_without_gid };
	tests[n++] =
		(struct CMUnitTest){ "NFLOG is bounded, cut anywhere and whatever its lengths say",
				     nflog_is_bounded };
	tests[n++] = (struct CMUnitTest){ "NFLOG of another family, or without a packet, is no IP",
					  nflog_of_other_families };
	tests[n++] = (struct CMUnitTest){ "an endless label stack, and one without IP, are no IP",
					  labels_end };
	tests[n++] = (struct CMUnitTest){ "a packet ends where IP says, its padding is the link's",
					  padding_is_the_links };
	tests[n++] =
		(struct CMUnitTest){ "the link types that are read are known", supported_types };
	return _cmocka_run_group_tests("link", tests, n, NULL, NULL);
}
