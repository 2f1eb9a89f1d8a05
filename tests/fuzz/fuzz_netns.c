/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what tells of network namespaces: the first says as which. Nothing but whole texts
 * and messages becomes an inode, an address or an answer. */
#include <errno.h>
#include <string.h>

#include "agent/enter.h"
#include "bpf-free/netns_internal.h"
#include "take.h"

#define SEQ 7

static void as_link(const char *text, size_t len)
{
	uint64_t inode = 0;
	char back[64];

	if (netns_parse_link(text, len, &inode)) {
		must(inode == 0);
		return;
	}
	/* Leading zeros apart it says the same again. */
	must(inode != 0 && len >= 7);
	snprintf(back, sizeof(back), "%llu]", (unsigned long long)inode);
	must(len >= strlen(back) && !memcmp(text + len - strlen(back), back, strlen(back)));
}

static void as_numbers(const char *text, size_t len)
{
	pid_t tgid = -7, last = -7;

	must(netns_parse_tgid(text, len, &tgid) == 0 ? tgid > 0 : tgid == -7);
	must(netns_parse_last_pid(text, len, &last) == 0 ? last > 0 : last == -7);
}

static void as_addresses(const char *reply, size_t len)
{
	static struct netns_address room[NETNS_ADDRESSES];
	struct netns_addresses addresses = { .at = room };
	int result = netns_parse_addresses(reply, len, SEQ, &addresses);

	must(result == 0 || result == 1 || (result < 0 && result >= -4095));
	must(addresses.n <= NETNS_ADDRESSES && addresses.n <= len / 20);
	for (unsigned i = 0; i < addresses.n; i++) {
		const struct netns_address *address = &addresses.at[i];
		size_t size = address->family == AF_INET ? 4 : 16;

		must(address->family == AF_INET || address->family == AF_INET6);
		must(memmem(reply, len, address->bytes, size)); /* it stands there */
		must(address->family != AF_INET || address->bytes[0] != 127);
		must(netns_find_address(&addresses, address->family, address->bytes) == address);
	}
}

static void as_messages(const char *bytes, size_t len)
{
	struct enter_question question;
	struct enter_answer answer;

	if (enter_read_question(bytes, len, &question) == 0)
		must(len == sizeof(question) &&
		     (question.query.family == AF_INET || question.query.family == AF_INET6));
	if (enter_read_answer(bytes, len, &answer) == 0) {
		struct owner owner;

		must(len == sizeof(answer) && answer.answer.n_pids <= NETNS_PIDS);
		for (unsigned i = 0; i < answer.answer.n_pids; i++)
			must(answer.answer.pids[i] > 0);
		netns_owner(&answer.answer, &owner);
		must(owner.proc.pid == 0 && owner.why != OWNER_WHY_NONE);
		must(owner.has_socket == (answer.answer.why == NETNS_FOUND));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t as = take_u8(&take);
	size_t len = take.left;
	char *rest = take_rest(&take), *exact = malloc(len ? len : 1);

	must(exact);
	memcpy(exact, rest, len); /* without the NUL: a sanitizer sees a byte too many */
	free(rest);
	switch (as % 4) {
	case 0:
		as_link(exact, len);
		break;
	case 1:
		as_numbers(exact, len);
		break;
	case 2:
		as_addresses(exact, len);
		break;
	default:
		as_messages(exact, len);
		break;
	}
	free(exact);
	return 0;
}
