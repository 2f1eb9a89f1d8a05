/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look-up from question to described owner. It says how it knows, and guesses nothing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "lookup.h"
#include "proc.h"
#include "script.h"

int lookup_open(struct lookup *l, const char *proc_dir, bool with_sockets, const char **what)
{
	int error = 0;

	memset(l, 0, sizeof(*l));
	l->search.cgroup_fd = -1;
	search_care_end(&l->care);
	l->proc_fd = open(proc_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->proc_fd < 0) {
		*what = "open the proc folder";
		return -errno;
	}
	describe_init(&l->describe, l->proc_fd, &l->care);
	if (with_sockets) {
		*what = "open sock_diag";
		error = sockdiag_open(&l->diag);
	}
	if (!error) {
		*what = "allocate";
		error = fpm_new(&l->fpm);
	}
	if (error) {
		lookup_close(l);
		return error;
	}
	search_init(&l->search, l->proc_fd, &l->care);
	return 0;
}

void lookup_close(struct lookup *l)
{
	search_done(&l->search);
	describe_done(&l->describe);
	fpm_free(l->fpm);
	sockdiag_free(l->diag);
	if (l->proc_fd >= 0)
		close(l->proc_fd);
	l->proc_fd = -1;
}

static void set_unknown(struct owner *owner, enum owner_how how, enum owner_why why)
{
	owner->how = how;
	owner->why = why;
}

bool lookup_socket(struct sockdiag *diag, const struct owner_query *query, struct owner *owner)
{
	struct sockdiag_answer answer;
	uint8_t state = 0;

	switch (sockdiag_ask(diag, query, &answer, &state)) {
	case 0:
		owner->has_socket = true;
		owner->socket_state = answer.state;
		owner->socket_uid = answer.uid;
		owner->inode = answer.inode;
		owner->cookie = answer.cookie;
		owner->cgroup_id = answer.cgroup_id;
		return true;
	case -ENOENT:
		set_unknown(owner, OWNER_NO_SOCKET, OWNER_WHY_NO_SOCKET);
		return false;
	case -ESTALE:
		owner->socket_state = state;
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_CLOSED);
		return false;
	case -EPERM:
	case -EACCES:
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_DENIED);
		return false;
	default:
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_ERROR);
		return false;
	}
}

/* Everybody was looked at and nobody holds it: is it still there? */
static void nobody_holds(struct lookup *l, const struct owner_query *query, struct owner *owner)
{
	struct sockdiag_answer answer;
	uint8_t state = 0;

	if (sockdiag_ask(l->diag, query, &answer, &state) || answer.cookie != owner->cookie)
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_CLOSED);
	else if (l->search.denied)
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_DENIED);
	else if (!query->has_uid)
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_KERNEL_SOCKET);
	else if (l->search.hidden_files) /* it may as well be an io_uring's own file */
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_IN_FLIGHT);
	else
		set_unknown(owner, OWNER_IN_FLIGHT, OWNER_WHY_IN_FLIGHT);
}

/* The holder was proven; if it ends while it is described, that is what is said. */
static int describe_holder(struct lookup *l, struct search_found *found, struct owner *owner)
{
	int error = describe_process(&l->describe, found->pid_fd, found->pid, found->tid, owner);

	if (!error && found->start_ticks && owner->proc.start_ticks != found->start_ticks)
		error = -ESRCH;
	if (error) {
		describe_clear(owner);
		set_unknown(owner, OWNER_EXITED, OWNER_WHY_EXITED);
	}
	found->start_ticks = owner->proc.start_ticks;
	return error;
}

int lookup_describe(struct lookup *l, const struct lookup_limits *limits,
		    struct search_found *found, struct owner *owner)
{
	int error;

	l->describe.told = limits->told;
	error = describe_process(&l->describe, found->pid_fd, found->pid, found->tid, owner);

	close(found->pid_fd);
	found->pid_fd = -1;
	return error;
}

static void list_holders(struct lookup *l, const struct search_found *found, bool forked,
			 struct owner *owner)
{
	owner->holders[0] = owner->proc;
	owner->n_holders = 1;
	search_relatives(&l->search, found, forked, owner->holders, &owner->n_holders);
	if (owner->n_holders > 1)
		owner->how = OWNER_SHARED;
	if (owner->n_holders > OWNER_HOLDERS)
		owner->cut |= OWNER_CUT_HOLDERS;
}

static bool dial_pool(struct lookup *l, const struct lookup_limits *limits,
		      const struct search_found *found, struct owner *owner,
		      struct lookup_call *call)
{
	/* NO_STATUS_PAGE is what the description says of a pool's worker. */
	if (owner->script_why != OWNER_WHY_NO_STATUS_PAGE)
		return false;
	if (!limits->ask_fpm) {
		owner->script_why = OWNER_WHY_BUDGET;
		return false;
	}
	if (!search_care_begin(&l->care, found->pid_fd)) {
		owner->script_why = OWNER_WHY_DEADLINE;
		return false;
	}
	owner->script_why =
		fpm_dial(l->fpm, l->proc_fd, l->diag, owner, limits->deadline_ns, &call->call);
	search_care_end(&l->care);
	if (owner->script_why != OWNER_WHY_NONE)
		return false;
	call->found = *found;
	return true;
}

int lookup_name(struct lookup *l, const struct lookup_limits *limits, struct search_found *found,
		struct owner *owner, struct lookup_call *call)
{
	int error;

	set_unknown(owner, OWNER_CONFIRMED, OWNER_WHY_NONE);
	l->describe.told = limits->told;
	error = describe_holder(l, found, owner);
	if (!error) {
		list_holders(l, found, limits->forked, owner);
		/* It held it to the end of the description, or it is not named. */
		if (!search_still_holds(found, owner->inode)) {
			describe_clear(owner);
			owner->n_holders = 0;
			memset(owner->holders, 0, sizeof(owner->holders));
			set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_CLOSED);
		} else if (dial_pool(l, limits, found, owner, call)) {
			return -EINPROGRESS;
		}
	}
	close(found->pid_fd);
	found->pid_fd = -1;
	return 0;
}

int lookup_find(struct lookup *l, const struct owner_query *query,
		const struct lookup_limits *limits, struct search_found *hint, struct owner *owner,
		struct lookup_call *call)
{
	struct search_question question;
	struct search_found found;
	unsigned read = owner->lookup_fds;
	int error;

	if (!owner->has_socket && !lookup_socket(l->diag, query, owner))
		return 0;
	question = (struct search_question){
		.inode = owner->inode,
		.cgroup_id = owner->cgroup_id,
		.uid = query->has_uid ? query->uid : owner->socket_uid,
		.caller = hint->pid,
		.caller_tid = hint->tid,
		.only_caller = hint->pid && limits->only_caller,
	};
	hint->pid = 0;
	error = search_first(&l->search, &question, limits->deadline_ns,
			     limits->fds > read ? limits->fds - read : 0, &found);
	owner->lookup_fds = read + l->search.fds_read;
	switch (error) {
	case 0:
		error = lookup_name(l, limits, &found, owner, call);
		owner->lookup_fds = read + l->search.fds_read;
		*hint = found;
		return error;
	case -ENOENT:
		nobody_holds(l, query, owner);
		return 0;
	case -ENOBUFS:
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_BUDGET);
		return -EAGAIN;
	case -ETIME:
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_DEADLINE);
		return -EAGAIN;
	default:
		set_unknown(owner, OWNER_UNKNOWN, OWNER_WHY_ERROR);
		return -EAGAIN;
	}
}

static bool is_worker(struct lookup *l, const struct lookup_workers *workers, pid_t pid)
{
	char title[OWNER_CMDLINE_BYTES];
	struct owner_ref ref;
	const char *pool;
	bool is = false;
	pid_t parent;
	size_t len;
	int fd;

	if (proc_open_pid(l->proc_fd, pid, &fd))
		return false;
	if (!proc_ref(fd, pid, &ref, &parent) && parent == workers->master &&
	    search_care_begin(&l->care, fd)) {
		if (!proc_read(fd, "cmdline", title, sizeof(title), &len)) {
			pool = script_fpm_pool(title, len);
			is = pool && !strcmp(pool, workers->pool);
		}
		search_care_end(&l->care);
	}
	close(fd);
	return is;
}

int lookup_verify(struct lookup *l, const struct lookup_workers *workers, uint64_t deadline_ns)
{
	for (unsigned i = 0; i < workers->n; i++) {
		if (clock_mono_ns() >= deadline_ns)
			return -ETIME;
		if (!is_worker(l, workers, workers->pids[i]))
			return -EBADMSG;
	}
	return 0;
}

static bool is_holder(const struct owner *owner, const struct owner_ref *ref)
{
	return owner->proc.pid == ref->pid && owner->proc.start_ticks == ref->start_ticks;
}

/* The first of the holders that is still there is described, unless one of them is already. */
static int describe_first(struct lookup *l, struct owner *owner)
{
	unsigned known = owner->n_holders < OWNER_HOLDERS ? owner->n_holders : OWNER_HOLDERS;

	for (unsigned i = 0; i < known; i++)
		if (is_holder(owner, &owner->holders[i]))
			return 0;
	for (unsigned i = 0; i < known; i++) {
		struct search_found found = { .pid = owner->holders[i].pid,
					      .start_ticks = owner->holders[i].start_ticks };
		int error;

		if (proc_open_pid(l->proc_fd, found.pid, &found.pid_fd))
			continue;
		error = describe_holder(l, &found, owner);
		close(found.pid_fd);
		if (!error) {
			if (owner->script_why == OWNER_WHY_NO_STATUS_PAGE)
				owner->script_why = OWNER_WHY_BUDGET; /* it was not asked */
			return 0;
		}
	}
	return -ESRCH;
}

int lookup_continue(struct lookup *l, const struct owner_query *query, uint64_t deadline_ns,
		    struct owner *owner)
{
	struct search_question question = { .inode = owner->inode,
					    .cgroup_id = owner->cgroup_id,
					    .uid = query->has_uid ? query->uid
								  : owner->socket_uid };
	struct owner_ref holders[OWNER_HOLDERS] = { 0 };
	unsigned n = 0;
	int error;

	if (!owner->has_socket)
		return -ENOENT;
	l->describe.told = (struct describe_told){ .uid = OWNER_UID_NONE, .euid = OWNER_UID_NONE };
	error = search_all(&l->search, &question, deadline_ns, holders, &n);
	if (!n && owner->proc.pid) /* named before, and gone since: that stands */
		return 0;
	if (!n && error)
		set_unknown(owner, OWNER_UNKNOWN,
			    error == -ETIME ? OWNER_WHY_DEADLINE : OWNER_WHY_ERROR);
	else if (!n)
		nobody_holds(l, query, owner);
	if (!n)
		return -ENOENT;
	memcpy(owner->holders, holders, sizeof(holders));
	owner->n_holders = n;
	if (n > OWNER_HOLDERS)
		owner->cut |= OWNER_CUT_HOLDERS;
	if (describe_first(l, owner)) {
		set_unknown(owner, OWNER_EXITED, OWNER_WHY_EXITED);
		return -ENOENT;
	}
	if (n > 1)
		set_unknown(owner, OWNER_SHARED, OWNER_WHY_NONE);
	else
		set_unknown(owner, error || l->search.denied ? OWNER_CONFIRMED : OWNER_UNIQUE,
			    OWNER_WHY_NONE);
	return 0;
}
