/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence: pcapng files (draft-ietf-opsawg-pcapng) of LINKTYPE_RAW, ns time stamps, one Enhanced
 * Packet Block for each kept verdict with a JSON comment, so Wireshark shows the owner on the SYN.
 * Files are `evidence-YYYYMMDDTHHMMSSZ-N.pcapng` in the folder given; each is checked to its last
 * block before it is appended to (what a crash left of an unfinished block at its end is cut off),
 * and truncated back after a failed write; a file that fails the check is left alone and a new one
 * begun, also while it is written: one that is not as long as we left it, or not there any more,
 * is given up. Quotas: per file, per offender in a file, in total (the oldest file goes first;
 * files that do not begin as ours do are neither counted nor removed). After a failed write it is
 * *suspended*: what comes is counted, not kept, and every 10 s it tries again. Its clock is the
 * packets' time.
 *
 * An offender's share is counted from the time the file was opened: after a restart it has a new
 * share of the same file. A packet written for a row whose commit failed, or that was killed before
 * it, stays in the file; no row points to it.
 */
#ifndef AGENT_EVIDENCE_H
#define AGENT_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

struct evidence;

/* dir_fd is the evidence folder; kept open, not owned. removed is called with each file whose
 * packets can't be shown any more: the total quota took it away, or it was given up. */
int evidence_open(struct evidence **evidence, int dir_fd, const struct config *config,
		  void (*removed)(void *context, const char *file), void *context);
void evidence_free(struct evidence *evidence);
void evidence_options(struct evidence *evidence, const struct config *config);

struct evidence_packet {
	int64_t ts_ns;
	const uint8_t *bytes;  /* from the IP header on */
	uint32_t len;	       /* bytes kept */
	uint32_t packet_bytes; /* bytes it had */
	const char *comment;   /* UTF-8, one line */
	int64_t offender;
};

/* 0: kept, at *offset of *file (owned by evidence, until the next call). -EDQUOT: the offender's
 * share of this file is used up; -EAGAIN: suspended; -errno of the failed write. */
int evidence_add(struct evidence *evidence, const struct evidence_packet *packet, const char **file,
		 uint64_t *offset);
int evidence_sync(struct evidence *evidence); /* fdatasync, before the store's commit */
bool evidence_suspended(const struct evidence *evidence);
/* The file that is appended to, and where it ends; NULL: none. */
const char *evidence_file(const struct evidence *evidence, uint64_t *end);
/* Somebody changed that file: it is left alone, and the next packet begins a new one. */
void evidence_give_up_file(struct evidence *evidence);
uint64_t evidence_bytes(const struct evidence *evidence); /* of all files that are ours */

/* Reading one packet back: the Enhanced Packet Block at offset. *bytes and *comment malloc'd. Any
 * byte of the file may be wrong: -EBADMSG. */
int evidence_read(int fd, uint64_t offset, int64_t *ts_ns, uint8_t **bytes, uint32_t *len,
		  uint32_t *packet_bytes, char **comment);
/* A pcapng file of one packet (for `show ID --pcap`). */
int evidence_write_single(int fd, const struct evidence_packet *packet);

/* Is this a file of ours, whole but perhaps for an unfinished block at its end? *end: where its
 * last whole block ends. Pure part of the check: bytes in, for tests and the fuzzer. -EBADMSG: it
 * is not, or something else than an unfinished block stands in it. */
int evidence_check(const uint8_t *bytes, size_t len, uint64_t *end);

#endif
