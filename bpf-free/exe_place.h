/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a process's executable lies, and a handle to it: who else may replace or change it.
 * Only what the kernel has at hand is looked at (see paths.h: a FUSE daemon is never asked).
 */
#ifndef BPF_FREE_EXE_PLACE_H
#define BPF_FREE_EXE_PLACE_H

#include "owner.h"

#define EXE_PLACES    64
#define EXE_PLACES_NS 1000000000u /* what was seen of folders counts so long */

/* What was seen of the folders of a few programs, so that the next process of each costs two looks
 * instead of a dozen. Zeroed; one per thread. */
struct exe_places {
	struct exe_place_seen {
		uint64_t until_ns, root_mount, root_ino, dev, ino, path;
		uint32_t place;
	} seen[EXE_PLACES];
};

/*
 * Fills exe_place, exe_dev and exe_ino of *owner, whose exe, exe_deleted and cut are filled
 * already. dir_fd: the process's /proc folder, or a thread's. Leaves OWNER_PLACE_UNKNOWN, never
 * a guess: the walk along the path counts only when it ends at the very file that is executed.
 * places: may be NULL.
 */
void exe_place_fill(int dir_fd, struct exe_places *places, struct owner *owner);

/* The executable behind the kernel's own link, as O_PATH; its descriptor or -errno. */
int exe_open_path(int dir_fd);

#endif
