/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with known content, and what sha256sum(1) says of them. */
#ifndef TESTS_UNIT_OBJECTS_H
#define TESTS_UNIT_OBJECTS_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes that differ from place to place and from seed to seed. */
static inline void fill(int fd, size_t size, unsigned seed)
{
	uint32_t words[4096], state = seed * 2654435761u + 1;

	for (size_t at = 0; at < size; at += sizeof(words)) {
		size_t n = size - at < sizeof(words) ? size - at : sizeof(words);

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			words[i] = state = state * 1664525u + 1013904223u;
		assert_int_equal(pwrite(fd, words, n, (off_t)at), n);
	}
}

static inline void sum_of(const char *path, uint8_t digest[32])
{
	char command[512], hex[65] = "";
	unsigned byte;
	FILE *out;

	snprintf(command, sizeof(command), "sha256sum <%s", path);
	out = popen(command, "r");
	assert_non_null(out);
	assert_int_equal(fread(hex, 1, 64, out), 64);
	pclose(out);
	for (int i = 0; i < 32; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		digest[i] = (uint8_t)byte;
	}
}

static inline void same_bytes(int a, int b, size_t size)
{
	char one[65536], other[65536];

	for (size_t at = 0; at < size; at += sizeof(one)) {
		ssize_t n = pread(a, one, sizeof(one), (off_t)at);

		assert_true(n > 0);
		assert_int_equal(pread(b, other, sizeof(other), (off_t)at), n);
		assert_memory_equal(one, other, (size_t)n);
	}
	assert_int_equal(lseek(a, 0, SEEK_END), size);
	assert_int_equal(lseek(b, 0, SEEK_END), size);
}

#endif
