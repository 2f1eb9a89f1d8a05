/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: SQLite in WAL mode, synchronous=FULL, STRICT tables, `user_version` 2. The recorder
 * writes it in group commits: verdict rows, offender aggregates, destinations and counters of one
 * batch are one transaction. egressctl reads it, with or without the recorder.
 *
 * Attacker-chosen texts are BLOBs, as they came. Times are INTEGER ns since the epoch.
 *
 * An offender is uid + program (script, else exe, else nothing), raw bytes, of records whose
 * verdict is deny or would-deny. A foreign holder's program (record.foreign_holder) is none of the
 * uid's: its offender is the uid without a program, the one of programs that are not known, so
 * that no offender says that somebody ran what another handed a socket to. The row names the
 * holder whole. A row is one verdict of one owner (uid, program, pid-less),
 * destination and port within `fold_s`: repeats raise its count and last_ns. Rows differ also by
 * reason, via, flow_error and foreign_holder: an alarm never hides in an older row.
 *
 * Bounds, so that a flood can't fill the disk; totals stay exact in all of them:
 *   rows          rows_per_offender in fold_s for an offender, four times that for its uid, and
 *                 once for what a uid was allowed; further destinations fold into one row with
 *                 `many_dst` set, whose dst, dport and owner are those of its first attempt
 *   offenders     1,024 of one uid, then one for it with `many_programs` set; 16,384 in all, then
 *                 one for everybody (many_programs, no uid)
 *                 half of store_bytes is for verdicts and their notes: a uid's offenders take at
 * most a sixteenth of it, those with programs together a quarter, all of them nine 32nds (as
 *                 reckoned from their texts); above that it is as above those numbers
 *   triggers      16 groups of an offender, the weakest of one request gives way to a new one; in
 *                 all a thirty-second of store_bytes, then those of offenders not seen for
 *                 longest go; `triggers` counts all that were noted
 *   destinations  4,096 of an offender, then `destinations_capped`: a lower bound; also where they
 *                 would take more than three sixteenths of store_bytes
 *   the WAL       store_bytes, at least 64 MiB, where a reader holds back its checkpoint: then
 *                 store_begin() says -ENOSPC until it is gone
 *
 * -EUCLEAN from any function: the file is damaged; store_set_aside() begins a new one.
 *
 * How the numbers of `egressctl status` come about (store_status()):
 *   recorded       attempts in the store, ever; sum of count over rows, plus `pruned`
 *   folded         recorded - rows
 *   seen           stats_seen() of the totals
 *   retransmits    of the totals
 *   unseen         recorded_at_report + retransmits - seen, at its greatest: counted by a table
 *                  that was deleted or replaced before its counters were read again (what it
 *                  counted and nobody recorded is not known)
 *   lost           seen + unseen - retransmits - recorded_at_report: seen by the kernel, recorded
 *                  by nobody. Both sides are of the moment of the last report, for reports come
 *                  behind the records they count; what was held just then counts as lost until
 *                  the next report
 *   lost_recorder  sent - recorded_at_report: handed over, but not kept (of these, lost_commit
 *                  and lost_bad_message are known by name; the rest went down with a recorder
 *                  that was killed between read and commit)
 *   otherwise      total[STAT_LOST_CHANNEL], total[STAT_LOST_COPIES], and what was in the hands
 *                  of a judge that died
 * A run of the judge that ends without a last report sent at least what was recorded of it since
 * the one before: that is added to total[STAT_SENT] when the next run reports.
 */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "keyhash.h"
#include "note.h"
#include "record.h"
#include "wire.h"

#define STORE_FILE    "egressd.db" /* in state_dir */
#define STORE_VERSION 2

struct store;

/* For writing: makes the file (0640) and its tables in the process's working directory
 * (state_dir: the recorder may not be able to walk there from the root). A corrupt file is set
 * aside as egressd.db.corrupt-TIME, named in *what (malloc'd), and a new one begun. One of an
 * older version is upgraded, in one transaction. -EPROTO: made by a newer version. */
int store_create(struct store **store, const struct config *config, char **what);
/* The version that store_create() found and upgraded; 0: it was ours, or there was none. */
int64_t store_upgraded_from(const struct store *store);
/* Sets the file aside as if it had been found corrupt, and begins a new one: after -EUCLEAN.
 * *store is NULL after a failure. */
int store_set_aside(struct store **store, const struct config *config, char **what);
/* For reading, by path of the folder, as root or as a member of the file's group, also while the
 * recorder runs; -ENOENT when there is none; -ELOOP, -EINVAL when a link, or no regular file,
 * stands there (or for its -wal or -shm); -EPROTO: made by a newer version; -ESTALE: by an older
 * one, and no recorder upgraded it yet. Where there is no WAL and the reader may not make
 * one, it sees the file as it is now: a recorder that starts later is seen by opening anew. */
int store_open_read(struct store **store, const char *state_dir);
void store_free(struct store *store); /* takes NULL */
void store_options(struct store *store, const struct config *config);
const char *store_error(const struct store *store); /* what SQLite said last; static or owned */

/* Within store_begin() .. store_commit(). */
int store_begin(struct store *store);
int store_commit(struct store *store); /* -errno: the batch is not kept; -ENOSPC, -EIO, -EROFS… */
void store_rollback(struct store *store);

struct store_row {
	struct keyhash fold, who; /* the store's own, for store_again() */
	int64_t id;		  /* of the row it went to */
	int64_t offender;	  /* 0: not an offender's */
	bool fresh;	/* a new row, not a repeat: it is owed evidence and a journal line */
	uint64_t count; /* of the row, this one included */
};
/* -EINVAL: a time before 1970 or after 2116; nothing was changed. After any other error the
 * transaction must be rolled back. user: name or NULL. */
int store_add(struct store *store, const struct record *record, const char *user,
	      struct store_row *row);
#define STORE_AGAIN_NS 1000000000LL

/* Counts a record with the likeness (record_likeness()) of the one that went to *row, at ts_ns:
 * less than STORE_AGAIN_NS after it, so that a row spans less than fold_s and a second. 1, and the
 * row's id in *id; 0: the row is gone, nothing was changed; -errno as store_add(). */
int store_again(struct store *store, const struct store_row *row, int64_t ts_ns,
		enum verdict verdict, int64_t *id);
/* What was learnt of the record that went to row `id`. Of the one that began the row (`first`,
 * store_row.fresh: the row's packet and process are its) the note's parts replace those of the
 * row; what was learnt of a repeat is no news of that one, and the row says nothing of it. Either
 * way the offender's site is that of the note, and the trigger is counted with the offender's
 * (none of this for a foreign holder's row, or for the offender of everybody). *group: the one
 * that an earlier note of the same record counted for, 0: none; set to that of now. 1, *offender
 * (0: none); 0: there is no such row any more; -errno as store_add(). */
int store_note(struct store *store, int64_t id, bool first, const struct note *note,
	       int64_t *group, int64_t *offender);
/* Where the row's packet lies: file name and byte offset of its block. */
int store_set_evidence(struct store *store, int64_t id, const char *file, uint64_t offset);
/* The evidence file is gone: its rows point nowhere. */
int store_drop_evidence(struct store *store, const char *file);
/* 1: *offset is the last in that file which a row points to; 0: none does; -errno. */
int store_evidence_last(struct store *store, const char *file, uint64_t *offset);
/* Each evidence file that rows point to; a non-zero value of each ends the walk, is returned. */
int store_evidence_files(struct store *store, int (*each)(void *context, const char *file),
			 void *context);
void store_set_evidence_bytes(struct store *store, uint64_t bytes); /* for store_status() */
int store_add_status(struct store *store, const struct wire_status *status);
/* Counts what the recorder itself could not keep, by word ("evidence", "journal", "commit",
 * "bad-message", "note-late"). */
int store_count(struct store *store, const char *word, uint64_t n);
/* Outside of a transaction: removes verdicts older than keep_days (0: never), offenders not seen
 * for so long, and the oldest verdicts above store_bytes; before their share is full, and
 * when there are no verdicts left, the destinations of offenders not seen for longest (they are
 * capped then). Bounded work for each
 * call; *removed rows. */
int store_prune(struct store *store, int64_t now_ns, uint64_t *removed);

/* Reading. Texts point into SQLite's memory: good until the callback returns. */
struct store_bytes {
	const char *bytes;
	int len;
};

/* What a note told (note.h); the word is NULL when no note told this part. */
struct store_site {
	const char *from;
	struct store_bytes account, vhost, root, source;
};

struct store_trigger {
	const char *match;
	int64_t n, status, ts_ns; /* status, ts_ns 0: not known */
	struct store_bytes method, uri, client, vhost, log;
};

struct store_object {
	const char *why;
	struct store_bytes sha256; /* 32 bytes, or none */
	int64_t bytes;
	bool copied; /* to objects/SHA256 in state_dir */
};

struct store_verdict {
	int64_t id, first_ns, last_ns, count;
	const char *via, *verdict, *reason, *rule, *mode, *flow_error;
	bool has_uid;
	int64_t uid, gid;
	bool has_charged_uid;
	int64_t charged_uid;	 /* record_charged_uid() */
	struct store_bytes user; /* name of the charged uid when it was recorded; may be empty */
	int64_t socket_uid, inode, cookie, cgroup_id; /* -1: not known */
	int64_t pid, start_ns, ruid, euid, login_uid; /* pid 0: no process; -1: not known */
	bool exe_deleted, exe_memfd, foreign_holder, many_dst, poses;
	int64_t cut;
	struct store_bytes comm, exe, cmdline, cwd, script, unit, container;
	struct store_bytes request_method, request_uri, request_host, request_client;
	const char *script_from, *script_why, *owner_how, *owner_why;
	struct store_bytes parents, holders; /* JSON text, made by the store, already escaped */
	struct store_bytes caller;	     /* the same of one, empty: not told */
	int64_t n_holders;
	int family;		     /* AF_*; 0 when not known */
	struct store_bytes src, dst; /* 4 or 16 bytes, network order */
	struct store_bytes indev;    /* the interface by which it came in, if it was forwarded */
	int64_t sport, dport;	     /* -1: not known */
	int64_t lookup_us, lookup_fds;
	const char *evidence_file;
	int64_t evidence_offset; /* NULL: none kept */
	int64_t offender;
	int64_t packet_bytes;
	struct store_bytes excerpt; /* the packet's first bytes, from the IP header */
	struct store_site site;
	struct store_trigger trigger;
	struct store_object object;
};

struct store_offender {
	int64_t id, attempts, destinations, networks; /* networks: distinct /24 and /48 */
	bool destinations_capped, many_programs;
	bool has_uid;
	int64_t uid;
	struct store_bytes user, script, exe, site, unit; /* site: folder; see site.h */
	/* Of a program without a known script: the web root that it worked in at each attempt;
	 * empty when they differ. A hint: a process chooses its folder. */
	struct store_bytes works_in;
	const char *ports; /* "25,587" ascending */
	int64_t first_ns, last_ns;
	const char *verdict; /* the last one */
	int64_t evidence;    /* rows whose packet is kept */
	int64_t last_id;     /* its newest row (of the time asked for); 0: none is kept any more */
	struct store_site noted; /* the last that was noted; long texts are in the rows only */
	int64_t triggers;	 /* how often one was noted */
	/* The groups kept, the most frequent first: JSON text made by the store, an array of
	 * {match, n, method, uri, client, status, count, last_ns}, texts escaped. */
	struct store_bytes trigger_groups;
};

enum store_sort { SORT_ATTEMPTS, SORT_DESTINATIONS, SORT_NETWORKS, SORT_FIRST, SORT_LAST, SORT_N };
extern const char *const store_sort_words[SORT_N]; /* attempts destinations networks first last */

struct store_filter {		    /* zeroes: everything */
	int64_t since_ns, until_ns; /* 0: open; until is exclusive */
	bool has_uid;
	uint32_t uid;
	int64_t offender; /* this one, or verdicts of this one only; 0: all */
	int64_t limit;	  /* 0: all */
	int64_t after_id; /* verdicts with a greater id only (watch) */
	enum store_sort sort;
	bool newest_first; /* verdicts: by id, descending */
};

/* A callback's non-zero value ends the walk and is returned. */
typedef int (*store_verdict_fn)(void *context, const struct store_verdict *verdict);
typedef int (*store_offender_fn)(void *context, const struct store_offender *offender);
int store_verdicts(struct store *store, const struct store_filter *filter, store_verdict_fn each,
		   void *context);
int store_verdict_by_id(struct store *store, int64_t id, store_verdict_fn each, void *context);
/* Without since/until from the aggregates (exact totals); with them from the rows that overlap
 * that time, as whole rows (within a row, attempts have no times of their own). */
int store_offenders(struct store *store, const struct store_filter *filter, store_offender_fn each,
		    void *context);

struct store_status {
	struct wire_status last; /* the judge's last report; ts_ns 0: never */
	uint64_t total[STAT_N];	 /* over all epochs */
	uint64_t recorded;	 /* attempts in the store, ever (pruned ones included) */
	uint64_t rows;		 /* rows ever made */
	uint64_t folded;	 /* recorded - rows */
	uint64_t offenders;
	uint64_t pruned; /* attempts in rows that were removed */
	uint64_t recorded_at_report;
	uint64_t seen, unseen, retransmits, lost, lost_recorder; /* as said above */
	uint64_t lost_evidence, lost_journal, lost_commit, lost_bad_message,
		notes_late; /* store_count() */
	uint64_t store_bytes, evidence_bytes;
	int64_t last_record_ns, last_commit_ns;
};
int store_status(struct store *store, struct store_status *status);

#endif
