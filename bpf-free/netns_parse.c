/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc and rtnetlink say of a network namespace. Pure: bytes in, numbers out. */
#include <assert.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netns_internal.h"
#include "proc.h"

const char *const netns_why_words[NETNS_WHY_N] = {
	[NETNS_FOUND] = "found",	 [NETNS_NO_ADDRESS] = "no-address",
	[NETNS_NO_SOCKET] = "no-socket", [NETNS_CLOSED] = "closed",
	[NETNS_AMBIGUOUS] = "ambiguous", [NETNS_ERROR] = "error",
};
static_assert(NETNS_WHY_N == 6, "a new enum netns_why needs its word");

int netns_parse_link(const char *text, size_t len, uint64_t *inode)
{
	static const char head[] = "net:[";
	const size_t head_len = sizeof(head) - 1;
	uint64_t value = 0;

	if (len < head_len + 2 || memcmp(text, head, head_len) || text[len - 1] != ']')
		return -EBADMSG;
	for (size_t i = head_len; i < len - 1; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -EBADMSG;
	if (!value) /* is no inode */
		return -EBADMSG;
	*inode = value;
	return 0;
}

/* The kernel escapes a newline in Name:, so a line is a line. */
int netns_parse_tgid(const char *text, size_t len, pid_t *tgid)
{
	static const char key[] = "\nTgid:\t";
	const char *at = memmem(text, len, key, sizeof(key) - 1), *end = text + len;
	const char *newline;

	if (!at)
		return -EBADMSG;
	at += sizeof(key) - 1;
	newline = memchr(at, '\n', (size_t)(end - at));
	return newline ? netns_parse_last_pid(at, (size_t)(newline - at), tgid) : -EBADMSG;
}

int netns_parse_last_pid(const char *text, size_t len, pid_t *pid)
{
	size_t end = len && text[len - 1] == '\n' ? len - 1 : len, at = end;
	uint32_t number;

	while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9')
		at--;
	if (proc_parse_u32(text + at, end - at, &number) || !number || number > INT32_MAX)
		return -EBADMSG;
	*pid = (pid_t)number;
	return 0;
}

/* Never the source of a packet that was forwarded: loopback, link-local (RFC 4291 2.5.6). */
static bool stays_at_home(uint8_t family, const uint8_t *bytes)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (family == AF_INET)
		return bytes[0] == 127;
	return !memcmp(bytes, loopback, 16) || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

const struct netns_address *netns_find_address(const struct netns_addresses *addresses,
					       uint8_t family, const uint8_t bytes[16])
{
	for (unsigned i = 0; i < addresses->n; i++)
		if (addresses->at[i].family == family &&
		    !memcmp(addresses->at[i].bytes, bytes, family == AF_INET ? 4 : 16))
			return &addresses->at[i];
	return NULL;
}

static void add_address(uint8_t family, const uint8_t *bytes, uint32_t ifindex,
			struct netns_addresses *addresses)
{
	struct netns_address address = { .family = family, .ifindex = ifindex };

	memcpy(address.bytes, bytes, family == AF_INET ? 4 : 16);
	if (stays_at_home(family, bytes) || netns_find_address(addresses, family, address.bytes))
		return;
	if (addresses->n == NETNS_ADDRESSES)
		addresses->more = true;
	else
		addresses->at[addresses->n++] = address;
}

/* Of one interface. IFA_LOCAL is its own address where IFA_ADDRESS is the other end's
 * (linux/if_addr.h). */
static int take_address(const uint8_t *at, size_t left, struct netns_addresses *addresses)
{
	const uint8_t *own = NULL, *other = NULL;
	struct ifaddrmsg head;
	struct nlattr attr;
	size_t size;

	if (left < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	if (head.ifa_family != AF_INET && head.ifa_family != AF_INET6)
		return 0;
	size = head.ifa_family == AF_INET ? 4 : 16;
	static_assert(sizeof(head) == NLMSG_ALIGN(sizeof(head)), "attributes follow at once");
	at += sizeof(head);
	left -= sizeof(head);
	while (left >= sizeof(attr)) {
		size_t step;

		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > left)
			return -EBADMSG;
		if (attr.nla_len == sizeof(attr) + size) {
			if ((attr.nla_type & NLA_TYPE_MASK) == IFA_LOCAL)
				own = at + sizeof(attr);
			else if ((attr.nla_type & NLA_TYPE_MASK) == IFA_ADDRESS)
				other = at + sizeof(attr);
		}
		step = NLA_ALIGN((size_t)attr.nla_len);
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
	if (own || other)
		add_address(head.ifa_family, own ? own : other, head.ifa_index, addresses);
	return 0;
}

/* NLMSG_DONE and NLMSG_ERROR begin with an int: what the kernel says. */
static int end_of(const struct nlmsghdr *header, const uint8_t *at, size_t left)
{
	int said = 0;

	if (left < sizeof(said))
		return header->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
	memcpy(&said, at, sizeof(said));
	if (said < 0)
		return said >= -4095 ? said : -EBADMSG;
	return 1;
}

int netns_parse_addresses(const void *reply, size_t len, uint32_t seq,
			  struct netns_addresses *addresses)
{
	const uint8_t *at = reply;

	while (len) {
		struct nlmsghdr header;
		const uint8_t *body;
		size_t step;

		if (len < sizeof(header))
			return -EBADMSG;
		memcpy(&header, at, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len)
			return -EBADMSG;
		body = at + sizeof(header);
		if (header.nlmsg_seq == seq) {
			size_t left = header.nlmsg_len - sizeof(header);
			int error = 0;

			if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR)
				return end_of(&header, body, left);
			if (header.nlmsg_type == RTM_NEWADDR)
				error = take_address(body, left, addresses);
			if (error)
				return error;
		}
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
	return 0;
}

bool netns_answer_good(const struct netns_answer *answer)
{
	/* As a number: from another process it may be any. */
	if ((unsigned)answer->why >= NETNS_WHY_N || answer->n_pids > NETNS_PIDS)
		return false;
	if (answer->why == NETNS_FOUND && (!answer->netns || !answer->inode))
		return false;
	for (unsigned i = 0; i < answer->n_pids; i++)
		if (answer->pids[i] <= 0)
			return false;
	return true;
}
