// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading suspicious programs: what is said of them, how often they are read, and how long a step
 * takes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/clock.h"
#include "agent/object_read.h"
#include "agent/object_work.h"
#include "objects.h"

#define KIB	  1024u
#define MIB	  (1024u * KIB)
#define SECOND_NS INT64_C(1000000000)

static char home[] = "/var/tmp/egt-witness-XXXXXX";
static struct object_work *objects;
static struct config config;
static struct record record;
static int64_t now_ns = 1000 * SECOND_NS;

static struct said {
	uint64_t ids[4096];
	struct note_object object; /* of the last */
	unsigned n, copies;
	int copy_fd; /* a duplicate of the last */
	int refuse;
} said;

static int hear(void *context, const struct note *note, int copy_fd)
{
	assert_ptr_equal(context, &said);
	assert_int_equal(note->parts, NOTE_OBJECT);
	if (said.refuse)
		return said.refuse;
	if (said.n < sizeof(said.ids) / sizeof(said.ids[0]))
		said.ids[said.n] = note->id;
	said.n++;
	said.object = note->object;
	if (copy_fd >= 0) {
		assert_true(note->object.has_copy && note->object.has_digest);
		if (said.copy_fd >= 0)
			close(said.copy_fd);
		said.copy_fd = dup(copy_fd);
		said.copies++;
	}
	return 0;
}

static char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return path;
}

static int begin(void **unused)
{
	(void)unused;
	config_defaults(&config);
	config.object_bytes = MIB;
	config.objects_bytes = 64 * MIB;
	memset(&record, 0, sizeof(record));
	owner_init(&record.owner);
	record.owner.proc.pid = getpid();
	record.owner.proc.uid = 1000;
	record.owner.proc.start_ticks = 7;
	record.owner.exe_deleted = true;
	memset(&said, 0, sizeof(said));
	said.copy_fd = -1;
	now_ns += 10 * SECOND_NS;
	return object_work_open(&objects, &config, hear, &said);
}

static int end(void **unused)
{
	(void)unused;
	object_work_close(objects);
	objects = NULL;
	if (said.copy_fd >= 0)
		close(said.copy_fd);
	unlink(below("x"));
	return 0;
}

static int setup(void **unused)
{
	(void)unused;
	return mkdtemp(home) ? 0 : -1;
}

static int teardown(void **unused)
{
	(void)unused;
	return rmdir(home);
}

/* A file whose last change lies long enough back. */
static void make(const char *name, size_t size, unsigned seed)
{
	int fd = open(below(name), O_RDWR | O_CREAT | O_TRUNC, 0700);

	assert_true(fd >= 0);
	fill(fd, size, seed);
	close(fd);
}

static void ask_fd(int fd, uint64_t id)
{
	record.id = id;
	object_work_add(objects, fd, &record, now_ns);
}

static void ask(const char *name, uint64_t id)
{
	int fd = open(below(name), O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	ask_fd(fd, id);
}

/* Until there is nothing to do any more; a second passes with each step. */
static unsigned work(uint64_t bytes)
{
	unsigned steps = 0;

	while (object_work_wait_ms(objects, now_ns) >= 0) {
		object_work_step(objects, bytes, now_ns);
		now_ns += SECOND_NS;
		steps++;
	}
	return steps;
}

static void must_be(const char *name, size_t size)
{
	uint8_t digest[32];

	sum_of(below(name), digest);
	assert_true(said.object.has_digest);
	assert_memory_equal(said.object.sha256, digest, 32);
	assert_int_equal(said.object.bytes, size);
}

static void a_file_is_hashed_and_copied(void **unused)
{
	static const size_t sizes[] = { 1, 4095, 4096, 262144, 262145, MIB };
	int fd;

	(void)unused;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make("x", sizes[i], i);
		ask("x", i + 1);
		work(UINT64_MAX);
		assert_int_equal(said.n, i + 1);
		assert_int_equal(said.ids[i], i + 1);
		assert_int_equal(said.copies, i + 1);
		assert_int_equal(said.object.why, OBJECT_WHY_NONE);
		must_be("x", sizes[i]);
		fd = open(below("x"), O_RDONLY);
		same_bytes(said.copy_fd, fd, sizes[i]);
		close(fd);
	}
}

static void a_copy_can_be_changed_by_nobody(void **unused)
{
	(void)unused;
	make("x", 5000, 1);
	ask("x", 1);
	work(UINT64_MAX);
	assert_int_equal(fcntl(said.copy_fd, F_GET_SEALS) & OBJECT_SEALS, OBJECT_SEALS);
	assert_int_equal(pwrite(said.copy_fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(said.copy_fd, 1), -1);
}

static void a_flood_of_one_program_is_read_once(void **unused)
{
	unsigned steps;

	(void)unused;
	make("x", MIB, 1);
	for (unsigned i = 0; i < 1000; i++)
		ask("x", i + 1);
	steps = work(256 * KIB);
	assert_in_range(steps, 4, 6);
	assert_int_equal(said.n, 1000);
	assert_int_equal(said.copies, 1);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(said.ids[i], i + 1);
	assert_true(said.object.has_copy);
}

static void a_step_reads_no_more_than_it_is_told(void **unused)
{
	(void)unused;
	make("x", MIB, 1);
	ask("x", 1);
	assert_in_range(work(4096), 256, 258);
	must_be("x", MIB);
}

static void all_together_get_a_share_of_each_second(void **unused)
{
	int64_t begun_ns, took_ns;
	int fd = open(below("x"), O_RDWR | O_CREAT, 0700);

	(void)unused;
	assert_int_equal(ftruncate(fd, 1024L * MIB), 0);
	close(fd);
	ask("x", 1);
	now_ns -= now_ns % SECOND_NS;
	begun_ns = clock_ns(CLOCK_MONOTONIC);
	object_work_step(objects, UINT64_MAX, now_ns);
	took_ns = clock_ns(CLOCK_MONOTONIC) - begun_ns;
	assert_int_equal(said.n, 0);
	assert_in_range(took_ns, 0, 900000000);
	assert_in_range(object_work_wait_ms(objects, now_ns), 900, 1001);
	assert_int_equal(object_work_wait_ms(objects, now_ns + SECOND_NS), 0);
}

static void what_is_known_is_said_at_once(void **unused)
{
	struct timespec past[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	(void)unused;
	make("x", 5000, 1);
	utimensat(AT_FDCWD, below("x"), past, 0);
	sleep(3); /* its ctime can't be set back */
	ask("x", 1);
	work(UINT64_MAX);
	record.owner.proc.pid++; /* another process that runs it */
	ask("x", 2);
	assert_int_equal(said.n, 2);
	assert_int_equal(said.copies, 1);
	assert_true(said.object.has_copy);
	must_be("x", 5000);
	make("x", 5000, 2);
	utimensat(AT_FDCWD, below("x"), past, 0); /* the times lie */
	ask("x", 3);
	assert_int_equal(said.n, 2);
	work(UINT64_MAX);
	assert_int_equal(said.copies, 2);
	must_be("x", 5000);
}

static void memory_is_read_anew_for_each_process(void **unused)
{
	int memfd = memfd_create("x", MFD_CLOEXEC);
	char path[64], *bytes;
	uint8_t first[32];

	(void)unused;
	fill(memfd, 5000, 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	ask_fd(open(path, O_PATH), 1);
	work(UINT64_MAX);
	memcpy(first, said.object.sha256, 32);
	ask_fd(open(path, O_PATH), 2);
	assert_int_equal(said.n, 2); /* of the same process: known */
	assert_int_equal(said.copies, 1);
	/* written through a mapping: neither its size nor its ctime tells */
	bytes = mmap(NULL, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	bytes[77] ^= 1;
	munmap(bytes, 5000);
	record.owner.proc.start_ticks++;
	ask_fd(open(path, O_PATH), 3);
	work(UINT64_MAX);
	assert_int_equal(said.copies, 2);
	assert_memory_not_equal(said.object.sha256, first, 32);
	close(memfd);
}

static void a_large_one_has_a_digest_only(void **unused)
{
	(void)unused;
	make("x", MIB + 1, 1);
	ask("x", 1);
	work(UINT64_MAX);
	assert_int_equal(said.object.why, OBJECT_WHY_TOO_BIG);
	assert_false(said.object.has_copy);
	assert_int_equal(said.copies, 0);
	must_be("x", MIB + 1);
}

static void a_huge_one_is_not_read(void **unused)
{
	int fd = open(below("x"), O_RDWR | O_CREAT, 0700);

	(void)unused;
	assert_int_equal(ftruncate(fd, 1024L * MIB + 1), 0);
	close(fd);
	ask("x", 1);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.object.why, OBJECT_WHY_TOO_BIG);
	assert_false(said.object.has_digest);
	assert_int_equal(said.object.bytes, 1024L * MIB + 1);
}

static void a_large_one_holds_no_small_one_up(void **unused)
{
	int fd = open(below("large"), O_RDWR | O_CREAT, 0700);

	(void)unused;
	assert_int_equal(ftruncate(fd, 1024L * MIB), 0);
	close(fd);
	make("x", MIB, 1);
	ask("large", 1);
	ask("x", 2);
	unlink(below("large"));
	for (int i = 0; i < 9 && !said.n; i++)
		object_work_step(objects, 256 * KIB, now_ns += SECOND_NS);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.ids[0], 2);
}

static void one_users_copies_are_bounded(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < 17; i++) {
		make("x", MIB, i);
		ask("x", i);
		work(UINT64_MAX);
	}
	assert_int_equal(said.copies, 16); /* a quarter of 64 MiB */
	assert_int_equal(said.object.why, OBJECT_WHY_BUDGET);
	must_be("x", MIB);
	record.owner.proc.uid++;
	make("x", MIB, 99);
	ask("x", 99);
	work(UINT64_MAX);
	assert_int_equal(said.copies, 17);
}

static void one_users_queue_is_bounded(void **unused)
{
	char name[16];

	(void)unused;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "q%u", i);
		make(name, 4096, i);
		ask(name, i);
		unlink(below(name));
	}
	assert_int_equal(said.n, 4); /* 16 wait */
	assert_int_equal(said.object.why, OBJECT_WHY_BUDGET);
	assert_false(said.object.has_digest);
	record.owner.proc.uid++;
	make("x", 4096, 99);
	ask("x", 99);
	assert_int_equal(said.n, 4);
	work(UINT64_MAX);
	assert_int_equal(said.n, 21);
}

static void what_could_not_be_sent_is_read_again(void **unused)
{
	(void)unused;
	make("x", 5000, 1);
	ask("x", 1);
	said.refuse = -EAGAIN;
	work(UINT64_MAX);
	said.refuse = 0;
	ask("x", 2);
	assert_int_equal(said.n, 0);
	work(UINT64_MAX);
	assert_int_equal(said.copies, 1);
}

static void one_that_changes_is_begun_anew(void **unused)
{
	(void)unused;
	make("x", MIB, 1);
	ask("x", 1);
	object_work_step(objects, 512 * KIB, now_ns);
	make("x", MIB, 2);
	work(256 * KIB);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.object.why, OBJECT_WHY_NONE);
	must_be("x", MIB);
}

static void one_that_goes_on_changing_has_the_digest_of_its_copy(void **unused)
{
	char path[64];
	uint8_t digest[32];

	(void)unused;
	make("x", 512 * KIB, 1);
	ask("x", 1);
	for (unsigned i = 2; !said.n; i++) {
		make("x", 512 * KIB, i);
		object_work_step(objects, 256 * KIB, now_ns += SECOND_NS);
		assert_true(i < 20);
	}
	assert_int_equal(said.copies, 1);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), said.copy_fd);
	sum_of(path, digest);
	assert_memory_equal(said.object.sha256, digest, 32);
}

static void a_large_one_that_goes_on_changing_has_no_digest(void **unused)
{
	(void)unused;
	make("x", 2 * MIB, 1);
	ask("x", 1);
	for (unsigned i = 2; !said.n; i++) {
		make("x", 2 * MIB, i);
		object_work_step(objects, MIB, now_ns += SECOND_NS);
		assert_true(i < 20);
	}
	assert_int_equal(said.object.why, OBJECT_WHY_ERROR);
	assert_false(said.object.has_digest);
}

static void what_is_no_file_is_not_opened(void **unused)
{
	(void)unused;
	assert_int_equal(mkfifo(below("fifo"), 0700), 0);
	ask("fifo", 1);
	unlink(below("fifo"));
	assert_int_equal(said.n, 1);
	assert_int_equal(said.object.why, OBJECT_WHY_ERROR);
	ask("", 2);
	assert_int_equal(said.n, 2);
	assert_int_equal(said.object.why, OBJECT_WHY_ERROR);
}

static void one_that_was_gone_is_said_to_be(void **unused)
{
	(void)unused;
	ask_fd(-1, 1);
	assert_int_equal(said.n, 1);
	assert_int_equal(said.object.why, OBJECT_WHY_EXITED);
	record.owner.exe_deleted = false;
	ask_fd(-1, 2);
	assert_int_equal(said.n, 1); /* not suspicious: nothing is said */
}

static void without_evidence_nothing_is_copied(void **unused)
{
	(void)unused;
	config.evidence = false;
	object_work_options(objects, &config);
	make("x", 5000, 1);
	ask("x", 1);
	work(UINT64_MAX);
	assert_int_equal(said.copies, 0);
	assert_int_equal(said.object.why, OBJECT_WHY_BUDGET);
	must_be("x", 5000);
}

#define NAMED(text, function)                                                                      \
	{                                                                                          \
		text, function, begin, end, NULL                                                   \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMED("a file is hashed and copied, byte by byte", a_file_is_hashed_and_copied),
		NAMED("a copy can be changed by nobody", a_copy_can_be_changed_by_nobody),
		NAMED("a flood of one program is read once", a_flood_of_one_program_is_read_once),
		NAMED("a step reads no more than it is told", a_step_reads_no_more_than_it_is_told),
		NAMED("all together get a share of each second",
		      all_together_get_a_share_of_each_second),
		NAMED("what is known is said at once, and a change makes it unknown",
		      what_is_known_is_said_at_once),
		NAMED("a program in memory is read anew for each process",
		      memory_is_read_anew_for_each_process),
		NAMED("a large one has a digest only", a_large_one_has_a_digest_only),
		NAMED("a huge one is not read", a_huge_one_is_not_read),
		NAMED("a large one holds no small one up", a_large_one_holds_no_small_one_up),
		NAMED("one user's copies are bounded", one_users_copies_are_bounded),
		NAMED("one user's queue is bounded", one_users_queue_is_bounded),
		NAMED("what could not be sent is read again", what_could_not_be_sent_is_read_again),
		NAMED("one that changes is begun anew", one_that_changes_is_begun_anew),
		NAMED("one that goes on changing has the digest of its copy",
		      one_that_goes_on_changing_has_the_digest_of_its_copy),
		NAMED("a large one that goes on changing has no digest",
		      a_large_one_that_goes_on_changing_has_no_digest),
		NAMED("what is no file is not opened", what_is_no_file_is_not_opened),
		NAMED("one that was gone is said to be", one_that_was_gone_is_said_to_be),
		NAMED("without evidence nothing is copied", without_evidence_nothing_is_copied),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
