/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any record as a datagram for journald: read here as systemd.io/JOURNAL_NATIVE_PROTOCOL has it,
 * it has exactly the fields that the record gives cause for, in order, and nothing hidden in them.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "agent/escape.h"
#include "agent/journal.h"
#include "shown.h"
#include "take.h"

#define DATAGRAM_BYTES 16384 /* journal_say() sends no longer one */
#define VALUE_BYTES    1024  /* longer texts are cut */

struct reader {
	const char *at, *end;
	char key[65];
	char *value; /* malloc'd */
};

static void next_field(struct reader *reader)
{
	size_t left = (size_t)(reader->end - reader->at), n = 0, len;
	uint64_t le_len;

	while (n < left && reader->at[n] != '=' && reader->at[n] != '\n')
		n++;
	must(n > 0 && n < left && n < sizeof(reader->key));
	memcpy(reader->key, reader->at, n);
	reader->key[n] = '\0';
	must(strspn(reader->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == n);
	must(*reader->key >= 'A' && *reader->key <= 'Z');
	reader->at += n + 1;
	left -= n + 1;
	if (reader->at[-1] == '\n') {
		must(left >= sizeof(le_len));
		memcpy(&le_len, reader->at, sizeof(le_len));
		reader->at += sizeof(le_len);
		left -= sizeof(le_len);
		must(le64toh(le_len) < left);
		len = (size_t)le64toh(le_len);
	} else {
		const char *newline = memchr(reader->at, '\n', left);

		must(newline);
		len = (size_t)(newline - reader->at);
	}
	must(reader->at[len] == '\n' && !memchr(reader->at, '\0', len));
	free(reader->value);
	reader->value = strndup(reader->at, len);
	must(reader->value);
	must_be_shown(reader->value);
	reader->at += len + 1;
}

static void expect(struct reader *reader, const char *key, const char *value)
{
	next_field(reader);
	must(!strcmp(reader->key, key) && !strcmp(reader->value, value));
}

static void expect_number(struct reader *reader, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	expect(reader, key, text);
}

/* Takes `shown` over: the field has it, or as much of it as fits. */
static void expect_shown(struct reader *reader, const char *key, char *shown)
{
	size_t len;

	next_field(reader);
	len = strlen(reader->value);
	must(!strcmp(reader->key, key) && len <= VALUE_BYTES &&
	     !strncmp(reader->value, shown, len));
	must(len == strlen(shown) || len + 4 > VALUE_BYTES);
	free(shown);
}

static void expect_text(struct reader *reader, const char *key, const char *raw)
{
	if (*raw)
		expect_shown(reader, key, escape_dup(raw, strlen(raw)));
}

static void expect_flow(struct reader *reader, const struct flow *flow)
{
	char address[INET6_ADDRSTRLEN];

	if (flow->family) {
		expect(reader, "EGRESSD_SRC",
		       inet_ntop(flow->family, flow->src, address, sizeof(address)));
		expect(reader, "EGRESSD_DST",
		       inet_ntop(flow->family, flow->dst, address, sizeof(address)));
	}
	if (flow->has_ports) {
		expect_number(reader, "EGRESSD_SPORT", flow->sport);
		expect_number(reader, "EGRESSD_DPORT", flow->dport);
	}
}

static void expect_owner(struct reader *reader, const struct owner *owner)
{
	expect(reader, "EGRESSD_OWNER_HOW", owner_how_words[owner->how]);
	if (owner->why)
		expect(reader, "EGRESSD_OWNER_WHY", owner_why_words[owner->why]);
	if (owner->proc.pid)
		expect_number(reader, "EGRESSD_PID", (uint64_t)owner->proc.pid);
	expect_text(reader, "EGRESSD_COMM", owner->proc.comm);
	expect_text(reader, "EGRESSD_EXE", owner->exe);
	if (owner->cmdline_bytes)
		expect_shown(reader, "EGRESSD_CMDLINE",
			     escape_cmdline(owner->cmdline, owner->cmdline_bytes));
	expect_text(reader, "EGRESSD_SCRIPT", owner->script);
	expect_text(reader, "EGRESSD_UNIT", owner->unit);
	expect_text(reader, "EGRESSD_CONTAINER", owner->container);
	expect_text(reader, "EGRESSD_REQUEST_HOST", owner->request_host);
	expect_text(reader, "EGRESSD_REQUEST_URI", owner->request_uri);
	expect_text(reader, "EGRESSD_REQUEST_CLIENT", owner->request_client);
}

static void check_fields(const char *datagram, size_t len, const struct record *record, int64_t id,
			 const char *user, uint64_t held_back)
{
	struct reader reader = { .at = datagram, .end = datagram + len };
	uint32_t uid;

	next_field(&reader);
	must(!strcmp(reader.key, "MESSAGE") && *reader.value);
	next_field(&reader);
	must(!strcmp(reader.key, "MESSAGE_ID"));
	must(strspn(reader.value, "0123456789abcdef") == 32 && !reader.value[32]);
	next_field(&reader);
	must(!strcmp(reader.key, "PRIORITY") && strchr("245", *reader.value) && !reader.value[1]);
	expect(&reader, "SYSLOG_IDENTIFIER", "egressd");
	if (id > 0)
		expect_number(&reader, "EGRESSD_ID", (uint64_t)id);
	expect(&reader, "EGRESSD_VERDICT", verdict_words[record->verdict]);
	expect(&reader, "EGRESSD_REASON", reason_words[record->reason]);
	expect_text(&reader, "EGRESSD_RULE", record->rule);
	expect(&reader, "EGRESSD_VIA", record_via_words[record->via]);
	if (record_charged_uid(record, &uid))
		expect_number(&reader, "EGRESSD_UID", uid);
	expect_text(&reader, "EGRESSD_USER", user);
	expect_flow(&reader, &record->flow);
	expect_owner(&reader, &record->owner);
	if (held_back)
		expect_number(&reader, "EGRESSD_HELD_BACK", held_back);
	must(reader.at == reader.end);
	free(reader.value);
}

static void take_owner(struct take *take, struct owner *owner)
{
	owner->how = take_u8(take) % OWNER_HOW_N;
	owner->why = take_u8(take) % OWNER_WHY_N;
	owner->has_socket = take_u8(take) & 1;
	owner->socket_uid = take_u32(take);
	owner->proc.pid = (pid_t)(take_u32(take) & INT32_MAX);
	owner->proc.uid = take_u32(take);
	take_text(take, owner->proc.comm, sizeof(owner->proc.comm));
	take_text(take, owner->exe, sizeof(owner->exe));
	owner->cmdline_bytes = take_span(take, owner->cmdline, sizeof(owner->cmdline));
	take_text(take, owner->script, sizeof(owner->script));
	take_text(take, owner->unit, sizeof(owner->unit));
	take_text(take, owner->container, sizeof(owner->container));
	take_text(take, owner->request_host, sizeof(owner->request_host));
	take_text(take, owner->request_uri, sizeof(owner->request_uri));
	take_text(take, owner->request_client, sizeof(owner->request_client));
}

static void take_record(struct take *take, struct record *record)
{
	static const uint8_t families[] = { 0, AF_INET, AF_INET6 };

	memset(record, 0, sizeof(*record));
	record->via = take_u8(take) % VIA_N;
	record->verdict = take_u8(take) % VERDICT_N;
	record->reason = take_u8(take) % REASON_N;
	record->foreign_holder = take_u8(take) & 1;
	record->has_uid = take_u8(take) & 1;
	record->uid = take_u32(take);
	record->flow.family = families[take_u8(take) % sizeof(families)];
	record->flow.has_ports = take_u8(take) & 1;
	take_bytes(take, record->flow.src, sizeof(record->flow.src));
	take_bytes(take, record->flow.dst, sizeof(record->flow.dst));
	record->flow.sport = take_u16(take);
	record->flow.dport = take_u16(take);
	take_text(take, record->rule, sizeof(record->rule));
	take_owner(take, &record->owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record record;
	static char datagram[DATAGRAM_BYTES], cut[DATAGRAM_BYTES];
	struct take take = { data, size };
	int64_t id = (int64_t)take_u64(&take);
	uint64_t held_back = take_u32(&take);
	size_t room = take_u16(&take) % sizeof(cut), len;
	char user[40];

	take_text(&take, user, sizeof(user));
	take_record(&take, &record);
	len = journal_format(&record, id, user, held_back, datagram, sizeof(datagram));
	must(len <= sizeof(datagram));
	check_fields(datagram, len, &record, id, user, held_back);
	memset(cut, 0x55, sizeof(cut));
	must(journal_format(&record, id, user, held_back, cut, room) == len);
	must(!memcmp(cut, datagram, room < len ? room : len) && cut[room] == 0x55);
	return 0;
}
