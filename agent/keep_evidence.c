/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder's evidence: a packet for a row, and rows that lose theirs; it commits nothing. */
#include "keep_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "comment.h"
#include "log.h"

static void evidence_removed(void *context, const char *file)
{
	struct keep *keep = context;
	struct stat st;
	int err = store_drop_evidence(keep->store, file);

	if (fstatat(keep->evidence_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		log_warning("evidence file %s was changed by somebody else: it is left alone, its "
			    "packets are not shown any more, a new file is begun",
			    file);

	if (err && !keep->drop_error)
		keep->drop_error = err;
}

/* Says when evidence stops being kept, and when it is kept again; not for each packet. */
static void note_evidence(struct keep *keep, int err)
{
	bool now = evidence_suspended(keep->evidence);

	if (err && err != -EDQUOT)
		keep->lost[LOST_EVIDENCE]++;
	if (now && !keep->evidence_was_suspended)
		log_error("evidence can't be written: %s; trying again every 10 s", strerror(-err));
	if (!now && keep->evidence_was_suspended)
		log_notice("evidence can be written again");
	keep->evidence_was_suspended = now;
}

int keep_evidence_add(struct keep *keep, const struct store_row *row, const char *user)
{
	const struct record *record = &keep->record;
	struct evidence_packet packet = {
		.ts_ns = record->ts_ns,
		.bytes = record->excerpt,
		.len = record->excerpt_bytes,
		.packet_bytes = record->packet_bytes,
		.offender = row->offender,
	};
	char *comment = comment_text(record, row->id, user);
	const char *file;
	uint64_t offset;
	int err = -ENOMEM;

	packet.comment = comment;
	if (comment)
		err = evidence_add(keep->evidence, &packet, &file, &offset);
	free(comment);
	note_evidence(keep, err);
	if (keep->drop_error) {
		err = keep->drop_error;
		keep->drop_error = 0;
		return err;
	}
	if (err)
		return 0;
	keep->evidence_in_batch++;
	return store_set_evidence(keep->store, row->id, file, offset);
}

void keep_evidence_sync(struct keep *keep)
{
	int err = evidence_sync(keep->evidence);

	if (err) {
		log_error("evidence can't be written to the disk: %s", strerror(-err));
		keep->lost[LOST_EVIDENCE] += keep->evidence_in_batch;
	}
	store_set_evidence_bytes(keep->store, evidence_bytes(keep->evidence));
}

struct gone {
	int evidence_fd;
	char file[CONFIG_NAME_BYTES];
};

static int find_gone(void *context, const char *file)
{
	struct gone *gone = context;
	struct stat st;

	if (strlen(file) >= sizeof(gone->file) ||
	    fstatat(gone->evidence_fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return 0;
	strcpy(gone->file, file);
	return 1;
}

int keep_evidence_drop_gone(struct keep *keep)
{
	struct gone gone = { .evidence_fd = keep->evidence_fd };
	int got;

	if (keep->evidence_fd < 0)
		return 0;
	while ((got = store_evidence_files(keep->store, find_gone, &gone)) == 1) {
		got = store_drop_evidence(keep->store, gone.file);
		if (got)
			break;
	}
	return got;
}

int keep_evidence_drop_short(struct keep *keep)
{
	uint64_t end, last = 0;
	const char *file = keep->evidence ? evidence_file(keep->evidence, &end) : NULL;
	int got = file ? store_evidence_last(keep->store, file, &last) : 0;

	if (got <= 0 || last < end)
		return got < 0 ? got : 0;
	evidence_give_up_file(keep->evidence);
	got = keep->drop_error;
	keep->drop_error = 0;
	return got;
}

void keep_evidence_open(struct keep *keep)
{
	int err;

	if (keep->evidence_fd < 0)
		return;
	err = evidence_open(&keep->evidence, keep->evidence_fd, &keep->config, evidence_removed,
			    keep);
	if (err)
		log_error("the evidence folder can't be read: %s; no evidence is kept",
			  strerror(-err));
}
