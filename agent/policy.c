/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict about one packet: a list of rules, the first that matches decides, else deny. Agrees
 * with the rule set's guard chain, which is the policy while the agent is away. Looks nothing up.
 */
#include "policy.h"

#include <assert.h>

const char *const policy_mode_words[MODE_N] = {
	[MODE_ENFORCE] = "enforce",
	[MODE_MONITOR] = "monitor",
};
static_assert(MODE_MONITOR + 1 == MODE_N, "a word for each policy_mode");

const char *const verdict_words[VERDICT_N] = {
	[VERDICT_ALLOW] = "allow",
	[VERDICT_DENY] = "deny",
	[VERDICT_WOULD_DENY] = "would-deny",
};
static_assert(VERDICT_WOULD_DENY + 1 == VERDICT_N, "a word for each verdict");

const char *const reason_words[REASON_N] = {
	[REASON_LOCAL] = "local",
	[REASON_MAIL_SERVER] = "mail-server",
	[REASON_NOT_ALLOWED] = "not-allowed",
	[REASON_NO_UID] = "no-uid",
	[REASON_FRAGMENT] = "fragment",
	[REASON_MALFORMED] = "malformed",
	[REASON_NOT_OPENING] = "not-opening",
	[REASON_FORWARDED] = "forwarded",
	[REASON_OTHER_PORT] = "other-port",
};
static_assert(REASON_OTHER_PORT + 1 == REASON_N, "a word for each reason");

bool policy_is_mail_port(const struct policy *policy, uint16_t port)
{
	for (unsigned i = 0; i < policy->n_ports; i++)
		if (policy->ports[i] == port)
			return true;
	return false;
}

bool policy_is_mail_uid(const struct policy *policy, uint32_t uid)
{
	for (unsigned i = 0; i < policy->n_mail_uids; i++)
		if (policy->mail_uids[i] == uid)
			return true;
	return false;
}

/* Not to a mail port for certain. Ports that can't be read may be mail ports. */
static bool other_port(const struct policy *policy, const struct policy_query *query)
{
	if (query->flow_error == FLOW_NOT_TCP)
		return true;
	return query->flow->has_ports && !policy_is_mail_port(policy, query->flow->dport);
}

static bool is_fragment(const struct policy_query *query)
{
	return query->flow->fragment || query->flow_error == FLOW_FRAGMENT;
}

/* The rules, from the first on. A fragment to this box is local before it is a fragment, as in the
 * guard chain: nothing of it leaves. */
static struct policy_answer first_match(const struct policy *policy,
					const struct policy_query *query)
{
	bool mail_uid =
		query->has_uid && !query->forwarded && policy_is_mail_uid(policy, query->uid);
	bool parsed = query->flow_error == FLOW_OK;

	if (other_port(policy, query))
		return (struct policy_answer){ VERDICT_ALLOW, REASON_OTHER_PORT, "ports" };
	if (query->dst_local && (parsed || query->flow_error == FLOW_FRAGMENT))
		return (struct policy_answer){ VERDICT_ALLOW, REASON_LOCAL, "local" };
	if (is_fragment(query))
		return (struct policy_answer){ VERDICT_DENY, REASON_FRAGMENT, "default" };
	if (!parsed)
		return (struct policy_answer){ VERDICT_DENY, REASON_MALFORMED, "default" };
	if (mail_uid)
		return (struct policy_answer){ VERDICT_ALLOW, REASON_MAIL_SERVER, "mail-users" };
	if (!flow_opens(query->flow))
		return (struct policy_answer){ VERDICT_DENY, REASON_NOT_OPENING, "default" };
	if (query->forwarded)
		return (struct policy_answer){ VERDICT_DENY, REASON_FORWARDED, "default" };
	if (!query->has_uid)
		return (struct policy_answer){ VERDICT_DENY, REASON_NO_UID, "default" };
	return (struct policy_answer){ VERDICT_DENY, REASON_NOT_ALLOWED, "default" };
}

void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct policy_answer *answer)
{
	*answer = first_match(policy, query);
	if (policy->mode == MODE_MONITOR && answer->verdict == VERDICT_DENY)
		answer->verdict = VERDICT_WOULD_DENY;
}
