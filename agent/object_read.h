/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads one file, a slice at a time: its SHA-256 and, where wanted, a sealed copy in memory. What
 * is copied is what was hashed, byte by byte.
 */
#ifndef AGENT_OBJECT_READ_H
#define AGENT_OBJECT_READ_H

#include <sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A copy with these can be changed by nobody any more (fcntl(2)). */
#define OBJECT_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

struct object_read {
	int fd, copy_fd; /* copy_fd -1: no copy, or it could not be kept */
	bool wants_copy;
	unsigned again;	   /* begun anew, as the file changed meanwhile */
	uint64_t size, at; /* as it was when it was begun */
	struct timespec changed;
	SHA2_CTX sha;
	uint8_t digest[SHA256_DIGEST_LENGTH]; /* when step() returned 0 */
};

/* Opens the regular file behind an O_PATH descriptor, which stays the caller's, without waiting (a
 * lease on it, or a device in its place, is -EAGAIN or -EINVAL). 0 or -errno. */
int object_read_open(struct object_read *read, int path_fd, bool wants_copy);
/* Reads up to size bytes through buf. -EINPROGRESS; 0: digest is there, and copy_fd is sealed;
 * -ESTALE: it changed while it was read, twice, and there is no copy that holds what was hashed;
 * or -errno. */
int object_read_step(struct object_read *read, uint8_t *buf, size_t size);
void object_read_close(struct object_read *read);

#endif
