/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evidence files: what a reader finds, what a crash or a full disk leaves, what the quotas take. */
#include "fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "agent/comment.h"
#include "agent/evidence.h"

static struct config config;
static struct record record;
static char removed[8][64];
static unsigned n_removed;

static int set_up(void **state)
{
	fixture_config(&config);
	fixture_record(&record);
	n_removed = 0;
	return fixture_enter(state);
}

static void on_removed(void *context, const char *file)
{
	(void)context;
	if (n_removed < 8)
		snprintf(removed[n_removed], sizeof(removed[0]), "%s", file);
	n_removed++;
}

static int folder(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	return fd;
}

static struct evidence *open_evidence(int dir_fd)
{
	struct evidence *evidence = NULL;

	assert_int_equal(evidence_open(&evidence, dir_fd, &config, on_removed, NULL), 0);
	return evidence;
}

static struct evidence_packet packet_of(int64_t ts_ns, int64_t offender, const char *comment)
{
	return (struct evidence_packet){ .ts_ns = ts_ns,
					 .bytes = record.excerpt,
					 .len = record.excerpt_bytes,
					 .packet_bytes = 60,
					 .comment = comment,
					 .offender = offender };
}

struct place {
	char file[64];
	uint64_t offset;
};

static int add(struct evidence *evidence, struct evidence_packet packet, struct place *place)
{
	const char *file;
	int err = evidence_add(evidence, &packet, &file, &place->offset);

	if (!err)
		snprintf(place->file, sizeof(place->file), "%s", file);
	return err;
}

static void assert_read(const struct place *place, const char *comment)
{
	uint32_t len, packet_bytes;
	int fd = open(place->file, O_RDONLY);
	uint8_t *bytes;
	int64_t ts_ns;
	char *text;

	assert_int_equal(
		evidence_read(fd, place->offset, &ts_ns, &bytes, &len, &packet_bytes, &text), 0);
	assert_int_equal(len, record.excerpt_bytes);
	assert_int_equal(packet_bytes, 60);
	assert_memory_equal(bytes, record.excerpt, len);
	assert_string_equal(text, comment);
	free(bytes);
	free(text);
	close(fd);
}

static uint8_t *slurp(const char *file, size_t *len)
{
	int fd = open(file, O_RDONLY);
	struct stat st;
	uint8_t *bytes;

	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	bytes = malloc(*len + 1);
	assert_int_equal(read(fd, bytes, *len), *len);
	close(fd);
	return bytes;
}

static unsigned count_files(void)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir = opendir(".");

	while ((entry = readdir(dir)))
		n += strncmp(entry->d_name, "evidence-", 9) == 0;
	closedir(dir);
	return n;
}

static void packets_are_read_back_where_they_were_put(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	struct place places[3];
	struct stat st;
	char long_comment[20001];

	(void)state;
	memset(long_comment, 'x', sizeof(long_comment));
	long_comment[20000] = '\0';
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "{\"id\":1}"), &places[0]), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS + 1, 1, ""), &places[1]), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS + 2, 2, long_comment), &places[2]), 0);
	assert_int_equal(evidence_sync(evidence), 0);
	assert_string_equal(places[0].file, "evidence-20231114T221320Z-0.pcapng");
	assert_string_equal(places[2].file, places[0].file);
	assert_read(&places[0], "{\"id\":1}");
	assert_read(&places[1], "");
	assert_read(&places[2], long_comment);
	assert_int_equal(stat(places[0].file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(evidence_bytes(evidence), st.st_size);
	evidence_free(evidence);
	close(dir);
}

/* tshark's own view of the file; skipped where it is not installed. */
static void tshark_shows_the_owner_on_the_syn(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	struct place place;
	char *comment, command[256], line[8192] = "", *expected;
	FILE *out;

	(void)state;
	if (system("command -v tshark >/dev/null 2>&1") != 0)
		skip();
	strcpy(record.owner.script, "/var/www/\x1b[31m\n\xff.php");
	comment = comment_text(&record, 7, "www-data");
	assert_int_equal(add(evidence, packet_of(T0_NS + 123456789, 1, comment), &place), 0);
	snprintf(command, sizeof(command),
		 "tshark -r %s -T fields -e frame.time_epoch -e frame.interface_name -e ip.dst"
		 " -e tcp.dstport -e frame.len -e frame.cap_len -e frame.comment 2>/dev/null",
		 place.file);
	out = popen(command, "r");
	assert_non_null(fgets(line, sizeof(line), out));
	pclose(out);
	assert_true(asprintf(&expected,
			     "1700000000.123456789\tegressd\t192.0.2.1\t25\t60\t40\t%s\n",
			     comment) > 0);
	assert_string_equal(line, expected);
	assert_non_null(strstr(line, "\"script\":\"/var/www/\\\\x1b[31m\\\\x0a\\\\xff.php\""));
	assert_non_null(strstr(line, "{\"id\":7,\"verdict\":\"deny\","));
	free(expected);
	free(comment);
	evidence_free(evidence);
	close(dir);
}

static void the_file_is_appended_to_after_a_restart(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	struct place first, second;

	(void)state;
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &first), 0);
	evidence_free(evidence);
	evidence = open_evidence(dir);
	assert_int_equal(add(evidence, packet_of(T0_NS + 3600 * NS_PER_S, 1, "two"), &second), 0);
	evidence_free(evidence);
	assert_string_equal(first.file, second.file);
	assert_true(second.offset > first.offset);
	assert_read(&first, "one");
	assert_read(&second, "two");
	assert_int_equal(count_files(), 1);
	close(dir);
}

static void a_file_cut_in_its_last_block_goes_on_where_it_was_whole(void **state)
{
	int dir = folder(), fd;
	struct evidence *evidence = open_evidence(dir);
	struct place first, second, again;
	size_t len, cut;
	uint8_t *bytes;
	uint64_t end;

	(void)state;
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &first), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "second"), &second), 0);
	evidence_free(evidence);
	bytes = slurp(first.file, &len);
	for (cut = second.offset; cut < len; cut++) {
		assert_int_equal(evidence_check(bytes, cut, &end), 0);
		assert_int_equal(end, second.offset);
		fd = open(first.file, O_WRONLY | O_TRUNC);
		assert_int_equal(write(fd, bytes, cut), cut);
		close(fd);
		evidence = open_evidence(dir);
		assert_int_equal(add(evidence, packet_of(T0_NS, 1, "again"), &again), 0);
		evidence_free(evidence);
		assert_string_equal(again.file, first.file);
		assert_int_equal(again.offset, second.offset);
		assert_read(&first, "one");
		assert_read(&again, "again");
	}
	assert_int_equal(evidence_check(bytes, len, &end), 0);
	assert_int_equal(end, len);
	free(bytes);
	close(dir);
}

static void a_changed_byte_is_never_taken_for_a_whole_file(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	uint64_t end, whole;
	struct place place;
	unsigned refused = 0;
	size_t len, i;
	uint8_t *bytes;

	(void)state;
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "abc"), &place), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "def"), &place), 0);
	evidence_free(evidence);
	bytes = slurp(place.file, &len);
	assert_int_equal(evidence_check(bytes, len, &whole), 0);
	for (i = 0; i < 8 * len; i++) {
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		end = 0;
		if (evidence_check(bytes, len, &end) < 0)
			refused++;
		else
			assert_true(end <= len && end % 4 == 0);
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_true(refused > 300);
	free(bytes);
	close(dir);
}

static void garbage_is_left_alone_and_a_new_file_begun(void **state)
{
	static const char *const names[] = { "evidence-20230101T000000Z-0.pcapng",
					     "evidence-20991231T235959Z-0.pcapng" };
	int dir = folder(), fd;
	struct evidence *evidence;
	struct place place;
	size_t len;
	uint8_t *bytes;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fd = open(names[i], O_WRONLY | O_CREAT, 0640);
		assert_int_equal(write(fd, "not a capture at all, but a text", 32), 32);
		close(fd);
	}
	config.evidence_file_bytes = config.evidence_total_bytes = 4096;
	evidence = open_evidence(dir);
	assert_int_equal(evidence_bytes(evidence), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(add(evidence, packet_of(T0_NS, i, "x"), &place), 0);
	evidence_free(evidence);
	for (i = 0; i < 2; i++) {
		bytes = slurp(names[i], &len);
		assert_int_equal(len, 32);
		assert_memory_equal(bytes, "not a capture", 13);
		free(bytes);
	}
	assert_true(n_removed > 0);
	close(dir);
}

static void damage_within_a_file_of_ours_begins_a_new_one(void **state)
{
	int dir = folder(), fd;
	struct evidence *evidence = open_evidence(dir);
	struct place first, second, third;
	size_t len, len_after;

	(void)state;
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &first), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "two"), &second), 0);
	evidence_free(evidence);
	fd = open(first.file, O_WRONLY);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, (off_t)first.offset), 4);
	close(fd);
	free(slurp(first.file, &len));
	evidence = open_evidence(dir);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "three"), &third), 0);
	evidence_free(evidence);
	assert_string_not_equal(third.file, first.file);
	free(slurp(first.file, &len_after));
	assert_int_equal(len_after, len);
	assert_read(&second, "two");
	assert_read(&third, "three");
	close(dir);
}

static void a_link_in_the_folder_is_not_followed(void **state)
{
	int dir = folder(), fd;
	struct evidence *evidence;
	struct place place;
	size_t len;

	(void)state;
	fd = open("victim", O_WRONLY | O_CREAT, 0640);
	close(fd);
	assert_int_equal(symlink("victim", "evidence-20231114T221320Z-0.pcapng"), 0);
	evidence = open_evidence(dir);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &place), 0);
	evidence_free(evidence);
	assert_string_equal(place.file, "evidence-20231114T221320Z-1.pcapng");
	free(slurp("victim", &len));
	assert_int_equal(len, 0);
	close(dir);
}

static void an_offender_has_its_share_of_a_file(void **state)
{
	int dir = folder();
	struct evidence *evidence;
	struct place place;
	unsigned i, kept = 0;
	int err = 0;

	(void)state;
	config.evidence_offender_bytes = 1000;
	evidence = open_evidence(dir);
	for (i = 0; i < 20; i++) {
		err = add(evidence, packet_of(T0_NS, 1, "x"), &place);
		kept += !err;
	}
	assert_int_equal(err, -EDQUOT);
	assert_int_equal(kept, 1000 / (32 + 40 + 8 + 4));
	assert_int_equal(add(evidence, packet_of(T0_NS, 2, "x"), &place), 0);
	assert_false(evidence_suspended(evidence));
	evidence_free(evidence);
	close(dir);
}

static void the_oldest_file_goes_above_the_total(void **state)
{
	int dir = folder();
	struct evidence *evidence;
	struct place place, first;
	unsigned i;

	(void)state;
	config.evidence_file_bytes = 4096;
	config.evidence_total_bytes = 3 * 4096;
	evidence = open_evidence(dir);
	for (i = 0; n_removed < 2; i++) {
		assert_true(i < 1000);
		assert_int_equal(add(evidence, packet_of(T0_NS + i * NS_PER_S, i, "x"), &place), 0);
		if (i == 0)
			first = place;
		assert_true(evidence_bytes(evidence) <= 3 * 4096);
	}
	assert_string_equal(removed[0], first.file);
	assert_int_equal(access(first.file, F_OK), -1);
	assert_true(strcmp(removed[0], removed[1]) < 0);
	assert_int_equal(count_files(), 3);
	evidence_free(evidence);
	/* what is there counts after a restart too */
	evidence = open_evidence(dir);
	config.evidence_total_bytes = 4096;
	evidence_options(evidence, &config);
	for (i = 0; n_removed < 5; i++) {
		assert_true(i < 1000);
		assert_int_equal(add(evidence, packet_of(T0_NS + 5000 * NS_PER_S, i, "x"), &place),
				 0);
	}
	assert_int_equal(count_files(), 1);
	evidence_free(evidence);
	close(dir);
}

static void a_clock_set_back_keeps_the_order_of_names(void **state)
{
	int dir = folder();
	struct evidence *evidence;
	struct place place;
	unsigned i;

	(void)state;
	config.evidence_file_bytes = 2048;
	evidence = open_evidence(dir);
	for (i = 0; i < 60; i++)
		assert_int_equal(add(evidence, packet_of(T0_NS - i * NS_PER_S, i, "x"), &place), 0);
	assert_string_equal(place.file, "evidence-20231114T221320Z-2.pcapng");
	evidence_free(evidence);
	close(dir);
}

static void a_failed_write_is_cut_back_and_tried_again_later(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	struct rlimit old, limit;
	struct place place, after;
	uint64_t end;
	size_t len;
	uint8_t *bytes;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &place), 0);
	free(slurp(place.file, &len));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = len + 20; /* within the next block */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "two"), &after), -EFBIG);
	assert_true(evidence_suspended(evidence));
	bytes = slurp(place.file, &len);
	assert_int_equal(evidence_check(bytes, len, &end), 0);
	assert_int_equal(end, len);
	free(bytes);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(add(evidence, packet_of(T0_NS + 9 * NS_PER_S, 1, "x"), &after), -EAGAIN);
	assert_int_equal(add(evidence, packet_of(T0_NS + 10 * NS_PER_S, 1, "three"), &after), 0);
	assert_false(evidence_suspended(evidence));
	assert_int_equal(after.offset, len);
	assert_read(&place, "one");
	assert_read(&after, "three");
	evidence_free(evidence);
	close(dir);
}

static void a_file_that_somebody_changed_is_left_alone(void **state)
{
	static const char *const others[] = { "cut", "longer", "gone", "another" };
	int dir = folder(), fd;
	struct place places[2];
	struct evidence *evidence = open_evidence(dir);
	struct stat before, after;
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		n_removed = 0;
		assert_int_equal(add(evidence, packet_of(T0_NS + i, 1, "a"), &places[0]), 0);
		assert_int_equal(n_removed, 0);
		if (strcmp(others[i], "cut") == 0)
			assert_int_equal(truncate(places[0].file, 50), 0);
		if (strcmp(others[i], "longer") == 0)
			assert_int_equal(truncate(places[0].file, 5000), 0);
		if (strcmp(others[i], "gone") == 0 || strcmp(others[i], "another") == 0)
			assert_int_equal(unlink(places[0].file), 0);
		if (strcmp(others[i], "another") == 0) {
			fd = open(places[0].file, O_WRONLY | O_CREAT | O_EXCL, 0600);
			assert_int_equal(write(fd, others, 10), 10);
			close(fd);
		}
		memset(&before, 0, sizeof(before));
		stat(places[0].file, &before);
		assert_int_equal(add(evidence, packet_of(T0_NS + i, 1, "b"), &places[1]), 0);
		assert_string_not_equal(places[1].file, places[0].file);
		assert_int_equal(n_removed, 1);
		assert_string_equal(removed[0], places[0].file);
		assert_read(&places[1], "b");
		memset(&after, 0, sizeof(after));
		stat(places[0].file, &after);
		assert_int_equal(after.st_size, before.st_size);
		assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
		/* the sum is of what lies there */
		stat(places[1].file, &before);
		assert_int_equal(evidence_bytes(evidence) - (uint64_t)before.st_size -
					 (uint64_t)after.st_size,
				 i == 0	  ? 0
				 : i == 1 ? 50
					  : 5050);
		assert_int_equal(evidence_sync(evidence), 0);
		evidence_free(evidence);
		if (strcmp(others[i], "another") == 0)
			unlink(places[0].file);
		unlink(places[1].file);
		evidence = open_evidence(dir);
	}
	evidence_free(evidence);
	close(dir);
}

static void a_disk_without_room_for_a_head_gathers_no_files(void **state)
{
	int dir = folder();
	struct evidence *evidence = open_evidence(dir);
	struct rlimit old, limit;
	struct place place;
	int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(
			add(evidence, packet_of(T0_NS + i * 10 * NS_PER_S, 1, "x"), &place),
			-EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(count_files(), 0);
	assert_int_equal(evidence_bytes(evidence), 0);
	evidence_free(evidence);
	close(dir);
}

static void reading_anywhere_else_is_refused(void **state)
{
	int dir = folder(), fd;
	struct evidence *evidence = open_evidence(dir);
	uint32_t len, packet_bytes;
	uint8_t *bytes = NULL;
	struct place place;
	uint64_t offset;
	char *text = NULL;
	int64_t ts_ns;
	size_t size;

	(void)state;
	assert_int_equal(add(evidence, packet_of(T0_NS, 1, "one"), &place), 0);
	evidence_free(evidence);
	free(slurp(place.file, &size));
	fd = open(place.file, O_RDONLY);
	for (offset = 0; offset < size + 8; offset++)
		if (offset != place.offset)
			assert_int_equal(evidence_read(fd, offset, &ts_ns, &bytes, &len,
						       &packet_bytes, &text),
					 -EBADMSG);
	assert_int_equal(evidence_read(fd, UINT64_MAX, &ts_ns, &bytes, &len, &packet_bytes, &text),
			 -EBADMSG);
	assert_null(bytes);
	assert_null(text);
	close(fd);
	close(dir);
}

static void a_single_packet_makes_a_whole_file(void **state)
{
	struct evidence_packet packet = packet_of(T0_NS, 1, "{\"id\":1}");
	size_t len;
	uint8_t *bytes;
	uint64_t end;
	int fd = open("one.pcapng", O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(evidence_write_single(fd, &packet), 0);
	close(fd);
	bytes = slurp("one.pcapng", &len);
	assert_int_equal(evidence_check(bytes, len, &end), 0);
	assert_int_equal(end, len);
	/* byte for byte: section header, LINKTYPE_RAW, the packet's length at its end */
	assert_memory_equal(bytes, "\x0a\x0d\x0d\x0a", 4);
	assert_memory_equal(bytes + 44, "\x01\0\0\0\x2c\0\0\0\x65\0\0\0", 12);
	assert_memory_equal(bytes + len - 4, "\x58\0\0\0", 4);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_are_read_back_where_they_were_put),
		TEST(tshark_shows_the_owner_on_the_syn),
		TEST(the_file_is_appended_to_after_a_restart),
		TEST(a_file_cut_in_its_last_block_goes_on_where_it_was_whole),
		TEST(a_changed_byte_is_never_taken_for_a_whole_file),
		TEST(garbage_is_left_alone_and_a_new_file_begun),
		TEST(damage_within_a_file_of_ours_begins_a_new_one),
		TEST(a_link_in_the_folder_is_not_followed),
		TEST(an_offender_has_its_share_of_a_file),
		TEST(the_oldest_file_goes_above_the_total),
		TEST(a_clock_set_back_keeps_the_order_of_names),
		TEST(a_failed_write_is_cut_back_and_tried_again_later),
		TEST(a_file_that_somebody_changed_is_left_alone),
		TEST(a_disk_without_room_for_a_head_gathers_no_files),
		TEST(reading_anywhere_else_is_refused),
		TEST(a_single_packet_makes_a_whole_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
