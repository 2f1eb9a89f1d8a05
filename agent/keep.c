/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps records in transactions, and says what it could not keep. It must not end for anything
 * that a message or a disk does.
 */
#include "clock.h"
#include "keep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define NS_PER_MS     1000000LL
#define SECOND_NS     1000000000LL
#define PRUNE_IDLE_NS (60 * SECOND_NS)

static const char *const lost_words[LOST_N] = {
	[LOST_COMMIT] = "commit",   [LOST_EVIDENCE] = "evidence", [LOST_BAD] = "bad-message",
	[LOST_JOURNAL] = "journal", [LOST_NOTE] = "note-late",
};

static void suspend(struct keep *keep, int err, int64_t now_ns)
{
	if (!keep->suspended)
		log_error("the store can't be written: %s (%s); trying again each second",
			  strerror(-err), keep->store ? store_error(keep->store) : "not made yet");
	keep->suspended = true;
	keep->retry_ns = now_ns + SECOND_NS;
}

static void begin_anew(struct keep *keep, int64_t now_ns)
{
	char *aside = NULL;
	int err;

	log_error("the store is damaged: %s", store_error(keep->store));
	err = store_set_aside(&keep->store, &keep->config, &aside);
	if (aside)
		log_error("the damaged store was set aside as %s, a new one begun", aside);
	free(aside);
	if (err)
		suspend(keep, err, now_ns);
}

void keep_say_lines(struct keep *keep, bool not_kept)
{
	keep->lost[LOST_JOURNAL] += keep_lines_say(keep->lines, keep->journal, not_kept);
}

static void fail_batch(struct keep *keep, int err, int64_t now_ns)
{
	if (keep->in_transaction)
		store_rollback(keep->store);
	keep->in_transaction = false;
	keep->status_waits |= keep->status_in_batch;
	keep->status_in_batch = false;
	keep->lost[LOST_COMMIT] += keep->in_batch;
	keep->in_batch = keep->evidence_in_batch = 0;
	keep_notes_forget(keep->notes);
	keep_batch_forget(keep);
	if (err == -EUCLEAN)
		begin_anew(keep, now_ns);
	else
		suspend(keep, err, now_ns);
	keep_say_lines(keep, true);
}

static int begin(struct keep *keep, int64_t now_ns)
{
	int err;

	if (keep->in_transaction)
		return 0;
	err = store_begin(keep->store);
	if (err) {
		fail_batch(keep, err, now_ns);
		return err;
	}
	keep->in_transaction = true;
	keep->begun_ns = now_ns;
	return 0;
}

static int write_losses(struct keep *keep, uint64_t written[LOST_N])
{
	int i, err = 0;

	memcpy(written, keep->lost, sizeof(keep->lost));
	for (i = 0; i < LOST_N && !err; i++)
		if (written[i] > 0)
			err = store_count(keep->store, lost_words[i], written[i]);
	return err;
}

/* Evidence reaches the disk before the rows that point to it. */
static void commit(struct keep *keep, int64_t now_ns)
{
	uint64_t written[LOST_N];
	int i, err;

	if (!keep->in_transaction)
		return;
	if (keep->evidence)
		keep_evidence_sync(keep);
	err = write_losses(keep, written);
	if (!err)
		err = store_commit(keep->store);
	if (err) {
		fail_batch(keep, err, now_ns);
		return;
	}
	keep->in_transaction = keep->status_in_batch = keep->status_waits = false;
	keep->in_batch = keep->evidence_in_batch = 0;
	for (i = 0; i < LOST_N; i++)
		keep->lost[i] -= written[i];
	if (keep->suspended)
		log_notice("the store can be written again");
	keep->suspended = false;
	keep_say_lines(keep, false);
}

bool keep_begin(struct keep *keep, int64_t now_ns)
{
	return !keep->suspended && begin(keep, now_ns) == 0;
}

void keep_fail(struct keep *keep, int err, uint64_t more, int64_t now_ns)
{
	keep->in_batch += more;
	fail_batch(keep, err, now_ns);
}

void keep_note(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	int err;

	if (keep->suspended || begin(keep, now_ns) < 0) {
		keep->lost[LOST_NOTE]++;
		return;
	}
	err = keep_notes_take(keep, bytes, len, now_ns);
	if (err) {
		keep->lost[LOST_NOTE]++;
		fail_batch(keep, err, now_ns);
	}
}

/* Notes that overtook their records. */
static void keep_waiting_notes(struct keep *keep, int64_t now_ns)
{
	int err;

	if (!keep_notes_due(keep, now_ns))
		return;
	if (keep->suspended || begin(keep, now_ns) < 0) {
		keep_notes_lose(keep);
		return;
	}
	err = keep_notes_tick(keep, now_ns);
	if (err)
		fail_batch(keep, err, now_ns);
}

static void keep_status(struct keep *keep, const uint8_t *bytes, size_t len, int64_t now_ns)
{
	int err;

	if (wire_decode_status(bytes, len, &keep->status) < 0) {
		keep_bad_message(keep);
		return;
	}
	keep->status_waits = true;
	if (keep->suspended || begin(keep, now_ns) < 0)
		return;
	keep->status_in_batch = true;
	err = store_add_status(keep->store, &keep->status);
	if (err)
		fail_batch(keep, err, now_ns);
}

static void keep_options(struct keep *keep, const uint8_t *bytes, size_t len)
{
	if (wire_decode_options(bytes, len, &keep->config) < 0) {
		keep_bad_message(keep);
		return;
	}
	if (keep->store)
		store_options(keep->store, &keep->config);
	if (keep->evidence)
		evidence_options(keep->evidence, &keep->config);
	journal_options(keep->journal, keep->config.journal_s);
	keep_objects_options(keep);
}

void keep_bad_message(struct keep *keep)
{
	keep->lost[LOST_BAD]++;
}

void keep_message(struct keep *keep, const uint8_t *bytes, size_t len, int fd, int64_t now_ns)
{
	int kind = wire_kind(bytes, len);

	keep->pruned_since_message = false;
	if (fd >= 0 && kind != WIRE_NOTE)
		close(fd);
	switch (kind) {
	case WIRE_RECORD:
		keep_single(keep, bytes, len, now_ns);
		break;
	case WIRE_BATCH:
		keep_batch(keep, bytes, len, now_ns);
		break;
	case WIRE_STATS:
		keep_status(keep, bytes, len, now_ns);
		break;
	case WIRE_OPTIONS:
		keep_options(keep, bytes, len);
		break;
	case WIRE_NOTE:
		keep_objects_note(keep, bytes, len, fd, now_ns);
		break;
	default:
		keep_bad_message(keep);
	}
}

/* Writes what waited while it could not be written. Ends the suspension if that works. */
static void resume(struct keep *keep, int64_t now_ns)
{
	char *aside = NULL;
	int err = 0;

	keep->retry_ns = now_ns + SECOND_NS;
	if (!keep->store)
		err = store_create(&keep->store, &keep->config, &aside);
	if (aside)
		log_error("the store was damaged: set aside as %s", aside);
	free(aside);
	if (err || begin(keep, now_ns) < 0)
		return;
	err = keep_evidence_drop_gone(keep);
	if (!err)
		err = keep_evidence_drop_short(keep);
	if (!err && keep->status_waits) /* until the commit */
		err = store_add_status(keep->store, &keep->status);
	if (err)
		fail_batch(keep, err, now_ns);
	else
		commit(keep, now_ns);
}

static void prune(struct keep *keep, int64_t now_ns)
{
	int64_t every_ns = keep->pruned_since_message ? PRUNE_IDLE_NS : SECOND_NS;
	uint64_t removed = 0;
	int err;

	if (keep->in_transaction || keep->suspended || now_ns - keep->pruned_ns < every_ns)
		return;
	err = store_prune(keep->store, clock_ns(CLOCK_REALTIME), &removed);
	keep->pruned_ns = now_ns;
	keep_objects_prune(keep);
	keep->pruned_since_message = true;
	if (err)
		fail_batch(keep, err, now_ns);
	else if (removed > 0)
		log_debug("%llu old rows were removed", (unsigned long long)removed);
}

static bool has_losses(const struct keep *keep)
{
	int i;

	for (i = 0; i < LOST_N; i++)
		if (keep->lost[i] > 0)
			return true;
	return false;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t keep_due_ns(const struct keep *keep)
{
	int64_t notes_ns = keep_objects_busy(keep) ? 0 : keep_notes_due_ns(keep);

	if (keep->in_transaction)
		return earlier(notes_ns, keep->begun_ns + keep->config.commit_ms * NS_PER_MS);
	if (keep->suspended)
		return earlier(notes_ns, keep->retry_ns);
	return earlier(notes_ns,
		       keep->pruned_ns + (keep->pruned_since_message ? PRUNE_IDLE_NS : SECOND_NS));
}

void keep_tick(struct keep *keep, int64_t now_ns)
{
	if (keep->suspended && now_ns >= keep->retry_ns)
		resume(keep, now_ns);
	keep_objects_tick(keep, now_ns);
	keep_waiting_notes(keep, now_ns);
	if (keep->in_transaction && now_ns - keep->begun_ns >= keep->config.commit_ms * NS_PER_MS)
		commit(keep, now_ns);
	prune(keep, now_ns);
}

/* Trouble that goes away without us: it suspends, at the start too. */
static bool may_pass(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == -EFBIG || err == -EIO || err == -EROFS ||
	       err == -ENOMEM || err == -EBUSY;
}

static int open_store(struct keep *keep, int64_t now_ns)
{
	char *aside = NULL;
	int err = store_create(&keep->store, &keep->config, &aside);

	if (aside)
		log_error("the store was damaged: set aside as %s, a new one begun", aside);
	free(aside);
	if (err == -EPROTO)
		log_error("%s was made by a newer version: nothing is recorded", STORE_FILE);
	else if (err && !may_pass(err))
		log_error("%s can't be opened: %s", STORE_FILE, strerror(-err));
	else if (err)
		suspend(keep, err, now_ns);
	else if (store_upgraded_from(keep->store))
		log_notice("%s was of version %lld, and is of version %d now", STORE_FILE,
			   (long long)store_upgraded_from(keep->store), STORE_VERSION);
	return may_pass(err) ? 0 : err;
}

int keep_open(struct keep **keep, const struct config *config, int evidence_fd, int journal_fd,
	      int64_t now_ns)
{
	struct keep *opened = calloc(1, sizeof(*opened));
	int err = -ENOMEM;

	if (!opened)
		goto fail;
	opened->config = *config;
	opened->evidence_fd = evidence_fd;
	opened->pruned_ns = now_ns;
	opened->journal = journal_new(journal_fd, config->journal_s);
	opened->lines = keep_lines_new(journal_fd, config->journal_socket);
	opened->users = users_new();
	opened->notes = keep_notes_new();
	opened->slots = calloc(WIRE_SLOTS, sizeof(*opened->slots));
	if (!opened->journal || !opened->lines || !opened->users || !opened->notes ||
	    !opened->slots)
		goto fail;
	err = keep_objects_open(opened);
	if (err)
		goto fail;
	err = open_store(opened, now_ns);
	if (err)
		goto freed;
	keep_evidence_open(opened);
	if (!opened->suspended)
		resume(opened, now_ns);
	*keep = opened;
	return 0;
fail:
	log_error("the recorder can't start: %s", strerror(-err));
freed:
	if (opened) {
		journal_free(opened->journal);
		keep_lines_free(opened->lines);
		users_free(opened->users);
		keep_notes_free(opened->notes);
		keep_objects_free(opened->objects);
		free(opened->slots);
	}
	free(opened);
	return err;
}

int keep_close(struct keep *keep, int64_t now_ns)
{
	int err = 0;

	keep_objects_finish(keep, now_ns);
	keep_notes_lose(keep); /* their records will not come any more */
	commit(keep, now_ns);
	if (keep->suspended || has_losses(keep))
		resume(keep, now_ns);
	if (keep->suspended) {
		log_error("%llu records could not be kept, nor their number",
			  (unsigned long long)keep->lost[LOST_COMMIT]);
		err = -EIO;
	}
	evidence_free(keep->evidence);
	store_free(keep->store);
	journal_free(keep->journal);
	keep_lines_free(keep->lines);
	users_free(keep->users);
	keep_objects_free(keep->objects);
	keep_notes_free(keep->notes);
	free(keep->slots);
	free(keep);
	return err;
}
