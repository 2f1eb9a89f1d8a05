/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line on a terminal's stderr that says how far long work has come. Nothing when stderr is no
 * terminal, or within the first second.
 */
#ifndef AGENT_CTL_PROGRESS_H
#define AGENT_CTL_PROGRESS_H

#include <stdint.h>

struct ctl_progress;

/* NULL when there is nobody to show it to; the functions below take NULL. */
struct ctl_progress *ctl_progress_start(void);
/* text: "file 3 of 10: x.pcap"; copied. */
void ctl_progress_doing(struct ctl_progress *progress, const char *text);
void ctl_progress_add(struct ctl_progress *progress, uint64_t records);
/* Wipes the line and ends. */
void ctl_progress_end(struct ctl_progress *progress);

#endif
