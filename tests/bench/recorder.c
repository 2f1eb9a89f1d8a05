/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a record costs judge and recorder, from the judge's record to the commit, in the working
 * directory's file system: CPU of both sides (of the judge's, what handing it over takes), and how
 * many a second. Records come in bursts as the judge's loop makes them, paced so that the channel
 * never is full. A process of its own for each; nothing is lost, or it fails.
 * Usage: recorder [RECORDS]
 */
#include "../unit/fixture.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/batch.h"
#include "agent/clock.h"
#include "agent/recorder.h"
#include "agent/store.h"
#include "agent/wire.h"

#define CHANNEL_BYTES (8 << 20) /* as channel_bytes of the configuration has it */

enum kind { REPEATS, NEW_PROCESS, MANY, DESTINATIONS, FRESH, KINDS };
static const char *const words[KINDS] = {
	[REPEATS] = "one program, one destination", [NEW_PROCESS] = "the same, a new process each",
	[MANY] = "the same of 1,000 programs",	    [DESTINATIONS] = "a flood of destinations",
	[FRESH] = "fresh rows with evidence",
};

static double cpu_ns(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e9 +
	       ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) * 1e3;
}

static void vary(struct record *record, enum kind kind, unsigned i)
{
	record->id = i + 1;
	record->ts_ns = T0_NS + (int64_t)i * 14000;
	record->flow.sport = (uint16_t)(1024 + i % 60000);
	record->owner.inode = i;
	record->owner.cookie = i;
	if (kind == NEW_PROCESS) {
		record->owner.proc.pid = 1000 + (int)(i % 30000);
		record->owner.proc.start_ticks = i;
		record->owner.holders[0] = record->owner.proc;
	}
	if (kind == MANY)
		sprintf(record->owner.script, "/var/www/shop%u/cache/x.php", i % 1000);
	if (kind == DESTINATIONS || kind == FRESH)
		fixture_dst(record, i * 2654435761u);
}

/* The old way: a message each. */
static void send_single(int fd, const struct record *record, uint64_t *sent, uint64_t *lost)
{
	static uint8_t message[WIRE_BYTES_MAX];
	int len = wire_encode_record(record, message, sizeof(message));

	if (send(fd, message, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len)
		++*sent;
	else
		++*lost;
}

static pid_t start_recorder(const struct config *config, int fds[2])
{
	int size = CHANNEL_BYTES, journal[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) ||
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, journal))
			_exit(1);
		_exit(recorder_main(config, fds[1], open("evidence", O_RDONLY | O_DIRECTORY),
				    journal[0]));
	}
	close(fds[1]);
	return pid;
}

/* What the judge's side took in all, without the pauses. */
static double judge_side(int fd, enum kind kind, unsigned n, bool batched, uint64_t *lost)
{
	static struct record record;
	uint8_t key[16] = { 1 };
	uint64_t sent = 0;
	struct batch *batch = batch_new(fd, key, &sent, lost);
	double ns = 0, burst = 0;
	unsigned i;

	fixture_record(&record);
	for (i = 0; i < n; i++) {
		if (i % 140 == 0) /* what one sender makes in two milliseconds */
			burst = cpu_ns(RUSAGE_SELF);
		vary(&record, kind, i);
		if (batched)
			batch_add(batch, &record);
		else
			send_single(fd, &record, &sent, lost);
		if (i % 140 == 139 || i + 1 == n) {
			batch_flush(batch);
			ns += cpu_ns(RUSAGE_SELF) - burst;
			nanosleep(&(struct timespec){ 0, 1900000 }, NULL);
		}
	}
	batch_free(batch);
	return ns;
}

static int measure(enum kind kind, unsigned n, bool batched)
{
	struct config config;
	struct store_status status;
	struct store *store;
	double start, judge, recorder = cpu_ns(RUSAGE_CHILDREN);
	uint64_t lost = 0;
	int fds[2], code;
	void *state;
	pid_t pid;

	fixture_config(&config);
	config.commit_ms = 100;
	config.keep_days = 0;
	if (kind == FRESH)
		config.rows_per_offender = n;
	if (fixture_enter(&state) || mkdir("evidence", 0700))
		return 1;
	pid = start_recorder(&config, fds);
	if (pid < 0)
		return 1;
	start = (double)clock_ns(CLOCK_MONOTONIC);
	judge = judge_side(fds[0], kind, n, batched, &lost);
	close(fds[0]);
	waitpid(pid, &code, 0);
	start = ((double)clock_ns(CLOCK_MONOTONIC) - start) / 1e9;
	recorder = cpu_ns(RUSAGE_CHILDREN) - recorder;
	if (code || store_open_read(&store, state) || store_status(store, &status))
		return 1;
	store_free(store);
	printf("%-30s %-8s %6.0f %8.0f %6.0f %10.0f  (%llu rows, %llu lost)\n", words[kind],
	       batched ? "batched" : "single", judge / n, recorder / n, (judge + recorder) / n,
	       n / start, (unsigned long long)status.rows, (unsigned long long)lost);
	fixture_leave(&state);
	return status.recorded != n || lost > 0;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	int failed = 0;

	printf("%-30s %-8s %6s %8s %6s %10s\n", "CPU ns a record", "", "judge", "recorder", "both",
	       "records/s");
	for (int kind = 0; kind < KINDS; kind++)
		for (int batched = 0; batched < 2; batched++)
			failed |= measure((enum kind)kind, n, batched);
	return failed;
}
