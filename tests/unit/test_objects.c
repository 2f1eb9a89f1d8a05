// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder of kept programs: what is believed, what is kept, and what goes when it is full. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/clock.h"
#include "agent/object_read.h"
#include "agent/objects.h"
#include "agent/objects_folder.h"
#include "objects.h"

#define KIB	  1024u
#define MIB	  (1024u * KIB)
#define SECOND_NS INT64_C(1000000000)
#define DAY_NS	  (86400 * SECOND_NS)

static char home[] = "/var/tmp/egt-objects-XXXXXX";
static struct objects *objects;
static struct config config;
static struct note note;
static int64_t now_ns;

static char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return path;
}

static void open_folder(void)
{
	int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	now_ns = clock_ns(CLOCK_REALTIME);
	assert_int_equal(objects_open(&objects, fd, &config, now_ns), 0);
}

static int begin(void **unused)
{
	(void)unused;
	strcpy(strrchr(home, '-'), "-XXXXXX");
	config_defaults(&config);
	config.object_bytes = MIB;
	config.objects_bytes = 64 * MIB;
	if (!mkdtemp(home))
		return -1;
	open_folder();
	return 0;
}

static int end(void **unused)
{
	char command[300];

	(void)unused;
	objects_free(objects);
	objects = NULL;
	snprintf(command, sizeof(command), "rm -r %s", home);
	return system(command);
}

/* A sealed copy, and the note that it comes with. */
static int make_copy(size_t size, unsigned seed)
{
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char path[64];

	assert_true(fd >= 0);
	fill(fd, size, seed);
	memset(&note, 0, sizeof(note));
	note.id = seed;
	note.parts = NOTE_OBJECT;
	note.object.has_digest = note.object.has_copy = true;
	note.object.bytes = size;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	sum_of(path, note.object.sha256);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, OBJECT_SEALS), 0);
	return fd;
}

static bool take(int fd)
{
	return objects_take(objects, &note, fd, now_ns);
}

/* Steps until a note comes. */
static unsigned step(uint64_t bytes)
{
	unsigned steps = 1;

	while (!objects_step(objects, bytes, now_ns, &note)) {
		assert_true(objects_busy(objects));
		steps++;
	}
	return steps;
}

static bool is_kept(const uint8_t sha256[32])
{
	char name[OBJECTS_NAME_BYTES];

	objects_name(sha256, name);
	return access(below(name), F_OK) == 0;
}

static void keep_one(size_t size, unsigned seed)
{
	assert_false(take(make_copy(size, seed)));
	step(UINT64_MAX);
}

/* Files in the folder. */
static unsigned files(void)
{
	char command[300];
	unsigned n = 99;
	FILE *out;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", home);
	out = popen(command, "r");
	assert_int_equal(fscanf(out, "%u", &n), 1);
	pclose(out);
	return n;
}

static void counts_are(uint64_t lost, uint64_t bad, int error)
{
	uint64_t got_lost, got_bad;
	int got_error;

	objects_counts(objects, &got_lost, &got_bad, &got_error);
	assert_int_equal(got_lost, lost);
	assert_int_equal(got_bad, bad);
	assert_int_equal(got_error, error);
}

static void a_copy_is_kept_under_its_digest(void **unused)
{
	char name[OBJECTS_NAME_BYTES];
	int copy = make_copy(300001, 7), again = dup(copy), file;
	struct stat st;

	(void)unused;
	assert_false(take(copy));
	assert_int_equal(fcntl(copy, F_GETFD) >= 0, 1); /* ours until it is written */
	assert_in_range(step(4096), 74, 76);
	assert_true(note.object.has_copy && note.id == 7 && note.parts == NOTE_OBJECT);
	assert_int_equal(note.object.why, OBJECT_WHY_NONE);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	objects_name(note.object.sha256, name);
	assert_int_equal(stat(below(name), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	file = open(below(name), O_RDONLY);
	same_bytes(again, file, 300001);
	close(file);
	close(again);
	assert_int_equal(files(), 1);
	counts_are(0, 0, 0);
}

static void the_same_program_is_kept_once(void **unused)
{
	(void)unused;
	keep_one(5000, 1);
	assert_true(take(make_copy(5000, 1)));
	assert_true(note.object.has_copy);
	close(make_copy(5000, 1));
	assert_true(take(-1)); /* a note without a copy, as the first had it */
	assert_true(note.object.has_copy);
	note.object.has_copy = false;
	note.object.why = OBJECT_WHY_BUDGET; /* the witness did not send it, but it is here */
	assert_true(take(-1));
	assert_true(note.object.has_copy && note.object.why == OBJECT_WHY_NONE);
	assert_int_equal(files(), 1);
}

static void notes_wait_for_the_copy_of_the_first(void **unused)
{
	int copy = make_copy(MIB, 1);

	(void)unused;
	assert_false(take(copy));
	for (uint64_t id = 2; id < 5; id++) {
		note.id = id;
		assert_false(take(-1));
	}
	assert_false(objects_step(objects, 4096, now_ns, &note));
	for (uint64_t id = 1; id < 5; id++) {
		step(UINT64_MAX);
		assert_int_equal(note.id, id);
		assert_true(note.object.has_copy);
	}
	assert_false(objects_busy(objects));
}

static void a_copy_that_never_came_is_none(void **unused)
{
	(void)unused;
	close(make_copy(5000, 1));
	assert_true(take(-1));
	assert_false(note.object.has_copy);
	assert_true(note.object.has_digest);
	assert_int_equal(note.object.why, OBJECT_WHY_BUDGET);
}

static void refused(int fd)
{
	assert_true(take(fd));
	assert_false(note.object.has_copy);
	assert_int_equal(note.object.why, OBJECT_WHY_ERROR);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(files(), 0);
	counts_are(0, 1, 0);
}

static void what_is_no_sealed_copy_is_refused(void **unused)
{
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING), pipe_fds[2];

	(void)unused;
	close(make_copy(5000, 1));
	fill(fd, 5000, 1);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	refused(fd); /* it can be written to */
	fd = make_copy(5000, 1);
	note.object.bytes++;
	refused(fd); /* not as long as it is said to be */
	fd = make_copy(MIB + 1, 1);
	refused(fd);
	close(make_copy(5000, 1));
	assert_int_equal(pipe(pipe_fds), 0);
	close(pipe_fds[1]);
	refused(pipe_fds[0]);
	close(make_copy(5000, 1));
	refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static void a_copy_that_is_not_what_is_said_is_not_kept(void **unused)
{
	int fd = make_copy(5000, 1);

	(void)unused;
	note.object.sha256[31] ^= 1;
	assert_false(take(fd));
	step(UINT64_MAX);
	assert_false(note.object.has_copy || note.object.has_digest);
	assert_int_equal(note.object.why, OBJECT_WHY_ERROR);
	assert_int_equal(files(), 0);
	counts_are(0, 1, 0);
}

static void a_full_folder_keeps_what_is_fresh(void **unused)
{
	uint8_t first[32];

	(void)unused;
	config.objects_bytes = 3 * (MIB + 8 * KIB);
	objects_options(objects, &config);
	for (unsigned i = 1; i <= 3; i++) {
		keep_one(MIB, i);
		assert_true(note.object.has_copy);
		if (i == 1)
			memcpy(first, note.object.sha256, 32);
	}
	keep_one(MIB, 4);
	assert_false(note.object.has_copy);
	assert_true(note.object.has_digest);
	assert_int_equal(note.object.why, OBJECT_WHY_BUDGET);
	assert_true(is_kept(first));
	assert_int_equal(files(), 3);
	counts_are(0, 0, 0);
}

static void a_full_folder_gives_up_the_one_unnamed_longest(void **unused)
{
	uint8_t second[32], digest[32];

	(void)unused;
	config.objects_bytes = 3 * (MIB + 8 * KIB);
	objects_options(objects, &config);
	for (unsigned i = 1; i <= 3; i++) {
		now_ns += i * SECOND_NS;
		keep_one(MIB, i);
		if (i == 2)
			memcpy(second, note.object.sha256, 32);
	}
	now_ns += 2 * DAY_NS;
	close(make_copy(MIB, 1));
	assert_true(take(-1)); /* the first is named again */
	keep_one(MIB, 4);
	assert_true(note.object.has_copy);
	memcpy(digest, note.object.sha256, 32);
	assert_false(is_kept(second));
	assert_true(is_kept(digest));
	assert_int_equal(files(), 3);
}

static void many_tiny_ones_are_bounded_too(void **unused)
{
	(void)unused;
	config.objects_bytes = 10 * 8 * KIB;
	objects_options(objects, &config);
	for (unsigned i = 1; i <= 20; i++)
		keep_one(1 + i, i);
	assert_int_equal(files(), 10);
}

static void what_was_kept_is_known_again(void **unused)
{
	uint8_t digest[32];

	(void)unused;
	keep_one(MIB, 1);
	memcpy(digest, note.object.sha256, 32);
	close(open(below("new"), O_WRONLY | O_CREAT, 0400)); /* a crash left it */
	close(open(below("readme"), O_WRONLY | O_CREAT, 0600));
	objects_free(objects);
	open_folder();
	assert_int_equal(access(below("new"), F_OK), -1);
	assert_int_equal(access(below("readme"), F_OK), 0);
	close(make_copy(MIB, 1));
	assert_true(take(-1));
	assert_true(note.object.has_copy);
	config.objects_bytes = MIB; /* and it counts */
	objects_options(objects, &config);
	keep_one(4096, 2);
	assert_int_equal(note.object.why, OBJECT_WHY_BUDGET);
	assert_true(is_kept(digest));
}

static void one_that_an_admin_removed_is_kept_again(void **unused)
{
	char name[OBJECTS_NAME_BYTES];

	(void)unused;
	keep_one(5000, 1);
	objects_name(note.object.sha256, name);
	assert_int_equal(unlink(below(name)), 0);
	close(make_copy(5000, 1));
	assert_true(take(-1));
	assert_false(note.object.has_copy);
	keep_one(5000, 1);
	assert_true(note.object.has_copy);
	assert_int_equal(files(), 1);
}

static void old_ones_go(void **unused)
{
	uint8_t first[32];

	(void)unused;
	keep_one(5000, 1);
	memcpy(first, note.object.sha256, 32);
	now_ns += 80 * DAY_NS;
	keep_one(5000, 2);
	objects_prune(objects, now_ns + 9 * DAY_NS);
	assert_int_equal(files(), 2);
	objects_prune(objects, now_ns + 11 * DAY_NS);
	assert_int_equal(files(), 1);
	assert_false(is_kept(first));
}

static void a_full_disk_is_counted_and_survived(void **unused)
{
	struct rlimit old, small = { 100 * KIB, RLIM_INFINITY };

	(void)unused;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	assert_false(take(make_copy(MIB, 1)));
	setrlimit(RLIMIT_FSIZE, &small);
	step(UINT64_MAX);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_false(note.object.has_copy);
	assert_true(note.object.has_digest);
	assert_int_equal(note.object.why, OBJECT_WHY_ERROR);
	assert_int_equal(files(), 0);
	counts_are(1, 0, -EFBIG);
	keep_one(MIB, 1);
	assert_true(note.object.has_copy);
	counts_are(0, 0, 0);
}

static void a_folder_that_is_gone_is_counted_and_survived(void **unused)
{
	(void)unused;
	assert_int_equal(rmdir(home), 0);
	keep_one(5000, 1);
	assert_int_equal(note.object.why, OBJECT_WHY_ERROR);
	counts_are(1, 0, -ENOENT);
	assert_int_equal(mkdir(home, 0700), 0);
}

static void copies_in_memory_are_bounded(void **unused)
{
	unsigned taken = 0;

	(void)unused;
	for (unsigned i = 1; i <= 8; i++)
		taken += !take(make_copy(MIB, i));
	assert_int_equal(taken, 4);
	assert_int_equal(note.object.why, OBJECT_WHY_BUDGET);
	for (unsigned i = 0; i < taken; i++)
		step(UINT64_MAX);
	assert_false(objects_busy(objects));
	assert_false(take(make_copy(MIB, 9)));
}

static void what_waits_at_the_end_is_no_half_file(void **unused)
{
	(void)unused;
	assert_false(take(make_copy(MIB, 1)));
	assert_false(objects_step(objects, 4096, now_ns, &note));
	objects_free(objects);
	assert_int_equal(files(), 0);
	open_folder();
}

static void names_are_as_we_write_them(void **unused)
{
	uint8_t digest[32], read[32];
	char name[OBJECTS_NAME_BYTES];

	(void)unused;
	for (unsigned i = 0; i < 32; i++)
		digest[i] = (uint8_t)(i * 37);
	objects_name(digest, name);
	assert_true(objects_parse_name(name, read));
	assert_memory_equal(digest, read, 32);
	name[5] = 'A';
	assert_false(objects_parse_name(name, read));
	name[5] = '\0';
	assert_false(objects_parse_name(name, read));
	assert_false(objects_parse_name("", read));
}

#define NAMED(text, function)                                                                      \
	{                                                                                          \
		text, function, begin, end, NULL                                                   \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMED("a copy is kept under its digest, byte by byte, never executable",
		      a_copy_is_kept_under_its_digest),
		NAMED("the same program is kept once", the_same_program_is_kept_once),
		NAMED("notes wait for the copy of the first", notes_wait_for_the_copy_of_the_first),
		NAMED("a copy that never came is none", a_copy_that_never_came_is_none),
		NAMED("what is no sealed copy is refused", what_is_no_sealed_copy_is_refused),
		NAMED("a copy that is not what is said is not kept",
		      a_copy_that_is_not_what_is_said_is_not_kept),
		NAMED("a full folder keeps what is fresh", a_full_folder_keeps_what_is_fresh),
		NAMED("a full folder gives up the one unnamed longest",
		      a_full_folder_gives_up_the_one_unnamed_longest),
		NAMED("many tiny ones are bounded, too", many_tiny_ones_are_bounded_too),
		NAMED("what was kept is known again after a restart", what_was_kept_is_known_again),
		NAMED("one that an admin removed is kept again",
		      one_that_an_admin_removed_is_kept_again),
		NAMED("those that no record names go after keep_days", old_ones_go),
		NAMED("a full disk is counted and survived", a_full_disk_is_counted_and_survived),
		NAMED("a folder that is gone is counted and survived",
		      a_folder_that_is_gone_is_counted_and_survived),
		NAMED("copies in memory are bounded", copies_in_memory_are_bounded),
		NAMED("what waits at the end is no half file",
		      what_waits_at_the_end_is_no_half_file),
		NAMED("names are read as they are written", names_are_as_we_write_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
