/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The aggregates of an offender: how often, when, where to. They change in memory and are written
 * once for each commit. What is bounded here stays exact in `attempts`.
 */
#include "store_internal.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void add_port(struct store_offender_entry *entry, uint16_t port)
{
	unsigned at = 0;

	while (at < entry->n_ports && entry->ports[at] < port)
		at++;
	if (entry->n_ports == STORE_PORTS_MAX || (at < entry->n_ports && entry->ports[at] == port))
		return;
	memmove(&entry->ports[at + 1], &entry->ports[at],
		(entry->n_ports - at) * sizeof(entry->ports[0]));
	entry->ports[at] = port;
	entry->n_ports++;
}

/* A name or unit that was not known at first. */
static int add_names(struct store *store, struct store_offender_entry *entry, const char *user,
		     const char *unit)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_NAME);

	sqlite3_bind_int64(statement, 1, entry->id);
	sqlite3_bind_blob(statement, 2, user, (int)strlen(user), SQLITE_STATIC);
	sqlite3_bind_blob(statement, 3, unit, (int)strlen(unit), SQLITE_STATIC);
	store->meta[META_OFFENDER_BYTES] += (int64_t)(strlen(user) + strlen(unit));
	entry->has_user |= *user != '\0';
	entry->has_unit |= *unit != '\0';
	return store_run(store, statement);
}

/* One attempt from elsewhere, or from nobody knows where: then no site can be told for all. */
static int compare_works_in(struct store *store, struct store_offender_entry *entry,
			    const struct record *record)
{
	struct store_offender_entry now = { 0 };
	sqlite3_stmt *statement;

	if (!entry->works_in_one)
		return 0;
	store_set_works_in(store, &now, record->owner.cwd, store_works_in(record));
	if (now.works_in_one && !memcmp(&now.works_in, &entry->works_in, sizeof(now.works_in)))
		return 0;
	entry->works_in_one = false;
	statement = store_statement(store, SQL_OFFENDER_MOVED);
	sqlite3_bind_int64(statement, 1, entry->id);
	return store_run(store, statement);
}

static void mark_entry(struct store *store, struct store_offender_entry *entry)
{
	if (entry->dirty)
		return;
	entry->dirty = true;
	if (store_mark_dirty(&store->dirty_offenders, entry) < 0) {
		store->flush_error = store_flush_offenders(store);
		entry->dirty = true;
		store_mark_dirty(&store->dirty_offenders, entry);
	}
}

int store_offender_repeat(struct store *store, struct store_offender_entry *entry, int64_t ts_ns,
			  enum verdict verdict)
{
	entry->attempts++;
	if (ts_ns < entry->first_ns)
		entry->first_ns = ts_ns;
	if (ts_ns >= entry->last_ns) {
		entry->last_ns = ts_ns;
		entry->verdict = verdict;
	}
	mark_entry(store, entry);
	return store->flush_error;
}

int store_offender_attempt(struct store *store, struct store_offender_entry *entry,
			   const struct record *record, int64_t ts_ns, const char *user)
{
	const char *name = entry->has_user || !user ? "" : user;
	const char *unit = entry->has_unit || record->foreign_holder ? "" : record->owner.unit;
	int err;

	entry->attempts++;
	if (ts_ns < entry->first_ns)
		entry->first_ns = ts_ns;
	if (ts_ns >= entry->last_ns) {
		entry->last_ns = ts_ns;
		entry->verdict = record->verdict;
	}
	if (record->flow.has_ports)
		add_port(entry, record->flow.dport);
	mark_entry(store, entry);
	err = compare_works_in(store, entry, record);
	if (err)
		return err;
	return *name || *unit ? add_names(store, entry, name, unit) : store->flush_error;
}

/* 1: it was new, 0: it was there, -errno. */
static int insert_address(struct store *store, enum store_statement id, int64_t offender,
			  const uint8_t *bytes, int len)
{
	sqlite3_stmt *statement = store_statement(store, id);
	int err;

	sqlite3_bind_int64(statement, 1, offender);
	sqlite3_bind_blob(statement, 2, bytes, len, SQLITE_STATIC);
	err = store_run(store, statement);
	if (err || sqlite3_changes(store->db) == 0)
		return err;
	store->meta[META_ADDRESS_BYTES] += STORE_ADDRESS_COST;
	return 1;
}

int store_offender_destination(struct store *store, struct store_offender_entry *entry,
			       const struct flow *flow)
{
	int address = flow->family == AF_INET6 ? 16 : 4, prefix = flow->family == AF_INET6 ? 6 : 3;
	sqlite3_stmt *statement;
	int got;

	if (flow->family == 0 || entry->capped)
		return 0;
	if (entry->destinations >= STORE_DESTINATIONS_MAX ||
	    store->meta[META_ADDRESS_BYTES] >= STORE_ADDRESSES_BYTES(store)) {
		statement = store_statement(store, SQL_DESTINATION_FIND);
		sqlite3_bind_int64(statement, 1, entry->id);
		sqlite3_bind_blob(statement, 2, flow->dst, address, SQLITE_STATIC);
		got = store_step(store, statement);
		sqlite3_reset(statement);
		entry->capped = got == 0;
		return got < 0 ? got : 0;
	}
	got = insert_address(store, SQL_DESTINATION_INSERT, entry->id, flow->dst, address);
	if (got <= 0)
		return got;
	entry->destinations++;
	got = insert_address(store, SQL_NETWORK_INSERT, entry->id, flow->dst, prefix);
	if (got > 0)
		entry->networks++;
	return got < 0 ? got : 0;
}

static int write_entry(struct store *store, const struct store_offender_entry *entry)
{
	sqlite3_stmt *statement = store_statement(store, SQL_OFFENDER_UPDATE);
	char ports[STORE_PORTS_MAX * 6 + 1] = "";
	size_t at = 0;
	unsigned i;

	for (i = 0; i < entry->n_ports; i++)
		at += (size_t)snprintf(ports + at, sizeof(ports) - at, "%s%u", i ? "," : "",
				       entry->ports[i]);
	sqlite3_bind_int64(statement, 1, entry->id);
	sqlite3_bind_int64(statement, 2, entry->attempts);
	sqlite3_bind_int64(statement, 3, entry->destinations);
	sqlite3_bind_int64(statement, 4, entry->networks);
	sqlite3_bind_int64(statement, 5, entry->first_ns);
	sqlite3_bind_int64(statement, 6, entry->last_ns);
	sqlite3_bind_text(statement, 7, verdict_words[entry->verdict], -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 8, entry->capped);
	sqlite3_bind_text(statement, 9, ports, -1, SQLITE_STATIC);
	return store_run(store, statement);
}

int store_flush_offenders(struct store *store)
{
	struct store_offender_entry *entry;
	uint32_t i;
	int err = 0;

	for (i = 0; i < store->dirty_offenders.n && !err; i++) {
		entry = store->dirty_offenders.values[i];
		if (!entry->dirty) /* written when it was evicted */
			continue;
		entry->dirty = false;
		err = write_entry(store, entry);
	}
	store->dirty_offenders.n = 0;
	return err;
}

void store_offender_evicted(void *context, void *value)
{
	struct store_offender_entry *entry = value;
	struct store *store = context;
	int err = entry->dirty ? write_entry(store, entry) : 0;

	entry->dirty = false;
	if (err && !store->flush_error)
		store->flush_error = err;
}
