/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connects through io_uring(7), by the bare system calls: uring MODE ADDRESS
 *   enter          the socket has a descriptor, the caller submits
 *   sqpoll         the socket has a descriptor, the kernel's polling thread submits
 *   direct         the socket is in the ring's own table and in no descriptor; the caller submits
 *   direct-sqpoll  both: no descriptor, and no system call either
 * Says "caller=PID" before it connects, and waits until it is ended.
 */
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "trick.h"

#define ENTRIES 8

struct ring {
	int fd;
	unsigned *tail, *mask, *array, *flags;
	unsigned *done_head, *done_tail, *done_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *done;
	int polled;
};

static void *map(int fd, size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void ring_open(struct ring *ring, int polled)
{
	struct io_uring_params params = { .flags = polled ? IORING_SETUP_SQPOLL : 0,
					  .sq_thread_idle = 2000 };
	char *queue, *results;

	ring->fd = (int)syscall(__NR_io_uring_setup, ENTRIES, &params);
	if (ring->fd < 0)
		die("io_uring_setup");
	ring->polled = polled;
	queue = map(ring->fd, params.sq_off.array + params.sq_entries * sizeof(unsigned),
		    IORING_OFF_SQ_RING);
	results =
		map(ring->fd, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		    IORING_OFF_CQ_RING);
	ring->entries =
		map(ring->fd, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring->tail = (unsigned *)(queue + params.sq_off.tail);
	ring->mask = (unsigned *)(queue + params.sq_off.ring_mask);
	ring->flags = (unsigned *)(queue + params.sq_off.flags);
	ring->array = (unsigned *)(queue + params.sq_off.array);
	ring->done_head = (unsigned *)(results + params.cq_off.head);
	ring->done_tail = (unsigned *)(results + params.cq_off.tail);
	ring->done_mask = (unsigned *)(results + params.cq_off.ring_mask);
	ring->done = (struct io_uring_cqe *)(results + params.cq_off.cqes);
}

static void submit(struct ring *ring, const struct io_uring_sqe *entry)
{
	unsigned tail = *ring->tail, at = tail & *ring->mask;

	ring->entries[at] = *entry;
	ring->array[at] = at;
	__atomic_store_n(ring->tail, tail + 1, __ATOMIC_SEQ_CST);
	if (ring->polled) {
		if (__atomic_load_n(ring->flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP)
			syscall(__NR_io_uring_enter, ring->fd, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL,
				0);
	} else if (syscall(__NR_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) != 1) {
		die("io_uring_enter");
	}
}

static int result(struct ring *ring)
{
	unsigned head = *ring->done_head;
	int value;

	while (head == __atomic_load_n(ring->done_tail, __ATOMIC_ACQUIRE))
		syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	value = ring->done[head & *ring->done_mask].res;
	__atomic_store_n(ring->done_head, head + 1, __ATOMIC_RELEASE);
	return value;
}

static void make_direct(struct ring *ring, const struct address *to)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_SOCKET, .fd = to->any.sa_family };
	int none = -1;

	if (syscall(__NR_io_uring_register, ring->fd, IORING_REGISTER_FILES, &none, 1))
		die("io_uring_register");
	entry.off = SOCK_STREAM;
	entry.file_index = 1; /* slot 0: numbers from 1 */
	submit(ring, &entry);
	errno = -result(ring);
	if (errno)
		die("a direct socket");
}

int main(int argc, char **argv)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_CONNECT };
	struct ring ring = { .fd = -1 };
	struct address to;
	int direct;

	if (argc != 3)
		return 2;
	to = address_of(argv[2]);
	direct = !strncmp(argv[1], "direct", 6);
	ring_open(&ring, strstr(argv[1], "sqpoll") != NULL);
	if (direct) {
		make_direct(&ring, &to);
		entry.flags = IOSQE_FIXED_FILE;
	} else {
		entry.fd = socket_for(&to, 0);
	}
	entry.addr = (uintptr_t)&to.any;
	entry.off = to.len;
	printf("caller=%d\n", getpid());
	fflush(stdout);
	submit(&ring, &entry);
	errno = -result(&ring);
	if (errno && errno != ECONNREFUSED && errno != EINPROGRESS)
		die("connect");
	for (;;)
		pause();
}
