/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that a configuration includes, below a root, within bounds of number, bytes, depth and
 * time; a sites_source. Notes what was looked at, for sites_stamp(). */
#ifndef WEB_SITES_FILES_H
#define WEB_SITES_FILES_H

#include "sites_read.h"

#define FILES_DEPTH 20

struct sites_files {
	int root_fd;
	uint64_t deadline_ns;
	struct sites_build *build;
	unsigned depth, n_files, n_entries, calls;
	bool stop; /* by the deadline or a bound of everything */
	uint64_t bytes;
	struct {
		uint64_t dev, ino;
	} open[FILES_DEPTH]; /* those being read: one that includes itself is left out */
};

/* Both functions of the source. */
void files_include(void *files, const char *pattern, enum sites_include how, sites_take *take,
		   void *reader);
bool files_exists(void *files, const char *path);
bool files_expired(void *files);

/* A folder's entries, sorted; "." and ".." are not among them. Freed by files_free_names. */
int files_list(struct sites_files *files, const char *folder, char ***names, unsigned *n);
void files_free_names(char **names, unsigned n);

#endif
