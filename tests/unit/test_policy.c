/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/policy.h"

#define POSTFIX	    101
#define NULLMAIL    102
#define WWW	    33
#define NOBODY_SAID (-1)
#define FORWARDED   (-2)

static const struct policy policy = {
	.mode = MODE_ENFORCE,
	.ports = { 25, 465, 587 },
	.n_ports = 3,
	.mail_uids = { POSTFIX, NULLMAIL },
	.n_mail_uids = 2,
};

struct row {
	const char *name;
	enum flow_error error;
	bool has_ports;
	uint16_t dport;
	uint8_t flags;
	bool fragment, local;
	int64_t uid; /* NOBODY_SAID: none; FORWARDED: forwarded, with a mail user's uid */
	enum verdict verdict;
	enum reason reason;
	const char *rule;
};

#define SYN FLOW_TCP_SYN
#define ACK FLOW_TCP_ACK

static const struct row rows[] = {
	{ "the mail server's SYN goes out", FLOW_OK, true, 25, SYN, false, false, POSTFIX,
	  VERDICT_ALLOW, REASON_MAIL_SERVER, "mail-users" },
	{ "a second mail user's SYN goes out", FLOW_OK, true, 587, SYN, false, false, NULLMAIL,
	  VERDICT_ALLOW, REASON_MAIL_SERVER, "mail-users" },
	{ "a web app's SYN to port 25 is refused", FLOW_OK, true, 25, SYN, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "a web app's SYN to port 465 is refused", FLOW_OK, true, 465, SYN, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "a web app's SYN to port 587 is refused", FLOW_OK, true, 587, SYN, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "root's SYN is refused", FLOW_OK, true, 25, SYN, false, false, 0, VERDICT_DENY,
	  REASON_NOT_ALLOWED, "default" },
	{ "a SYN without a uid is refused", FLOW_OK, true, 25, SYN, false, false, NOBODY_SAID,
	  VERDICT_DENY, REASON_NO_UID, "default" },
	{ "a uid of all ones is no mail user", FLOW_OK, true, 25, SYN, false, false, UINT32_MAX,
	  VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "a web app's SYN to this box passes", FLOW_OK, true, 25, SYN, false, true, WWW,
	  VERDICT_ALLOW, REASON_LOCAL, "local" },
	{ "a SYN to this box without a uid passes", FLOW_OK, true, 25, SYN, false, true,
	  NOBODY_SAID, VERDICT_ALLOW, REASON_LOCAL, "local" },
	{ "the mail server's SYN to this box is local", FLOW_OK, true, 25, SYN, false, true,
	  POSTFIX, VERDICT_ALLOW, REASON_LOCAL, "local" },
	{ "a SYN to another port is none of ours", FLOW_OK, true, 443, SYN, false, false, WWW,
	  VERDICT_ALLOW, REASON_OTHER_PORT, "ports" },
	{ "the SYN|ACK of a simultaneous open is refused", FLOW_OK, true, 25, SYN | ACK, false,
	  false, WWW, VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "the mail server's SYN|ACK goes out", FLOW_OK, true, 25, SYN | ACK, false, false, POSTFIX,
	  VERDICT_ALLOW, REASON_MAIL_SERVER, "mail-users" },
	{ "a SYN|ACK without a uid is refused", FLOW_OK, true, 25, SYN | ACK, false, false,
	  NOBODY_SAID, VERDICT_DENY, REASON_NO_UID, "default" },
	{ "a SYN with every other flag is refused", FLOW_OK, true, 25, 0xff, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_ALLOWED, "default" },
	{ "a web app's packet without SYN is refused", FLOW_OK, true, 25, ACK, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_OPENING, "default" },
	{ "a packet without any flag is refused", FLOW_OK, true, 25, 0, false, false, WWW,
	  VERDICT_DENY, REASON_NOT_OPENING, "default" },
	{ "the mail server's packet without SYN goes out", FLOW_OK, true, 25, ACK, false, false,
	  POSTFIX, VERDICT_ALLOW, REASON_MAIL_SERVER, "mail-users" },
	{ "a packet without SYN and uid, if asked, is refused", FLOW_OK, true, 25, ACK, false,
	  false, NOBODY_SAID, VERDICT_DENY, REASON_NOT_OPENING, "default" },
	{ "a first fragment with its flags is refused", FLOW_OK, true, 25, SYN, true, false, WWW,
	  VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "the mail server's fragment is refused, as by the rules", FLOW_OK, true, 25, SYN, true,
	  false, POSTFIX, VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "a fragment too short for its flags is refused", FLOW_FRAGMENT, true, 25, 0, true, false,
	  WWW, VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "a later fragment, whose ports are unknown, is refused", FLOW_FRAGMENT, false, 0, 0, true,
	  false, WWW, VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "a fragment cut before its flags is refused as a fragment", FLOW_CUT_TCP, true, 25, 0,
	  true, false, WWW, VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "a fragment to another port is none of ours", FLOW_OK, true, 443, SYN, true, false, WWW,
	  VERDICT_ALLOW, REASON_OTHER_PORT, "ports" },
	{ "a fragment to this box passes, as by the rules", FLOW_FRAGMENT, true, 25, 0, true, true,
	  WWW, VERDICT_ALLOW, REASON_LOCAL, "local" },
	{ "a forwarded SYN is refused, whatever uid it claims", FLOW_OK, true, 25, SYN, false,
	  false, FORWARDED, VERDICT_DENY, REASON_FORWARDED, "default" },
	{ "a forwarded SYN|ACK is refused", FLOW_OK, true, 25, SYN | ACK, false, false, FORWARDED,
	  VERDICT_DENY, REASON_FORWARDED, "default" },
	{ "a forwarded packet without SYN is no opening", FLOW_OK, true, 25, ACK, false, false,
	  FORWARDED, VERDICT_DENY, REASON_NOT_OPENING, "default" },
	{ "a forwarded fragment is refused as a fragment", FLOW_OK, true, 25, SYN, true, false,
	  FORWARDED, VERDICT_DENY, REASON_FRAGMENT, "default" },
	{ "a forwarded SYN to another port is none of ours", FLOW_OK, true, 443, SYN, false, false,
	  FORWARDED, VERDICT_ALLOW, REASON_OTHER_PORT, "ports" },
	{ "an empty packet is refused", FLOW_EMPTY, false, 0, 0, false, false, WWW, VERDICT_DENY,
	  REASON_MALFORMED, "default" },
	{ "an unknown IP version is refused", FLOW_BAD_VERSION, false, 0, 0, false, false, WWW,
	  VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "a cut IP header is refused", FLOW_CUT_IP, false, 0, 0, false, false, POSTFIX,
	  VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "a bad header length is refused", FLOW_BAD_IHL, false, 0, 0, false, false, POSTFIX,
	  VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "a cut extension header is refused", FLOW_CUT_EXTENSION, false, 0, 0, false, false,
	  POSTFIX, VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "an endless chain of extension headers is refused", FLOW_LONG_CHAIN, false, 0, 0, false,
	  false, POSTFIX, VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "TCP cut before its ports is refused", FLOW_CUT_TCP, false, 0, 0, false, false, POSTFIX,
	  VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "TCP to a mail port cut before its flags is refused", FLOW_CUT_TCP, true, 25, 0, false,
	  false, POSTFIX, VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "TCP to another port cut before its flags is none of ours", FLOW_CUT_TCP, true, 80, 0,
	  false, false, WWW, VERDICT_ALLOW, REASON_OTHER_PORT, "ports" },
	{ "a bad TCP header length is refused", FLOW_BAD_DATA_OFFSET, true, 25, SYN, false, false,
	  POSTFIX, VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "what can't be parsed is refused, to this box too", FLOW_CUT_TCP, true, 25, 0, false,
	  true, WWW, VERDICT_DENY, REASON_MALFORMED, "default" },
	{ "UDP is none of ours", FLOW_NOT_TCP, false, 0, 0, false, false, WWW, VERDICT_ALLOW,
	  REASON_OTHER_PORT, "ports" },
	{ "a fragment of UDP is none of ours", FLOW_NOT_TCP, false, 0, 0, true, false, WWW,
	  VERDICT_ALLOW, REASON_OTHER_PORT, "ports" },
};

static struct policy_answer ask(const struct policy *of, const struct row *row)
{
	static const struct owner unknown;
	struct flow flow = {
		.family = AF_INET,
		.has_ports = row->has_ports,
		.dport = row->dport,
		.tcp_flags = row->flags,
		.fragment = row->fragment,
	};
	struct policy_query query = {
		.flow = &flow,
		.flow_error = row->error,
		.dst_local = row->local,
		.forwarded = row->uid == FORWARDED,
		.has_uid = row->uid != NOBODY_SAID,
		.uid = row->uid == FORWARDED ? POSTFIX : (uint32_t)row->uid,
		.owner = &unknown,
	};
	struct policy_answer answer;

	policy_judge(of, &query, &answer);
	return answer;
}

static void is_judged(void **state)
{
	const struct row *row = *state;
	struct policy_answer answer = ask(&policy, row);

	assert_string_equal(verdict_words[answer.verdict], verdict_words[row->verdict]);
	assert_string_equal(reason_words[answer.reason], reason_words[row->reason]);
	assert_string_equal(answer.rule, row->rule);
}

static void monitor_changes_the_verdict_alone(void **state)
{
	struct policy monitor = policy;

	(void)state;
	monitor.mode = MODE_MONITOR;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_answer answer = ask(&monitor, &rows[i]);

		assert_int_equal(answer.verdict, rows[i].verdict == VERDICT_DENY
							 ? VERDICT_WOULD_DENY
							 : VERDICT_ALLOW);
		assert_int_equal(answer.reason, rows[i].reason);
		assert_string_equal(answer.rule, rows[i].rule);
	}
}

static void without_mail_users_nobody_gets_out(void **state)
{
	struct policy nobody = policy;

	(void)state;
	nobody.n_mail_uids = 0;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].reason == REASON_MAIL_SERVER)
			assert_int_equal(ask(&nobody, &rows[i]).verdict, VERDICT_DENY);
}

/* Whatever the owner look-up claims: only the kernel's uid lets a packet out. */
static void no_owner_opens_the_door(void **state)
{
	static struct owner owner;
	struct flow flow = { .family = AF_INET, .has_ports = true, .dport = 25, .tcp_flags = SYN };
	struct policy_query query = { .flow = &flow, .has_uid = true, .uid = WWW, .owner = &owner };
	struct policy_answer answer;

	(void)state;
	owner.has_socket = true;
	owner.socket_uid = owner.proc.uid = owner.euid = POSTFIX;
	owner.proc.pid = 1;
	for (unsigned how = 0; how < OWNER_HOW_N; how++) {
		owner.how = how;
		policy_judge(&policy, &query, &answer);
		assert_int_equal(answer.verdict, VERDICT_DENY);
	}
	query.owner = NULL;
	policy_judge(&policy, &query, &answer);
	assert_int_equal(answer.verdict, VERDICT_DENY);
}

static void lists_are_read_to_their_end(void **state)
{
	struct policy full = { .n_ports = POLICY_PORTS_MAX, .n_mail_uids = POLICY_MAIL_UIDS_MAX };

	(void)state;
	for (unsigned i = 0; i < POLICY_PORTS_MAX; i++)
		full.ports[i] = (uint16_t)(1000 + i);
	for (unsigned i = 0; i < POLICY_MAIL_UIDS_MAX; i++)
		full.mail_uids[i] = 2000 + i;
	for (unsigned i = 0; i < POLICY_PORTS_MAX; i++)
		assert_true(policy_is_mail_port(&full, (uint16_t)(1000 + i)));
	for (unsigned i = 0; i < POLICY_MAIL_UIDS_MAX; i++)
		assert_true(policy_is_mail_uid(&full, 2000 + i));
	assert_false(policy_is_mail_port(&full, 999));
	assert_false(policy_is_mail_port(&full, 1000 + POLICY_PORTS_MAX));
	assert_false(policy_is_mail_uid(&full, 2000 + POLICY_MAIL_UIDS_MAX));
	full.n_ports = full.n_mail_uids = 1; /* what is behind the count does not count */
	assert_false(policy_is_mail_port(&full, 1001));
	assert_false(policy_is_mail_uid(&full, 2001));
}

static void all_have_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODE_N; i++)
		assert_non_null(policy_mode_words[i]);
	for (unsigned i = 0; i < VERDICT_N; i++)
		assert_non_null(verdict_words[i]);
	for (unsigned i = 0; i < REASON_N; i++)
		assert_non_null(reason_words[i]);
}

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	struct CMUnitTest tests[ROWS + 5] = { 0 };
	size_t n = 0;

	for (; n < ROWS; n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, is_judged, NULL, NULL,
						(void *)&rows[n] };
	tests[n++] =
		(struct CMUnitTest){ "monitor mode turns each deny into would-deny, and no more",
				     monitor_changes_the_verdict_alone };
	tests[n++] = (struct CMUnitTest){ "without mail users nobody gets out",
					  without_mail_users_nobody_gets_out };
	tests[n++] = (struct CMUnitTest){ "no claim about an owner opens the door",
					  no_owner_opens_the_door };
	tests[n++] =
		(struct CMUnitTest){ "ports and mail users count up to their last, and no further",
				     lists_are_read_to_their_end };
	tests[n++] =
		(struct CMUnitTest){ "each mode, verdict and reason has a word", all_have_words };
	return _cmocka_run_group_tests("policy", tests, n, NULL, NULL);
}
