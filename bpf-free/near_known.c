/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a process: by its own description, its parent's, or the kernel's events. It
 * looks for no socket. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "near_internal.h"
#include "proc.h"

#define FRESH_NS (1000 * NS_PER_MS) /* what a process says of itself may change unheard */
#define NAMED_NS (5 * NS_PER_MS)    /* its name is looked at so often */

void near_told(struct near *near, const struct task *task, struct describe_told *told)
{
	bool whole = tasks_whole(near->tasks);
	const struct task *parent = whole && !task->programs && task->parent
					    ? tasks_at(near->tasks, task->parent, task->started_ns)
					    : NULL;

	/* A session's is set before its programs are executed, and inherited (proc(5)). */
	if (parent && parent->seen && parent->programs == task->parent_programs) {
		told->login = true;
		told->login_uid = parent->seen->owner.login_uid;
	}
	told->programs = whole;
	told->parents = whole;
	told->uid = whole ? task->uid : OWNER_UID_NONE;
	told->euid = whole ? task->euid : OWNER_UID_NONE;
}

/* Its name and user, read when they are wanted first; both change only with an event. */
static bool read_ref(struct near *near, struct task *task)
{
	pid_t parent;

	if (task->ref.pid && task->ref_programs == task->programs)
		return true;
	if (task->ended_ns || near_folder(near, task) < 0 ||
	    proc_ref(task->pid_fd, task->pid, &task->ref, &parent)) {
		task->ref = (struct owner_ref){ .pid = 0 };
		return false;
	}
	task->ref_programs = task->programs;
	if (!task->parent)
		task->parent = parent;
	return true;
}

void near_parents(struct near *near, struct task *task, struct owner *owner)
{
	if (!task->parent) /* it was there before us */
		read_ref(near, task);
	owner->n_parents = 0;
	owner->cut &= ~(uint32_t)OWNER_CUT_PARENTS;
	while (task->parent > 0) {
		struct task *parent = tasks_at(near->tasks, task->parent, task->started_ns);

		if (!parent || parent == task)
			return;
		if (owner->n_parents == OWNER_PARENTS) {
			owner->cut |= OWNER_CUT_PARENTS;
			return;
		}
		if (!read_ref(near, parent)) /* it has ended before anybody asked */
			parent->ref = (struct owner_ref){ .pid = 0, .uid = parent->uid };
		owner->parents[owner->n_parents] = parent->ref;
		owner->parents[owner->n_parents++].pid = parent->pid;
		task = parent;
	}
}

/* A kernel that tells no renames leaves it to us to look. */
static bool has_its_name(struct near *near, struct task *task, uint64_t now_ns)
{
	char comm[OWNER_COMM_BYTES + 1] = "";
	size_t len;

	if (now_ns - task->seen->named_ns < NAMED_NS)
		return true;
	if (near_folder(near, task) < 0 ||
	    proc_read_once(task->pid_fd, "comm", comm, sizeof(comm) - 1, &len))
		return false;
	if (len && comm[len - 1] == '\n')
		comm[len - 1] = 0;
	task->seen->named_ns = now_ns;
	return !strcmp(comm, task->seen->owner.proc.comm);
}

bool near_known(struct near *near, struct task *task, uint64_t now_ns, struct owner *owner)
{
	if (!task->seen || !tasks_whole(near->tasks) || now_ns - task->seen->read_ns > FRESH_NS)
		return false;
	if (!has_its_name(near, task, now_ns)) {
		seen_drop(&near->seen, task);
		return false;
	}
	seen_copy(owner, &task->seen->owner);
	seen_touch(&near->seen, task->seen);
	return true;
}

/* A web server's process runs another script at the next request. */
static bool is_lasting(const struct owner *owner)
{
	switch (owner->script_from) {
	case OWNER_SCRIPT_ARGV:
	case OWNER_SCRIPT_INLINE:
	case OWNER_SCRIPT_STDIN:
	case OWNER_SCRIPT_MODULE:
	case OWNER_SCRIPT_ENVIRON:
		return true;
	case OWNER_SCRIPT_NONE:
		return owner->script_why == OWNER_WHY_NONE;
	default:
		return false;
	}
}

bool near_inherited(struct near *near, struct task *task, struct owner *owner)
{
	struct task *parent = !task->programs && task->parent && tasks_whole(near->tasks)
				      ? tasks_at(near->tasks, task->parent, task->started_ns)
				      : NULL;
	struct owner_ref parents[OWNER_PARENTS];
	struct proc_stat stat;
	bool cut = false;
	unsigned n;

	if (!parent || parent->ended_ns || parent->programs != task->parent_programs)
		return false;
	if (!parent->seen) {
		tasks_note_unread(near->tasks, parent);
		return false;
	}
	if (!is_lasting(&parent->seen->owner) || near_folder(near, task) < 0 ||
	    proc_stat_of(task->pid_fd, &stat) || stat.state == 'Z' ||
	    strcmp(stat.comm, parent->seen->owner.proc.comm) != 0)
		return false;
	seen_copy(owner, &parent->seen->owner);
	seen_touch(&near->seen, parent->seen);
	owner->cut &= ~(uint32_t)OWNER_CUT_CWD;
	if (proc_link(task->pid_fd, "cwd", owner->cwd, sizeof(owner->cwd), &cut))
		owner->cwd[0] = 0;
	if (cut)
		owner->cut |= OWNER_CUT_CWD;
	n = owner->n_parents < OWNER_PARENTS ? owner->n_parents : OWNER_PARENTS - 1;
	if (n < owner->n_parents)
		owner->cut |= OWNER_CUT_PARENTS;
	memcpy(parents, owner->parents, n * sizeof(parents[0]));
	memcpy(owner->parents + 1, parents, n * sizeof(parents[0]));
	owner->parents[0] = owner->proc;
	owner->n_parents = n + 1;
	owner->proc.pid = task->pid;
	owner->proc.start_ticks = stat.start_ticks;
	owner->start_ns = proc_start_ns(stat.start_ticks);
	return true;
}

static bool is_of_arguments(enum owner_script_from from)
{
	return from == OWNER_SCRIPT_ARGV || from == OWNER_SCRIPT_INLINE ||
	       from == OWNER_SCRIPT_STDIN || from == OWNER_SCRIPT_MODULE;
}

static void keep_script(struct task *task, struct owner *owner)
{
	bool told = is_of_arguments(owner->script_from);
	bool known = task->script && task->script_ns == task->executed_ns;

	if (told && !known) {
		free(task->script);
		task->script = strdup(owner->script);
		task->script_from = owner->script_from;
		task->script_ns = task->executed_ns;
	}
	if (!known || (told && owner->script_from == task->script_from &&
		       !strcmp(owner->script, task->script)))
		return;
	if (!told && owner->script_from != OWNER_SCRIPT_NONE)
		return;
	owner->poses |= told;
	owner->script_from = task->script_from;
	owner->script_why = OWNER_WHY_NONE;
	memcpy(owner->script, task->script, strlen(task->script) + 1);
}

void near_learn(struct near *near, struct task *task, struct owner *owner, uint64_t now_ns)
{
	keep_script(task, owner);
	task->uid = owner->proc.uid;
	task->euid = owner->euid;
	task->ref = owner->proc;
	task->ref_programs = task->programs;
	if (!task->parent && owner->n_parents)
		task->parent = owner->parents[0].pid;
	if (is_lasting(owner))
		seen_put(&near->seen, task, owner, now_ns);
	else
		seen_drop(&near->seen, task);
}

void near_tomb(struct near *near, const struct task *task, struct owner *owner)
{
	const struct task *parent = tasks_at(near->tasks, task->parent, task->started_ns);

	if (task->seen) {
		seen_copy(owner, &task->seen->owner);
	} else if (!task->programs && parent && parent->seen &&
		   parent->seen->read_ns <= task->ended_ns &&
		   parent->programs == task->parent_programs) {
		/* A child that executed nothing is its parent's program. */
		seen_copy(owner, &parent->seen->owner);
		memmove(owner->parents + 1, owner->parents,
			sizeof(owner->parents) - sizeof(owner->parents[0]));
		owner->parents[0] = owner->proc;
		if (owner->n_parents < OWNER_PARENTS)
			owner->n_parents++;
		owner->proc.start_ticks = 0;
		owner->start_ns = 0;
	}
	owner->proc.pid = task->pid;
	if (!task->seen) {
		owner->proc.uid = task->uid;
		owner->euid = task->euid;
	}
}
