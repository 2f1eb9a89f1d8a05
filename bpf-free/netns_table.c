/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces of this machine, and which one has a socket; says nothing of who holds it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "netns_internal.h"
#include "proc.h"

#define SPACES_MAX    1024 /* namespaces that are kept; what comes after them is not known */
#define ENTER_AT_ONCE 64
#define SHARE	      9			 /* times what a look took that is left for others */
#define ANEW_NS	      (5000 * NS_PER_MS) /* a process may go to another namespace (setns(2)) */

struct netns_table {
	struct netns_processes processes;
	struct netns_space *spaces;
	unsigned n;
	uint64_t scan_due_ns, look_due_ns, scanned_ns, asked_ns;
};

int netns_table_open(struct netns_table **table, const char **what)
{
	struct netns_table *t = calloc(1, sizeof(*t));
	int error = -ENOMEM;

	*what = "allocate";
	if (!t)
		return error;
	t->processes.proc_fd = -1;
	t->spaces = calloc(SPACES_MAX, sizeof(*t->spaces));
	if (!t->spaces)
		goto failed;
	*what = "open /proc";
	t->processes.proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->processes.proc_fd < 0) {
		error = -errno;
		goto failed;
	}
	*what = "read the own network namespace";
	t->processes.own = netns_of_process(t->processes.proc_fd, getpid());
	if (!t->processes.own) {
		error = -ENOENT;
		goto failed;
	}
	*table = t;
	return 0;
failed:
	netns_table_free(t);
	return error;
}

void netns_table_free(struct netns_table *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->n; i++)
		netns_space_close(&t->spaces[i]);
	if (t->processes.proc_fd >= 0)
		close(t->processes.proc_fd);
	free(t->processes.at);
	free(t->spaces);
	free(t);
}

static void drop_space(struct netns_table *t, unsigned i)
{
	netns_space_close(&t->spaces[i]);
	t->spaces[i] = t->spaces[--t->n];
}

static bool is_known(const struct netns_table *t, const struct netns_space *more, unsigned n_more,
		     uint64_t inode)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->spaces[i].inode == inode)
			return true;
	for (unsigned i = 0; i < n_more; i++)
		if (more[i].inode == inode)
			return true;
	return false;
}

static int open_ns(int proc_fd, pid_t pid)
{
	char path[32];

	memcpy(proc_put_u32(path, (uint32_t)pid), "/ns/net", 8);
	return openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
}

/* Some of the namespaces that are new; true while there may be more. */
static bool enter_some(struct netns_table *t)
{
	const struct netns_processes *processes = &t->processes;
	struct netns_space found[ENTER_AT_ONCE] = { 0 };
	int ns_fds[ENTER_AT_ONCE];
	unsigned n = 0;

	for (unsigned i = 0; i < processes->n && n < ENTER_AT_ONCE && t->n + n < SPACES_MAX; i++) {
		const struct netns_process *process = &processes->at[i];

		if (!process->netns || is_known(t, found, n, process->netns))
			continue;
		ns_fds[n] = open_ns(processes->proc_fd, process->pid);
		if (ns_fds[n] < 0)
			continue;
		/* It may be in another one than a moment ago; what is entered must be known. */
		if (netns_of_process(processes->proc_fd, process->pid) != process->netns)
			close(ns_fds[n]);
		else
			found[n++].inode = process->netns;
	}
	if (!n)
		return false;
	netns_spaces_enter(found, ns_fds, n);
	for (unsigned i = 0; i < n; i++) {
		close(ns_fds[i]);
		if (found[i].diag)
			t->spaces[t->n++] = found[i];
	}
	return n == ENTER_AT_ONCE;
}

static void look_into_spaces(struct netns_table *t)
{
	for (unsigned i = 0; i < t->n; i++)
		netns_space_read(&t->spaces[i]);
	for (int round = 0; round < SPACES_MAX / ENTER_AT_ONCE && enter_some(t); round++)
		;
}

/* Not sooner again than after nine times what it took: a tenth of our time is what strangers'
 * addresses may cost. */
static uint64_t next_due(uint64_t start)
{
	uint64_t end = clock_mono_ns();

	return end + SHARE * (end - start);
}

/* Who is new, and what addresses there are now. */
static bool look_again(struct netns_table *t)
{
	uint64_t start = clock_mono_ns();

	if (start < t->look_due_ns || netns_processes_catch_up(&t->processes))
		return false;
	look_into_spaces(t);
	t->look_due_ns = next_due(start);
	return true;
}

/* The same with a look at everybody. */
static bool refresh(struct netns_table *t)
{
	uint64_t start = clock_mono_ns();

	if (start < t->scan_due_ns || netns_processes_scan(&t->processes))
		return false;
	t->scanned_ns = start;
	look_into_spaces(t);
	t->scan_due_ns = next_due(start);
	return true;
}

/* All that have the address are asked: one that fits is no answer until nobody else does. */
static void ask_spaces(struct netns_table *t, const struct owner_query *query,
		       struct netns_answer *answer)
{
	struct owner_query exact = *query;
	bool known = false, closed = false, failed = false;
	unsigned n = 0;

	memset(answer, 0, sizeof(*answer));
	for (unsigned i = 0; i < t->n; i++) {
		struct netns_space *space = &t->spaces[i];
		const struct netns_address *address =
			netns_find_address(&space->addresses, query->family, query->src);
		struct sockdiag_answer socket;
		uint8_t state = 0;
		int error;

		if (!address)
			continue;
		known = true;
		exact.ifindex = address->ifindex; /* a device's number is another one in there */
		error = sockdiag_ask(space->diag, &exact, &socket, &state);
		closed |= error == -ESTALE;
		failed |= error && error != -ESTALE && error != -ENOENT;
		if (error || n++)
			continue;
		answer->netns = space->inode;
		answer->state = socket.state;
		answer->uid = socket.uid;
		answer->inode = socket.inode;
		answer->cookie = socket.cookie;
		answer->cgroup_id = socket.cgroup_id;
	}
	answer->why = n > 1    ? NETNS_AMBIGUOUS
		      : failed ? NETNS_ERROR
		      : n      ? NETNS_FOUND
		      : closed ? NETNS_CLOSED
		      : known  ? NETNS_NO_SOCKET
			       : NETNS_NO_ADDRESS;
}

static bool is_settled(const struct netns_answer *answer)
{
	return answer->why == NETNS_FOUND || answer->why == NETNS_AMBIGUOUS;
}

void netns_table_ask(struct netns_table *t, const struct owner_query *query,
		     struct netns_answer *answer)
{
	bool fresh = false;

	t->asked_ns = clock_mono_ns();
	ask_spaces(t, query, answer);
	if (!is_settled(answer) && look_again(t)) {
		fresh = true;
		ask_spaces(t, query, answer);
	}
	if (!is_settled(answer) && refresh(t)) {
		fresh = true;
		ask_spaces(t, query, answer);
	}
	if (answer->why != NETNS_FOUND)
		return;
	/* Whoever connects may have been started a moment ago. */
	if (!fresh && netns_processes_catch_up(&t->processes) < 0)
		refresh(t);
	answer->n_pids =
		netns_processes_of(&t->processes, answer->netns, answer->uid, answer->pids);
}

static bool is_lived_in(const struct netns_table *t, uint64_t netns)
{
	for (unsigned i = 0; i < t->processes.n; i++)
		if (t->processes.at[i].netns == netns &&
		    netns_of_process(t->processes.proc_fd, t->processes.at[i].pid) == netns)
			return true;
	return false;
}

/* A namespace in which only processes live that came since the last look is entered again when
 * somebody asks for it. */
void netns_table_tidy(struct netns_table *t)
{
	uint64_t now = clock_mono_ns();

	/* Not while somebody waits for the answer. */
	if (t->asked_ns > t->scanned_ns && now - t->scanned_ns > ANEW_NS)
		refresh(t);
	for (unsigned i = 0; i < t->n;)
		if (is_lived_in(t, t->spaces[i].inode))
			i++;
		else
			drop_space(t, i);
}
