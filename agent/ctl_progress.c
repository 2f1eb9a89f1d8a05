/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The progress line, drawn by a thread of its own, because the reading of a capture calls nobody
 * while it finds nothing.
 */
#include "ctl_progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

struct ctl_progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended, drawn;
	char doing[256];
	uint64_t records;
};

static void *draw(void *context)
{
	struct ctl_progress *progress = context;
	struct timespec next;
	unsigned seconds = 0;

	pthread_mutex_lock(&progress->lock);
	clock_gettime(CLOCK_REALTIME, &next);
	while (!progress->ended) {
		next.tv_sec++;
		while (!progress->ended &&
		       !pthread_cond_timedwait(&progress->changed, &progress->lock, &next))
			;
		if (progress->ended)
			break;
		seconds++;
		fprintf(stderr, "\r\033[K%s, %llu records, %u s", progress->doing,
			(unsigned long long)progress->records, seconds);
		progress->drawn = true;
	}
	if (progress->drawn)
		fprintf(stderr, "\r\033[K");
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

struct ctl_progress *ctl_progress_start(void)
{
	struct ctl_progress *progress;

	if (!isatty(STDERR_FILENO))
		return NULL;
	progress = calloc(1, sizeof(*progress));
	if (!progress)
		return NULL;
	pthread_mutex_init(&progress->lock, NULL);
	pthread_cond_init(&progress->changed, NULL);
	if (pthread_create(&progress->thread, NULL, draw, progress)) {
		free(progress);
		return NULL;
	}
	return progress;
}

void ctl_progress_doing(struct ctl_progress *progress, const char *text)
{
	char *clean;

	if (!progress)
		return;
	clean = show_clean(text);
	pthread_mutex_lock(&progress->lock);
	snprintf(progress->doing, sizeof(progress->doing), "%s", clean);
	pthread_mutex_unlock(&progress->lock);
	free(clean);
}

void ctl_progress_add(struct ctl_progress *progress, uint64_t records)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->records += records;
	pthread_mutex_unlock(&progress->lock);
}

void ctl_progress_end(struct ctl_progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->ended = true;
	pthread_cond_signal(&progress->changed);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	pthread_cond_destroy(&progress->changed);
	pthread_mutex_destroy(&progress->lock);
	free(progress);
}
