/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/owners.h"

struct said {
	char text[4096];
	size_t len;
};

static void hear(void *context, const char *line)
{
	struct said *said = context;
	int n = snprintf(said->text + said->len, sizeof(said->text) - said->len, "%s\n", line);

	assert_true(n > 0 && (size_t)n < sizeof(said->text) - said->len);
	said->len += (size_t)n;
}

static struct owners *must_parse(const char *text)
{
	struct said said = { .len = 0 };
	struct owners *owners = NULL;

	if (owners_parse(&owners, "f", text, hear, &said))
		fail_msg("%s", said.text);
	assert_non_null(owners);
	return owners;
}

static struct flow flow_of(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct flow flow = { .has_ports = true, .sport = sport, .dport = dport };

	flow.family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(flow.family, src, flow.src), 1);
	assert_int_equal(inet_pton(flow.family, dst, flow.dst), 1);
	return flow;
}

static struct owner owner; /* large */

static void resolve(struct owners *owners, const struct flow *flow)
{
	struct egress_meta meta = { .via = VIA_REPLAY };

	memset(&owner, 0xee, sizeof(owner));
	assert_int_equal(owners_resolve(owners, flow, &meta, &owner), 0);
}

static void every_key_is_given(void **state)
{
	struct owners *owners = must_parse(
		"192.0.2.1:40000 > 198.51.100.2:25 uid=33 gid=34 pid=4711 holder_uid=1000 "
		"holder_euid=0 exe=/usr/bin/php8.2 cmdline=\"php  -r a\\x20b\" cwd=/var/www "
		"script=\"/var/www/x \\\"y\\\" \\\\z\\xff.php\" unit=php8.2-fpm.service "
		"container=docker:0123 comm=php poses=1 caller_pid=7 caller_uid=8\n");
	struct flow flow = flow_of("192.0.2.1", 40000, "198.51.100.2", 25);
	struct egress_meta meta = { .via = VIA_REPLAY };

	(void)state;
	resolve(owners, &flow);
	owners_meta(owners, &flow, &meta);
	assert_true(meta.has_uid && meta.uid == 33 && meta.gid == 34 && !meta.dst_local);
	assert_int_equal(owner.how, OWNER_GIVEN);
	assert_int_equal(owner.why, OWNER_WHY_NONE);
	assert_int_equal(owner.script_from, OWNER_SCRIPT_GIVEN);
	assert_int_equal(owner.script_why, OWNER_WHY_NONE);
	assert_false(owner.has_socket);
	assert_int_equal(owner.proc.pid, 4711);
	assert_int_equal(owner.proc.uid, 1000);
	assert_int_equal(owner.euid, 0);
	assert_int_equal(owner.gid, 34);
	assert_string_equal(owner.proc.comm, "php");
	assert_true(owner.poses);
	assert_int_equal(owner.caller.pid, 7);
	assert_int_equal(owner.caller.uid, 8);
	assert_int_equal(owner.n_holders, 1);
	assert_int_equal(owner.holders[0].pid, 4711);
	assert_string_equal(owner.exe, "/usr/bin/php8.2");
	assert_int_equal(owner.cmdline_bytes, 12);
	assert_memory_equal(owner.cmdline, "php\0\0-r\0a b\0", 12);
	assert_string_equal(owner.cwd, "/var/www");
	assert_string_equal(owner.script, "/var/www/x \"y\" \\z\xff.php");
	assert_string_equal(owner.unit, "php8.2-fpm.service");
	assert_string_equal(owner.container, "docker:0123");
	assert_int_equal(owner.login_uid, OWNER_UID_NONE);
	owners_free(owners);
}

static void little_is_enough(void **state)
{
	struct owners *owners = must_parse("*:* > *:* uid=33");
	struct flow flow = flow_of("2001:db8::1", 1, "2001:db8::2", 2);
	struct egress_meta meta = { .via = VIA_REPLAY };

	(void)state;
	resolve(owners, &flow);
	owners_meta(owners, &flow, &meta);
	assert_true(meta.has_uid && meta.uid == 33 && meta.gid == OWNER_UID_NONE);
	assert_int_equal(owner.how, OWNER_GIVEN);
	assert_false(owner.poses);
	assert_int_equal(owner.caller.pid, 0);
	assert_int_equal(owner.proc.pid, 0);
	assert_int_equal(owner.proc.uid, 33);
	assert_int_equal(owner.euid, 33);
	assert_int_equal(owner.n_holders, 0);
	assert_int_equal(owner.script_from, OWNER_SCRIPT_NONE);
	assert_int_equal(owner.cmdline_bytes, 0);
	owners_free(owners);
	owners = must_parse("*:* > *:*");
	meta = (struct egress_meta){ .via = VIA_REPLAY };
	owners_meta(owners, &flow, &meta);
	assert_false(meta.has_uid);
	resolve(owners, &flow);
	assert_int_equal(owner.how, OWNER_GIVEN);
	assert_int_equal(owner.proc.uid, OWNER_UID_NONE);
	owners_free(owners);
}

static void unknown_says_why(void **state)
{
	struct owners *owners = must_parse("1.2.3.4:5 > 6.7.8.9:25 uid=0\n"
					   "1.2.3.4:6 > 6.7.8.9:25 uid=33 why=exited\n"
					   "1.2.3.4:7 > 6.7.8.9:25 uid=33 how=shared why=budget\n");
	struct flow flow = flow_of("1.2.3.4", 4, "6.7.8.9", 25);

	(void)state;
	resolve(owners, &flow);
	assert_int_equal(owner.how, OWNER_UNKNOWN);
	assert_int_equal(owner.why, OWNER_WHY_NOT_GIVEN);
	assert_int_equal(owner.proc.uid, OWNER_UID_NONE);
	flow.sport = 6;
	resolve(owners, &flow);
	assert_int_equal(owner.how, OWNER_UNKNOWN);
	assert_int_equal(owner.why, OWNER_WHY_EXITED);
	assert_int_equal(owner.proc.uid, OWNER_UID_NONE); /* who made it is not who holds it */
	flow.sport = 7;
	resolve(owners, &flow);
	assert_int_equal(owner.how, OWNER_SHARED);
	assert_int_equal(owner.why, OWNER_WHY_BUDGET);
	owners_free(owners);
	resolve(NULL, &flow);
	assert_int_equal(owner.why, OWNER_WHY_NOT_GIVEN);
}

static void first_match_wins(void **state)
{
	static const char text[] = "10.0.0.1:100 > 10.0.0.2:25 uid=1\n"
				   "10.0.0.1:* > 10.0.0.2:25 uid=2\n"
				   "*:100 > 10.0.0.2:25 uid=3\n"
				   "*:* > 10.0.0.2:* uid=4\n"
				   "[2001:db8::1]:* > [2001:db8:0::2]:587 uid=5\n"
				   "*:* > *:465 uid=6 # and a comment\n"
				   "[::ffff:10.0.0.1]:1 > *:* uid=7\n";
	static const struct {
		const char *src;
		uint16_t sport;
		const char *dst;
		uint16_t dport;
		uint32_t uid; /* 0: none */
	} cases[] = {
		{ "10.0.0.1", 100, "10.0.0.2", 25, 1 },
		{ "10.0.0.1", 101, "10.0.0.2", 25, 2 },
		{ "10.0.0.3", 100, "10.0.0.2", 25, 3 },
		{ "10.0.0.3", 101, "10.0.0.2", 25, 4 },
		{ "10.0.0.1", 100, "10.0.0.2", 26, 4 },
		{ "10.0.0.1", 100, "10.0.0.3", 25, 0 },
		{ "2001:db8::1", 9, "2001:db8::2", 587, 5 },
		{ "2001:db8::3", 9, "2001:db8::2", 587, 0 },
		{ "10.0.0.9", 9, "10.0.0.9", 465, 6 },
		{ "2001:db8::3", 9, "2001:db8::4", 465, 6 },
		{ "::ffff:10.0.0.1", 1, "::1", 25, 7 },
		{ "10.0.0.1", 1, "10.0.0.9", 25, 0 },
	};
	struct owners *owners = must_parse(text);

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow flow =
			flow_of(cases[i].src, cases[i].sport, cases[i].dst, cases[i].dport);
		struct egress_meta meta = { .via = VIA_REPLAY };

		owners_meta(owners, &flow, &meta);
		if (meta.has_uid != (cases[i].uid != 0) || meta.uid != cases[i].uid)
			fail_msg("case %u: %u", i, meta.uid);
	}
	owners_free(owners);
}

static void local_lines_make_local(void **state)
{
	struct owners *owners = must_parse("local 192.0.2.9\n\tlocal [2001:db8::9]  # v6\r\n");
	struct flow flow = flow_of("1.2.3.4", 1, "192.0.2.9", 25);
	struct egress_meta meta = { .via = VIA_REPLAY };

	(void)state;
	owners_meta(owners, &flow, &meta);
	assert_true(meta.dst_local);
	meta.dst_local = false;
	flow = flow_of("192.0.2.9", 1, "192.0.2.8", 25);
	owners_meta(owners, &flow, &meta);
	assert_false(meta.dst_local);
	flow = flow_of("2001:db8::1", 1, "2001:db8::9", 25);
	flow.has_ports = false; /* a fragment has an address all the same */
	owners_meta(owners, &flow, &meta);
	assert_true(meta.dst_local);
	flow = flow_of("1.2.3.4", 1, "1.2.3.5", 25); /* what the edge knew stays */
	owners_meta(owners, &flow, &meta);
	assert_true(meta.dst_local);
	meta.dst_local = false;
	memset(&flow, 0, sizeof(flow)); /* not even a family */
	owners_meta(owners, &flow, &meta);
	assert_false(meta.dst_local);
	owners_meta(NULL, &flow, &meta);
	owners_free(owners);
}

static void the_kernels_uid_stays(void **state)
{
	struct owners *owners = must_parse("*:* > *:* uid=33 gid=33");
	struct flow flow = flow_of("1.2.3.4", 1, "1.2.3.5", 25);
	struct egress_meta meta = { .via = VIA_REPLAY, .has_uid = true, .uid = 101, .gid = 102 };

	(void)state;
	owners_meta(owners, &flow, &meta);
	assert_true(meta.uid == 101 && meta.gid == 102);
	owners_free(owners);
}

static void without_ports_no_line_matches(void **state)
{
	struct owners *owners = must_parse("*:* > *:* uid=33");
	struct flow flow = flow_of("1.2.3.4", 0, "1.2.3.5", 0);
	struct egress_meta meta = { .via = VIA_REPLAY };

	(void)state;
	flow.has_ports = false;
	owners_meta(owners, &flow, &meta);
	assert_false(meta.has_uid);
	owners_free(owners);
}

struct bad {
	const char *text, *said;
};

#define FORM "expected SRC:SPORT > DST:DPORT\n"

static const struct bad bads[] = {
	{ "hello", "f:1: line: " FORM },
	{ "1.2.3.4:5", "f:1: line: " FORM },
	{ "1.2.3.4:5 >", "f:1: line: " FORM },
	{ "1.2.3.4:5 > 6.7.8.9", "f:1: line: " FORM },
	{ "1.2.3.4:5 < 6.7.8.9:25", "f:1: line: " FORM },
	{ "1.2.3.4:5>6.7.8.9:25", "f:1: line: " FORM },
	{ "1.2.3.4.5:5 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "1.2.3.4:65536 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "1.2.3.4:-1 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "2001:db8::1:5 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "[1.2.3.4]:5 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "[]:5 > 6.7.8.9:25", "f:1: line: " FORM },
	{ "\n\n\"\" uid=1", "f:3: line: " FORM },
	{ "*:* > *:*uid=1", "f:1: line: " FORM },
	{ "*:* > *:* =1", "f:1: line: expected KEY=VALUE\n" },
	{ "*:* > *:* uid", "f:1: line: expected KEY=VALUE\n" },
	{ "*:* > *:* colour=1", "f:1: colour: expected a key that an owners file knows\n" },
	{ "*:* > *:* uid=", "f:1: uid: expected a whole number from 0 to 4294967294\n" },
	{ "*:* > *:* uid=x", "f:1: uid: expected a whole number from 0 to 4294967294\n" },
	{ "*:* > *:* uid=4294967295", "f:1: uid: expected a whole number from 0 to 4294967294\n" },
	{ "*:* > *:* gid=99999999999", "f:1: gid: expected a whole number from 0 to 4294967294\n" },
	{ "*:* > *:* pid=0", "f:1: pid: expected a whole number from 1 to 4194304\n" },
	{ "*:* > *:* pid=4194305", "f:1: pid: expected a whole number from 1 to 4194304\n" },
	{ "*:* > *:* exe=", "f:1: exe: expected a value\n" },
	{ "*:* > *:* exe=\"\"", "f:1: exe: expected a value\n" },
	{ "*:* > *:* exe=\"/a", "f:1: exe: expected a closing quote on the same line\n" },
	{ "*:* > *:* exe=\"/a\nb\"", "f:1: exe: expected a closing quote on the same line\n"
				     "f:2: line: " FORM },
	{ "*:* > *:* exe=\"/a\"b", "f:1: exe: expected a blank after the value\n" },
	{ "*:* > *:* exe=/a\"b\"", "f:1: exe: expected quotes around a value with \" or \\\n" },
	{ "*:* > *:* exe=/a\\x20b", "f:1: exe: expected quotes around a value with \" or \\\n" },
	{ "*:* > *:* exe=\"/a\\n\"",
	  "f:1: exe: expected \\\\, \\\" or \\xHH (not \\x00) after a backslash\n" },
	{ "*:* > *:* exe=\"/a\\x2\"",
	  "f:1: exe: expected \\\\, \\\" or \\xHH (not \\x00) after a backslash\n" },
	{ "*:* > *:* exe=\"/a\\x00\"",
	  "f:1: exe: expected \\\\, \\\" or \\xHH (not \\x00) after a backslash\n" },
	{ "*:* > *:* exe=\"/a\\",
	  "f:1: exe: expected \\\\, \\\" or \\xHH (not \\x00) after a backslash\n" },
	{ "*:* > *:* comm=sixteen-bytes-xx",
	  "f:1: comm: expected a shorter value: it does not fit\n" },
	{ "*:* > *:* exe=/a exe=/b", "f:1: exe: expected once in a line\n" },
	{ "*:* > *:* how=guessed", "f:1: how: expected one of its words\n" },
	{ "*:* > *:* why=", "f:1: why: expected one of its words\n" },
	{ "local", "f:1: local: expected an address, IPv6 in brackets\n" },
	{ "local 1.2.3.4.5", "f:1: local: expected an address, IPv6 in brackets\n" },
	{ "local 2001:db8::1", "f:1: local: expected an address, IPv6 in brackets\n" },
	{ "local 1.2.3.4 1.2.3.5", "f:1: local: expected one address\n" },
	{ "x\n*:* > *:* uid=1\ny", "f:1: line: " FORM "f:3: line: " FORM },
};

static void is_refused(void **state)
{
	const struct bad *bad = *state;
	struct said said = { .len = 0 };
	struct owners *owners = (struct owners *)&said;

	assert_int_equal(owners_parse(&owners, "f", bad->text, hear, &said), -EINVAL);
	assert_string_equal(said.text, bad->said);
	assert_ptr_equal(owners, &said);
}

static void texts_fill_their_fields(void **state)
{
	static const struct {
		const char *key;
		size_t max;
	} keys[] = { { "exe", 4095 }, { "cwd", 4095 },	    { "script", 4095 }, { "cmdline", 4094 },
		     { "unit", 255 }, { "container", 255 }, { "comm", 15 } };
	struct flow flow = flow_of("1.2.3.4", 1, "1.2.3.5", 25);
	static char text[8192];

	(void)state;
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		for (size_t len = keys[i].max; len <= keys[i].max + 1; len++) {
			int head = snprintf(text, sizeof(text), "*:* > *:* %s=", keys[i].key);
			struct said said = { .len = 0 };
			struct owners *owners;

			memset(text + head, 'x', len);
			text[(size_t)head + len] = '\0';
			if (len > keys[i].max) {
				assert_int_equal(owners_parse(&owners, "f", text, hear, &said),
						 -EINVAL);
				continue;
			}
			owners = must_parse(text);
			resolve(owners, &flow);
			owners_free(owners);
		}
	}
	assert_int_equal(strlen(owner.proc.comm), 15);
}

static void many_lines_are_kept(void **state)
{
	enum { LINES = 3000 };
	char *text = malloc(LINES * 64), *at = text;
	struct owners *owners;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		at += sprintf(at, "*:%u > *:* uid=%u exe=/x/%u\nlocal 10.0.%u.%u\n", i, i, i,
			      i / 256, i % 256);
	owners = must_parse(text);
	for (unsigned i = 0; i < LINES; i += 7) {
		struct flow flow = flow_of("1.2.3.4", (uint16_t)i, "10.0.0.5", 25);
		struct egress_meta meta = { .via = VIA_REPLAY };

		owners_meta(owners, &flow, &meta);
		assert_int_equal(meta.uid, i);
		assert_true(meta.dst_local);
	}
	owners_free(owners);
	free(text);
}

static void empty_is_empty(void **state)
{
	(void)state;
	owners_free(must_parse(""));
	owners_free(must_parse("\n \t\r\n# nothing\n   # here"));
	owners_free(NULL);
}

#define BADS (sizeof(bads) / sizeof(bads[0]))

int main(void)
{
	static char names[BADS][96];
	static const struct CMUnitTest others[] = {
		{ "a line gives every field of an owner, its escapes undone", every_key_is_given },
		{ "a line may give a uid alone, or nothing", little_is_enough },
		{ "an owner that no line gives is unknown, and says why", unknown_says_why },
		{ "the first line that matches wins; `*` is any address or port",
		  first_match_wins },
		{ "a local line makes its address this box, fragments included",
		  local_lines_make_local },
		{ "a uid that the capture has is kept", the_kernels_uid_stays },
		{ "a packet without ports matches no line", without_ports_no_line_matches },
		{ "a text fills its field to the last byte, and no further",
		  texts_fill_their_fields },
		{ "thousands of lines are kept", many_lines_are_kept },
		{ "an empty file is an owners file", empty_is_empty },
	};
	struct CMUnitTest tests[BADS + sizeof(others) / sizeof(others[0])] = { 0 };

	for (size_t i = 0; i < BADS; i++) {
		int head = (int)strcspn(bads[i].said, "\n");

		snprintf(names[i], sizeof(names[i]), "refused (%zu): %.*s", i, head, bads[i].said);
		tests[i] =
			(struct CMUnitTest){ names[i], is_refused, NULL, NULL, (void *)&bads[i] };
	}
	memcpy(tests + BADS, others, sizeof(others));
	return _cmocka_run_group_tests("owners", tests, sizeof(tests) / sizeof(tests[0]), NULL,
				       NULL);
}
