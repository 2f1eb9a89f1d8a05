/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the tracepoint's buffers and remembers the calls that nobody has asked for yet. It makes no
 * system call. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "caller.h"

#define PAGES	     64 /* of each CPU's buffer: some 2,500 events; perf_event_mlock_kb allows 128 */
#define CALLS	     8192 /* remembered; a power of two */
#define BUCKETS	     4096 /* a power of two */
#define NO_CALL	     UINT32_MAX
#define LOOK	     128	   /* calls of one tuple that are looked at */
#define LOSS_NS	     2000000000ull /* after a loss nothing is proven for so long */
#define RECORD_BYTES 512

struct call {
	struct owner_query tuple; /* sport 0: not chosen yet */
	struct caller caller;
	uint32_t newer, older; /* in its bucket */
	uint32_t bucket;
	bool used;
};

struct ring {
	struct perf_event_mmap_page *page;
	size_t bytes; /* of the data; a power of two */
};

struct callers {
	struct caller_format format;
	struct ring *rings;
	unsigned n_rings;
	size_t map_bytes;
	struct call calls[CALLS]; /* by time of arrival, the oldest is overwritten */
	uint32_t next, oldest;	  /* both run on without end */
	uint32_t buckets[BUCKETS];
	uint64_t now_ns, lost, lost_ns; /* lost_ns 0: nothing, or nobody it could matter to */
};

int callers_open(struct callers **callers, const struct caller_fds *fds)
{
	struct callers *c = calloc(1, sizeof(*c));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int error = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->format = fds->format;
	c->map_bytes = (PAGES + 1) * page;
	c->rings = calloc(fds->n, sizeof(*c->rings));
	if (!c->rings)
		goto failed;
	memset(c->buckets, 0xff, sizeof(c->buckets));
	for (unsigned i = 0; i < fds->n; i++) {
		void *map = mmap(NULL, c->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fds->fds[i], 0);

		if (map == MAP_FAILED) {
			error = -errno;
			goto failed;
		}
		c->rings[c->n_rings++] = (struct ring){ map, PAGES * page };
	}
	*callers = c;
	return 0;
failed:
	callers_free(c);
	return error;
}

void callers_free(struct callers *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_rings; i++)
		munmap(c->rings[i].page, c->map_bytes);
	free(c->rings);
	free(c);
}

uint64_t callers_lost(const struct callers *c)
{
	return c->lost;
}

/* Of what is known before the local port is. */
static uint32_t hash_tuple(const struct owner_query *q)
{
	uint64_t hash = 0x9e3779b97f4a7c15ull ^ q->dport;
	uint32_t words[8];

	memcpy(words, q->src, 16);
	memcpy(words + 4, q->dst, 16);
	for (unsigned i = 0; i < 8; i++) {
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash & (BUCKETS - 1);
}

static bool same_tuple(const struct owner_query *call, const struct owner_query *query)
{
	return call->family == query->family && call->dport == query->dport &&
	       (!call->sport || call->sport == query->sport) &&
	       !memcmp(call->src, query->src, sizeof(call->src)) &&
	       !memcmp(call->dst, query->dst, sizeof(call->dst));
}

static void unlink_call(struct callers *c, uint32_t index)
{
	struct call *call = &c->calls[index];

	if (call->newer == NO_CALL)
		c->buckets[call->bucket] = call->older;
	else
		c->calls[call->newer].older = call->older;
	if (call->older != NO_CALL)
		c->calls[call->older].newer = call->newer;
	call->used = false;
}

static void lose(struct callers *c, uint64_t n)
{
	c->lost += n;
	c->lost_ns = c->now_ns;
}

static void remember(struct callers *c, const struct owner_query *tuple, pid_t pid, pid_t tid,
		     uint64_t ts_ns)
{
	uint32_t index = c->next++ & (CALLS - 1);
	struct call *call = &c->calls[index];

	if (c->next - c->oldest > CALLS) {
		c->oldest++;
		if (call->used) {
			unlink_call(c, index);
			lose(c, 1);
		}
	}
	*call = (struct call){ *tuple,	{ pid, tid, ts_ns }, NO_CALL,
			       NO_CALL, hash_tuple(tuple),   true };
	call->older = c->buckets[call->bucket];
	if (call->older != NO_CALL)
		c->calls[call->older].newer = index;
	c->buckets[call->bucket] = index;
}

static void copy_out(const struct ring *ring, uint64_t at, void *out, size_t n)
{
	const uint8_t *data = (const uint8_t *)ring->page + ring->page->data_offset;
	size_t from = at & (ring->bytes - 1), first = ring->bytes - from;

	if (first > n)
		first = n;
	memcpy(out, data + from, first);
	memcpy((uint8_t *)out + first, data, n - first);
}

/* PERF_RECORD_SAMPLE of TID, TIME and RAW; PERF_RECORD_LOST (linux/perf_event.h). */
static void take(struct callers *c, const uint8_t *bytes, size_t len)
{
	struct sample {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t raw_bytes;
	} sample;
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
	} loss;
	const size_t head = offsetof(struct sample, raw_bytes) + sizeof(sample.raw_bytes);
	struct owner_query tuple;

	memcpy(&sample.header, bytes, sizeof(sample.header));
	if (sample.header.type == PERF_RECORD_LOST && len >= sizeof(loss)) {
		memcpy(&loss, bytes, sizeof(loss));
		lose(c, loss.lost);
	}
	if (sample.header.type != PERF_RECORD_SAMPLE || len < head)
		return;
	memcpy(&sample, bytes, head);
	if (sample.raw_bytes > len - head ||
	    caller_parse_record(&c->format, bytes + head, sample.raw_bytes, &tuple))
		return;
	remember(c, &tuple, (pid_t)sample.pid, (pid_t)sample.tid, sample.time);
}

static void drain_ring(struct callers *c, struct ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;

	if (head == tail)
		return;
	while (tail < head) {
		uint8_t bytes[RECORD_BYTES] = { 0 };
		struct perf_event_header header;

		copy_out(ring, tail, &header, sizeof(header));
		if (header.size < sizeof(header) || header.size > head - tail)
			break;
		if (header.size <= sizeof(bytes)) {
			copy_out(ring, tail, bytes, header.size);
			take(c, bytes, header.size);
		}
		tail += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}

void callers_drain(struct callers *c, uint64_t now_ns)
{
	c->now_ns = now_ns;
	for (unsigned i = 0; i < c->n_rings; i++)
		drain_ring(c, &c->rings[i]);
}

void callers_forget(struct callers *c, uint64_t before_ns)
{
	for (; c->oldest != c->next; c->oldest++) {
		uint32_t index = c->oldest & (CALLS - 1);

		if (c->calls[index].caller.ts_ns >= before_ns)
			break;
		if (c->calls[index].used)
			unlink_call(c, index);
	}
	if (c->lost_ns < before_ns)
		c->lost_ns = 0;
}

static bool is_new(const struct caller *caller, const struct caller *found, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (found[i].pid == caller->pid)
			return false;
	return true;
}

unsigned callers_find(const struct callers *c, const struct owner_query *query,
		      struct caller *found, unsigned max, bool *proven)
{
	uint32_t index = c->buckets[hash_tuple(query)];
	unsigned n = 0, looked = 0;

	for (; index != NO_CALL && looked < LOOK && n < max; looked++) {
		const struct call *call = &c->calls[index];

		if (same_tuple(&call->tuple, query) && is_new(&call->caller, found, n))
			found[n++] = call->caller;
		index = call->older;
	}
	*proven = n == 1 && index == NO_CALL && (!c->lost_ns || c->now_ns > c->lost_ns + LOSS_NS);
	return n;
}

void callers_assign(struct callers *c, const struct owner_query *query, pid_t pid)
{
	uint32_t oldest = NO_CALL;
	unsigned looked = 0;

	for (uint32_t index = c->buckets[hash_tuple(query)]; index != NO_CALL && looked < LOOK;
	     index = c->calls[index].older, looked++)
		if (same_tuple(&c->calls[index].tuple, query) && c->calls[index].caller.pid == pid)
			oldest = index;
	if (oldest != NO_CALL)
		unlink_call(c, oldest);
}
