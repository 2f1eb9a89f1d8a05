/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams for the journal, byte for byte, and which of them are sent. */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "agent/journal.h"

static struct record record;

static int set_up(void **state)
{
	(void)state;
	fixture_record(&record);
	return 0;
}

static void a_refusal_reads_as_documented(void **state)
{
	static const char expected[] =
		"MESSAGE=Refused: www-data (33) /var/www/shop/cache/x.php to 192.0.2.1:25"
		" (not-allowed); 3 more since the last line\n"
		"MESSAGE_ID=5b1d1c7cbbf04e43ae8d1b1f6d4e9a52\n"
		"PRIORITY=4\n"
		"SYSLOG_IDENTIFIER=egressd\n"
		"EGRESSD_ID=17\n"
		"EGRESSD_VERDICT=deny\n"
		"EGRESSD_REASON=not-allowed\n"
		"EGRESSD_RULE=default\n"
		"EGRESSD_VIA=queue\n"
		"EGRESSD_UID=33\n"
		"EGRESSD_USER=www-data\n"
		"EGRESSD_SRC=10.0.0.5\n"
		"EGRESSD_DST=192.0.2.1\n"
		"EGRESSD_SPORT=49152\n"
		"EGRESSD_DPORT=25\n"
		"EGRESSD_OWNER_HOW=confirmed\n"
		"EGRESSD_PID=812\n"
		"EGRESSD_COMM=php-fpm8.2\n"
		"EGRESSD_EXE=/usr/sbin/php-fpm8.2\n"
		"EGRESSD_CMDLINE='php-fpm: pool www'\n"
		"EGRESSD_SCRIPT=/var/www/shop/cache/x.php\n"
		"EGRESSD_UNIT=php8.2-fpm.service\n"
		"EGRESSD_REQUEST_HOST=shop.example\n"
		"EGRESSD_REQUEST_URI=/cache/x.php?a=1\n"
		"EGRESSD_REQUEST_CLIENT=203.0.113.9\n"
		"EGRESSD_HELD_BACK=3\n";
	char out[8192];
	size_t len = journal_format(&record, 17, "www-data", 3, out, sizeof(out));

	(void)state;
	assert_int_equal(len, sizeof(expected) - 1);
	out[len] = '\0';
	assert_string_equal(out, expected);
}

static bool has_line(const char *text, const char *line)
{
	char with[512];

	snprintf(with, sizeof(with), "\n%s\n", line);
	return strstr(text, with) != NULL;
}

static void a_program_that_poses_and_its_caller_are_named(void **state)
{
	char out[8192];
	size_t len;

	(void)state;
	record.owner.poses = true;
	record.owner.caller = (struct owner_ref){ .pid = 4, .uid = 34, .comm = "a\nb" };
	len = journal_format(&record, 1, NULL, 0, out, sizeof(out));
	out[len] = '\0';
	assert_true(has_line(out, "EGRESSD_POSES=1"));
	assert_true(has_line(out, "EGRESSD_CALLER_PID=4"));
	assert_true(has_line(out, "EGRESSD_CALLER_UID=34"));
	assert_true(has_line(out, "EGRESSD_CALLER_COMM=a\\x0ab"));
}

static void what_was_learnt_reads_as_documented(void **state)
{
	static const char expected[] =
		"MESSAGE=Learnt of attempt 17: site shop.example (vhost), account shopuser;"
		" probable trigger: POST /wp-content/uploads/x.php from 203.0.113.9"
		" (shop.example, access log); program's file: sha256"
		" abababababababababababababababababababababababababababababababab, 1.2 MiB,"
		" copy kept in objects/ by that name\n"
		"MESSAGE_ID=" JOURNAL_ID_LEARNT "\n"
		"PRIORITY=5\n"
		"SYSLOG_IDENTIFIER=egressd\n"
		"EGRESSD_ID=17\n"
		"EGRESSD_SITE_FROM=vhost\n"
		"EGRESSD_ACCOUNT=shopuser\n"
		"EGRESSD_SITE=shop.example\n"
		"EGRESSD_SITE_ROOT=/var/www/shop\n"
		"EGRESSD_SITE_SOURCE=/etc/nginx/sites-enabled/shop:12\n"
		"EGRESSD_TRIGGER=probable\n"
		"EGRESSD_TRIGGER_N=1\n"
		"EGRESSD_TRIGGER_METHOD=POST\n"
		"EGRESSD_TRIGGER_URI=/wp-content/uploads/x.php\n"
		"EGRESSD_TRIGGER_CLIENT=203.0.113.9\n"
		"EGRESSD_TRIGGER_VHOST=shop.example\n"
		"EGRESSD_TRIGGER_STATUS=200\n"
		"EGRESSD_TRIGGER_LOG=/var/log/nginx/shop.access.log\n"
		"EGRESSD_OBJECT_SHA256="
		"abababababababababababababababababababababababababababababababab\n"
		"EGRESSD_OBJECT_BYTES=1258291\n"
		"EGRESSD_OBJECT_COPIED=1\n";
	struct note note;
	char out[16384];
	size_t len;

	(void)state;
	fixture_note(&note, 3);
	len = journal_format_note(&note, 17, false, out, sizeof(out));
	out[len] = '\0';
	assert_string_equal(out, expected);
}

static void a_note_of_a_repeat_is_said_to_be_one(void **state)
{
	struct note note;
	char out[16384];
	size_t len;

	(void)state;
	fixture_note(&note, 3);
	len = journal_format_note(&note, 17, true, out, sizeof(out) - 1);
	out[len] = '\0';
	assert_memory_equal(out, "MESSAGE=Learnt of a repeat of attempt 17: site", 46);
	assert_true(has_line(out, "EGRESSD_REPEAT=1"));
}

static void a_note_of_hostile_bytes_stays_one_line_a_field_and_fits(void **state)
{
	struct note note;
	char out[16384];
	size_t len, i, lines = 0;

	(void)state;
	fixture_note(&note, 3);
#define FILL(field) memset(field, 0xff, sizeof(field) - 1)
	FILL(note.site.account), FILL(note.site.vhost), FILL(note.site.root);
	FILL(note.site.source), FILL(note.trigger.method), FILL(note.trigger.uri);
	FILL(note.trigger.client), FILL(note.trigger.vhost), FILL(note.trigger.log);
#undef FILL
	strcpy(note.trigger.uri, "/\nEGRESSD_ID=4\n\x1b[2J");
	len = journal_format_note(&note, 17, false, out, sizeof(out) - 1);
	assert_true(len < sizeof(out));
	out[len] = '\0';
	for (i = 0; i < len; i++) {
		lines += out[i] == '\n';
		assert_true(out[i] == '\n' || (out[i] >= ' ' && out[i] < 0x7f));
	}
	assert_int_equal(lines, 21);
	assert_false(has_line(out, "EGRESSD_ID=4"));
}

static void each_kind_of_event_has_its_id_and_priority(void **state)
{
	char out[8192];
	size_t len;

	(void)state;
	record.verdict = VERDICT_WOULD_DENY;
	len = journal_format(&record, 1, NULL, 0, out, sizeof(out));
	out[len] = '\0';
	assert_true(has_line(out, "MESSAGE_ID=" JOURNAL_ID_WOULD_REFUSE));
	assert_true(has_line(out, "PRIORITY=5"));
	assert_int_equal(strncmp(out, "MESSAGE=Would refuse: uid 33 ", 29), 0);
	assert_null(strstr(out, "HELD_BACK"));
	record.foreign_holder = true; /* another user's: no alarm, and not that user's program */
	record.owner.proc.uid = 65534;
	len = journal_format(&record, 1, "www-data", 0, out, sizeof(out));
	out[len] = '\0';
	assert_true(has_line(out, "MESSAGE_ID=" JOURNAL_ID_WOULD_REFUSE));
	assert_non_null(strstr(out, "MESSAGE=Would refuse: www-data (33), held by uid 65534 with "
				    "/var/www/shop/cache/x.php to 192.0.2.1:25"));
	record.verdict = VERDICT_ALLOW;
	record.reason = REASON_MAIL_SERVER;
	len = journal_format(&record, 1, NULL, 0, out, sizeof(out));
	out[len] = '\0';
	assert_true(has_line(out, "MESSAGE_ID=" JOURNAL_ID_FOREIGN_HOLDER));
	assert_true(has_line(out, "PRIORITY=2"));
}

static void hostile_texts_make_no_field_of_their_own(void **state)
{
	char out[16384], *line;
	size_t len;

	(void)state;
	strcpy(record.owner.script, "/tmp/x\nMESSAGE_ID=0000\nPRIORITY=0\n\x1b[2J\xff");
	strcpy(record.owner.exe, "\nEGRESSD_UID=0");
	memcpy(record.owner.cmdline, "a\nEGRESSD_UID=0\n\0b", 18);
	record.owner.cmdline_bytes = 18;
	strcpy(record.owner.unit, "\xe2\x80\xae");
	memset(record.owner.request_uri, '\n', sizeof(record.owner.request_uri) - 1);
	len = journal_format(&record, 1, "ro\not", 0, out, sizeof(out) - 1);
	assert_true(len < sizeof(out));
	out[len] = '\0';
	assert_int_equal(strlen(out), len);
	for (line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strncmp(line, "MESSAGE", 7) == 0 ||
			    strncmp(line, "PRIORITY=4", 10) == 0 ||
			    strncmp(line, "SYSLOG_IDENTIFIER=egressd", 25) == 0 ||
			    strncmp(line, "EGRESSD_", 8) == 0);
		assert_null(strchr(line, '\x1b'));
		if (strncmp(line, "EGRESSD_UID=", 12) == 0)
			assert_string_equal(line, "EGRESSD_UID=33");
	}
}

static void the_longest_texts_stay_within_the_datagram(void **state)
{
	struct owner *owner = &record.owner;
	size_t len, size;
	char *out;

	(void)state;
	memset(owner->exe, 0xff, sizeof(owner->exe) - 1);
	memset(owner->script, 0x1b, sizeof(owner->script) - 1);
	memset(owner->cmdline, 0xc3, sizeof(owner->cmdline));
	owner->cmdline_bytes = sizeof(owner->cmdline);
	memset(owner->request_uri, 1, sizeof(owner->request_uri) - 1);
	memset(owner->request_host, 1, sizeof(owner->request_host) - 1);
	memset(owner->unit, 1, sizeof(owner->unit) - 1);
	memset(owner->container, 1, sizeof(owner->container) - 1);
	memset(owner->request_client, 1, sizeof(owner->request_client) - 1);
	len = journal_format(&record, 1, "u", UINT64_MAX / 2, NULL, 0);
	assert_true(len < 16384);
	for (size = 0; size < len + 2; size += 97) { /* counts as snprintf, writes no further */
		out = malloc(size + 1);
		assert_int_equal(journal_format(&record, 1, "u", UINT64_MAX / 2, out, size), len);
		free(out);
	}
}

static void a_long_command_line_is_cut_before_an_escape_or_a_character(void **state)
{
	static const struct {
		size_t before; /* of 1024 bytes that are shown */
		const char *tail, *kept;
	} cases[] = {
		{ 1022, "\n", "" },	 { 1023, "\\", "" },	{ 1022, "\\", "\\\\" },
		{ 1022, "b\n", "b" },	 { 1022, "bcd", "bc" }, { 1022, "\xe2\x82\xac", "" },
		{ 1020, "\n", "\\x0a" },
	};
	static char out[16384], expected[1100];
	struct owner *owner = &record.owner;
	char *line;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(owner->cmdline, 'a', cases[i].before);
		strcpy(owner->cmdline + cases[i].before, cases[i].tail);
		owner->cmdline_bytes = cases[i].before + strlen(cases[i].tail) + 1;
		len = journal_format(&record, 1, "u", 0, out, sizeof(out) - 1);
		out[len] = '\0';
		line = strstr(out, "EGRESSD_CMDLINE=");
		assert_non_null(line);
		*strchr(line, '\n') = '\0';
		snprintf(expected, sizeof(expected), "EGRESSD_CMDLINE=%.*s%s", (int)cases[i].before,
			 owner->cmdline, cases[i].kept);
		assert_string_equal(line, expected);
	}
}

static void what_is_not_known_is_not_said(void **state)
{
	char out[8192];
	size_t len;

	(void)state;
	memset(&record, 0, sizeof(record));
	record.verdict = VERDICT_DENY;
	record.reason = REASON_FRAGMENT;
	record.owner.why = OWNER_WHY_NO_SOCKET;
	len = journal_format(&record, 0, NULL, 0, out, sizeof(out));
	out[len] = '\0';
	assert_int_equal(strncmp(out,
				 "MESSAGE=Refused: nobody known to an unknown destination"
				 " (fragment)\n",
				 67),
			 0);
	assert_null(strstr(out, "EGRESSD_ID"));
	assert_null(strstr(out, "EGRESSD_UID"));
	assert_null(strstr(out, "EGRESSD_PID"));
	assert_null(strstr(out, "EGRESSD_DST"));
	assert_true(has_line(out, "EGRESSD_OWNER_WHY=no-socket"));
}

static void at_most_one_line_for_an_offender_and_the_rest_counted(void **state)
{
	struct journal *journal;
	char got[8192];
	int fds[2];
	ssize_t len;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	journal = journal_new(fds[0], 60);
	assert_int_equal(journal_verdict(journal, &record, 1, 5, "u"), 0);
	record.ts_ns += 30 * NS_PER_S;
	assert_int_equal(journal_verdict(journal, &record, 2, 5, "u"), 1);
	journal_repeat(journal, 5);
	assert_int_equal(journal_verdict(journal, &record, 3, 6, "u"), 0); /* another offender */
	record.ts_ns += 30 * NS_PER_S - 1;
	assert_int_equal(journal_verdict(journal, &record, 4, 5, "u"), 1);
	record.ts_ns++;
	assert_int_equal(journal_verdict(journal, &record, 5, 5, "u"), 0);
	assert_true(recv(fds[1], got, sizeof(got), 0) > 0);
	assert_true(recv(fds[1], got, sizeof(got), 0) > 0);
	len = recv(fds[1], got, sizeof(got) - 1, 0);
	assert_true(len > 0);
	got[len] = '\0';
	assert_true(has_line(got, "EGRESSD_ID=5"));
	assert_non_null(strstr(got, "\nEGRESSD_HELD_BACK=3\n"));
	assert_int_equal(recv(fds[1], got, sizeof(got), 0), -1);
	journal_free(journal);
	close(fds[0]);
	close(fds[1]);
}

static void a_clock_set_back_does_not_silence_an_offender(void **state)
{
	struct journal *journal = journal_new(-1, 60);
	uint64_t held_back;

	(void)state;
	assert_true(journal_due(journal, T0_NS, 1, &held_back));
	assert_false(journal_due(journal, T0_NS - 59 * NS_PER_S, 1, &held_back));
	assert_true(journal_due(journal, T0_NS - 3600 * NS_PER_S, 1, &held_back));
	journal_free(journal);
}

static void a_full_socket_loses_the_line_and_never_waits(void **state)
{
	struct journal *journal;
	int fds[2], i, err = 0, size = 4096;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0); /* it blocks, if we let it */
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	journal = journal_new(fds[0], 0);
	for (i = 0; i < 1000 && !err; i++)
		err = journal_verdict(journal, &record, i, i, NULL);
	assert_int_equal(err, -EAGAIN);
	close(fds[1]);
	assert_true(journal_verdict(journal, &record, 1, 2000, NULL) < 0);
	journal_free(journal);
	close(fds[0]);
}

static void more_offenders_than_the_table_holds_are_all_said(void **state)
{
	struct journal *journal = journal_new(-1, 60);
	uint64_t held_back;
	int64_t i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		assert_true(journal_due(journal, T0_NS, i, &held_back));
		assert_int_equal(held_back, 0);
	}
	assert_false(journal_due(journal, T0_NS, 49999, &held_back));
	journal_free(journal);
}

static void without_a_journal_the_line_goes_to_stderr(void **state)
{
	int pipe_fds[2], saved = dup(STDERR_FILENO);
	struct journal *journal = journal_new(-1, 60);
	char got[1024];
	ssize_t len;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	assert_int_equal(journal_verdict(journal, &record, 1, 1, "www-data"), 0);
	dup2(saved, STDERR_FILENO);
	len = read(pipe_fds[0], got, sizeof(got) - 1);
	assert_true(len > 0);
	got[len] = '\0';
	assert_string_equal(got, "<4>Refused: www-data (33) /var/www/shop/cache/x.php to"
				 " 192.0.2.1:25 (not-allowed)\n");
	close(saved);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	journal_free(journal);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refusal_reads_as_documented),
		TEST(a_program_that_poses_and_its_caller_are_named),
		TEST(what_was_learnt_reads_as_documented),
		TEST(a_note_of_hostile_bytes_stays_one_line_a_field_and_fits),
		TEST(a_note_of_a_repeat_is_said_to_be_one),
		TEST(each_kind_of_event_has_its_id_and_priority),
		TEST(hostile_texts_make_no_field_of_their_own),
		TEST(the_longest_texts_stay_within_the_datagram),
		TEST(a_long_command_line_is_cut_before_an_escape_or_a_character),
		TEST(what_is_not_known_is_not_said),
		TEST(at_most_one_line_for_an_offender_and_the_rest_counted),
		TEST(a_clock_set_back_does_not_silence_an_offender),
		TEST(a_full_socket_loses_the_line_and_never_waits),
		TEST(more_offenders_than_the_table_holds_are_all_said),
		TEST(without_a_journal_the_line_goes_to_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
