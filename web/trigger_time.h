/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and times of access logs. Pure; the text need not end with NUL. */
#ifndef WEB_TRIGGER_TIME_H
#define WEB_TRIGGER_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits, all of them; -1: no number, or above max. */
int64_t trigger_number(const char *at, size_t len, int64_t max);
/* 1234 or 1234.567 of some unit, in ns, and how fine it is told; -1: neither. */
int64_t trigger_fraction(const char *at, size_t len, int64_t unit_ns, int64_t *grain_ns);

/* Is it as pattern? 0 is a digit, z a sign, M a month's letter, all else itself. */
bool trigger_has_shape(const char *at, size_t len, const char *pattern);

/* ns since 1970; -1: it is not of that form, or no such time. */
int64_t trigger_time_local(const char *at, size_t len); /* 02/Jan/2006:15:04:05 -0700 */
int64_t trigger_time_iso(const char *at, size_t len);	/* 2006-01-02T15:04:05-07:00 */

#endif
