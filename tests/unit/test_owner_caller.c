/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracepoint that tells who called connect(2): its format, its records, and whose a tuple is. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf-free/caller.h"

static const char format_text[] =
	"name: inet_sock_set_state\n"
	"ID: 2287\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:int oldstate;\toffset:16;\tsize:4;\tsigned:1;\n"
	"\tfield:int newstate;\toffset:20;\tsize:4;\tsigned:1;\n"
	"\tfield:__u16 sport;\toffset:24;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 dport;\toffset:26;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 family;\toffset:28;\tsize:2;\tsigned:0;\n"
	"\tfield:__u16 protocol;\toffset:30;\tsize:2;\tsigned:0;\n"
	"\tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n"
	"\tfield:__u8 daddr[4];\toffset:36;\tsize:4;\tsigned:0;\n"
	"\tfield:__u8 saddr_v6[16];\toffset:40;\tsize:16;\tsigned:0;\n"
	"\tfield:__u8 daddr_v6[16];\toffset:56;\tsize:16;\tsigned:0;\n"
	"\n"
	"print fmt: \"family=%s sport=%hu\", REC->family, REC->sport\n";

struct raw {
	uint16_t type;
	uint8_t flags, count;
	int32_t pid;
	uint64_t skaddr;
	int32_t oldstate, newstate;
	uint16_t sport, dport, family, protocol;
	uint8_t saddr[4], daddr[4], saddr6[16], daddr6[16];
} __attribute__((packed));

static struct caller_format format;

static struct raw raw_v4(uint16_t sport, const char *src, const char *dst)
{
	static uint64_t socket = 0xffff888000000000;
	struct raw raw = { .skaddr = socket += 64,
			   .oldstate = TCP_CLOSE,
			   .newstate = TCP_SYN_SENT,
			   .sport = sport,
			   .dport = 25,
			   .family = AF_INET,
			   .protocol = IPPROTO_TCP };

	inet_pton(AF_INET, src, raw.saddr);
	inet_pton(AF_INET, dst, raw.daddr);
	return raw;
}

static void formats(void **unused)
{
	char text[sizeof(format_text)];
	struct caller_format f;
	unsigned id = 0;

	(void)unused;
	assert_int_equal(caller_parse_format(format_text, &id, &f), 0);
	assert_int_equal(id, 2287);
	assert_int_equal(f.skaddr, 8);
	assert_int_equal(f.newstate, 20);
	assert_int_equal(f.dport, 26);
	assert_int_equal(f.saddr, 32);
	assert_int_equal(f.daddr6, 56);
	assert_int_equal(f.size, 72);
	/* Without any one of its fields it is another tracepoint. */
	for (size_t cut = 1; cut < sizeof(format_text) - 90; cut += 7) {
		memcpy(text, format_text, sizeof(text));
		text[sizeof(text) - 90 - cut] = 0;
		assert_int_equal(caller_parse_format(text, &id, &f), -EBADMSG);
	}
	memcpy(text, format_text, sizeof(text));
	memcpy(strstr(text, "size:16"), "size:15", 7);
	assert_int_equal(caller_parse_format(text, &id, &f), -EBADMSG);
}

static int parse(const struct raw *raw, struct caller_event *event)
{
	return caller_parse_record(&format, (const uint8_t *)raw, sizeof(*raw), event);
}

static void records(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.25");
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 25 };
	struct caller_event event = { .to = 7 };

	(void)unused;
	assert_int_equal(parse(&raw, &event), 0);
	assert_true(event.enters);
	assert_true(event.socket == raw.skaddr);
	assert_int_equal(event.tuple.family, AF_INET);
	assert_int_equal(event.tuple.dport, 25);
	assert_memory_equal(event.tuple.dst, raw.daddr, 4);
	for (size_t n = 0; n < sizeof(raw); n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, &raw, n);
		assert_int_equal(caller_parse_record(&format, copy, n, &event), -EBADMSG);
		free(copy);
	}
	raw.family = AF_INET6;
	memcpy(raw.daddr6, mapped, 16);
	assert_int_equal(parse(&raw, &event), 0);
	assert_int_equal(event.tuple.family, AF_INET);
	raw.daddr6[10] = 0;
	assert_int_equal(parse(&raw, &event), 0);
	assert_int_equal(event.tuple.family, AF_INET6);
	raw.oldstate = TCP_SYN_SENT;
	raw.newstate = TCP_CLOSE;
	assert_int_equal(parse(&raw, &event), 0);
	assert_false(event.enters);
	assert_int_equal(event.to, TCP_CLOSE);
	raw.oldstate = TCP_ESTABLISHED;
	assert_int_equal(parse(&raw, &event), -ENOENT);
	raw.newstate = TCP_SYN_SENT;
	raw.protocol = 262; /* MPTCP's own socket */
	assert_int_equal(parse(&raw, &event), -ENOENT);
	raw.protocol = IPPROTO_TCP;
	raw.family = AF_UNIX;
	assert_int_equal(parse(&raw, &event), -EBADMSG);
}

/* A file stands in for one CPU's buffer. */
static struct perf_event_mmap_page *page;
static struct callers *callers;
static struct caller_fds fds;
static size_t data_bytes;
static uint64_t now_ns = 1000000000000;

static int open_ring(void **unused)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	unsigned id;
	int fd = memfd_create("ring", 0);

	(void)unused;
	assert_int_equal(caller_parse_format(format_text, &id, &format), 0);
	data_bytes = 64 * page_bytes;
	assert_int_equal(ftruncate(fd, (off_t)(page_bytes + data_bytes)), 0);
	page = mmap(NULL, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	page->data_offset = page_bytes;
	fds.fds = malloc(sizeof(int));
	fds.fds[0] = fd;
	fds.n = 1;
	fds.format = format;
	assert_int_equal(callers_open(&callers, &fds), 0);
	return 0;
}

static int close_ring(void **unused)
{
	(void)unused;
	callers_free(callers);
	munmap(page, (size_t)sysconf(_SC_PAGESIZE) + data_bytes);
	caller_fds_close(&fds);
	return 0;
}

static void put(const void *bytes, size_t n)
{
	uint8_t *data = (uint8_t *)page + page->data_offset;

	for (size_t i = 0; i < n; i++)
		data[(page->data_head + i) % data_bytes] = ((const uint8_t *)bytes)[i];
	page->data_head += n;
}

static void tell(pid_t pid, const struct raw *raw)
{
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t raw_bytes;
		struct raw raw;
		uint32_t pad;
	} __attribute__((packed)) sample = {
		.header = { PERF_RECORD_SAMPLE, 0, sizeof(sample) },
		.pid = (uint32_t)pid,
		.tid = (uint32_t)pid + 1,
		.time = now_ns,
		.raw_bytes = sizeof(*raw) + 4,
		.raw = *raw,
	};

	assert_int_equal(sizeof(sample) % 8, 0);
	put(&sample, sizeof(sample));
	callers_drain(callers, now_ns);
}

/* It left SYN_SENT with that port. */
static void leave(struct raw raw, uint16_t sport, int state)
{
	raw.sport = sport;
	raw.oldstate = TCP_SYN_SENT;
	raw.newstate = state;
	tell(99, &raw); /* in whose context does not matter */
}

static struct owner_query query_of(const char *dst, uint16_t sport)
{
	struct owner_query query = { .family = AF_INET, .sport = sport, .dport = 25 };

	inet_pton(AF_INET, "192.0.2.10", query.src);
	inet_pton(AF_INET, dst, query.dst);
	return query;
}

static struct callers_answer answer;

static unsigned ask_for(const char *dst, uint16_t sport, bool has_socket, struct caller *found,
			bool *proven)
{
	struct owner_query query = query_of(dst, sport);

	callers_find(callers, &query, has_socket, found, 4, &answer);
	*proven = answer.proven;
	return answer.n;
}

static unsigned ask(const char *dst, uint16_t sport, struct caller *found, bool *proven)
{
	return ask_for(dst, sport, true, found, proven);
}

static void assign(const char *dst, uint16_t sport, pid_t pid)
{
	struct owner_query query = query_of(dst, sport);

	callers_assign(callers, &query, pid);
}

static void one(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.1");
	struct caller found[4];
	bool proven;

	(void)unused;
	tell(100, &raw);
	assert_int_equal(ask("198.51.100.1", 40000, found, &proven), 1);
	assert_true(proven);
	assert_int_equal(found[0].pid, 100);
	assert_int_equal(found[0].tid, 101);
	assert_int_equal(ask("198.51.100.2", 40000, found, &proven), 0);
	assert_false(proven);
	assign("198.51.100.1", 40000, 100);
	assert_int_equal(ask("198.51.100.1", 40000, found, &proven), 0);
}

static void two(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.3");
	struct caller found[4];
	bool proven;

	(void)unused;
	tell(200, &raw);
	raw.skaddr += 8;
	tell(200, &raw);
	assert_int_equal(ask("198.51.100.3", 40001, found, &proven), 1);
	assert_true(proven);
	raw.skaddr += 8;
	tell(201, &raw);
	assert_int_equal(ask("198.51.100.3", 40001, found, &proven), 2);
	assert_false(proven);
	assign("198.51.100.3", 40001, 201);
	assert_int_equal(ask("198.51.100.3", 40002, found, &proven), 1);
	assert_true(proven);
	assert_int_equal(found[0].pid, 200);
	assign("198.51.100.3", 40002, 200);
	assert_int_equal(ask("198.51.100.3", 40003, found, &proven), 1);
	assign("198.51.100.3", 40003, 200);
	assert_int_equal(ask("198.51.100.3", 40003, found, &proven), 0);
}

static void bound(void **unused)
{
	struct raw raw = raw_v4(4000, "192.0.2.10", "198.51.100.4");
	struct caller found[4];
	bool proven;

	(void)unused;
	tell(300, &raw);
	assert_int_equal(ask("198.51.100.4", 4001, found, &proven), 0);
	assert_int_equal(ask("198.51.100.4", 4000, found, &proven), 1);
	raw.sport = 0;
	raw.skaddr += 8;
	tell(301, &raw);
	assert_int_equal(ask("198.51.100.4", 4001, found, &proven), 1);
	assert_int_equal(found[0].pid, 301);
	assert_int_equal(ask("198.51.100.4", 4000, found, &proven), 2);
	assert_false(proven);
}

static void forgotten(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.5");
	struct raw other = raw_v4(0, "192.0.2.10", "198.51.100.5");
	struct caller found[4];
	bool proven;

	(void)unused;
	/* Whoever is in SYN_SENT may yet send its SYN (TCP_FASTOPEN_CONNECT, tcp(7)). */
	tell(400, &raw);
	now_ns += 1000;
	tell(401, &other);
	now_ns += 1000;
	callers_forget(callers, now_ns);
	assert_int_equal(ask("198.51.100.5", 40000, found, &proven), 2);
	leave(raw, 40001, TCP_ESTABLISHED);
	now_ns += 1000;
	callers_forget(callers, now_ns);
	assert_int_equal(ask("198.51.100.5", 40000, found, &proven), 1);
	assert_int_equal(found[0].pid, 401);
	assert_true(proven);
}

static void gone(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.9");
	struct raw other = raw_v4(0, "192.0.2.10", "198.51.100.9");
	struct caller found[4];
	bool proven;

	(void)unused;
	tell(700, &raw);
	tell(701, &other);
	/* A packet whose socket is not there is not of one that is in SYN_SENT. */
	assert_int_equal(ask_for("198.51.100.9", 40007, false, found, &proven), 0);
	leave(raw, 40007, TCP_CLOSE);
	assert_int_equal(ask_for("198.51.100.9", 40008, false, found, &proven), 0);
	assert_int_equal(ask_for("198.51.100.9", 40007, false, found, &proven), 1);
	assert_int_equal(found[0].pid, 700);
	assert_true(proven);
	/* With a socket there the packet may be of either. */
	assert_int_equal(ask_for("198.51.100.9", 40007, true, found, &proven), 2);
	assert_true(answer.doubtful);
	assert_false(proven);
	assign("198.51.100.9", 40007, 700);
	assert_int_equal(ask_for("198.51.100.9", 40007, true, found, &proven), 1);
	assert_int_equal(found[0].pid, 701);
	assert_true(proven);
	assert_false(answer.doubtful);
}

static void passed(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.10");
	struct owner_query query = query_of("198.51.100.10", 40010);
	struct caller found[4];
	bool proven;

	(void)unused;
	tell(800, &raw);
	leave(raw, 40010, TCP_CLOSE);
	callers_pass(callers, &query);
	assert_int_equal(ask_for("198.51.100.10", 40010, true, found, &proven), 0);
	assert_false(answer.doubtful);
	/* One that never got a port sent nothing. */
	raw.skaddr += 8;
	tell(801, &raw);
	leave(raw, 0, TCP_CLOSE);
	assert_int_equal(ask("198.51.100.10", 40011, found, &proven), 0);
}

static void lost(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.6");
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
	} loss = { { PERF_RECORD_LOST, 0, sizeof(loss) }, 1, 3 };
	uint64_t before = callers_lost(callers);
	struct caller found[4];
	bool proven;

	(void)unused;
	put(&loss, sizeof(loss));
	tell(500, &raw);
	assert_int_equal(callers_lost(callers) - before, 3);
	assert_int_equal(ask("198.51.100.6", 40000, found, &proven), 1);
	assert_false(proven);
	/* Nobody waits any more: what was lost matters to nobody. */
	leave(raw, 40000, TCP_CLOSE);
	now_ns += 1000000;
	callers_forget(callers, now_ns);
	tell(501, &raw);
	assert_int_equal(ask("198.51.100.6", 40000, found, &proven), 1);
	assert_true(proven);
}

static void crowded(void **unused)
{
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.7");
	uint64_t before = callers_lost(callers);
	struct caller found[4];
	bool proven;

	(void)unused;
	/* More calls that nobody asks for than are kept, around the buffer's end many times. */
	for (int i = 0; i < 10000; i++) {
		raw.skaddr += 64;
		tell(1000 + i % 3, &raw);
	}
	assert_true(callers_lost(callers) > before);
	assert_int_equal(ask("198.51.100.7", 40000, found, &proven), 3);
	assert_false(proven);
	now_ns += 400000000000;
	callers_forget(callers, now_ns);
	assert_int_equal(ask("198.51.100.7", 40000, found, &proven), 0);
}

static void senseless(void **unused)
{
	struct perf_event_header header = { PERF_RECORD_SAMPLE, 0, 4 };
	struct raw raw = raw_v4(0, "192.0.2.10", "198.51.100.8");
	struct caller found[4];
	bool proven;

	(void)unused;
	put(&header, sizeof(header)); /* shorter than itself: the rest can't be told apart */
	callers_drain(callers, now_ns);
	tell(600, &raw);
	assert_int_equal(ask("198.51.100.8", 40000, found, &proven), 1);
	header.size = 12;
	put(&header, sizeof(header));
	put("abcd", 4);
	callers_drain(callers, now_ns);
	assert_int_equal(ask("198.51.100.8", 40000, found, &proven), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the format of the tracepoint is read whole, or not at all", formats },
		{ "a record gives the tuple as it is before the local port is chosen", records },
		{ "a single caller is proven, once", one },
		{ "two callers of one tuple are no proof, until one is assigned", two },
		{ "a bound port tells calls apart, and a call without one may be for any", bound },
		{ "a call is remembered while its socket is in SYN_SENT", forgotten },
		{ "a packet of a socket that is gone is only that socket's caller's", gone },
		{ "what nobody asks for, and what was never sent, is nobody else's", passed },
		{ "after a loss nothing is proven until nobody waits", lost },
		{ "a flood of calls is bounded, and its loss counted", crowded },
		{ "senseless records do no harm", senseless },
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("owner_caller", tests, open_ring, close_ring);
}
