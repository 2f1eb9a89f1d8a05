/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the tracepoint's buffers and remembers the calls that nobody has asked for yet. It makes no
 * system call. */
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "caller.h"

#define PAGES	     64 /* of each CPU's buffer: some 2,500 events; perf_event_mlock_kb allows 128 */
#define CALLS	     8192 /* remembered; a power of two */
#define BUCKETS	     4096 /* a power of two */
#define NO_CALL	     UINT32_MAX
#define LOOK	     128	     /* calls of one tuple that are looked at */
#define LOSS_NS	     2000000000ull   /* after a loss nothing is proven for so long */
#define OPEN_NS	     300000000000ull /* none is in SYN_SENT for longer (tcp_syn_retries, tcp(7)) */
#define RECORD_BYTES 512
#define ANY_PID	     0

enum call_state { CALL_NONE, CALL_OPEN, CALL_ESTABLISHED, CALL_CLOSED };

struct call {
	enum call_state state;
	bool seen;		  /* its packet was */
	struct owner_query tuple; /* sport 0: not known yet */
	struct caller caller;
	uint64_t socket, left_ns;
	struct links {
		uint32_t newer, older;
	} by_tuple, by_socket;
	uint32_t tuple_bucket, socket_bucket;
};

struct ring {
	struct perf_event_mmap_page *page;
	size_t room; /* of the data; a power of two */
	/* while it is drained */
	uint64_t head, tail, time; /* time: of the next record; UINT64_MAX: there is none */
	size_t size;
	uint8_t bytes[RECORD_BYTES];
};

struct callers {
	struct caller_format format;
	struct ring *rings;
	unsigned n_rings;
	size_t map_bytes;
	struct call calls[CALLS]; /* by time of arrival, the oldest is overwritten */
	uint32_t next, oldest;	  /* both run on without end */
	uint32_t by_tuple[BUCKETS], by_socket[BUCKETS]; /* the newest first */
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
	memset(c->by_tuple, 0xff, sizeof(c->by_tuple));
	memset(c->by_socket, 0xff, sizeof(c->by_socket));
	for (unsigned i = 0; i < fds->n; i++) {
		void *map = mmap(NULL, c->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fds->fds[i], 0);

		if (map == MAP_FAILED) {
			error = -errno;
			goto failed;
		}
		c->rings[c->n_rings++] = (struct ring){ .page = map, .room = PAGES * page };
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

static bool same_ends(const struct owner_query *a, const struct owner_query *b)
{
	return a->family == b->family && a->dport == b->dport &&
	       !memcmp(a->src, b->src, sizeof(a->src)) && !memcmp(a->dst, b->dst, sizeof(a->dst));
}

static uint32_t hash_socket(uint64_t socket)
{
	return (uint32_t)((socket * 0x9e3779b97f4a7c15ull) >> 40) & (BUCKETS - 1);
}

static void link_call(struct callers *c, uint32_t index)
{
	struct call *call = &c->calls[index];
	uint32_t *tuple = &c->by_tuple[call->tuple_bucket];
	uint32_t *socket = &c->by_socket[call->socket_bucket];

	call->by_tuple = (struct links){ NO_CALL, *tuple };
	if (*tuple != NO_CALL)
		c->calls[*tuple].by_tuple.newer = index;
	*tuple = index;
	call->by_socket = (struct links){ NO_CALL, *socket };
	if (*socket != NO_CALL)
		c->calls[*socket].by_socket.newer = index;
	*socket = index;
}

static void drop_call(struct callers *c, uint32_t index)
{
	struct call *call = &c->calls[index];
	const struct links t = call->by_tuple, s = call->by_socket;

	*(t.newer == NO_CALL ? &c->by_tuple[call->tuple_bucket]
			     : &c->calls[t.newer].by_tuple.older) = t.older;
	if (t.older != NO_CALL)
		c->calls[t.older].by_tuple.newer = t.newer;
	*(s.newer == NO_CALL ? &c->by_socket[call->socket_bucket]
			     : &c->calls[s.newer].by_socket.older) = s.older;
	if (s.older != NO_CALL)
		c->calls[s.older].by_socket.newer = s.newer;
	call->state = CALL_NONE;
}

static void lose(struct callers *c, uint64_t n)
{
	c->lost += n;
	c->lost_ns = c->now_ns;
}

static uint32_t open_call_of(const struct callers *c, uint64_t socket)
{
	uint32_t index = c->by_socket[hash_socket(socket)];

	while (index != NO_CALL &&
	       (c->calls[index].socket != socket || c->calls[index].state != CALL_OPEN))
		index = c->calls[index].by_socket.older;
	return index;
}

static void on_enter(struct callers *c, const struct caller_event *event,
		     const struct caller *caller)
{
	uint32_t index = c->next++ & (CALLS - 1), last = open_call_of(c, event->socket);
	struct call *call = &c->calls[index];

	if (last != NO_CALL) /* that it left was not told */
		drop_call(c, last);
	if (c->next - c->oldest > CALLS) {
		c->oldest++;
		if (call->state != CALL_NONE) {
			if (!call->seen)
				lose(c, 1);
			drop_call(c, index);
		}
	}
	*call = (struct call){ .state = CALL_OPEN,
			       .tuple = event->tuple,
			       .caller = *caller,
			       .socket = event->socket,
			       .tuple_bucket = hash_tuple(&event->tuple),
			       .socket_bucket = hash_socket(event->socket) };
	link_call(c, index);
}

static void on_leave(struct callers *c, const struct caller_event *event, uint64_t ts_ns)
{
	uint32_t index = open_call_of(c, event->socket);
	struct call *call;

	if (index == NO_CALL)
		return;
	call = &c->calls[index];
	/* Without a port there was no SYN (inet_hash_connect() failed). */
	if (!event->tuple.sport || !same_ends(&event->tuple, &call->tuple)) {
		drop_call(c, index);
		return;
	}
	call->tuple.sport = event->tuple.sport;
	call->state = event->to == TCP_CLOSE ? CALL_CLOSED : CALL_ESTABLISHED;
	call->left_ns = ts_ns;
}

static void copy_out(const struct ring *ring, uint64_t at, void *out, size_t n)
{
	const uint8_t *data = (const uint8_t *)ring->page + ring->page->data_offset;
	size_t from = at & (ring->room - 1), first = ring->room - from;

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
	struct caller_event event;
	struct caller caller;

	memcpy(&sample.header, bytes, sizeof(sample.header));
	if (sample.header.type == PERF_RECORD_LOST && len >= sizeof(loss)) {
		memcpy(&loss, bytes, sizeof(loss));
		lose(c, loss.lost);
	}
	if (sample.header.type != PERF_RECORD_SAMPLE || len < head)
		return;
	memcpy(&sample, bytes, head);
	if (sample.raw_bytes > len - head ||
	    caller_parse_record(&c->format, bytes + head, sample.raw_bytes, &event))
		return;
	caller = (struct caller){ (pid_t)sample.pid, (pid_t)sample.tid, sample.time, 0 };
	if (event.enters)
		on_enter(c, &event, &caller);
	else
		on_leave(c, &event, sample.time);
}

/* The next record of a ring, up to where it was filled when this began. 0: there is none. */
static size_t next_record(const struct ring *ring, uint8_t bytes[RECORD_BYTES])
{
	struct perf_event_header header;

	if (ring->tail >= ring->head)
		return 0;
	copy_out(ring, ring->tail, &header, sizeof(header));
	if (header.size < sizeof(header) || header.size > ring->head - ring->tail)
		return 0;
	copy_out(ring, ring->tail, bytes, header.size < RECORD_BYTES ? header.size : RECORD_BYTES);
	return header.size;
}

/* A loss has no time: it is taken in at once. */
static uint64_t time_of(const uint8_t *bytes, size_t size)
{
	struct perf_event_header header;
	uint64_t time = 0;

	memcpy(&header, bytes, sizeof(header));
	if (header.type == PERF_RECORD_SAMPLE && size >= sizeof(header) + 16)
		memcpy(&time, bytes + sizeof(header) + 8, sizeof(time));
	return time;
}

static void refill(struct ring *ring)
{
	ring->size = next_record(ring, ring->bytes);
	ring->time = ring->size ? time_of(ring->bytes, ring->size) : UINT64_MAX;
}

/* Each CPU has its ring, and a socket is opened on one and closed on another: by time. */
void callers_drain(struct callers *c, uint64_t now_ns)
{
	bool any = false;

	c->now_ns = now_ns;
	for (unsigned i = 0; i < c->n_rings; i++) {
		struct ring *ring = &c->rings[i];

		ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
		ring->tail = ring->page->data_tail;
		if (ring->head == ring->tail) {
			ring->time = UINT64_MAX;
			ring->size = 0;
			continue;
		}
		refill(ring);
		any = true;
	}
	while (any) {
		struct ring *first = &c->rings[0];

		for (unsigned i = 1; i < c->n_rings; i++)
			if (c->rings[i].time < first->time)
				first = &c->rings[i];
		/* What is later may follow from what another ring has got since it was looked at.
		 */
		if (first->time > now_ns)
			break;
		if (first->size <= RECORD_BYTES)
			take(c, first->bytes, first->size);
		first->tail += first->size;
		refill(first);
	}
	for (unsigned i = 0; any && i < c->n_rings; i++) {
		struct ring *ring = &c->rings[i];

		/* Behind a senseless record nothing can be told apart. */
		__atomic_store_n(&ring->page->data_tail, ring->size ? ring->tail : ring->head,
				 __ATOMIC_RELEASE);
	}
}

static bool is_over(const struct call *call, uint64_t before_ns)
{
	return call->state == CALL_OPEN ? call->caller.ts_ns + OPEN_NS < before_ns
					: call->left_ns < before_ns;
}

void callers_forget(struct callers *c, uint64_t before_ns)
{
	for (uint32_t at = c->oldest; at != c->next; at++) {
		uint32_t index = at & (CALLS - 1);

		if (c->calls[index].state != CALL_NONE && is_over(&c->calls[index], before_ns))
			drop_call(c, index);
		if (at == c->oldest && c->calls[index].state == CALL_NONE)
			c->oldest++;
	}
	if (c->lost_ns < before_ns)
		c->lost_ns = 0;
}

/* One for each pid; they come the newest first. */
static void add_caller(const struct caller *caller, struct caller *found, unsigned *n)
{
	for (unsigned i = 0; i < *n; i++)
		if (found[i].pid == caller->pid) {
			found[i].oldest_ns = caller->ts_ns;
			return;
		}
	found[*n] = *caller;
	found[(*n)++].oldest_ns = caller->ts_ns;
}

/* May the packet be this call's? */
static bool fits(const struct call *call, const struct owner_query *query, bool has_socket)
{
	if (call->seen || !same_ends(&call->tuple, query))
		return false;
	if (call->state == CALL_OPEN)
		return has_socket && (!call->tuple.sport || call->tuple.sport == query->sport);
	return call->tuple.sport == query->sport;
}

void callers_find(const struct callers *c, const struct owner_query *query, bool has_socket,
		  struct caller *found, unsigned max, struct callers_answer *answer)
{
	uint32_t index = c->by_tuple[hash_tuple(query)];
	unsigned n = 0, looked = 0;

	*answer = (struct callers_answer){ 0 };
	for (; index != NO_CALL && looked < LOOK && n < max; looked++) {
		const struct call *call = &c->calls[index];

		if (fits(call, query, has_socket)) {
			add_caller(&call->caller, found, &n);
			if (has_socket && call->state == CALL_CLOSED)
				answer->doubtful = true;
		}
		index = call->by_tuple.older;
	}
	answer->n = n;
	answer->proven =
		n == 1 && index == NO_CALL && (!c->lost_ns || c->now_ns > c->lost_ns + LOSS_NS);
}

/* The oldest that fits: with just that port, or else any. */
static uint32_t oldest_of(const struct callers *c, const struct owner_query *query, pid_t pid,
			  bool exact)
{
	uint32_t oldest = NO_CALL;
	unsigned looked = 0;

	for (uint32_t index = c->by_tuple[hash_tuple(query)]; index != NO_CALL && looked < LOOK;
	     index = c->calls[index].by_tuple.older, looked++) {
		const struct call *call = &c->calls[index];

		if ((pid == ANY_PID || call->caller.pid == pid) && fits(call, query, true) &&
		    (!exact || call->tuple.sport == query->sport))
			oldest = index;
	}
	return oldest;
}

void callers_pass(struct callers *c, const struct owner_query *query)
{
	uint32_t oldest = oldest_of(c, query, ANY_PID, true);

	if (oldest != NO_CALL)
		c->calls[oldest].seen = true;
}

void callers_settle(struct callers *c, const struct owner_query *query)
{
	unsigned looked = 0;

	for (uint32_t index = c->by_tuple[hash_tuple(query)]; index != NO_CALL && looked < LOOK;
	     index = c->calls[index].by_tuple.older, looked++) {
		struct call *call = &c->calls[index];

		if (call->state == CALL_CLOSED && fits(call, query, true))
			call->seen = true;
	}
}

void callers_assign(struct callers *c, const struct owner_query *query, pid_t pid)
{
	uint32_t index = oldest_of(c, query, pid, true);

	if (index == NO_CALL)
		index = oldest_of(c, query, pid, false);
	if (index != NO_CALL)
		c->calls[index].seen = true;
}
