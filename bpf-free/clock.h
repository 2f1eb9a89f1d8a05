/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock every budget of a look-up is measured with. */
#ifndef BPF_FREE_CLOCK_H
#define BPF_FREE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ull

static inline uint64_t clock_mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

#endif
