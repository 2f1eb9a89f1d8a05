/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load of `make bench`, and the truth about it: who called each connect(2), how long it took,
 * what came of it. It measures what the app sees, and nothing of what answers it.
 *
 *   connect listen ADDRESS PORT            accepts and closes, each 2 ms, until killed
 *   connect HOW ADDRESS PORT COUNT [-s] [-p US] [-t MS] [-l LEAST] [-o FILE]
 *           [PROGRAM...]
 *     HOW   one: this process; each: a new one by fork; exec: fork and execution of PROGRAM (the
 *           bench's `sender`); php: `PROGRAM... ADDRESS PORT`, which prints "NS ERRNO"
 *     -s    each connect goes to the address after the one before
 *     -p    pause between two, in us      -t  no more after so long, but -l at least
 *     -o    "ADDRESS PID ERRNO" of each, for who wants to compare
 *   connect forks COUNT                    fork and exit, nothing else
 * The last line is JSON.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "load.h"

struct load {
	const char *how;
	struct target target;
	const char *port;
	unsigned count, done, least, pause_us, limit_ms;
	bool steps;
	const char *truth;
	char **program; /* with its arguments, NULL-ended */
	int results_fd;
	struct result *results;
	uint64_t wall_ns;
	uint64_t idle_ms; /* of this CPU meanwhile, to 10 ms */
};

static int serve(const struct target *target)
{
	int fd = socket(target->family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (target->family == AF_INET6) /* another one listens for IPv4 */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&target->address, target->length) < 0 ||
	    listen(fd, 4096) < 0) {
		perror("listen");
		return 1;
	}
	/* The other machine: it must not be woken, on this CPU, in the middle of a connect. */
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			close(peer);
		else
			usleep(2000);
	}
}

static void target_text(const struct target *target, char *text, socklen_t size)
{
	const struct sockaddr_in *four = (const void *)&target->address;
	const struct sockaddr_in6 *six = (const void *)&target->address;

	inet_ntop(target->family,
		  target->family == AF_INET ? (const void *)&four->sin_addr
					    : (const void *)&six->sin6_addr,
		  text, size);
}

static void execute(const struct load *load, const struct target *target, unsigned i)
{
	char address[INET6_ADDRSTRLEN], fd[16], index[16];

	target_text(target, address, sizeof(address));
	snprintf(fd, sizeof(fd), "%d", load->results_fd);
	snprintf(index, sizeof(index), "%u", i);
	execl(load->program[0], load->program[0], fd, index, address, load->port, NULL);
	_exit(127);
}

/* PROGRAM... ADDRESS PORT, its stdout in the pipe. */
static void execute_script(const struct load *load, const struct target *target, int out)
{
	char address[INET6_ADDRSTRLEN];
	const char *words[16];
	unsigned n = 0;

	target_text(target, address, sizeof(address));
	while (load->program[n] && n < 13) {
		words[n] = load->program[n];
		n++;
	}
	words[n++] = address;
	words[n++] = load->port;
	words[n] = NULL;
	dup2(out, STDOUT_FILENO);
	execv(words[0], (char *const *)words);
	_exit(127);
}

static int run_script(const struct load *load, const struct target *target, struct result *result)
{
	int ends[2];
	FILE *file;
	pid_t child;
	unsigned long long ns;
	int error;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child == 0)
		execute_script(load, target, ends[1]);
	close(ends[1]);
	file = fdopen(ends[0], "r");
	if (child < 0 || !file || fscanf(file, "%llu %d", &ns, &error) != 2) {
		result->error = EPROTO;
	} else {
		result->ns = ns;
		result->error = error;
		result->pid = child;
	}
	fclose(file);
	waitpid(child, NULL, 0);
	return 0;
}

static int run_child(const struct load *load, const struct target *target, unsigned i)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child == 0) {
		if (load->program)
			execute(load, target, i);
		connect_once(target, &load->results[i]);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}

/* How long the CPU that we run on was idle since boot, proc_stat(5): which is ours when pinned. */
static uint64_t idle_ms(void)
{
	unsigned long long user, nice, system, idle, wait;
	FILE *file = fopen("/proc/stat", "r");
	uint64_t found = 0;
	int cpu = sched_getcpu(), which;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu%d %llu %llu %llu %llu %llu", &which, &user, &nice, &system,
			   &idle, &wait) == 6 &&
		    which == cpu)
			found = (idle + wait) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	if (file)
		fclose(file);
	return found;
}

static int run_all(struct load *load)
{
	bool one = !strcmp(load->how, "one"), script = !strcmp(load->how, "php");
	struct target target = load->target;
	uint64_t idle = idle_ms(), start = now_ns(), end = start + load->limit_ms * 1000000ULL;
	int err = 0;

	while (load->done < load->count && !err) {
		unsigned i = load->done;

		if (load->limit_ms && i >= load->least && now_ns() > end)
			break;
		load->results[i].error = EPROTO; /* a child that does not answer */
		if (one)
			connect_once(&target, &load->results[i]);
		else if (script)
			err = run_script(load, &target, &load->results[i]);
		else
			err = run_child(load, &target, i);
		load->done++;
		if (load->steps)
			target_add(&target, 1);
		if (load->pause_us)
			usleep(load->pause_us);
	}
	load->wall_ns = now_ns() - start;
	load->idle_ms = idle_ms() - idle;
	return err;
}

static int forks(unsigned count)
{
	uint64_t start = now_ns();

	for (unsigned i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			return 1;
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	printf("{\"count\": %u, \"mean_us\": %.2f}\n", count,
	       (double)(now_ns() - start) / 1000 / count);
	return 0;
}

static int write_truth(const struct load *load)
{
	struct target target = load->target;
	FILE *file = fopen(load->truth, "w");
	char address[INET6_ADDRSTRLEN];

	if (!file)
		return -errno;
	for (unsigned i = 0; i < load->done; i++) {
		target_text(&target, address, sizeof(address));
		fprintf(file, "%s %d %d\n", address, load->results[i].pid, load->results[i].error);
		if (load->steps)
			target_add(&target, 1);
	}
	return fclose(file) ? -errno : 0;
}

static int compare(const void *a, const void *b)
{
	const struct result *left = a, *right = b;

	return left->ns < right->ns ? -1 : left->ns > right->ns;
}

static void print(struct load *load)
{
	unsigned tally[3] = { 0 }, n = load->done;

	for (unsigned i = 0; i < n; i++)
		tally[load->results[i].error == 0	       ? 0
		      : load->results[i].error == ECONNREFUSED ? 1
							       : 2]++;
	qsort(load->results, n, sizeof(*load->results), compare);
	printf("{\"count\": %u, \"median_us\": %.2f, \"p90_us\": %.2f, \"max_us\": %.2f, "
	       "\"wall_us\": %.1f, \"idle_us\": %llu, "
	       "\"connected\": %u, \"refused\": %u, \"other\": %u}\n",
	       n, (double)load->results[n / 2].ns / 1000,
	       (double)load->results[n * 9 / 10].ns / 1000, (double)load->results[n - 1].ns / 1000,
	       (double)load->wall_ns / 1000, (unsigned long long)load->idle_ms * 1000, tally[0],
	       tally[1], tally[2]);
}

static bool parse_options(int argc, char **argv, struct load *load)
{
	int option;

	while ((option = getopt(argc, argv, "+sp:t:l:o:")) != -1) {
		if (option == 's')
			load->steps = true;
		else if (option == 'p')
			load->pause_us = (unsigned)atoi(optarg);
		else if (option == 't')
			load->limit_ms = (unsigned)atoi(optarg);
		else if (option == 'l')
			load->least = (unsigned)atoi(optarg);
		else if (option == 'o')
			load->truth = optarg;
		else
			return false;
	}
	load->program = optind < argc ? argv + optind : NULL;
	return true;
}

/* Memory that its children share, and an executed program reaches by its descriptor. */
static bool map_results(struct load *load)
{
	size_t bytes = load->count * sizeof(*load->results);

	load->results_fd = memfd_create("results", 0);
	if (load->results_fd < 0 || ftruncate(load->results_fd, (off_t)bytes))
		return false;
	load->results = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, load->results_fd, 0);
	return load->results != MAP_FAILED;
}

int main(int argc, char **argv)
{
	struct load load = { .how = argc > 1 ? argv[1] : "" };
	int err;

	if (argc == 3 && !strcmp(load.how, "forks") && atoi(argv[2]) > 0)
		return forks((unsigned)atoi(argv[2]));
	if (argc >= 4 && !strcmp(load.how, "listen") &&
	    target_parse(argv[2], argv[3], &load.target))
		return serve(&load.target);
	load.count = argc >= 5 ? (unsigned)atoi(argv[4]) : 0;
	if (!load.count || !target_parse(argv[2], argv[3], &load.target) ||
	    !parse_options(argc - 4, argv + 4, &load)) {
		fputs("usage: connect listen|one|each|exec|php ADDRESS PORT [COUNT [-s] [-p US] "
		      "[-t MS] [-l LEAST] "
		      "[-o FILE] [PROGRAM...]]\n       connect forks COUNT\n",
		      stderr);
		return 2;
	}
	load.port = argv[3];
	if (!map_results(&load)) {
		perror("connect");
		return 1;
	}
	err = run_all(&load);
	if (!err && load.truth)
		err = write_truth(&load);
	if (err) {
		fprintf(stderr, "connect: %s\n", strerror(-err));
		return 1;
	}
	print(&load);
	return 0;
}
