/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers from an owners file as /proc would when live. Reads no text: that is owners_parse.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "owners_lines.h"

void owners_line_free(struct owners_line *line)
{
	for (unsigned i = 0; i < TEXT_N; i++)
		free(line->text[i]);
}

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->n_lines; i++)
		owners_line_free(&owners->lines[i]);
	free(owners->lines);
	free(owners->locals);
	free(owners);
}

static bool has_address(const struct owners_end *end, uint8_t family, const uint8_t *address)
{
	return end->family == family && !memcmp(end->address, address, family == AF_INET ? 4 : 16);
}

static bool matches(const struct owners_end *end, uint8_t family, const uint8_t *address,
		    uint16_t port)
{
	return (!end->family || has_address(end, family, address)) &&
	       (end->any_port || end->port == port);
}

static const struct owners_line *find_line(const struct owners *owners, const struct flow *flow)
{
	if (!owners || !flow->has_ports)
		return NULL;
	for (size_t i = 0; i < owners->n_lines; i++) {
		const struct owners_line *line = &owners->lines[i];

		if (matches(&line->src, flow->family, flow->src, flow->sport) &&
		    matches(&line->dst, flow->family, flow->dst, flow->dport))
			return line;
	}
	return NULL;
}

/* A text of the line into its field, which is larger than texts[].max by at least the NUL. */
static void give_text(const struct owners_line *line, enum owners_text which, char *field)
{
	if (line->text[which])
		memcpy(field, line->text[which], line->text_len[which] + 1);
}

static void give_holder(const struct owners_line *line, struct owner *owner)
{
	if (line->has_number[NUMBER_UID] && owner->how != OWNER_UNKNOWN)
		owner->proc.uid = owner->euid = line->number[NUMBER_UID];
	if (line->has_number[NUMBER_HOLDER_UID])
		owner->proc.uid = owner->euid = line->number[NUMBER_HOLDER_UID];
	if (line->has_number[NUMBER_HOLDER_EUID])
		owner->euid = line->number[NUMBER_HOLDER_EUID];
	if (line->has_number[NUMBER_GID])
		owner->gid = line->number[NUMBER_GID];
	give_text(line, TEXT_COMM, owner->proc.comm);
	owner->poses = line->has_number[NUMBER_POSES] && line->number[NUMBER_POSES];
	if (line->has_number[NUMBER_CALLER_PID])
		owner->caller.pid = (pid_t)line->number[NUMBER_CALLER_PID];
	if (line->has_number[NUMBER_CALLER_UID])
		owner->caller.uid = line->number[NUMBER_CALLER_UID];
	if (line->has_number[NUMBER_PID]) {
		owner->proc.pid = (pid_t)line->number[NUMBER_PID];
		owner->holders[0] = owner->proc;
		owner->n_holders = 1;
	}
}

int owners_resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
		   struct owner *owner)
{
	const struct owners_line *line = find_line(context, flow);

	(void)meta;
	owner_init(owner);
	if (!line) {
		owner->why = OWNER_WHY_NOT_GIVEN;
		return 0;
	}
	owner->how = line->has_how ? line->how : line->has_why ? OWNER_UNKNOWN : OWNER_GIVEN;
	owner->why = line->why;
	give_holder(line, owner);
	give_text(line, TEXT_EXE, owner->exe);
	give_text(line, TEXT_CWD, owner->cwd);
	give_text(line, TEXT_UNIT, owner->unit);
	give_text(line, TEXT_CONTAINER, owner->container);
	give_text(line, TEXT_CMDLINE, owner->cmdline);
	if (line->text[TEXT_CMDLINE])
		owner->cmdline_bytes = line->text_len[TEXT_CMDLINE] + 1;
	give_text(line, TEXT_SCRIPT, owner->script);
	if (line->text[TEXT_SCRIPT])
		owner->script_from = OWNER_SCRIPT_GIVEN;
	return 0;
}

void owners_meta(const struct owners *owners, const struct flow *flow, struct egress_meta *meta)
{
	const struct owners_line *line = find_line(owners, flow);

	if (line && line->has_number[NUMBER_UID] && !meta->has_uid) {
		meta->has_uid = true;
		meta->uid = line->number[NUMBER_UID];
		meta->gid =
			line->has_number[NUMBER_GID] ? line->number[NUMBER_GID] : OWNER_UID_NONE;
	}
	for (size_t i = 0; owners && i < owners->n_locals; i++)
		if (flow->family && has_address(&owners->locals[i], flow->family, flow->dst))
			meta->dst_local = true;
}
