/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: SQLite in WAL mode, synchronous=FULL, STRICT tables, `user_version` 1. The recorder
 * writes it in group commits: verdict rows, offender aggregates, destinations and counters of one
 * batch are one transaction. egressctl reads it, with or without the recorder.
 *
 * Attacker-chosen texts are BLOBs, as they came. Times are INTEGER ns since the epoch.
 *
 * An offender is uid + program (script, else exe, else nothing), raw bytes, of records whose
 * verdict is deny or would-deny. A row is one verdict of one owner (uid, program, pid-less),
 * destination and port within `fold_s`: repeats raise its count and last_ns. Above
 * `rows_per_offender` rows in that time, further destinations fold into one row with
 * `many_dst` set, so a flood can't fill the disk. Likewise offenders per uid are bounded (1,024;
 * further programs go to one offender with `many_programs` set) and destinations per offender
 * (4,096; `destinations_capped`). Totals stay exact in all cases.
 */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "record.h"
#include "wire.h"

#define STORE_FILE "egressd.db" /* in state_dir */
#define STORE_VERSION 1

struct store;

/* For writing: makes the file (0640) and its tables in the process's working directory
 * (state_dir: the recorder may not be able to walk there from the root). A corrupt file is set
 * aside as egressd.db.corrupt-TIME, named in *what (malloc'd), and a new one begun.
 * -EPROTO: made by a newer version. */
int store_create(struct store **store, const struct config *config, char **what);
/* For reading, by path of the folder; -ENOENT when there is none. */
int store_open_read(struct store **store, const char *state_dir);
void store_free(struct store *store); /* takes NULL */
void store_options(struct store *store, const struct config *config);
const char *store_error(const struct store *store); /* what SQLite said last; static or owned */

/* Within store_begin() .. store_commit(). */
int store_begin(struct store *store);
int store_commit(struct store *store); /* -errno: the batch is not kept; -ENOSPC, -EIO, -EROFS… */
void store_rollback(struct store *store);

struct store_row {
	int64_t id;	  /* of the row it went to */
	int64_t offender; /* 0: not an offender's */
	bool fresh;	  /* a new row, not a repeat: it is owed evidence and a journal line */
	uint64_t count;	  /* of the row, this one included */
};
int store_add(struct store *store, const struct record *record, const char *user,
	      struct store_row *row);
/* Where the row's packet lies: file name and byte offset of its block. */
int store_set_evidence(struct store *store, int64_t id, const char *file, uint64_t offset);
/* The evidence file is gone: its rows point nowhere. */
int store_drop_evidence(struct store *store, const char *file);
int store_add_status(struct store *store, const struct wire_status *status);
/* Counts what the recorder itself could not keep, by word ("evidence", "journal", "commit"). */
int store_count(struct store *store, const char *word, uint64_t n);
/* Removes verdicts older than keep_days and the oldest above store_bytes; *removed rows. */
int store_prune(struct store *store, int64_t now_ns, uint64_t *removed);

/* Reading. Texts point into SQLite's memory: good until the callback returns. */
struct store_bytes { const char *bytes; int len; };

struct store_verdict {
	int64_t id, first_ns, last_ns, count;
	const char *via, *verdict, *reason, *rule, *mode, *flow_error;
	bool has_uid; int64_t uid, gid;
	bool has_charged_uid; int64_t charged_uid; /* record_charged_uid() */
	struct store_bytes user; /* name of the charged uid when it was recorded; may be empty */
	int64_t socket_uid, inode, cookie, cgroup_id; /* -1: not known */
	int64_t pid, start_ns, ruid, euid, login_uid; /* pid 0: no process; -1: not known */
	bool exe_deleted, exe_memfd, foreign_holder, many_dst;
	int64_t cut;
	struct store_bytes comm, exe, cmdline, cwd, script, unit, container;
	struct store_bytes request_method, request_uri, request_host, request_client;
	const char *script_from, *script_why, *owner_how, *owner_why;
	struct store_bytes parents, holders; /* JSON text, made by the store, already escaped */
	int64_t n_holders;
	int family; /* AF_*; 0 when not known */
	struct store_bytes src, dst; /* 4 or 16 bytes, network order */
	int64_t sport, dport; /* -1: not known */
	int64_t lookup_us, lookup_fds;
	const char *evidence_file; int64_t evidence_offset; /* NULL: none kept */
	int64_t offender;
	int64_t packet_bytes;
	struct store_bytes excerpt; /* the packet's first bytes, from the IP header */
};

struct store_offender {
	int64_t id, attempts, destinations, networks; /* networks: distinct /24 and /48 */
	bool destinations_capped, many_programs;
	bool has_uid; int64_t uid;
	struct store_bytes user, script, exe, site, unit; /* site: folder; see store.c */
	const char *ports; /* "25,587" ascending */
	int64_t first_ns, last_ns;
	const char *verdict; /* the last one */
	int64_t evidence; /* rows whose packet is kept */
};

enum store_sort { SORT_ATTEMPTS, SORT_DESTINATIONS, SORT_NETWORKS, SORT_FIRST, SORT_LAST, SORT_N };
extern const char *const store_sort_words[SORT_N]; /* attempts destinations networks first last */

struct store_filter { /* zeroes: everything */
	int64_t since_ns, until_ns; /* 0: open; until is exclusive */
	bool has_uid; uint32_t uid;
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
/* Without since/until from the aggregates (exact totals); with them from the rows in that time. */
int store_offenders(struct store *store, const struct store_filter *filter,
		    store_offender_fn each, void *context);

struct store_status {
	struct wire_status last; /* the judge's last report; ts_ns 0: never */
	uint64_t total[STAT_N];	 /* over all epochs */
	uint64_t recorded;	 /* attempts in the store, ever (pruned ones included) */
	uint64_t rows;		 /* rows ever made */
	uint64_t folded;	 /* recorded - rows */
	uint64_t offenders;
	uint64_t lost_evidence, lost_journal, lost_commit; /* store_count() */
	uint64_t store_bytes, evidence_bytes;
	int64_t last_record_ns, last_commit_ns;
};
int store_status(struct store *store, struct store_status *status);

#endif
