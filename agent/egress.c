/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egress_judge(): packet -> flow -> owner -> verdict -> record, for the live queue, the NFLOG
 * copies and the replay alike. Asks the owner of the caller's resolver and does nothing else.
 */
#include "egress.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The holder's ids were read from the process itself, or told by an owners file. */
static bool holder_known(const struct owner *owner)
{
	switch (owner->how) {
	case OWNER_UNIQUE:
	case OWNER_SHARED:
	case OWNER_CONFIRMED:
	case OWNER_EXITED:
		return owner->proc.pid > 0 && owner->proc.uid != OWNER_UID_NONE;
	case OWNER_GIVEN: /* perhaps without a pid */
		return owner->proc.uid != OWNER_UID_NONE;
	default:
		return false;
	}
}

/* Who made the socket: the queue's word; without one, the owner of the socket's inode. */
static bool maker_of(const struct egress_meta *meta, const struct owner *owner, uint32_t *uid)
{
	if (meta->has_uid)
		*uid = meta->uid;
	else if (owner->has_socket && owner->socket_uid != OWNER_UID_NONE)
		*uid = owner->socket_uid;
	else
		return false;
	return true;
}

/* To the kernel all that the mail servers' uids make is one party's. */
static bool same_party(const struct policy *policy, uint32_t maker, uint32_t uid)
{
	return uid == maker ||
	       (policy_is_mail_uid(policy, maker) && policy_is_mail_uid(policy, uid));
}

/*
 * A descriptor goes to whoever takes it (SCM_RIGHTS, unix(7)): what the holder does with it is not
 * its maker's doing. True when neither the holder, by real or effective uid, nor any other listed
 * holder is of the maker's party.
 */
static bool held_by_foreigner(const struct policy *policy, const struct egress_meta *meta,
			      const struct owner *owner)
{
	unsigned listed = owner->n_holders < OWNER_HOLDERS ? owner->n_holders : OWNER_HOLDERS;
	uint32_t maker;

	if (!maker_of(meta, owner, &maker) || !holder_known(owner))
		return false;
	if (same_party(policy, maker, owner->proc.uid) || same_party(policy, maker, owner->euid))
		return false;
	for (unsigned i = 0; i < listed; i++)
		if (same_party(policy, maker, owner->holders[i].uid))
			return false;
	return true;
}

/*
 * A copy tells what the rule set has done already. Where the policy of now says otherwise (it was
 * renewed in between), the record says what happened.
 */
static void settle(const struct policy *policy, enum record_via via, struct policy_answer *answer)
{
	switch (via) {
	case VIA_GUARD:
		if (answer->verdict == VERDICT_ALLOW)
			answer->reason = REASON_NOT_ALLOWED;
		answer->verdict = policy->mode == MODE_MONITOR ? VERDICT_WOULD_DENY : VERDICT_DENY;
		answer->rule = "guard";
		break;
	case VIA_MAIL:
		/* Fragments are copied too, and refused after that: the policy knows. */
		if (answer->reason == REASON_NOT_ALLOWED || answer->reason == REASON_NO_UID ||
		    answer->reason == REASON_NOT_OPENING)
			*answer = (struct policy_answer){ VERDICT_ALLOW, REASON_MAIL_SERVER,
							  "mail-users" };
		break;
	case VIA_LOCAL:
		*answer = (struct policy_answer){ VERDICT_ALLOW, REASON_LOCAL, "local" };
		break;
	default:
		break;
	}
}

static void keep_excerpt(const struct packet *packet, const struct egress_meta *meta,
			 struct record *record)
{
	size_t kept = packet->len < RECORD_EXCERPT_BYTES ? packet->len : RECORD_EXCERPT_BYTES;

	packet_copy(packet, 0, record->excerpt, kept);
	record->excerpt_bytes = (uint16_t)kept;
	record->packet_bytes = meta->packet_bytes;
	if (record->packet_bytes < packet->len)
		record->packet_bytes =
			packet->len < UINT32_MAX ? (uint32_t)packet->len : UINT32_MAX;
}

int egress_judge(const struct policy *policy, const struct packet *packet,
		 const struct egress_meta *meta, egress_resolve_fn resolve, void *context,
		 struct record *record)
{
	struct policy_answer answer;
	int result = 0;

	/* The owner is filled by who finds it, the excerpt as far as it goes. */
	memset(record, 0, offsetof(struct record, owner));
	record->flow_error = flow_parse(packet, &record->flow);
	if (record->flow.has_ports) {
		result = resolve(context, &record->flow, meta, &record->owner);
	} else {
		owner_init(&record->owner);
		record->owner.why = OWNER_WHY_NO_SOCKET; /* no tuple to ask for */
	}
	policy_judge(policy,
		     &(struct policy_query){
			     .flow = &record->flow,
			     .flow_error = record->flow_error,
			     .dst_local = meta->dst_local,
			     .forwarded = meta->forwarded,
			     .has_uid = meta->has_uid,
			     .uid = meta->uid,
			     .owner = &record->owner,
		     },
		     &answer);
	settle(policy, meta->via, &answer);

	record->ts_ns = meta->ts_ns;
	record->via = meta->via;
	record->mode = policy->mode;
	record->verdict = answer.verdict;
	record->reason = answer.reason;
	snprintf(record->rule, sizeof(record->rule), "%s", answer.rule);
	record->has_uid = meta->has_uid;
	record->uid = meta->has_uid ? meta->uid : OWNER_UID_NONE;
	record->gid = meta->has_uid ? meta->gid : OWNER_UID_NONE;
	memcpy(record->indev, meta->indev, sizeof(record->indev));
	record->foreign_holder = held_by_foreigner(policy, meta, &record->owner);
	keep_excerpt(packet, meta, record);
	return result;
}
