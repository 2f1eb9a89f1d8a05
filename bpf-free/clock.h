/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks: every budget of a look-up is measured with the monotonic one. */
#ifndef BPF_FREE_CLOCK_H
#define BPF_FREE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS 1000000ull

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline uint64_t clock_mono_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

#endif
