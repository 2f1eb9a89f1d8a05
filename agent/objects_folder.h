/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of kept programs: STATE_DIR/objects/SHA256, each once, mode 0400, never executable.
 *
 * What all may take is bounded. When it is full the ones go first that no record named for a day,
 * the one unnamed longest before others; if there is none, the new one is refused and its digest
 * stands alone. Were the oldest removed in any case, a flood of new programs would flush out what
 * was found just before; were nothing ever removed, the first flood would end the keeping.
 */
#ifndef AGENT_OBJECTS_FOLDER_H
#define AGENT_OBJECTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECTS_NAME_BYTES 65 /* of a digest in hex, with its NUL */

struct objects_file {
	uint8_t sha256[32];
	uint64_t bytes;
	int64_t named_ns; /* when a record named it last, CLOCK_REALTIME: the file's mtime */
};

struct objects_folder {
	int dir_fd; /* not owned; -1: nothing is kept */
	struct objects_file *files;
	size_t n, room;
	uint64_t bytes; /* what all take, with what a file costs at least */
};

void objects_name(const uint8_t sha256[32], char name[OBJECTS_NAME_BYTES]);
/* Exactly as objects_name() writes it. */
bool objects_parse_name(const char *name, uint8_t sha256[32]);

/* Lists what is there, and removes what a crash left half written. 0 or -errno. */
int objects_folder_list(struct objects_folder *folder);
void objects_folder_free(struct objects_folder *folder);

/* Is it there, and whole? Then it was named now. */
bool objects_folder_name(struct objects_folder *folder, const uint8_t sha256[32], int64_t now_ns);
/* Makes room for so many bytes more within total; false: there is none. */
bool objects_folder_make_room(struct objects_folder *folder, uint64_t bytes, uint64_t total,
			      int64_t now_ns);
/* Removes what no record named since then. */
void objects_folder_expire(struct objects_folder *folder, int64_t since_ns);

/* A new file under a name of no meaning; its descriptor or -errno. There is one at a time. */
int objects_folder_create(struct objects_folder *folder);
/* It is written: on the disk, and under its own name. 0 or -errno: it is removed. */
int objects_folder_keep(struct objects_folder *folder, int fd, const uint8_t sha256[32],
			uint64_t bytes, int64_t now_ns);
void objects_folder_drop(struct objects_folder *folder);

#endif
