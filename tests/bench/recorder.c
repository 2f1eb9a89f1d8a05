/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many records a second the recorder keeps, message to commit, in the working directory's
 * file system: repeats of one row, a flood of destinations, and rows that are all fresh.
 * Usage: recorder [RECORDS]
 */
#include "../unit/fixture.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/recorder.h"
#include "agent/store.h"
#include "agent/wire.h"

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum kind { REPEATS, DESTINATIONS, FRESH };

static int measure(const char *what, enum kind kind, unsigned n)
{
	static uint8_t message[WIRE_BYTES_MAX];
	struct config config;
	struct record record;
	struct store_status status;
	struct store *store;
	double start;
	unsigned i;
	int fds[2], len, code;
	void *state;
	pid_t pid;

	fixture_config(&config);
	fixture_record(&record);
	config.commit_ms = 100;
	config.keep_days = 0;
	if (kind == FRESH)
		config.rows_per_offender = n;
	if (fixture_enter(&state) || mkdir("evidence", 0700) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return 1;
	pid = fork();
	if (pid == 0) {
		int journal[2];

		close(fds[0]);
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, journal))
			_exit(1);
		_exit(recorder_main(&config, fds[1], open("evidence", O_RDONLY | O_DIRECTORY),
				    journal[0]));
	}
	close(fds[1]);
	start = seconds();
	for (i = 0; i < n; i++) {
		record.ts_ns = T0_NS + i * 1000;
		if (kind != REPEATS)
			fixture_dst(&record, i * 2654435761u);
		len = wire_encode_record(&record, message, sizeof(message));
		if (send(fds[0], message, (size_t)len, 0) != len)
			return 1;
	}
	close(fds[0]);
	waitpid(pid, &code, 0);
	start = seconds() - start;
	if (code || store_open_read(&store, state) || store_status(store, &status))
		return 1;
	store_free(store);
	printf("%-32s %8.0f records/s  (%llu records, %llu rows)\n", what, n / start,
	       (unsigned long long)status.recorded, (unsigned long long)status.rows);
	fixture_leave(&state);
	return status.recorded != n;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;

	return measure("repeats of one row", REPEATS, n) |
	       measure("a flood of destinations", DESTINATIONS, n) |
	       measure("fresh rows with evidence", FRESH, n);
}
