/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The times of --since and --until, as people write them:
 *
 *     now                        today, yesterday (their first moment)
 *     -90s -15m -1h -7d -2w      also together: -1h30m (a day is 24 hours here)
 *     2026-11-23                 the day's first moment
 *     2026-11-23T10:00           2026-11-23 10:00:00.5
 *     2026-11-23T10:00:00+01:00  ...Z (RFC 3339)
 *
 * What names no zone is in the local one (in UTC with --utc). A local time that a clock change
 * skips is taken as if the clocks had not been changed yet; one that comes twice is the first.
 */
#ifndef AGENT_CTL_TIME_H
#define AGENT_CTL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define CTL_TIME_EXPECTED "now, today, yesterday, -1h, -7d, 2026-11-23 or 2026-11-23T10:00:00+01:00"

/* 0, or -EINVAL. *ns since the epoch, never before it. */
int ctl_time_parse(const char *text, int64_t now_ns, bool utc, int64_t *ns);

#endif
