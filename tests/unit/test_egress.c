/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>

#include "agent/egress.h"
#include "frames.h"

#define POSTFIX 101
#define WWW	33
#define OTHER	65534
#define EXIM	102

static const struct policy policy = {
	.ports = { 25 },
	.n_ports = 1,
	.mail_uids = { POSTFIX, EXIM },
	.n_mail_uids = 2,
};

/* A resolver that gives what a test put here, and counts. */
struct resolver {
	struct owner owner;
	int result;
	unsigned asked;
	struct flow flow;
};

static int resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
		   struct owner *owner)
{
	struct resolver *resolver = context;

	(void)meta;
	resolver->asked++;
	resolver->flow = *flow;
	*owner = resolver->owner;
	return resolver->result;
}

static struct resolver *new_resolver(void)
{
	static struct resolver resolver;

	memset(&resolver, 0, sizeof(resolver));
	owner_init(&resolver.owner);
	return &resolver;
}

static struct record record; /* large */

static void fills_the_record(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);
	struct egress_meta meta = { .ts_ns = 12345,
				    .via = VIA_QUEUE,
				    .packet_bytes = 40,
				    .has_uid = true,
				    .uid = WWW,
				    .gid = 34 };

	(void)state;
	resolver->owner.how = OWNER_UNIQUE;
	resolver->owner.proc.pid = 4711;
	strcpy(resolver->owner.script, "/var/www/x.php");
	memset(&record, 0xee, sizeof(record));
	assert_int_equal(egress_judge(&policy, &packet, &meta, resolve, resolver, &record), 0);
	assert_int_equal(resolver->asked, 1);
	assert_int_equal(resolver->flow.dport, 25);
	assert_int_equal(record.ts_ns, 12345);
	assert_int_equal(record.via, VIA_QUEUE);
	assert_int_equal(record.mode, MODE_ENFORCE);
	assert_int_equal(record.verdict, VERDICT_DENY);
	assert_int_equal(record.reason, REASON_NOT_ALLOWED);
	assert_int_equal(record.flow_error, FLOW_OK);
	assert_string_equal(record.rule, "default");
	assert_true(record.has_uid && record.uid == WWW && record.gid == 34);
	assert_false(record.foreign_holder);
	assert_int_equal(record.flow.dport, 25);
	assert_int_equal(record.owner.proc.pid, 4711);
	assert_string_equal(record.owner.script, "/var/www/x.php");
	assert_int_equal(record.excerpt_bytes, 40);
	assert_int_equal(record.packet_bytes, 40);
	assert_memory_equal(record.excerpt, syn.b, 40);
}

static void no_uid_is_none(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn6(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);
	struct egress_meta meta = { .via = VIA_QUEUE, .uid = POSTFIX, .gid = POSTFIX };

	(void)state;
	egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
	assert_int_equal(record.reason, REASON_NO_UID);
	assert_false(record.has_uid);
	assert_int_equal(record.uid, OWNER_UID_NONE);
	assert_int_equal(record.gid, OWNER_UID_NONE);
}

static void asks_only_for_a_tuple(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct egress_meta meta = { .via = VIA_QUEUE };

	(void)state;
	for (size_t len = 0; len <= syn.n; len++) {
		struct packet packet = { syn.b, len };

		resolver->asked = 0;
		egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
		assert_int_equal(resolver->asked, len >= 24);
		assert_int_equal(record.excerpt_bytes, len);
		assert_int_equal(record.verdict, VERDICT_DENY);
		if (len < 24) {
			assert_int_equal(record.owner.how, OWNER_UNKNOWN);
			assert_int_equal(record.owner.why, OWNER_WHY_NO_SOCKET);
			assert_int_equal(record.owner.proc.uid, OWNER_UID_NONE);
		}
	}
}

static void excerpt_is_bounded(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct egress_meta meta = { .via = VIA_QUEUE, .packet_bytes = 9000 };
	struct packet packet;

	(void)state;
	put_zero(&syn, 1400);
	packet = packet_of(&syn);
	egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
	assert_int_equal(record.excerpt_bytes, RECORD_EXCERPT_BYTES);
	assert_int_equal(record.packet_bytes, 9000);
	meta.packet_bytes = 0; /* less than what is there */
	egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
	assert_int_equal(record.packet_bytes, 1440);
}

static void in_progress_has_its_verdict(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);
	struct egress_meta meta = { .via = VIA_QUEUE, .has_uid = true, .uid = WWW };

	(void)state;
	resolver->result = -EINPROGRESS;
	resolver->owner.proc.pid = 7;
	assert_int_equal(egress_judge(&policy, &packet, &meta, resolve, resolver, &record),
			 -EINPROGRESS);
	assert_int_equal(resolver->asked, 1);
	assert_int_equal(record.verdict, VERDICT_DENY);
	assert_int_equal(record.owner.proc.pid, 7);
	assert_int_equal(record.excerpt_bytes, 40);
}

static void what_is_forwarded_is_nobodys_by_uid(void **state)
{
	static const struct {
		enum record_via via;
		enum policy_mode mode;
		enum verdict verdict;
		const char *rule;
	} cases[] = {
		{ VIA_FORWARD, MODE_ENFORCE, VERDICT_DENY, "default" },
		{ VIA_FORWARD, MODE_MONITOR, VERDICT_WOULD_DENY, "default" },
		{ VIA_GUARD, MODE_ENFORCE, VERDICT_DENY, "guard" },
		{ VIA_GUARD, MODE_MONITOR, VERDICT_WOULD_DENY, "guard" },
	};
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);
	struct policy now = policy;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* A uid that the kernel would never give with it. */
		struct egress_meta meta = { .via = cases[i].via,
					    .forwarded = true,
					    .indev = "docker0",
					    .has_uid = true,
					    .uid = POSTFIX };

		now.mode = cases[i].mode;
		egress_judge(&now, &packet, &meta, resolve, resolver, &record);
		assert_int_equal(record.verdict, cases[i].verdict);
		assert_int_equal(record.reason, REASON_FORWARDED);
		assert_int_equal(record.via, cases[i].via);
		assert_string_equal(record.rule, cases[i].rule);
		assert_string_equal(record.indev, "docker0");
	}
}

/* What a copy tells has happened, whatever the policy of now would say. */
static void copies_are_facts(void **state)
{
	static const struct {
		enum record_via via;
		enum policy_mode mode;
		uint32_t uid;
		unsigned dport, flags, fragment;
		enum verdict verdict;
		enum reason reason;
		const char *rule;
	} cases[] = {
		{ VIA_GUARD, MODE_ENFORCE, WWW, 25, FLOW_TCP_SYN, 0, VERDICT_DENY,
		  REASON_NOT_ALLOWED, "guard" },
		{ VIA_GUARD, MODE_MONITOR, WWW, 25, FLOW_TCP_SYN, 0, VERDICT_WOULD_DENY,
		  REASON_NOT_ALLOWED, "guard" },
		{ VIA_GUARD, MODE_ENFORCE, POSTFIX, 25, FLOW_TCP_SYN, 0, VERDICT_DENY,
		  REASON_NOT_ALLOWED, "guard" },
		{ VIA_GUARD, MODE_ENFORCE, WWW, 26, FLOW_TCP_SYN, 0, VERDICT_DENY,
		  REASON_NOT_ALLOWED, "guard" },
		{ VIA_GUARD, MODE_ENFORCE, WWW, 25, FLOW_TCP_ACK, 0, VERDICT_DENY,
		  REASON_NOT_OPENING, "guard" },
		{ VIA_GUARD, MODE_ENFORCE, POSTFIX, 25, FLOW_TCP_SYN, 0x2000, VERDICT_DENY,
		  REASON_FRAGMENT, "guard" },
		{ VIA_MAIL, MODE_ENFORCE, POSTFIX, 25, FLOW_TCP_SYN, 0, VERDICT_ALLOW,
		  REASON_MAIL_SERVER, "mail-users" },
		{ VIA_MAIL, MODE_ENFORCE, WWW, 25, FLOW_TCP_SYN, 0, VERDICT_ALLOW,
		  REASON_MAIL_SERVER, "mail-users" },
		{ VIA_MAIL, MODE_ENFORCE, POSTFIX, 25, FLOW_TCP_SYN, 0x2000, VERDICT_DENY,
		  REASON_FRAGMENT, "default" },
		{ VIA_LOCAL, MODE_ENFORCE, WWW, 25, FLOW_TCP_SYN, 0, VERDICT_ALLOW, REASON_LOCAL,
		  "local" },
		{ VIA_REPLAY, MODE_MONITOR, WWW, 25, FLOW_TCP_SYN, 0, VERDICT_WOULD_DENY,
		  REASON_NOT_ALLOWED, "default" },
	};
	struct resolver *resolver = new_resolver();
	struct policy now = policy;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct egress_meta meta = { .via = cases[i].via,
					    .has_uid = true,
					    .uid = cases[i].uid };
		struct bytes syn = { .n = 0 };
		struct packet packet;

		put_ipv4(&syn, 6, cases[i].fragment, 0);
		put_tcp(&syn, cases[i].dport, cases[i].flags);
		end_ip(&syn);
		packet = packet_of(&syn);
		now.mode = cases[i].mode;
		egress_judge(&now, &packet, &meta, resolve, resolver, &record);
		if (record.verdict != cases[i].verdict || record.reason != cases[i].reason ||
		    strcmp(record.rule, cases[i].rule))
			fail_msg("case %u: %s %s %s", i, verdict_words[record.verdict],
				 reason_words[record.reason], record.rule);
	}
}

static void foreign_holders_are_seen(void **state)
{
	static const struct {
		enum owner_how how;
		pid_t pid;
		bool has_uid;
		uint32_t uid, socket_uid, real, effective, other_holder;
		bool alarm;
	} cases[] = {
		{ OWNER_UNIQUE, 7, true, POSTFIX, POSTFIX, WWW, WWW, WWW, true },
		{ OWNER_CONFIRMED, 7, true, POSTFIX, POSTFIX, 0, 0, 0, true },
		{ OWNER_SHARED, 7, true, POSTFIX, POSTFIX, WWW, WWW, WWW, true },
		{ OWNER_EXITED, 7, true, POSTFIX, POSTFIX, WWW, WWW, WWW, true },
		{ OWNER_UNIQUE, 7, true, POSTFIX, WWW, WWW, WWW, WWW, true },
		{ OWNER_UNIQUE, 7, false, 0, POSTFIX, WWW, WWW, WWW, true },
		{ OWNER_GIVEN, 0, true, POSTFIX, POSTFIX, WWW, WWW, WWW, true },
		{ OWNER_UNIQUE, 7, true, POSTFIX, POSTFIX, POSTFIX, POSTFIX, WWW, false },
		{ OWNER_UNIQUE, 7, true, POSTFIX, POSTFIX, WWW, POSTFIX, WWW, false },
		{ OWNER_UNIQUE, 7, true, POSTFIX, POSTFIX, POSTFIX, 0, WWW, false },
		{ OWNER_SHARED, 7, true, POSTFIX, POSTFIX, WWW, WWW, POSTFIX, false },
		{ OWNER_UNIQUE, 7, true, WWW, WWW, WWW, WWW, WWW, false },
		{ OWNER_UNIQUE, 7, true, WWW, POSTFIX, WWW, WWW, WWW, false },
		/* nobody's socket but the maker's may be charged with the holder's program */
		{ OWNER_UNIQUE, 7, true, WWW, WWW, OTHER, OTHER, OTHER, true },
		{ OWNER_CONFIRMED, 7, true, WWW, WWW, POSTFIX, POSTFIX, POSTFIX, true },
		{ OWNER_UNIQUE, 7, false, 0, WWW, OTHER, OTHER, OTHER, true },
		{ OWNER_UNIQUE, 7, true, 0, 0, WWW, WWW, WWW, true },
		{ OWNER_UNIQUE, 7, true, WWW, WWW, OTHER, WWW, OTHER, false },
		{ OWNER_UNIQUE, 7, true, WWW, WWW, WWW, OTHER, OTHER, false },
		{ OWNER_SHARED, 7, true, WWW, WWW, OTHER, OTHER, WWW, false },
		{ OWNER_UNKNOWN, 0, true, WWW, WWW, OTHER, OTHER, OTHER, false },
		{ OWNER_UNIQUE, 7, true, POSTFIX, POSTFIX, EXIM, EXIM, EXIM, false },
		{ OWNER_UNKNOWN, 7, true, POSTFIX, POSTFIX, WWW, WWW, WWW, false },
		{ OWNER_IN_FLIGHT, 0, true, POSTFIX, POSTFIX, OWNER_UID_NONE, OWNER_UID_NONE, WWW,
		  false },
		{ OWNER_UNIQUE, 0, true, POSTFIX, POSTFIX, WWW, WWW, WWW, false },
		{ OWNER_GIVEN, 7, true, POSTFIX, POSTFIX, OWNER_UID_NONE, OWNER_UID_NONE, WWW,
		  false },
	};
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct egress_meta meta = { .via = VIA_MAIL,
					    .has_uid = cases[i].has_uid,
					    .uid = cases[i].uid };
		struct owner *owner = &resolver->owner;

		owner->how = cases[i].how;
		owner->has_socket = true;
		owner->socket_uid = cases[i].socket_uid;
		owner->proc.pid = cases[i].pid;
		owner->proc.uid = cases[i].real;
		owner->euid = cases[i].effective;
		owner->holders[0] = owner->proc;
		owner->holders[1] = (struct owner_ref){ .pid = 8, .uid = cases[i].other_holder };
		owner->n_holders = 2;
		egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
		if (record.foreign_holder != cases[i].alarm)
			fail_msg("case %u", i);
	}
}

static void too_many_holders_are_bounded(void **state)
{
	struct resolver *resolver = new_resolver();
	struct bytes syn = syn4(25, FLOW_TCP_SYN);
	struct packet packet = packet_of(&syn);
	struct egress_meta meta = { .via = VIA_MAIL, .has_uid = true, .uid = POSTFIX };
	struct owner *owner = &resolver->owner;

	(void)state;
	owner->how = OWNER_SHARED;
	owner->proc = (struct owner_ref){ .pid = 7, .uid = WWW };
	owner->euid = WWW;
	owner->n_holders = 5000;
	for (unsigned i = 0; i < OWNER_HOLDERS; i++)
		owner->holders[i] = owner->proc;
	egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
	assert_true(record.foreign_holder);
	owner->holders[OWNER_HOLDERS - 1].uid = POSTFIX;
	egress_judge(&policy, &packet, &meta, resolve, resolver, &record);
	assert_false(record.foreign_holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a refused SYN fills every field of its record", fills_the_record },
		{ "without a uid the record has none, whatever the fields held", no_uid_is_none },
		{ "the owner is asked once, and only for a packet with ports",
		  asks_only_for_a_tuple },
		{ "the excerpt is cut at its limit and the packet's length is kept",
		  excerpt_is_bounded },
		{ "a record whose owner is still looked for has its verdict",
		  in_progress_has_its_verdict },
		{ "what is forwarded is refused whatever uid comes with it",
		  what_is_forwarded_is_nobodys_by_uid },
		{ "the record of a copy says what the rule set did", copies_are_facts },
		{ "a mail socket that no mail user holds raises the alarm, others don't",
		  foreign_holders_are_seen },
		{ "more holders than are listed are not read past the list",
		  too_many_holders_are_bounded },
	};

	return cmocka_run_group_tests_name("egress", tests, NULL, NULL);
}
