/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays each capture of pcaps/MANIFEST and compares what it says with the .expected file beside
 * it. The one command that writes those anew: UPDATE=1 build/unit/test_replay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/replay.h"

#define FOLDER	     "pcaps"
#define CAPTURES_MAX 128

struct capture {
	char *fields[5]; /* capture, owners, config, expected, purpose */
};

enum { CAPTURE, OWNERS, CONFIG, EXPECTED, PURPOSE };

/* Text and its bytes' escapes, so that a line stays a line. */
static void write_text(FILE *out, const char *key, const char *bytes, size_t len)
{
	if (!len)
		return;
	fprintf(out, " %s=\"", key);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			fprintf(out, "\\x%02x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void write_id(FILE *out, const char *key, uint32_t id)
{
	if (id != OWNER_UID_NONE)
		fprintf(out, " %s=%" PRIu32, key, id);
}

static void write_flow(FILE *out, const struct record *record)
{
	const struct flow *flow = &record->flow;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (!flow->family) {
		fputs(" ?>?", out);
		return;
	}
	flow_address_text(flow->family, flow->src, src, sizeof(src));
	flow_address_text(flow->family, flow->dst, dst, sizeof(dst));
	if (flow->has_ports)
		fprintf(out, flow->family == AF_INET6 ? " [%s]:%u>[%s]:%u" : " %s:%u>%s:%u", src,
			flow->sport, dst, flow->dport);
	else
		fprintf(out, " %s>%s", src, dst);
}

static void write_owner(FILE *out, const struct owner *owner)
{
	fprintf(out, " how=%s", owner_how_words[owner->how]);
	if (owner->why)
		fprintf(out, " why=%s", owner_why_words[owner->why]);
	if (owner->proc.pid)
		fprintf(out, " pid=%d", owner->proc.pid);
	write_id(out, "real", owner->proc.uid);
	write_id(out, "effective", owner->euid);
	write_text(out, "comm", owner->proc.comm, strlen(owner->proc.comm));
	write_text(out, "exe", owner->exe, strlen(owner->exe));
	write_text(out, "cmdline", owner->cmdline, owner->cmdline_bytes);
	write_text(out, "cwd", owner->cwd, strlen(owner->cwd));
	write_text(out, "script", owner->script, strlen(owner->script));
	write_text(out, "unit", owner->unit, strlen(owner->unit));
	write_text(out, "container", owner->container, strlen(owner->container));
}

static int write_record(void *context, const struct record *record)
{
	FILE *out = context;

	fprintf(out, "%" PRId64 ".%09" PRId64, record->ts_ns / 1000000000,
		record->ts_ns % 1000000000);
	write_flow(out, record);
	fprintf(out, " %s %s %s", verdict_words[record->verdict], reason_words[record->reason],
		record->rule);
	if (record->flow_error)
		fprintf(out, " error=%s", flow_error_words[record->flow_error]);
	fprintf(out, " flags=0x%02x bytes=%" PRIu32 "/%u", record->flow.tcp_flags,
		record->packet_bytes, record->excerpt_bytes);
	write_id(out, "uid", record->uid);
	write_id(out, "gid", record->gid);
	write_owner(out, &record->owner);
	fputs(record->foreign_holder ? " foreign-holder\n" : "\n", out);
	return 0;
}

static void fail_on_error(void *context, const char *line)
{
	(void)context;
	fail_msg("%s", line);
}

/* A whole file, malloc'd; NULL when it can't be read. */
static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static void in_folder(char *path, size_t size, const char *name)
{
	assert_true((size_t)snprintf(path, size, FOLDER "/%s", name) < size);
}

/* What a replay says: its records, its counts, and why it ended early. */
static char *replay_text(const struct capture *capture)
{
	struct owners *owners = NULL;
	struct replay_counts counts;
	struct config config;
	struct policy policy;
	char path[512], *text = NULL, *message, *owners_text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int result;

	assert_non_null(out);
	in_folder(path, sizeof(path), capture->fields[CONFIG]);
	assert_int_equal(config_load(&config, path, fail_on_error, NULL), 0);
	assert_int_equal(config_policy(&config, &policy, fail_on_error, NULL), 0);
	if (strcmp(capture->fields[OWNERS], "-")) {
		in_folder(path, sizeof(path), capture->fields[OWNERS]);
		owners_text = read_whole(path);
		assert_non_null(owners_text);
		assert_int_equal(owners_parse(&owners, path, owners_text, fail_on_error, NULL), 0);
		free(owners_text);
	}
	in_folder(path, sizeof(path), capture->fields[CAPTURE]);
	result = replay_file(path, &policy, owners, write_record, out, &counts, &message);
	fprintf(out,
		"frames=%" PRIu64 " not-ip=%" PRIu64 " syns=%" PRIu64 " retransmits=%" PRIu64
		" attempts=%" PRIu64 " other=%" PRIu64 "\n",
		counts.frames, counts.not_ip, counts.syns, counts.retransmits, counts.attempts,
		counts.refused_other);
	if (result)
		fprintf(out, "refused: %s\n", message ? message : strerror(-result));
	assert_true((result == -EINVAL) == (message != NULL));
	assert_true(counts.syns == counts.attempts + counts.retransmits);
	free(message);
	owners_free(owners);
	fclose(out);
	return text;
}

static void says_what_is_expected(void **state)
{
	const struct capture *capture = *state;
	char path[512], *said = replay_text(capture), *expected;
	FILE *file;

	in_folder(path, sizeof(path), capture->fields[EXPECTED]);
	if (getenv("UPDATE")) {
		file = fopen(path, "we");
		assert_non_null(file);
		fputs(said, file);
		assert_int_equal(fclose(file), 0);
	}
	expected = read_whole(path);
	if (!expected)
		fail_msg("%s: can't be read", path);
	if (strcmp(said, expected))
		fail_msg("%s\nexpected:\n%sreplayed:\n%s", path, expected, said);
	free(said);
	free(expected);
}

/* Stops at the record whose number is in *context. */
static int stop_at(void *context, const struct record *record)
{
	int *left = context;

	assert_int_equal(record->via, VIA_REPLAY);
	return --*left ? 0 : 42;
}

static const struct policy web_ports = { .ports = { 25, 465, 587 }, .n_ports = 3 };

static void a_callback_can_end_it(void **state)
{
	struct replay_counts counts;
	char *message;
	int left = 2;

	(void)state;
	assert_int_equal(replay_file(FOLDER "/v4-denied.pcap", &web_ports, NULL, stop_at, &left,
				     &counts, &message),
			 42);
	assert_int_equal(left, 0);
	assert_int_equal(counts.frames, 2);
	assert_null(message);
}

static void counts_are_per_port(void **state)
{
	struct replay_counts counts;
	char *message;
	int left = 1000;

	(void)state;
	assert_int_equal(replay_file(FOLDER "/retransmit.pcap", &web_ports, NULL, stop_at, &left,
				     &counts, &message),
			 0);
	assert_int_equal(counts.syns_by_port[0], 7);
	assert_int_equal(counts.syns_by_port[1] + counts.syns_by_port[2], 0);
	assert_int_equal(counts.retransmits, 4);
	assert_int_equal(counts.attempts, 3);
	assert_int_equal(left, 997);
}

static void missing_files_are_said(void **state)
{
	struct replay_counts counts;
	char *message;
	int left = 1;

	(void)state;
	assert_int_equal(replay_file(FOLDER "/none.pcap", &web_ports, NULL, stop_at, &left, &counts,
				     &message),
			 -EINVAL);
	assert_string_equal(message, FOLDER "/none.pcap: No such file or directory");
	free(message);
	assert_int_equal(replay_file("-", &web_ports, NULL, stop_at, &left, &counts, &message),
			 -EINVAL);
	assert_string_equal(message, "-: No such file or directory"); /* not the standard input */
	free(message);
	assert_int_equal(replay_file(FOLDER, &web_ports, NULL, stop_at, &left, &counts, &message),
			 -EINVAL);
	assert_non_null(message);
	free(message);
	assert_int_equal(left, 1);
}

/* Every capture, cut after each of its bytes: never a crash, and never a record more. */
static int count_record(void *context, const struct record *record)
{
	unsigned *n = context;

	assert_true(record->excerpt_bytes <= RECORD_EXCERPT_BYTES);
	++*n;
	return 0;
}

static void cut_files_never_crash(void **state)
{
	static const char *const names[] = { "v4-denied.pcap", "pcapng-two-interfaces.pcapng",
					     "nflog.pcap", "fragments-v6.pcap" };
	char temporary[] = "/tmp/egressd-cut-XXXXXX", path[256], *message;
	static uint8_t bytes[65536];
	struct replay_counts counts;
	int fd = mkstemp(temporary);

	(void)state;
	assert_true(fd >= 0);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned whole = 0, records, before = 0;
		FILE *file;
		size_t len;

		in_folder(path, sizeof(path), names[i]);
		file = fopen(path, "re");
		assert_non_null(file);
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		assert_int_equal(replay_file(path, &web_ports, NULL, count_record, &whole, &counts,
					     &message),
				 0);
		assert_int_equal(ftruncate(fd, 0), 0);
		for (size_t at = 0; at < len; at++) {
			records = 0;
			if (at)
				assert_int_equal(pwrite(fd, bytes + at - 1, 1, (off_t)at - 1), 1);
			replay_file(temporary, &web_ports, NULL, count_record, &records, &counts,
				    &message);
			free(message);
			assert_true(records >= before && records <= whole);
			before = records;
		}
		assert_in_range(whole, 1, 100);
	}
	close(fd);
	unlink(temporary);
}

static unsigned read_manifest(struct capture captures[CAPTURES_MAX])
{
	FILE *file = fopen(FOLDER "/MANIFEST", "re");
	char *line = NULL;
	unsigned n = 0, field;
	size_t size = 0;

	if (!file) {
		printf("Bail out! " FOLDER
		       "/MANIFEST can't be read: run this from the tree's root\n");
		exit(1);
	}
	while (getline(&line, &size, file) > 0 && n < CAPTURES_MAX) {
		char *rest = line, *word;

		line[strcspn(line, "\n")] = '\0';
		if (*line == '#' || !*line)
			continue;
		for (field = 0; field < 5 && (word = strsep(&rest, "\t")); field++)
			captures[n].fields[field] = strdup(word);
		if (field < 5 || rest) {
			printf("Bail out! MANIFEST: %s has not five fields\n",
			       captures[n].fields[0]);
			exit(1);
		}
		n++;
	}
	free(line);
	fclose(file);
	return n;
}

int main(void)
{
	static struct capture captures[CAPTURES_MAX];
	static char names[CAPTURES_MAX][256];
	static const struct CMUnitTest others[] = {
		{ "a callback's value ends a replay and is returned", a_callback_can_end_it },
		{ "SYNs are counted per port, retransmits included", counts_are_per_port },
		{ "a file that can't be opened is named, with why", missing_files_are_said },
		{ "a capture cut after any byte gives no crash and no record more",
		  cut_files_never_crash },
	};
	struct CMUnitTest tests[CAPTURES_MAX + sizeof(others) / sizeof(others[0])] = { 0 };
	unsigned n = read_manifest(captures);
	int failed;

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", captures[i].fields[CAPTURE],
			 captures[i].fields[PURPOSE]);
		tests[i] = (struct CMUnitTest){ names[i], says_what_is_expected, NULL, NULL,
						&captures[i] };
	}
	memcpy(tests + n, others, sizeof(others));
	failed = _cmocka_run_group_tests("replay", tests, n + sizeof(others) / sizeof(others[0]),
					 NULL, NULL);
	for (unsigned i = 0; i < n; i++)
		for (unsigned field = 0; field < 5; field++)
			free(captures[i].fields[field]);
	return failed;
}
