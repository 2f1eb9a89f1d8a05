/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a reply of sock_diag: an owner only from a whole message with our question's tuple.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <string.h>

#include "bpf-free/sockdiag.h"
#include "fuzz.h"

#define SEQ 7

static const struct owner_query queries[] = {
	{ .family = AF_INET,
	  .src = { 192, 0, 2, 10 },
	  .dst = { 198, 51, 100, 25 },
	  .sport = 40000,
	  .dport = 25 },
	{ .family = AF_INET6,
	  .src = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x10 },
	  .dst = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x25, [15] = 0x25 },
	  .sport = 40000,
	  .dport = 25 },
};

static bool known_error(int result)
{
	return result == -EAGAIN || result == -EBADMSG || result == -ENOENT || result == -ESTALE ||
	       (result < 0 && result >= -4095);
}

/* What the reply says of itself, where it is long enough to be believed. */
static const struct inet_diag_msg *message_of(const uint8_t *data, size_t size,
					      struct inet_diag_msg *message)
{
	must(size >= sizeof(struct nlmsghdr) + sizeof(*message));
	memcpy(message, data + sizeof(struct nlmsghdr), sizeof(*message));
	return message;
}

static void ask(const uint8_t *data, size_t size, const struct owner_query *query)
{
	struct sockdiag_answer answer, before;
	struct inet_diag_msg message;
	uint8_t state = 0xee;
	int result;

	memset(&answer, 0x5a, sizeof(answer));
	memcpy(&before, &answer, sizeof(answer));
	result = sockdiag_parse(data, size, SEQ, query, &answer, &state);
	if (result) {
		must(known_error(result) && !memcmp(&answer, &before, sizeof(answer)));
		must(result == -ESTALE || state == 0xee);
		return;
	}
	message_of(data, size, &message);
	must(answer.inode && answer.inode == message.idiag_inode);
	must(answer.uid == message.idiag_uid && answer.state == state);
	must(state == message.idiag_state && state != TCP_LISTEN && state != TCP_TIME_WAIT &&
	     state != TCP_CLOSE);
	must(ntohs(message.id.idiag_sport) == query->sport &&
	     ntohs(message.id.idiag_dport) == query->dport);
	must(memmem(message.id.idiag_src, sizeof(message.id.idiag_src), query->src,
		    query->family == AF_INET ? 4 : 16));
	must(memmem(message.id.idiag_dst, sizeof(message.id.idiag_dst), query->dst,
		    query->family == AF_INET ? 4 : 16));
}

static void ask_listener(const uint8_t *data, size_t size, const struct owner_query *query)
{
	struct inet_diag_msg message;
	uint32_t uid = 77;
	int result = sockdiag_parse_listener(data, size, SEQ, query, &uid);

	if (result) {
		must(known_error(result) && uid == 77);
		return;
	}
	message_of(data, size, &message);
	must(uid == message.idiag_uid && message.idiag_state == TCP_LISTEN && message.idiag_inode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		ask(data, size, &queries[i]);
		ask_listener(data, size, &queries[i]);
	}
	return 0;
}
