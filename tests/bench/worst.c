/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The callers that cost an agent most. Each connects COUNT times, every time to the next address.
 * Usage: worst fds|sockets|uring ADDRESS PORT COUNT FILE
 *   fds      as many open files as it may have, at most 20,000; the socket somewhere among them
 *   sockets  4,096 open sockets of the same kind
 *   uring    the socket is a fixed file of an io_uring: in no descriptor table at all
 * FILE gets "ADDRESS PID ERRNO" of each, as the load generator writes it. Exit 3: this kernel
 * cannot.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "load.h"

#define FILES_MAX   20000
#define SOCKETS_MAX 4096

/* How many; *first is the lowest of them. */
static unsigned fill(bool sockets, int family, int *first)
{
	unsigned n = 0, most = sockets ? SOCKETS_MAX : FILES_MAX - 16;
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
		setrlimit(RLIMIT_NOFILE, &limit);
		most = most + 16 > limit.rlim_cur ? (unsigned)limit.rlim_cur - 16 : most;
	}
	for (; n < most; n++) {
		int fd = sockets ? socket(family, SOCK_STREAM, 0) : open("/dev/null", O_RDONLY);

		if (fd < 0)
			break;
		*first = n ? *first : fd;
	}
	return n;
}

/* In the place of another one each time, far from the last. */
static int connect_among(const struct target *target, int first, unsigned filled, unsigned i)
{
	int place = first + (int)((i * 7919ULL) % filled), error = 0;
	int fd = socket(target->family, SOCK_STREAM, 0);
	struct linger reset = { .l_onoff = 1 };

	if (fd < 0 || dup2(fd, place) < 0)
		return errno;
	close(fd);
	if (connect(place, (const struct sockaddr *)&target->address, target->length) < 0)
		error = errno;
	setsockopt(place, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, place);
	close(fd);
	return error;
}

struct ring {
	int fd;
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static bool ring_open(struct ring *ring)
{
	struct io_uring_params params = { 0 };
	int32_t slot = -1;
	char *sq, *cq;

	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (ring->fd < 0)
		return false;
	sq = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(unsigned),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_CQ_RING);
	ring->sqes =
		mmap(NULL, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return false;
	ring->sq_tail = (void *)(sq + params.sq_off.tail);
	ring->sq_mask = (void *)(sq + params.sq_off.ring_mask);
	ring->sq_array = (void *)(sq + params.sq_off.array);
	ring->cq_head = (void *)(cq + params.cq_off.head);
	ring->cq_tail = (void *)(cq + params.cq_off.tail);
	ring->cq_mask = (void *)(cq + params.cq_off.ring_mask);
	ring->cqes = (void *)(cq + params.cq_off.cqes);
	return !syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, &slot, 1);
}

/* One request, waited for; its result. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *ring->sq_tail, index = tail & *ring->sq_mask;
	int result;

	ring->sqes[index] = *sqe;
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	if (*ring->cq_head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return -EAGAIN;
	result = ring->cqes[*ring->cq_head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return result;
}

/* A socket that was never in a descriptor table: made in the ring, connected there, closed there.
 */
static int connect_fixed(struct ring *ring, const struct target *target)
{
	const struct io_uring_sqe make = { .opcode = IORING_OP_SOCKET,
					   .fd = target->family,
					   .off = SOCK_STREAM,
					   .file_index = 1 };
	const struct io_uring_sqe connect_it = { .opcode = IORING_OP_CONNECT,
						 .flags = IOSQE_FIXED_FILE,
						 .addr = (uintptr_t)&target->address,
						 .off = target->length };
	const struct io_uring_sqe shut = { .opcode = IORING_OP_CLOSE, .file_index = 1 };
	int result = ring_do(ring, &make);

	if (result < 0)
		return -result;
	result = ring_do(ring, &connect_it);
	ring_do(ring, &shut);
	return result < 0 ? -result : 0;
}

int main(int argc, char **argv)
{
	bool uring = argc == 6 && !strcmp(argv[1], "uring"),
	     sockets = argc == 6 && !strcmp(argv[1], "sockets");
	struct target target;
	struct ring ring;
	unsigned filled = 0;
	int first = 0;
	FILE *truth;

	if (argc != 6 || !target_parse(argv[2], argv[3], &target)) {
		fputs("usage: worst fds|sockets|uring ADDRESS PORT COUNT FILE\n", stderr);
		return 2;
	}
	truth = fopen(argv[5], "w");
	if (!truth) {
		perror("worst");
		return 1;
	}
	if (uring && !ring_open(&ring))
		return 3;
	if (!uring)
		filled = fill(sockets, target.family, &first);
	for (unsigned i = 0; i < (unsigned)atoi(argv[4]); i++) {
		int error = uring ? connect_fixed(&ring, &target)
				  : connect_among(&target, first, filled, i);
		char address[INET6_ADDRSTRLEN];

		inet_ntop(target.family,
			  target.family == AF_INET
				  ? (void *)&((struct sockaddr_in *)&target.address)->sin_addr
				  : (void *)&((struct sockaddr_in6 *)&target.address)->sin6_addr,
			  address, sizeof(address));
		fprintf(truth, "%s %d %d\n", address, getpid(), error);
		target_add(&target, 1);
	}
	printf("{\"filled\": %u}\n", filled);
	return fclose(truth) ? 1 : 0;
}
