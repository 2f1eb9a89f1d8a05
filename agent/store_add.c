/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a record goes: into a row it repeats, into a fresh one, or, when its owner had enough of
 * those, into the row that stands for many destinations. Every record raises exactly one count.
 */
#include "store_internal.h"

#include <errno.h>
#include <string.h>

#define NS_MAX	 (INT64_MAX / 2) /* year 2116: sums and differences stay within 64 bits */
#define NS_PER_S 1000000000LL

/* Padding would be hashed: every key is zeroed as a whole first. */
struct owner_key {
	int64_t uid;
	uint8_t program[OWNER_PATH_BYTES];
};

struct row_key {
	struct keyhash owner;
	int64_t offender;
	uint8_t verdict, reason, via, flow_error, foreign, family, many, has_dport;
	uint16_t dport;
	uint32_t holder_uid; /* of a foreign holder */
	uint8_t dst[16];
	/* Of a forwarded record: the container or host that it is of, known by these. */
	uint8_t src[16], indev[RECORD_DEVICE_BYTES];
};

struct meter_key {
	int64_t kind; /* 'o' offender, 'r' refused of a uid, 'a' allowed of a uid */
	int64_t who;
};

static int64_t charged(const struct record *record)
{
	uint32_t uid;

	return record_charged_uid(record, &uid) ? (int64_t)uid : STORE_UID_NONE;
}

static struct keyhash owner_name(struct store *store, const struct record *record,
				 const char *program)
{
	size_t len = strnlen(program, OWNER_PATH_BYTES);
	struct owner_key key;

	memset(&key, 0, offsetof(struct owner_key, program));
	key.uid = charged(record);
	memcpy(key.program, program, len);
	return keyhash_of(store->key, &key, offsetof(struct owner_key, program) + len);
}

static struct keyhash row_name(struct store *store, const struct record *record,
			       const struct keyhash *owner, int64_t offender, bool many)
{
	const struct flow *flow = &record->flow;
	struct row_key key;

	memset(&key, 0, sizeof(key));
	key.offender = offender;
	key.verdict = (uint8_t)record->verdict;
	key.reason = (uint8_t)record->reason;
	key.via = (uint8_t)record->via;
	key.flow_error = (uint8_t)record->flow_error;
	key.foreign = record->foreign_holder;
	key.many = many;
	if (many) {
		key.owner.half[0] = (uint64_t)charged(record);
	} else {
		key.owner = *owner;
		key.holder_uid = record->foreign_holder ? record->owner.proc.uid : 0;
		key.family = flow->family;
		key.has_dport = flow->has_ports;
		key.dport = flow->has_ports ? flow->dport : 0;
		memcpy(key.dst, flow->dst, flow->family == AF_INET6 ? 16 : flow->family ? 4 : 0);
		if (*record->indev) {
			memcpy(key.src, flow->src,
			       flow->family == AF_INET6 ? 16
			       : flow->family		? 4
							: 0);
			memcpy(key.indev, record->indev,
			       strnlen(record->indev, RECORD_DEVICE_BYTES));
		}
	}
	return keyhash_of(store->key, &key, sizeof(key));
}

static bool fold_takes(struct store *store, const struct store_fold *fold, int64_t ts_ns)
{
	int64_t first = ts_ns < fold->first_ns ? ts_ns : fold->first_ns;
	int64_t last = ts_ns > fold->last_ns ? ts_ns : fold->last_ns;

	return last - first < store->fold_ns;
}

/* The meter with room for a row at ts_ns, or NULL. */
static struct store_meter *meter_with_room(struct store *store, char kind, int64_t who,
					   int64_t most, int64_t ts_ns)
{
	int64_t window = store->fold_ns > NS_PER_S ? store->fold_ns : NS_PER_S;
	struct meter_key key = { .kind = kind, .who = who };
	struct keyhash name = keyhash_of(store->key, &key, sizeof(key));
	struct store_meter *meter = lru_get(store->meters, name);

	if (!meter) {
		meter = lru_put(store->meters, name);
		meter->start_ns = ts_ns;
	} else if (ts_ns - meter->start_ns >= window || meter->start_ns - ts_ns >= window) {
		meter->start_ns = ts_ns;
		meter->rows = 0;
	}
	return meter->rows < most ? meter : NULL;
}

/* May this owner have one more row of its own? Counts it if so. */
static bool take_row(struct store *store, const struct record *record, int64_t offender,
		     int64_t ts_ns)
{
	int64_t uid = charged(record), most = store->rows_per_offender;
	struct store_meter *of_uid, *of_offender;

	if (offender == 0) {
		of_uid = meter_with_room(store, 'a', uid, most, ts_ns);
		if (of_uid)
			of_uid->rows++;
		return of_uid;
	}
	of_uid = meter_with_room(store, 'r', uid, STORE_UID_ROWS_FACTOR * most, ts_ns);
	of_offender = meter_with_room(store, 'o', offender, most, ts_ns);
	if (!of_uid || !of_offender)
		return false;
	of_uid->rows++;
	of_offender->rows++;
	return true;
}

static int mark_fold(struct store *store, struct store_fold *fold)
{
	int err = 0;

	if (fold->dirty)
		return 0;
	if (store->dirty_folds.n == store->dirty_folds.max)
		err = store_flush_folds(store);
	fold->dirty = true;
	store_mark_dirty(&store->dirty_folds, fold);
	return err;
}

static int write_fold(struct store *store, struct store_fold *fold)
{
	sqlite3_stmt *statement = store_statement(store, SQL_ROW_UPDATE);

	fold->dirty = false;
	sqlite3_bind_int64(statement, 1, fold->id);
	sqlite3_bind_int64(statement, 2, fold->count);
	sqlite3_bind_int64(statement, 3, fold->first_ns);
	sqlite3_bind_int64(statement, 4, fold->last_ns);
	return store_run(store, statement);
}

int store_flush_folds(struct store *store)
{
	struct store_fold *fold;
	uint32_t i;
	int err = 0;

	for (i = 0; i < store->dirty_folds.n && !err; i++) {
		fold = store->dirty_folds.values[i];
		if (fold->dirty) /* else written when it was evicted, or when its window ended */
			err = write_fold(store, fold);
	}
	store->dirty_folds.n = 0;
	return err;
}

void store_fold_evicted(void *context, void *value)
{
	struct store_fold *fold = value;
	struct store *store = context;
	int err = fold->dirty ? write_fold(store, fold) : 0;

	if (err && !store->flush_error)
		store->flush_error = err;
}

static int repeat(struct store *store, struct store_fold *fold, int64_t ts_ns)
{
	int err = mark_fold(store, fold);

	fold->count++;
	if (ts_ns < fold->first_ns)
		fold->first_ns = ts_ns;
	if (ts_ns > fold->last_ns)
		fold->last_ns = ts_ns;
	return err;
}

/* What one call of store_add() carries along. */
struct adding {
	const struct record *record;
	const char *user;
	int64_t ts_ns, offender;
	struct keyhash name; /* of the fold */
	struct store_fold *fold;
	bool fresh, many;
};

/* A fresh row that later ones may fold into, under a name whose window is over or never was. */
static int begin_row(struct store *store, struct keyhash name, struct adding *adding)
{
	struct store_fold *fold = lru_get(store->folds, name);
	int64_t id = store->meta[META_NEXT_ID];
	int err = 0;

	if (fold && fold->dirty)
		err = write_fold(store, fold);
	if (!err)
		err = store_row_insert(store, adding->record, adding->user, id, adding->offender,
				       adding->many);
	if (err)
		return err;
	store->meta[META_NEXT_ID]++;
	store->meta[META_ROWS]++;
	if (!fold)
		fold = lru_put(store->folds, name);
	*fold = (struct store_fold){ id, adding->ts_ns, adding->ts_ns, 1, false };
	adding->name = name;
	adding->fold = fold;
	adding->fresh = true;
	return store->flush_error;
}

static int place(struct store *store, struct adding *adding, const struct keyhash *owner)
{
	struct keyhash name = row_name(store, adding->record, owner, adding->offender, false);
	struct store_fold *fold = lru_get(store->folds, name);

	if (!fold || !fold_takes(store, fold, adding->ts_ns)) {
		if (take_row(store, adding->record, adding->offender, adding->ts_ns))
			return begin_row(store, name, adding);
		adding->many = true;
		name = row_name(store, adding->record, owner, adding->offender, true);
		fold = lru_get(store->folds, name);
		if (!fold || !fold_takes(store, fold, adding->ts_ns))
			return begin_row(store, name, adding);
	}
	adding->name = name;
	adding->fold = fold;
	return repeat(store, fold, adding->ts_ns);
}

static void count_one(struct store *store, int64_t ts_ns)
{
	store->meta[META_RECORDED]++;
	if (ts_ns > store->meta[META_LAST_RECORD_NS])
		store->meta[META_LAST_RECORD_NS] = ts_ns;
}

/* Straight to the table, where memory has it no more. 1, 0: it is not there either, or -errno. */
static int add_in_table(struct store *store, enum store_statement what, int64_t id, int64_t ts_ns)
{
	sqlite3_stmt *statement = store_statement(store, what);
	int err;

	sqlite3_bind_int64(statement, 1, id);
	sqlite3_bind_int64(statement, 2, ts_ns);
	err = store_run(store, statement);
	return err ? err : sqlite3_changes(store->db) > 0;
}

int store_again(struct store *store, const struct store_row *row, int64_t ts_ns,
		enum verdict verdict, int64_t *id)
{
	struct store_fold *fold = lru_get(store->folds, row->fold);
	struct store_offender_entry *entry;
	int64_t went_to = fold ? fold->id : row->id;
	int got;

	if (ts_ns < 0 || ts_ns > NS_MAX)
		return -EINVAL;
	got = fold ? repeat(store, fold, ts_ns)
		   : add_in_table(store, SQL_ROW_AGAIN, row->id, ts_ns);
	if (got < 0 || (!fold && got == 0))
		return got;
	got = 0;
	if (row->offender) {
		entry = lru_get(store->offenders, row->who);
		got = entry ? store_offender_repeat(store, entry, ts_ns, verdict)
			    : add_in_table(store, SQL_OFFENDER_AGAIN, row->offender, ts_ns);
	}
	if (got < 0)
		return got;
	count_one(store, ts_ns);
	*id = went_to;
	return 1;
}

int store_add(struct store *store, const struct record *record, const char *user,
	      struct store_row *row)
{
	struct keyhash owner = owner_name(store, record, record_program(record)),
		       charged_to = owner;
	struct store_offender_entry *entry = NULL;
	struct adding adding = { .record = record, .user = user, .ts_ns = record->ts_ns };
	int err = 0;

	if (adding.ts_ns < 0 || adding.ts_ns > NS_MAX)
		return -EINVAL;
	if (record->verdict != VERDICT_ALLOW) {
		if (record->foreign_holder)
			charged_to = owner_name(store, record, record_charged_program(record));
		err = store_offender_get(store, record, &charged_to, adding.ts_ns, user, &entry);
		if (err)
			return err;
		adding.offender = entry->id;
	}
	err = place(store, &adding, &owner);
	if (!err && entry)
		err = store_offender_attempt(store, entry, record, adding.ts_ns, user);
	/* a row of its own, once made, had its destination counted */
	if (!err && entry && (adding.fresh || adding.many))
		err = store_offender_destination(store, entry, &record->flow);
	if (err)
		return err;
	count_one(store, adding.ts_ns);
	*row = (struct store_row){ .fold = adding.name,
				   .who = charged_to,
				   .id = adding.fold->id,
				   .offender = adding.offender,
				   .fresh = adding.fresh,
				   .count = (uint64_t)adding.fold->count };
	return 0;
}
