/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recorder end to end: a process of its own behind a socketpair, its store read from here. */
#include "fixture.h"

#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/batch.h"
#include "agent/evidence.h"
#include "agent/object_read.h"
#include "agent/objects.h"
#include "agent/objects_folder.h"
#include "agent/pass_fd.h"
#include "agent/recorder.h"
#include "agent/store.h"
#include "agent/wire.h"
#include "objects.h"

static struct config config;
static struct record record;
static uint8_t message[WIRE_BYTES_MAX];
static char said_path[64]; /* not in the state folder: its disk may be full */
static bool batched;	   /* records go as the judge sends them, else one by one */
static struct batch *batch;
static uint64_t batch_sent, batch_lost;

static int set_up(void **state)
{
	fixture_config(&config);
	config.keep_days = 0; /* the records are from 2023 */
	fixture_record(&record);
	if (fixture_enter(state))
		return -1;
	snprintf(said_path, sizeof(said_path), "%s/stderr", (char *)*state);
	return mkdir("evidence", 0700);
}

static int set_up_batched(void **state)
{
	batched = true;
	return set_up(state);
}

static int leave(void **state)
{
	batch_free(batch);
	batch = NULL;
	batched = false;
	return fixture_leave(state);
}

struct run {
	pid_t pid;
	int fd;	     /* our end */
	int journal; /* the other end of its journal */
};

static struct run start(void)
{
	int channel[2], journal[2], null, size = 8 << 20; /* as channel_bytes */
	struct run run;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, journal), 0);
	if (batched)
		setsockopt(channel[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	run.pid = fork();
	if (run.pid == 0) {
		close(channel[0]);
		close(journal[0]);
		null = open(said_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(null, STDERR_FILENO);
		_exit(recorder_main(&config, channel[1], open("evidence", O_RDONLY | O_DIRECTORY),
				    journal[1]));
	}
	close(channel[1]);
	close(journal[1]);
	run.fd = channel[0];
	run.journal = journal[0];
	batch_free(batch);
	batch_sent = batch_lost = 0;
	batch = batched ? batch_new(run.fd, (const uint8_t[16]){ 7 }, &batch_sent, &batch_lost)
			: NULL;
	return run;
}

static int wait_for(struct run *run)
{
	int status;

	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int finish(struct run *run)
{
	int code;

	close(run->fd);
	code = wait_for(run);
	close(run->journal);
	return code;
}

static void put(const struct run *run)
{
	struct pollfd pollfd = { .fd = run->fd, .events = POLLOUT };
	int len;

	if (batched) {
		batch_add(batch, &record);
		assert_int_equal(poll(&pollfd, 1, 10000), 1);
		batch_flush(batch);
		assert_int_equal(batch_lost, 0);
		return;
	}
	len = wire_encode_record(&record, message, sizeof(message));
	assert_int_equal(send(run->fd, message, (size_t)len, 0), len);
}

static void put_status(const struct run *run, uint64_t sent)
{
	struct wire_status status = { .ts_ns = T0_NS };
	int len;

	strcpy(status.stats.judge_epoch, "judge");
	status.stats.value[STAT_SENT] = sent;
	len = wire_encode_status(&status, message, sizeof(message));
	assert_int_equal(send(run->fd, message, (size_t)len, 0), len);
}

static struct store_status status_now(const char *dir)
{
	struct store_status status = { 0 };
	struct store *store;

	if (store_open_read(&store, dir) == 0) {
		assert_int_equal(store_status(store, &status), 0);
		store_free(store);
	}
	return status;
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Waits until the store holds n records; fails after some seconds. */
static void wait_recorded(const char *dir, uint64_t n)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (status_now(dir).recorded >= n)
			return;
		sleep_ms(10);
	}
	fail_msg("the store never held %llu records", (unsigned long long)n);
}

static int64_t ask(const char *sql)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	int64_t value;

	assert_int_equal(sqlite3_open_v2("egressd.db", &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static bool said(const char *text)
{
	char got[16384] = "";
	int fd = open(said_path, O_RDONLY);
	ssize_t len = read(fd, got, sizeof(got) - 1);

	close(fd);
	return len > 0 && strstr(got, text);
}

struct kept {
	int n, with_evidence;
};

static int look(void *context, const struct store_verdict *verdict)
{
	char path[128], *comment, id[64];
	uint32_t len, packet_bytes;
	struct kept *kept = context;
	uint8_t *bytes;
	int64_t ts_ns;
	int fd;

	kept->n++;
	if (!verdict->evidence_file)
		return 0;
	kept->with_evidence++;
	snprintf(path, sizeof(path), "evidence/%s", verdict->evidence_file);
	fd = open(path, O_RDONLY);
	assert_int_equal(evidence_read(fd, (uint64_t)verdict->evidence_offset, &ts_ns, &bytes, &len,
				       &packet_bytes, &comment),
			 0);
	snprintf(id, sizeof(id), "{\"id\":%lld,", (long long)verdict->id);
	assert_int_equal(strncmp(comment, id, strlen(id)), 0);
	assert_int_equal(ts_ns, verdict->first_ns);
	assert_int_equal(len, verdict->excerpt.len);
	assert_memory_equal(bytes, verdict->excerpt.bytes, len);
	free(bytes);
	free(comment);
	close(fd);
	return 0;
}

static struct kept look_at_all(const char *dir)
{
	struct kept kept = { 0 };
	struct store *store;

	assert_int_equal(store_open_read(&store, dir), 0);
	assert_int_equal(store_verdicts(store, &(struct store_filter){ 0 }, look, &kept), 0);
	store_free(store);
	return kept;
}

static void what_was_sent_is_kept_when_the_channel_closes(void **state)
{
	struct run run = start();
	struct store_status status;
	struct kept kept;
	char line[8192];
	unsigned i;

	for (i = 0; i < 300; i++) {
		fixture_dst(&record, 0xc0000200 + i % 30);
		put(&run);
	}
	put_status(&run, 300);
	record.verdict = VERDICT_ALLOW;
	record.reason = REASON_MAIL_SERVER;
	put(&run);
	assert_int_equal(recv(run.journal, line, sizeof(line) - 1, 0) > 0, 1);
	assert_int_equal(finish(&run), 0);
	status = status_now(*state);
	assert_int_equal(status.recorded, 301);
	assert_int_equal(status.recorded_at_report, 300);
	assert_int_equal(status.lost_recorder, 0);
	assert_int_equal(status.rows, 31);
	assert_true(status.evidence_bytes > 0);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 301);
	kept = look_at_all(*state);
	assert_int_equal(kept.n, 31);
	assert_int_equal(kept.with_evidence, 31);
}

static void the_journal_has_one_line_with_an_id_that_is_kept(void **state)
{
	struct run run = start();
	char line[8192];
	ssize_t len;
	unsigned i;

	for (i = 0; i < 50; i++) {
		fixture_dst(&record, i);
		put(&run);
	}
	len = recv(run.journal, line, sizeof(line) - 1, 0);
	assert_true(len > 0);
	line[len] = '\0';
	assert_non_null(strstr(line, "\nEGRESSD_ID=1\n"));
	assert_true(status_now(*state).recorded >= 1); /* the line came after its commit */
	close(run.fd);
	assert_int_equal(wait_for(&run), 0);
	assert_int_equal(recv(run.journal, line, sizeof(line), MSG_DONTWAIT), -1); /* no other */
	close(run.journal);
}

static void put_note(const struct run *run, uint64_t id, const char *client)
{
	static struct note note;
	int len;

	fixture_note(&note, id);
	snprintf(note.trigger.client, sizeof(note.trigger.client), "%s", client);
	len = wire_encode_note(&note, message, sizeof(message));
	assert_int_equal(send(run->fd, message, (size_t)len, 0), len);
}

static void a_note_goes_to_the_row_its_record_began_and_a_repeats_to_the_offender(void **state)
{
	struct run run = start();
	uint64_t id;

	for (id = 1; id <= 6; id++) { /* two rows of three */
		fixture_dst(&record, (uint32_t)id % 2);
		record.id = id;
		put(&run);
	}
	put_note(&run, 5, "five");
	put_note(&run, 2, "two");
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).notes_late, 0);
	assert_int_equal(ask("SELECT count(*) FROM note"), 1);
	assert_int_equal(ask("SELECT id FROM note WHERE client = CAST('two' AS BLOB)"), 2);
	assert_int_equal(ask("SELECT triggers FROM offender"), 2);
	assert_int_equal(ask("SELECT count FROM trigger_group WHERE client = CAST('five' AS BLOB)"),
			 1);
}

static void a_note_that_overtook_its_record_waits_for_it(void **state)
{
	struct run run = start();

	record.id = 1;
	put(&run);
	put_note(&run, 2, "early");
	wait_recorded(*state, 1);
	assert_int_equal(ask("SELECT count(*) FROM note"), 0);
	fixture_dst(&record, 2);
	record.id = 2;
	put(&run);
	wait_recorded(*state, 2);
	assert_int_equal(ask("SELECT id FROM note"), 2);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).notes_late, 0);
}

static void a_note_of_nobody_is_a_number_after_a_while(void **state)
{
	struct run run = start();
	int i;

	record.id = 10;
	put(&run);
	put_note(&run, 9, "gone"); /* older than all that is known: at once */
	put_note(&run, 4711, "never");
	for (i = 0; i < 500 && status_now(*state).notes_late < 2; i++)
		sleep_ms(10);
	assert_true(i > 100 && i < 500); /* the second one was waited for */
	assert_int_equal(ask("SELECT count(*) FROM note"), 0);
	put_note(&run, 4712, "at the end");
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).notes_late, 3);
	assert_int_equal(status_now(*state).recorded, 1);
}

static void a_note_across_a_restart_is_a_number_and_no_other_row_gets_it(void **state)
{
	struct run run = start();

	record.id = 1;
	put(&run);
	assert_int_equal(finish(&run), 0);
	run = start();
	fixture_dst(&record, 8);
	record.id = 2;
	put(&run);
	put_note(&run, 1, "before");
	put_note(&run, 2, "after");
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).notes_late, 1);
	assert_int_equal(ask("SELECT count(*) FROM note"), 1);
	assert_int_equal(ask("SELECT id FROM note WHERE client = CAST('after' AS BLOB)"), 2);
}

static void what_was_learnt_has_a_line_in_the_journal_with_the_rows_id(void **state)
{
	struct run run = start();
	char line[16384];
	ssize_t len;

	(void)state;
	record.id = 1;
	put(&run);
	put_note(&run, 1, "203.0.113.9");
	put_note(&run, 1, "203.0.113.9"); /* too soon for another */
	len = recv(run.journal, line, sizeof(line) - 1, 0);
	assert_true(len > 0); /* the refusal's own */
	len = recv(run.journal, line, sizeof(line) - 1, 0);
	assert_true(len > 0);
	line[len] = '\0';
	assert_non_null(strstr(line, "MESSAGE=Learnt of attempt 1: site shop.example (vhost)"));
	assert_non_null(strstr(line, "\nEGRESSD_ID=1\n"));
	close(run.fd);
	assert_int_equal(wait_for(&run), 0);
	assert_int_equal(recv(run.journal, line, sizeof(line), MSG_DONTWAIT), -1);
	close(run.journal);
}

/* A sealed memfd of `size` bytes, and a note about record `id` that it is the copy of. */
static int make_copy(size_t size, uint64_t id, struct note *note)
{
	int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char path[64];

	assert_true(fd >= 0);
	fill(fd, size, (unsigned)id);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, OBJECT_SEALS), 0);
	fixture_note(note, id);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	sum_of(path, note->object.sha256);
	note->object.bytes = size;
	return fd;
}

static void put_with(const struct run *run, const struct note *note, int fd)
{
	int len = wire_encode_note(note, message, sizeof(message));

	assert_int_equal(pass_fd_send(run->fd, message, (size_t)len, fd), 0);
}

static void a_copy_that_comes_with_a_note_is_kept_with_its_row(void **state)
{
	char name[OBJECTS_NAME_BYTES];
	struct stat st;
	static struct note note;
	struct run run;
	int fd;

	assert_int_equal(mkdir(OBJECTS_FOLDER, 0750), 0);
	config.object_bytes = config.objects_bytes = 16 << 20;
	config.keep_days = 90;
	run = start();
	for (record.id = 1; record.id <= 2; record.id++) {
		fixture_dst(&record, (uint32_t)record.id);
		put(&run);
	}
	fd = make_copy(3000000, 1, &note);
	put_with(&run, &note, fd);
	close(fd);
	note.id = 2; /* another record of the same program */
	note.parts = NOTE_OBJECT;
	put_with(&run, &note, -1);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).notes_late, 0);
	assert_int_equal(status_now(*state).lost_evidence, 0);
	assert_int_equal(ask("SELECT count(*) FROM note WHERE copied = 1"), 2);
	assert_int_equal(ask("SELECT count(*) FROM note WHERE client <> ''"), 1);
	objects_name(note.object.sha256, name);
	assert_int_equal(chdir(OBJECTS_FOLDER), 0);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(st.st_size, 3000000);
	assert_int_equal(st.st_mode & 07777, 0400);
}

static void a_copy_that_is_not_as_it_is_said_to_be_makes_no_file(void **state)
{
	static struct note note;
	struct run run;
	int fd;

	(void)state;
	assert_int_equal(mkdir(OBJECTS_FOLDER, 0750), 0);
	config.object_bytes = config.objects_bytes = 16 << 20;
	run = start();
	record.id = 1;
	put(&run);
	fd = make_copy(5000, 1, &note);
	note.object.sha256[0] ^= 1;
	put_with(&run, &note, fd);
	close(fd);
	put(&run); /* goes on */
	assert_int_equal(finish(&run), 0);
	assert_int_equal(ask("SELECT count(*) FROM note WHERE copied = 1"), 0);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 2);
	assert_int_equal(ask("SELECT n FROM lost WHERE word = 'evidence'"), 1);
	assert_int_equal(rmdir(OBJECTS_FOLDER), 0); /* it is empty */
}

static void descriptors_that_nobody_wants_are_closed(void **state)
{
	char path[64], command[96];
	struct run run = start();
	unsigned before, after;
	FILE *out;
	int i;

	put(&run);
	wait_recorded(*state, 1);
	snprintf(path, sizeof(path), "/proc/%d/fd", run.pid);
	snprintf(command, sizeof(command), "ls %s | wc -l", path);
	out = popen(command, "r");
	assert_int_equal(fscanf(out, "%u", &before), 1);
	pclose(out);
	for (i = 0; i < 200; i++) {
		int len = wire_encode_record(&record, message, sizeof(message));

		assert_int_equal(pass_fd_send(run.fd, message, (size_t)len, 0), 0);
		assert_int_equal(pass_fd_send(run.fd, "rubbish", 7, 0), 0);
		sleep_ms(1);
	}
	wait_recorded(*state, 201);
	out = popen(command, "r");
	assert_int_equal(fscanf(out, "%u", &after), 1);
	pclose(out);
	assert_int_equal(after, before);
	assert_int_equal(finish(&run), 0);
}

static void term_drains_the_channel_first(void **state)
{
	struct run run = start();
	unsigned i;

	put(&run);
	wait_recorded(*state, 1);
	kill(run.pid, SIGSTOP);
	for (i = 0; i < 100; i++) {
		fixture_dst(&record, i);
		put(&run);
	}
	kill(run.pid, SIGTERM);
	kill(run.pid, SIGCONT);
	assert_int_equal(wait_for(&run), 0);
	close(run.fd);
	close(run.journal);
	assert_int_equal(status_now(*state).recorded, 101);
}

static void bad_messages_are_counted_and_survived(void **state)
{
	struct run run = start();
	unsigned i;
	int len;

	put(&run);
	memset(message, 0xff, sizeof(message));
	for (i = 0; i < 10; i++)
		assert_int_equal(send(run.fd, message, 100 * i + 1, 0), 100 * i + 1);
	assert_int_equal(send(run.fd, "", 0, 0), 0);
	len = wire_encode_record(&record, message, sizeof(message));
	assert_int_equal(send(run.fd, message, (size_t)len - 1, 0), len - 1);
	record.ts_ns = -5;
	put(&run);
	record.ts_ns = T0_NS;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).recorded, 2);
	assert_int_equal(status_now(*state).lost_bad_message, 13);
}

static void new_options_take_effect(void **state)
{
	struct run run = start();
	int len;

	put(&run);
	config.fold_s = 1;
	config.evidence = false;
	len = wire_encode_options(&config, message, sizeof(message));
	assert_int_equal(send(run.fd, message, (size_t)len, 0), len);
	record.ts_ns += NS_PER_S;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(look_at_all(*state).n, 2);
	assert_int_equal(look_at_all(*state).with_evidence, 1);
}

static void what_was_shown_survives_a_kill(void **state)
{
	struct store_status before = { 0 }, after;
	unsigned round, i, sent = 0;
	struct run run;

	for (round = 0; round < 4; round++) {
		run = start();
		for (i = 0; i < 500; i++) {
			fixture_dst(&record, i);
			record.ts_ns++;
			put(&run);
			sent++;
		}
		put_status(&run, sent);
		wait_recorded(*state, before.recorded + 1);
		sleep_ms(7 * round);
		before = status_now(*state);
		kill(run.pid, SIGKILL);
		assert_int_equal(finish(&run), -SIGKILL);
		after = status_now(*state);
		assert_true(after.recorded >= before.recorded);
		before = after;
		look_at_all(*state); /* each row's packet is whole */
		assert_int_equal(ask("SELECT sum(count) FROM verdict"), after.recorded);
		assert_int_equal(ask("SELECT sum(attempts) FROM offender"), after.recorded);
	}
	run = start();
	put(&run);
	put_status(&run, sent + 1);
	assert_int_equal(finish(&run), 0);
	after = status_now(*state);
	/* the judge was the same all the time: what is missing is told exactly */
	assert_int_equal(after.total[STAT_SENT], sent + 1);
	assert_int_equal(after.lost_recorder, sent + 1 - after.recorded);
	assert_int_equal(access("egressd.db.corrupt", F_OK), -1);
}

static void evidence_that_went_is_forgotten(void **state)
{
	struct run run = start();

	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(look_at_all(*state).with_evidence, 1);
	assert_int_equal(unlink("evidence/evidence-20231114T221320Z-0.pcapng"), 0);
	run = start();
	record.uid = 34;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(look_at_all(*state).n, 2);
	assert_int_equal(look_at_all(*state).with_evidence, 1);
}

#define THE_FILE "evidence/evidence-20231114T221320Z-0.pcapng"

static void evidence_that_was_cut_is_forgotten(void **state)
{
	struct run run = start();
	struct stat st;

	put(&run);
	wait_recorded(*state, 1);
	assert_int_equal(truncate(THE_FILE, 50), 0);
	record.uid = 34;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(look_at_all(*state).n, 2); /* reads what there is */
	assert_int_equal(look_at_all(*state).with_evidence, 1);
	assert_int_equal(stat(THE_FILE, &st), 0);
	assert_int_equal(st.st_size, 50);
	assert_true(said("changed by somebody else"));
}

/* Where the cut block was, another would be appended: its row must not be taken for the first's. */
static void evidence_that_was_cut_between_two_runs_is_forgotten(void **state)
{
	struct run run = start();
	struct stat st;

	assert_int_equal(stat("evidence", &st), 0);
	put(&run);
	wait_recorded(*state, 1);
	assert_int_equal(stat(THE_FILE, &st), 0);
	record.uid = 34;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(truncate(THE_FILE, st.st_size), 0); /* at a block's end */
	run = start();
	record.uid = 35;
	put(&run);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(look_at_all(*state).n, 3);
	assert_int_equal(look_at_all(*state).with_evidence, 1);
}

static void rows_forget_the_files_a_quota_took(void **state)
{
	struct run run;
	unsigned i;

	config.evidence_file_bytes = 4096;
	config.evidence_total_bytes = 2 * 4096;
	run = start();
	for (i = 0; i < 100; i++) {
		fixture_dst(&record, i);
		put(&run);
	}
	assert_int_equal(finish(&run), 0);
	i = (unsigned)look_at_all(*state).with_evidence; /* reads each of them */
	assert_true(i > 10 && i < 60);
	assert_int_equal(ask("SELECT count(*) FROM evidence_file"), 2);
}

static void a_full_disk_suspends_and_loses_no_number(void **state)
{
	struct store_status status;
	char line[8192], *big, *dir;
	struct run run;
	unsigned i;
	int fd;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir("disk", 0700), 0);
	if (mount("tmpfs", "disk", "tmpfs", 0, "size=2m") < 0)
		skip();
	assert_true(asprintf(&dir, "%s/disk", (char *)*state) > 0);
	assert_int_equal(chdir("disk"), 0);
	assert_int_equal(mkdir("evidence", 0700), 0);
	config.commit_ms = 5;
	run = start();
	put(&run);
	wait_recorded(dir, 1);
	fd = open("ballast", O_WRONLY | O_CREAT, 0600);
	big = calloc(1, 1 << 20);
	while (write(fd, big, 4096) == 4096)
		;
	for (i = 0; i < 300; i++) {
		fixture_dst(&record, i);
		put(&run);
		if (i % 50 == 0)
			sleep_ms(10);
	}
	sleep_ms(100);
	assert_true(said("the store can't be written"));
	assert_true(recv(run.journal, line, sizeof(line), MSG_DONTWAIT) > 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	sleep_ms(1200); /* it tries again each second */
	record.uid = 34;
	put(&run);
	assert_int_equal(finish(&run), 0);
	status = status_now(dir);
	assert_true(status.lost_commit > 0);
	assert_int_equal(status.recorded + status.lost_commit, 302);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), status.recorded);
	assert_int_equal(ask("SELECT count(*) FROM verdict WHERE uid = 34"), 1);
	close(fd);
	free(big);
	free(dir);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(umount("disk"), 0);
}

static void what_is_too_old_is_removed_but_counted(void **state)
{
	struct store_status status;
	struct run run;

	config.keep_days = 90;
	run = start();
	put(&run);
	wait_recorded(*state, 1);
	sleep_ms(1100); /* it looks each second */
	put_status(&run, 1);
	sleep_ms(50);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 0);
	assert_int_equal(finish(&run), 0);
	status = status_now(*state);
	assert_int_equal(status.recorded, 1);
	assert_int_equal(status.pruned, 1);
}

static void a_newer_store_ends_it_with_a_reason(void **state)
{
	struct run run = start();
	sqlite3 *db;

	(void)state;
	assert_int_equal(finish(&run), 0);
	assert_int_equal(sqlite3_open("egressd.db", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	run = start();
	assert_int_equal(finish(&run), 1);
	assert_true(said("newer version"));
}

static void a_flood_is_kept_exactly(void **state)
{
	struct run run;
	unsigned i;

	config.rows_per_offender = 200;
	run = start();
	for (i = 0; i < 20000; i++) {
		fixture_dst(&record, i % 4000);
		record.ts_ns++;
		put(&run);
	}
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).recorded, 20000);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 20000);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 201);
	assert_int_equal(ask("SELECT attempts FROM offender"), 20000);
}

/* --- batches ------------------------------------------------------------------------------- */

static void a_batch_wakes_once_and_all_of_it_is_kept(void **state)
{
	struct run run;
	unsigned i;

	batched = true;
	run = start();
	for (i = 1; i <= 500; i++) { /* ten rows; references but for the first of each */
		record.id = i;
		record.ts_ns = T0_NS + i;
		record.owner.proc.pid = (int)(1000 + i); /* a new process each time */
		fixture_dst(&record, i % 10);
		batch_add(batch, &record);
	}
	assert_int_equal(batch_sent, 0);
	batch_flush(batch);
	assert_int_equal(batch_sent, 500);
	put_note(&run, 499, "of a reference");
	assert_int_equal(finish(&run), 0);
	assert_int_equal(status_now(*state).recorded, 500);
	assert_int_equal(status_now(*state).rows, 10);
	assert_int_equal(status_now(*state).notes_late, 0);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 500);
	assert_int_equal(ask("SELECT min(count) FROM verdict"), 50);
	assert_int_equal(ask("SELECT attempts FROM offender"), 500);
	assert_int_equal(ask("SELECT max(last_ns) FROM verdict"), T0_NS + 500);
	assert_int_equal(ask("SELECT count(*) FROM note"), 0); /* of a repeat: not the row's */
	assert_int_equal(ask("SELECT triggers FROM offender"), 1);
}

static void references_to_what_a_killed_recorder_had_are_counted_exactly(void **state)
{
	struct run run, next;
	unsigned i;

	batched = true;
	run = start();
	record.id = 1;
	put(&run);
	wait_recorded(*state, 1);
	kill(run.pid, SIGKILL);
	wait_for(&run);
	batched = false; /* the judge, and what it sent before, stay what they were */
	struct batch *old = batch;
	batch = NULL;
	next = start();
	assert_int_equal(dup2(next.fd, run.fd), run.fd);
	close(next.fd);
	for (i = 2; i <= 40; i++) {
		record.id = i;
		record.ts_ns += NS_PER_S / 30; /* the 31st is whole again */
		batch_add(old, &record);
	}
	batch_flush(old);
	batch_free(old);
	next.fd = run.fd;
	assert_int_equal(finish(&next), 0);
	close(run.journal);
	assert_int_equal(status_now(*state).recorded, 40);
	assert_int_equal(ask("SELECT sum(count) FROM verdict"), 40);
	assert_true(said("counted by user and destination alone"));
	/* those that came before the whole one: of the user, of no program, of no process */
	assert_int_equal(ask("SELECT count FROM verdict WHERE length(script) = 0"), 30);
	assert_int_equal(ask("SELECT count(*) FROM verdict WHERE length(script) = 0 AND uid = 33"
			     " AND pid = 0 AND owner_why = 'error' AND dport = 25"),
			 1);
	assert_int_equal(ask("SELECT sum(attempts) FROM offender"), 40);
	assert_int_equal(ask("SELECT attempts FROM offender WHERE length(script) > 0"), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, leave)
#define BATCHED(name)                                                                              \
	{                                                                                          \
#name "_in_batches", name, set_up_batched, leave, NULL                             \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_sent_is_kept_when_the_channel_closes),
		TEST(the_journal_has_one_line_with_an_id_that_is_kept),
		TEST(a_note_goes_to_the_row_its_record_began_and_a_repeats_to_the_offender),
		TEST(a_note_that_overtook_its_record_waits_for_it),
		TEST(a_note_of_nobody_is_a_number_after_a_while),
		TEST(a_note_across_a_restart_is_a_number_and_no_other_row_gets_it),
		TEST(what_was_learnt_has_a_line_in_the_journal_with_the_rows_id),
		TEST(a_copy_that_comes_with_a_note_is_kept_with_its_row),
		TEST(a_copy_that_is_not_as_it_is_said_to_be_makes_no_file),
		TEST(descriptors_that_nobody_wants_are_closed),
		TEST(term_drains_the_channel_first),
		TEST(bad_messages_are_counted_and_survived),
		TEST(new_options_take_effect),
		TEST(what_was_shown_survives_a_kill),
		TEST(evidence_that_went_is_forgotten),
		TEST(evidence_that_was_cut_is_forgotten),
		TEST(evidence_that_was_cut_between_two_runs_is_forgotten),
		TEST(rows_forget_the_files_a_quota_took),
		TEST(a_full_disk_suspends_and_loses_no_number),
		TEST(what_is_too_old_is_removed_but_counted),
		TEST(a_newer_store_ends_it_with_a_reason),
		TEST(a_flood_is_kept_exactly),
		TEST(a_batch_wakes_once_and_all_of_it_is_kept),
		TEST(references_to_what_a_killed_recorder_had_are_counted_exactly),
		BATCHED(what_was_sent_is_kept_when_the_channel_closes),
		BATCHED(the_journal_has_one_line_with_an_id_that_is_kept),
		BATCHED(a_note_goes_to_the_row_its_record_began_and_a_repeats_to_the_offender),
		BATCHED(a_note_that_overtook_its_record_waits_for_it),
		BATCHED(a_note_of_nobody_is_a_number_after_a_while),
		BATCHED(a_note_across_a_restart_is_a_number_and_no_other_row_gets_it),
		BATCHED(what_was_learnt_has_a_line_in_the_journal_with_the_rows_id),
		BATCHED(term_drains_the_channel_first),
		BATCHED(new_options_take_effect),
		BATCHED(what_was_shown_survives_a_kill),
		BATCHED(evidence_that_went_is_forgotten),
		BATCHED(evidence_that_was_cut_is_forgotten),
		BATCHED(evidence_that_was_cut_between_two_runs_is_forgotten),
		BATCHED(rows_forget_the_files_a_quota_took),
		BATCHED(a_full_disk_suspends_and_loses_no_number),
		BATCHED(what_is_too_old_is_removed_but_counted),
		BATCHED(a_flood_is_kept_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
