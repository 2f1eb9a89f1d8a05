/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the evidence folder that are ours, oldest first, and their names. */
#ifndef AGENT_EVIDENCE_FOLDER_H
#define AGENT_EVIDENCE_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_NAME_BYTES 64

struct evidence_file {
	char name[EVIDENCE_NAME_BYTES]; /* evidence-YYYYMMDDTHHMMSSZ-N.pcapng */
	char stamp[17];
	unsigned number;
	uint64_t bytes;
};

struct evidence_folder {
	int dir_fd; /* not owned */
	struct evidence_file *files;
	size_t n, room;
};

/* Fills the list: regular files of our names that begin as ours do. */
int evidence_folder_list(struct evidence_folder *folder);
void evidence_folder_free(struct evidence_folder *folder);
struct evidence_file *evidence_folder_youngest(const struct evidence_folder *folder); /* or NULL */
uint64_t evidence_folder_bytes(const struct evidence_folder *folder);
/* A descriptor for writing after the whole file was checked; *end as evidence_check() says.
 * -EBADMSG: leave it alone. */
int evidence_folder_open(struct evidence_folder *folder, const struct evidence_file *file,
			 uint64_t *end);
/* A new, empty file with a name behind all others; its descriptor. */
int evidence_folder_create(struct evidence_folder *folder, int64_t now_ns);
/* Removes the youngest again: nothing was written to it. */
void evidence_folder_take_back(struct evidence_folder *folder);
int evidence_folder_remove_oldest(struct evidence_folder *folder, char name[EVIDENCE_NAME_BYTES]);

#endif
