/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages of the queue and of the NFLOG groups, whole, cut and senseless. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>

#include "agent/copies.h"
#include "agent/queue.h"

static const uint8_t payload[] = { 0x45, 0, 0, 40, 1, 2, 3, 4 };

static struct nlmsghdr *start(uint8_t *buffer, uint16_t type)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	message->nlmsg_type = type;
	family = mnl_nlmsg_put_extra_header(message, sizeof(*family));
	family->nfgen_family = AF_INET;
	return message;
}

static struct nlmsghdr *queue_message(uint8_t *buffer)
{
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET);
	struct nfqnl_msg_packet_hdr header = { .packet_id = htonl(77), .hook = 3 };

	mnl_attr_put(message, NFQA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(message, NFQA_MARK, htonl(0x1234));
	mnl_attr_put_u32(message, NFQA_UID, htonl(33));
	mnl_attr_put_u32(message, NFQA_GID, htonl(34));
	mnl_attr_put(message, NFQA_PAYLOAD, sizeof(payload), payload);
	return message;
}

static struct nlmsghdr *copy_message(uint8_t *buffer)
{
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	struct nfulnl_msg_packet_hdr header = { .hook = 3 };

	mnl_attr_put(message, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(message, NFULA_UID, htonl(101));
	mnl_attr_put_u32(message, NFULA_GID, htonl(102));
	mnl_attr_put_u32(message, NFULA_SEQ, htonl(9));
	mnl_attr_put(message, NFULA_PAYLOAD, sizeof(payload), payload);
	return message;
}

static void a_queued_packet_is_read_whole(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct queue_packet packet;

	(void)state;
	assert_int_equal(queue_parse(queue_message(buffer), &packet), 0);
	assert_int_equal(packet.id, 77);
	assert_int_equal(packet.mark, 0x1234);
	assert_true(packet.has_uid);
	assert_int_equal(packet.uid, 33);
	assert_int_equal(packet.gid, 34);
	assert_int_equal(packet.len, sizeof(payload));
	assert_int_equal(packet.packet_bytes, sizeof(payload));
	assert_memory_equal(packet.bytes, payload, sizeof(payload));
	assert_false(packet.forwarded);
}

static void a_forwarded_packet_tells_by_which_interface_it_came(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET);
	struct nfqnl_msg_packet_hdr header = { .packet_id = htonl(1), .hook = 2 };
	struct queue_packet packet;

	(void)state;
	mnl_attr_put(message, NFQA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(message, NFQA_IFINDEX_OUTDEV, htonl(2));
	assert_int_equal(queue_parse(message, &packet), 0);
	assert_true(packet.forwarded);
	assert_int_equal(packet.indev, 0);
	mnl_attr_put_u32(message, NFQA_IFINDEX_INDEV, htonl(7));
	assert_int_equal(queue_parse(message, &packet), 0);
	assert_int_equal(packet.indev, 7);
	assert_int_equal(packet.ifindex, 2);
	/* The bridge's port says more than the bridge. */
	mnl_attr_put_u32(message, NFQA_IFINDEX_PHYSINDEV, htonl(9));
	assert_int_equal(queue_parse(message, &packet), 0);
	assert_int_equal(packet.indev, 9);
}

static void a_forwarded_copy_tells_by_which_interface_it_came(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	struct nfulnl_msg_packet_hdr header = { .hook = 2 };
	struct copies_packet packet;

	(void)state;
	assert_int_equal(copies_parse(copy_message(buffer), &packet), 0);
	assert_false(packet.forwarded);
	message = start(buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	assert_int_equal(copies_parse(message, &packet), 0);
	assert_false(packet.forwarded); /* it does not say */
	mnl_attr_put(message, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(message, NFULA_IFINDEX_INDEV, htonl(7));
	assert_int_equal(copies_parse(message, &packet), 0);
	assert_true(packet.forwarded);
	assert_int_equal(packet.indev, 7);
	mnl_attr_put_u32(message, NFULA_IFINDEX_PHYSINDEV, htonl(9));
	assert_int_equal(copies_parse(message, &packet), 0);
	assert_int_equal(packet.indev, 9);
}

static void a_packet_without_uid_has_none(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET);
	struct nfqnl_msg_packet_hdr header = { .packet_id = htonl(1) };
	struct queue_packet packet;

	(void)state;
	mnl_attr_put(message, NFQA_PACKET_HDR, sizeof(header), &header);
	assert_int_equal(queue_parse(message, &packet), 0);
	assert_false(packet.has_uid);
	assert_int_equal(packet.len, 0);
}

static void a_cut_packet_tells_its_whole_length(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct nlmsghdr *message = queue_message(buffer);
	struct queue_packet packet;

	(void)state;
	mnl_attr_put_u32(message, NFQA_CAP_LEN, htonl(9000));
	assert_int_equal(queue_parse(message, &packet), 0);
	assert_int_equal(packet.len, sizeof(payload));
	assert_int_equal(packet.packet_bytes, 9000);
}

static void a_message_without_header_is_refused(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct queue_packet packet = { .id = 5 };

	(void)state;
	assert_int_equal(
		queue_parse(start(buffer, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET), &packet),
		-EBADMSG);
	assert_int_equal(packet.id, 5); /* untouched */
	assert_int_equal(
		queue_parse(start(buffer, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG), &packet),
		-EBADMSG);
}

/* What the parser is given in life: a length that mnl_nlmsg_ok() allowed. */
static void cut_everywhere(struct nlmsghdr *(*make)(uint8_t *), bool queue)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	uint32_t whole = make(buffer)->nlmsg_len;

	for (uint32_t length = sizeof(struct nlmsghdr); length <= whole; length++) {
		struct nlmsghdr *message = malloc(length); /* exact: ASan sees a byte too many */
		struct queue_packet packet;
		struct copies_packet copy;

		memcpy(message, buffer, length);
		message->nlmsg_len = length;
		if (queue && queue_parse(message, &packet) == 0 && packet.bytes)
			assert_true(packet.bytes + packet.len <= (uint8_t *)message + length);
		if (!queue && copies_parse(message, &copy) == 0 && copy.bytes)
			assert_true(copy.bytes + copy.len <= (uint8_t *)message + length);
		free(message);
	}
}

static void a_queue_message_cut_anywhere_reads_no_byte_too_many(void **state)
{
	(void)state;
	cut_everywhere(queue_message, true);
}

static void a_copy_cut_anywhere_reads_no_byte_too_many(void **state)
{
	(void)state;
	cut_everywhere(copy_message, false);
}

static void a_copy_is_read_whole(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct copies_packet copy;

	(void)state;
	assert_int_equal(copies_parse(copy_message(buffer), &copy), 0);
	assert_true(copy.has_uid);
	assert_int_equal(copy.uid, 101);
	assert_int_equal(copy.gid, 102);
	assert_true(copy.has_sequence);
	assert_int_equal(copy.sequence, 9);
	assert_memory_equal(copy.bytes, payload, sizeof(payload));
}

static void attributes_too_short_for_their_type_are_none(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[512];
	struct nlmsghdr *message = start(buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	struct copies_packet copy;

	(void)state;
	mnl_attr_put_u16(message, NFULA_UID, 1);
	mnl_attr_put_u8(message, NFULA_GID, 1);
	mnl_attr_put_u8(message, NFULA_SEQ, 1);
	assert_int_equal(copies_parse(message, &copy), 0);
	assert_false(copy.has_uid);
	assert_false(copy.has_sequence);
}

/* As nfnetlink_queue.c prints it: seq_printf "%5u %6u %5u %1u %5u %5u %5u %8u %2d". */
static const char state_text[] = "    3   4242     7 2  1500    11    12       99  1\n"
				 " 2525  31337     0 2  1500     1     2        3  1\n";

static void the_queues_line_is_found_by_its_number(void **state)
{
	struct queue_state found;

	(void)state;
	assert_int_equal(queue_state_parse(state_text, 2525, &found), 0);
	assert_int_equal(found.portid, 31337);
	assert_int_equal(found.dropped, 1);
	assert_int_equal(found.user_dropped, 2);
	assert_int_equal(queue_state_parse(state_text, 3, &found), 0);
	assert_int_equal(found.waiting, 7);
}

static void a_queue_that_nobody_bound_is_not_found(void **state)
{
	struct queue_state found;

	(void)state;
	assert_int_equal(queue_state_parse(state_text, 25, &found), -ENOENT);
	assert_int_equal(queue_state_parse("", 25, &found), -ENOENT);
	assert_int_equal(queue_state_parse("25 garbage\n\n", 25, &found), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queued_packet_is_read_whole),
		cmocka_unit_test(a_forwarded_packet_tells_by_which_interface_it_came),
		cmocka_unit_test(a_forwarded_copy_tells_by_which_interface_it_came),
		cmocka_unit_test(a_packet_without_uid_has_none),
		cmocka_unit_test(a_cut_packet_tells_its_whole_length),
		cmocka_unit_test(a_message_without_header_is_refused),
		cmocka_unit_test(a_queue_message_cut_anywhere_reads_no_byte_too_many),
		cmocka_unit_test(a_copy_is_read_whole),
		cmocka_unit_test(a_copy_cut_anywhere_reads_no_byte_too_many),
		cmocka_unit_test(attributes_too_short_for_their_type_are_none),
		cmocka_unit_test(the_queues_line_is_found_by_its_number),
		cmocka_unit_test(a_queue_that_nobody_bound_is_not_found),
	};

	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
