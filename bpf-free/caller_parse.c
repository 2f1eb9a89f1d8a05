/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a tracepoint's format file and its raw records; asks nobody. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller.h"

/* "\tfield:TYPE NAME[DIMENSION];\toffset:N;\tsize:N;\tsigned:N;" (f_show(),
 * kernel/trace/trace_events.c). */
static bool read_field(const char *line, const char *name, unsigned wanted, uint16_t *offset)
{
	const char *semicolon = strchr(line, ';'), *at;
	size_t len = strlen(name);
	unsigned where, size;

	if (!semicolon)
		return false;
	at = semicolon;
	if (at > line && at[-1] == ']')
		while (at > line && *at != '[')
			at--;
	if ((size_t)(at - line) < len + 1 || memcmp(at - len, name, len) || at[-len - 1] != ' ')
		return false;
	if (sscanf(semicolon, ";\toffset:%u;\tsize:%u;", &where, &size) != 2 || size != wanted ||
	    where > 4096)
		return false;
	*offset = (uint16_t)where;
	return true;
}

static void note_end(struct caller_format *format, unsigned offset, unsigned size)
{
	if (offset + size > format->size)
		format->size = (uint16_t)(offset + size);
}

int caller_parse_format(const char *text, unsigned *id, struct caller_format *format)
{
	struct caller_format f = { 0 };
	const struct {
		const char *name;
		unsigned size;
		uint16_t *offset;
	} fields[] = {
		{ "skaddr", 8, &f.skaddr },	{ "oldstate", 4, &f.oldstate },
		{ "newstate", 4, &f.newstate }, { "sport", 2, &f.sport },
		{ "dport", 2, &f.dport },	{ "family", 2, &f.family },
		{ "protocol", 2, &f.protocol }, { "saddr", 4, &f.saddr },
		{ "daddr", 4, &f.daddr },	{ "saddr_v6", 16, &f.saddr6 },
		{ "daddr_v6", 16, &f.daddr6 },
	};
	unsigned number = 0, found = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		while (*line == '\n' || *line == '\t')
			line++;
		if (!strncmp(line, "ID: ", 4))
			number = (unsigned)strtoul(line + 4, NULL, 10);
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (!(found & 1u << i) &&
			    read_field(line, fields[i].name, fields[i].size, fields[i].offset)) {
				found |= 1u << i;
				note_end(&f, *fields[i].offset, fields[i].size);
			}
	}
	if (!number || found != (1u << sizeof(fields) / sizeof(fields[0])) - 1)
		return -EBADMSG;
	*id = number;
	*format = f;
	return 0;
}

static uint16_t u16_at(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static bool is_mapped(const uint8_t *address)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(address, head, sizeof(head));
}

int caller_parse_record(const struct caller_format *f, const uint8_t *bytes, size_t len,
			struct caller_event *event)
{
	struct caller_event e = { 0 };
	struct owner_query *q = &e.tuple;
	int32_t oldstate, newstate;
	uint16_t family;

	if (len < f->size)
		return -EBADMSG;
	memcpy(&oldstate, bytes + f->oldstate, sizeof(oldstate));
	memcpy(&newstate, bytes + f->newstate, sizeof(newstate));
	memcpy(&e.socket, bytes + f->skaddr, sizeof(e.socket));
	/* An MPTCP socket has a TCP one below, which is told too. */
	if (u16_at(bytes + f->protocol) != IPPROTO_TCP ||
	    (oldstate == TCP_SYN_SENT) == (newstate == TCP_SYN_SENT))
		return -ENOENT;
	e.enters = newstate == TCP_SYN_SENT;
	e.to = (uint8_t)newstate;
	family = u16_at(bytes + f->family);
	q->sport = u16_at(bytes + f->sport);
	q->dport = u16_at(bytes + f->dport);
	if (family == AF_INET || (family == AF_INET6 && is_mapped(bytes + f->daddr6))) {
		q->family = AF_INET;
		memcpy(q->src, bytes + f->saddr, 4);
		memcpy(q->dst, bytes + f->daddr, 4);
	} else if (family == AF_INET6) {
		q->family = AF_INET6;
		memcpy(q->src, bytes + f->saddr6, 16);
		memcpy(q->dst, bytes + f->daddr6, 16);
	} else {
		return -EBADMSG;
	}
	*event = e;
	return 0;
}
