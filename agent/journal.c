/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for the journal: which are due, how they read, how they are sent; it never waits. */
#include "journal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "escape.h"
#include "journal_text.h"
#include "log.h"
#include "lru.h"

#define OFFENDERS_MAX 16384
#define SHORT_BYTES   257

struct pace { /* of one offender */
	int64_t said_ns;
	uint64_t held_back;
	bool said;
};

struct journal {
	int fd;
	int64_t every_ns;
	struct lru *paces;
};

struct journal *journal_new(int fd, uint32_t per_offender_s)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return NULL;
	journal->paces = lru_new(OFFENDERS_MAX, sizeof(struct pace), NULL, NULL);
	if (!journal->paces) {
		free(journal);
		return NULL;
	}
	journal->fd = fd;
	journal_options(journal, per_offender_s);
	return journal;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	lru_free(journal->paces);
	free(journal);
}

void journal_options(struct journal *journal, uint32_t per_offender_s)
{
	journal->every_ns = per_offender_s * 1000000000LL;
}

/* An escaped text's first bytes, at most that many, without half a character or half an escape. */
static void cut_escaped(char *text, size_t most)
{
	size_t at = 0, item;

	while (text[at]) {
		item = text[at] == '\\' ? (text[at + 1] == 'x' ? 4 : 2) : 1;
		while (item < 4 && ((unsigned char)text[at + item] & 0xc0) == 0x80)
			item++;
		if (at + item > most)
			break;
		at += item;
	}
	text[at] = '\0';
}

static void add_cmdline(struct journal_text *text, const struct owner *owner)
{
	char *value;

	if (owner->cmdline_bytes == 0)
		return;
	value = escape_cmdline(owner->cmdline, owner->cmdline_bytes);
	cut_escaped(value, JOURNAL_LONG_BYTES - 1);
	journal_add_field(text, "EGRESSD_CMDLINE", value);
	free(value);
}

/* Who, as people read it: name (uid), or the uid, or that none is known. */
static void who_text(const struct record *record, const char *user, char *out, size_t size)
{
	char name[SHORT_BYTES], address[INET6_ADDRSTRLEN];
	uint32_t uid;

	if (!record_charged_uid(record, &uid) && *record->indev) {
		escape_bytes(record->indev, strlen(record->indev), name, sizeof(name));
		snprintf(out, size, "%s by %s",
			 flow_address_text(record->flow.family, record->flow.src, address,
					   sizeof(address)),
			 name);
	} else if (!record_charged_uid(record, &uid)) {
		snprintf(out, size, "nobody known");
	} else if (user && *user) {
		escape_bytes(user, strlen(user), name, sizeof(name));
		snprintf(out, size, "%s (%u)", name, uid);
	} else {
		snprintf(out, size, "uid %u", uid);
	}
}

static void where_text(const struct flow *flow, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	if (flow->family == 0) {
		snprintf(out, size, "an unknown destination");
		return;
	}
	flow_address_text(flow->family, flow->dst, address, sizeof(address));
	if (!flow->has_ports)
		snprintf(out, size, "%s", address);
	else if (flow->family == AF_INET6)
		snprintf(out, size, "[%s]:%u", address, flow->dport);
	else
		snprintf(out, size, "%s:%u", address, flow->dport);
}

struct event {
	const char *id;
	int priority;
	const char *words;
};

static struct event event_of(const struct record *record)
{
	if (record_is_alarm(record))
		return (struct event){ JOURNAL_ID_FOREIGN_HOLDER, LOG_CRIT,
				       "Mail server's socket in other hands" };
	if (record->verdict == VERDICT_DENY)
		return (struct event){ JOURNAL_ID_REFUSED, LOG_WARNING, "Refused" };
	return (struct event){ JOURNAL_ID_WOULD_REFUSE, LOG_NOTICE, "Would refuse" };
}

static void message_text(const struct record *record, const char *user, uint64_t held_back,
			 char *out, size_t size)
{
	char who[SHORT_BYTES + 16], where[80], program[JOURNAL_LONG_BYTES], more[64] = "",
									    holder[64] = "";
	const char *raw = record_program(record);

	who_text(record, user, who, sizeof(who));
	where_text(&record->flow, where, sizeof(where));
	escape_bytes(raw, strlen(raw), program, sizeof(program));
	if (record->foreign_holder)
		snprintf(holder, sizeof(holder), ", held by uid %u%s", record->owner.proc.uid,
			 *program ? " with" : "");
	if (held_back)
		snprintf(more, sizeof(more), "; %llu more since the last line",
			 (unsigned long long)held_back);
	snprintf(out, size, "%s: %s%s%s%s to %s (%s)%s", event_of(record).words, who, holder,
		 *program ? " " : "", program, where, reason_words[record->reason], more);
}

static void add_head(struct journal_text *text, const struct record *record, const char *message)
{
	struct event event = event_of(record);

	journal_add_field(text, "MESSAGE", message);
	journal_add_field(text, "MESSAGE_ID", event.id);
	journal_add_number(text, "PRIORITY", event.priority);
	journal_add_field(text, "SYSLOG_IDENTIFIER", "egressd");
}

static void add_flow(struct journal_text *text, const struct flow *flow)
{
	char address[INET6_ADDRSTRLEN];

	if (flow->family != 0) {
		journal_add_field(
			text, "EGRESSD_SRC",
			flow_address_text(flow->family, flow->src, address, sizeof(address)));
		journal_add_field(
			text, "EGRESSD_DST",
			flow_address_text(flow->family, flow->dst, address, sizeof(address)));
	}
	if (flow->has_ports) {
		journal_add_number(text, "EGRESSD_SPORT", flow->sport);
		journal_add_number(text, "EGRESSD_DPORT", flow->dport);
	}
}

static void add_owner(struct journal_text *text, const struct owner *owner)
{
	journal_add_field(text, "EGRESSD_OWNER_HOW", owner_how_words[owner->how]);
	if (owner->why != OWNER_WHY_NONE)
		journal_add_field(text, "EGRESSD_OWNER_WHY", owner_why_words[owner->why]);
	if (owner->proc.pid)
		journal_add_number(text, "EGRESSD_PID", owner->proc.pid);
	journal_add_escaped(text, "EGRESSD_COMM", owner->proc.comm);
	journal_add_escaped(text, "EGRESSD_EXE", owner->exe);
	if (owner->poses)
		journal_add_field(text, "EGRESSD_POSES", "1");
	if (owner->caller.pid) {
		journal_add_number(text, "EGRESSD_CALLER_PID", owner->caller.pid);
		if (owner->caller.uid != OWNER_UID_NONE)
			journal_add_number(text, "EGRESSD_CALLER_UID", owner->caller.uid);
		journal_add_escaped(text, "EGRESSD_CALLER_COMM", owner->caller.comm);
	}
	add_cmdline(text, owner);
	journal_add_escaped(text, "EGRESSD_SCRIPT", owner->script);
	journal_add_escaped(text, "EGRESSD_UNIT", owner->unit);
	journal_add_escaped(text, "EGRESSD_CONTAINER", owner->container);
	journal_add_escaped(text, "EGRESSD_REQUEST_HOST", owner->request_host);
	journal_add_escaped(text, "EGRESSD_REQUEST_URI", owner->request_uri);
	journal_add_escaped(text, "EGRESSD_REQUEST_CLIENT", owner->request_client);
}

size_t journal_format(const struct record *record, int64_t id, const char *user, uint64_t held_back,
		      char *out, size_t size)
{
	struct journal_text text = { .out = out, .size = size };
	char message[2 * JOURNAL_LONG_BYTES];
	uint32_t uid;

	message_text(record, user, held_back, message, sizeof(message));
	add_head(&text, record, message);
	if (id > 0)
		journal_add_number(&text, "EGRESSD_ID", id);
	journal_add_field(&text, "EGRESSD_VERDICT", verdict_words[record->verdict]);
	journal_add_field(&text, "EGRESSD_REASON", reason_words[record->reason]);
	journal_add_escaped(&text, "EGRESSD_RULE", record->rule);
	journal_add_field(&text, "EGRESSD_VIA", record_via_words[record->via]);
	if (record_charged_uid(record, &uid))
		journal_add_number(&text, "EGRESSD_UID", uid);
	journal_add_escaped(&text, "EGRESSD_USER", user ? user : "");
	add_flow(&text, &record->flow);
	journal_add_escaped(&text, "EGRESSD_INDEV", record->indev);
	add_owner(&text, &record->owner);
	if (held_back)
		journal_add_number(&text, "EGRESSD_HELD_BACK", (int64_t)held_back);
	return text.len;
}

static struct pace *pace_of(struct journal *journal, int64_t offender)
{
	/* offenders are numbered by us: nobody can aim at a chain */
	struct keyhash name = { { (uint64_t)offender, 0 } };
	struct pace *pace = lru_get(journal->paces, name);

	return pace ? pace : lru_put(journal->paces, name);
}

bool journal_due(struct journal *journal, int64_t ts_ns, int64_t offender, uint64_t *held_back)
{
	struct pace *pace = pace_of(journal, offender);
	int64_t since = ts_ns - pace->said_ns;

	if (pace->said && since < journal->every_ns && since > -journal->every_ns) {
		pace->held_back++;
		return false;
	}
	*held_back = pace->held_back;
	*pace = (struct pace){ .said_ns = ts_ns, .said = true };
	return true;
}

void journal_repeat(struct journal *journal, int64_t offender)
{
	pace_of(journal, offender)->held_back++;
}

static int send_line(const struct record *record, const char *user, uint64_t held_back)
{
	char message[2 * JOURNAL_LONG_BYTES], line[2 * JOURNAL_LONG_BYTES + 8];
	int len;

	message_text(record, user, held_back, message, sizeof(message));
	len = snprintf(line, sizeof(line), "<%d>%s\n", event_of(record).priority, message);
	return log_raw(line, (size_t)len);
}

int journal_say(struct journal *journal, const struct record *record, int64_t id, const char *user,
		uint64_t held_back)
{
	char datagram[JOURNAL_DATAGRAM_BYTES];
	size_t len;

	if (journal->fd < 0)
		return send_line(record, user, held_back);
	len = journal_format(record, id, user, held_back, datagram, sizeof(datagram));
	if (len > sizeof(datagram))
		return -EMSGSIZE;
	if (send(journal->fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

int journal_say_note(struct journal *journal, const struct note *note, int64_t id, bool repeat)
{
	char datagram[JOURNAL_DATAGRAM_BYTES];
	size_t len;

	if (journal->fd < 0) {
		len = journal_line_note(note, id, repeat, datagram, sizeof(datagram));
		return log_raw(datagram, len);
	}
	len = journal_format_note(note, id, repeat, datagram, sizeof(datagram));
	if (len > sizeof(datagram))
		return -EMSGSIZE;
	if (send(journal->fd, datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

int journal_verdict(struct journal *journal, const struct record *record, int64_t id,
		    int64_t offender, const char *user)
{
	uint64_t held_back;

	if (!journal_due(journal, record->ts_ns, offender, &held_back))
		return 1;
	return journal_say(journal, record, id, user, held_back);
}
