// SPDX-License-Identifier: GPL-2.0-or-later
/* sock_diag replies, right, wrong and hostile. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf-free/sockdiag.h"

#define SEQ    7u
#define CGROUP 0x1122334455667788ull

struct reply {
	struct nlmsghdr header;
	struct inet_diag_msg msg;
	struct nlattr shutdown;
	uint8_t shutdown_value, pad[3];
	struct nlattr cgroup;
	uint64_t cgroup_id;
} __attribute__((packed));

static const uint8_t src6[16] = { 0xfd, 1, [15] = 9 }, dst6[16] = { 0xfd, 2, [15] = 25 };

static struct owner_query question(uint8_t family)
{
	struct owner_query q = { .family = family, .sport = 40000, .dport = 25 };

	if (family == AF_INET) {
		memcpy(q.src, (uint8_t[]){ 192, 0, 2, 1 }, 4);
		memcpy(q.dst, (uint8_t[]){ 198, 51, 100, 25 }, 4);
	} else {
		memcpy(q.src, src6, 16);
		memcpy(q.dst, dst6, 16);
	}
	return q;
}

static struct reply right_reply(const struct owner_query *q)
{
	struct reply r = {
		.header = { sizeof(r), SOCK_DIAG_BY_FAMILY, 0, SEQ, 0 },
		.msg = { .idiag_family = q->family,
			 .idiag_state = TCP_SYN_SENT,
			 .id = { .idiag_sport = htons(q->sport),
				 .idiag_dport = htons(q->dport),
				 .idiag_cookie = { 0x10, 0x20 } },
			 .idiag_uid = 33,
			 .idiag_inode = 4711 },
		.shutdown = { 5, INET_DIAG_SHUTDOWN },
		.cgroup = { 12, INET_DIAG_CGROUP_ID },
		.cgroup_id = CGROUP,
	};
	memcpy(r.msg.id.idiag_src, q->src, 16);
	memcpy(r.msg.id.idiag_dst, q->dst, 16);
	return r;
}

/* In a block of its own size, so that a sanitizer sees a read behind it. */
static int parse(const void *bytes, size_t len, const struct owner_query *q,
		 struct sockdiag_answer *answer, uint8_t *state)
{
	void *copy = malloc(len ? len : 1);
	int result;

	memcpy(copy, bytes, len);
	result = sockdiag_parse(copy, len, SEQ, q, answer, state);
	free(copy);
	return result;
}

static int parse_reply(const struct reply *r, const struct owner_query *q,
		       struct sockdiag_answer *answer)
{
	uint8_t state = 0;

	return parse(r, sizeof(*r), q, answer, &state);
}

static void right_answer(void **unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct owner_query q = question(i ? AF_INET6 : AF_INET);
		struct reply r = right_reply(&q);
		struct sockdiag_answer a = { 0 };

		assert_int_equal(parse_reply(&r, &q, &a), 0);
		assert_int_equal(a.inode, 4711);
		assert_int_equal(a.uid, 33);
		assert_int_equal(a.state, TCP_SYN_SENT);
		assert_int_equal(a.cookie, 0x2000000010ull);
		assert_int_equal(a.cgroup_id, CGROUP);
	}
}

static void mapped_answer(void **unused)
{
	struct owner_query q = question(AF_INET);
	struct reply r = right_reply(&q);
	struct sockdiag_answer a = { 0 };
	uint8_t *src = (uint8_t *)r.msg.id.idiag_src, *dst = (uint8_t *)r.msg.id.idiag_dst;

	(void)unused;
	r.msg.idiag_family = AF_INET6;
	for (int i = 0; i < 2; i++) {
		uint8_t *at = i ? dst : src;

		memset(at, 0, 16);
		at[10] = at[11] = 0xff;
		memcpy(at + 12, i ? q.dst : q.src, 4);
	}
	assert_int_equal(parse_reply(&r, &q, &a), 0);
	assert_int_equal(a.inode, 4711);
	src[10] = 0; /* an IPv4-compatible address is another one */
	assert_int_equal(parse_reply(&r, &q, &a), -ENOENT);
}

static void other_tuple(void **unused)
{
	struct owner_query q = question(AF_INET);
	struct sockdiag_answer a;
	uint8_t *bytes;

	(void)unused;
	for (int i = 0; i < 5; i++) {
		struct reply r = right_reply(&q);

		switch (i) {
		case 0:
			((uint8_t *)r.msg.id.idiag_src)[3] ^= 1;
			break;
		case 1:
			((uint8_t *)r.msg.id.idiag_dst)[0] ^= 1;
			break;
		case 2:
			r.msg.id.idiag_sport ^= 1;
			break;
		case 3:
			r.msg.id.idiag_dport ^= 1;
			break;
		case 4:
			r.msg.idiag_family = AF_UNIX;
			break;
		}
		memset(&a, 0xaa, sizeof(a));
		assert_int_equal(parse_reply(&r, &q, &a), -ENOENT);
		bytes = (uint8_t *)&a;
		for (size_t n = 0; n < sizeof(a); n++)
			assert_int_equal(bytes[n], 0xaa);
	}
}

static void other_tuple6(void **unused)
{
	struct owner_query q = question(AF_INET6);
	struct reply r = right_reply(&q);
	struct sockdiag_answer a;

	(void)unused;
	((uint8_t *)r.msg.id.idiag_dst)[15] ^= 1;
	assert_int_equal(parse_reply(&r, &q, &a), -ENOENT);
	r = right_reply(&q);
	r.msg.idiag_family = AF_INET;
	assert_int_equal(parse_reply(&r, &q, &a), -ENOENT);
}

static void listener(void **unused)
{
	struct owner_query q = question(AF_INET);
	struct reply r = right_reply(&q);
	struct sockdiag_answer a;
	uint32_t uid = 1;

	(void)unused;
	r.msg.idiag_state = TCP_LISTEN;
	assert_int_equal(parse_reply(&r, &q, &a), -ENOENT);
	assert_int_equal(sockdiag_parse_listener(&r, sizeof(r), SEQ, &q, &uid), 0);
	assert_int_equal(uid, 33);
	r.msg.idiag_state = TCP_SYN_SENT;
	assert_int_equal(sockdiag_parse_listener(&r, sizeof(r), SEQ, &q, &uid), -ENOENT);
}

static void nobodys(void **unused)
{
	static const uint8_t states[] = { TCP_TIME_WAIT, TCP_CLOSE, 12, TCP_FIN_WAIT1 };
	struct owner_query q = question(AF_INET);
	struct sockdiag_answer a;
	uint8_t state;

	(void)unused;
	for (size_t i = 0; i < sizeof(states); i++) {
		struct reply r = right_reply(&q);

		r.msg.idiag_state = states[i];
		r.msg.idiag_uid = r.msg.idiag_inode = 0;
		state = 0;
		assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -ESTALE);
		assert_int_equal(state, states[i]);
	}
}

static void cut(void **unused)
{
	struct owner_query q = question(AF_INET);
	struct reply r = right_reply(&q);
	struct sockdiag_answer a = { 0 };
	uint8_t state;

	(void)unused;
	for (size_t n = 0; n < sizeof(r); n++)
		assert_int_equal(parse(&r, n, &q, &a, &state), -EBADMSG);
	/* and where the header admits it: without its attributes the answer stands */
	for (size_t n = sizeof(r.header); n < sizeof(r); n++) {
		bool whole = n >= sizeof(r.header) + sizeof(r.msg);

		r.header.nlmsg_len = (uint32_t)n;
		a.cgroup_id = 1;
		assert_int_equal(parse(&r, n, &q, &a, &state), whole ? 0 : -EBADMSG);
		assert_int_equal(a.cgroup_id, whole ? 0 : 1);
	}
}

static void hostile_attributes(void **unused)
{
	struct owner_query q = question(AF_INET);
	struct sockdiag_answer a;

	(void)unused;
	for (unsigned len = 0; len <= 0xffff; len++) {
		struct reply r = right_reply(&q);

		r.shutdown.nla_len = (uint16_t)len;
		assert_int_equal(parse_reply(&r, &q, &a), 0);
		assert_int_equal(a.cgroup_id, len >= 5 && len <= 8 ? CGROUP : 0);
	}
	for (unsigned len = 0; len <= 0xffff; len++) {
		struct reply r = right_reply(&q);

		r.cgroup.nla_len = (uint16_t)len;
		assert_int_equal(parse_reply(&r, &q, &a), 0);
		assert_int_equal(a.cgroup_id, len == 12 ? CGROUP : 0);
	}
}

static void errors(void **unused)
{
	struct {
		struct nlmsghdr header;
		int error;
	} r = { { sizeof(r), NLMSG_ERROR, 0, SEQ, 0 }, -ENOENT };
	struct owner_query q = question(AF_INET);
	struct sockdiag_answer a;
	uint8_t state;

	(void)unused;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -ENOENT);
	r.error = -EPERM;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EPERM);
	r.error = 0;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EBADMSG);
	r.error = 5;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EBADMSG);
	r.error = INT32_MIN;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EBADMSG);
	r.header.nlmsg_seq = SEQ + 1;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EAGAIN);
	r.header.nlmsg_seq = SEQ;
	r.header.nlmsg_type = NLMSG_DONE;
	assert_int_equal(parse(&r, sizeof(r), &q, &a, &state), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a right answer gives inode, uid, cookie and cgroup", right_answer },
		{ "an IPv4 question takes the answer of a v4-mapped socket", mapped_answer },
		{ "an answer about another IPv4 tuple is none, and writes nothing", other_tuple },
		{ "an answer about another IPv6 tuple is none", other_tuple6 },
		{ "a listening socket is never the answer, but for who listens", listener },
		{ "TIME_WAIT, request sockets and orphans belong to nobody", nobodys },
		{ "a reply cut at any byte is refused", cut },
		{ "any attribute length is survived, and never believed too far",
		  hostile_attributes },
		{ "errors of the kernel are handed on, odd ones refused", errors },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_sockdiag", tests, NULL, NULL);
}
