/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps descriptions by task; whether one may still be used is not its business. */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

static void copy_text(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

void seen_copy(struct owner *to, const struct owner *from)
{
	to->script_why = from->script_why;
	to->script_from = from->script_from;
	to->cut = (to->cut & OWNER_CUT_HOLDERS) | (from->cut & ~(uint32_t)OWNER_CUT_HOLDERS);
	to->proc = from->proc;
	to->euid = from->euid;
	to->gid = from->gid;
	to->login_uid = from->login_uid;
	to->start_ns = from->start_ns;
	to->exe_deleted = from->exe_deleted;
	to->exe_memfd = from->exe_memfd;
	to->exe_place = from->exe_place;
	to->exe_dev = from->exe_dev;
	to->exe_ino = from->exe_ino;
	to->poses = from->poses;
	copy_text(to->exe, from->exe);
	memcpy(to->cmdline, from->cmdline, from->cmdline_bytes + 1);
	to->cmdline_bytes = from->cmdline_bytes;
	copy_text(to->cwd, from->cwd);
	copy_text(to->script, from->script);
	copy_text(to->unit, from->unit);
	copy_text(to->container, from->container);
	copy_text(to->request_method, from->request_method);
	copy_text(to->request_uri, from->request_uri);
	copy_text(to->request_host, from->request_host);
	copy_text(to->request_client, from->request_client);
	memcpy(to->parents, from->parents, from->n_parents * sizeof(from->parents[0]));
	to->n_parents = from->n_parents;
}

void seen_init(struct seen_list *list)
{
	list->ends.newer = list->ends.older = &list->ends;
	list->n = 0;
}

static void take_out(struct seen *seen)
{
	seen->older->newer = seen->newer;
	seen->newer->older = seen->older;
}

static void put_newest(struct seen_list *list, struct seen *seen)
{
	seen->newer = &list->ends;
	seen->older = list->ends.older;
	seen->older->newer = seen;
	list->ends.older = seen;
}

void seen_touch(struct seen_list *list, struct seen *seen)
{
	take_out(seen);
	put_newest(list, seen);
}

struct seen *seen_put(struct seen_list *list, struct task *task, const struct owner *owner,
		      uint64_t now_ns)
{
	struct seen *seen = task->seen;

	if (seen) {
		take_out(seen);
	} else if (list->n < SEEN_MAX) {
		/* Pages that no text reaches are never touched. */
		seen = calloc(1, sizeof(*seen));
		if (!seen)
			return NULL;
		list->n++;
	} else {
		seen = list->ends.newer;
		take_out(seen);
		seen->task->seen = NULL;
	}
	put_newest(list, seen);
	seen->task = task;
	task->seen = seen;
	seen->read_ns = seen->named_ns = now_ns;
	seen_copy(&seen->owner, owner);
	return seen;
}

void seen_drop(struct seen_list *list, struct task *task)
{
	struct seen *seen = task->seen;

	if (!seen)
		return;
	task->seen = NULL;
	take_out(seen);
	list->n--;
	free(seen);
}

void seen_done(struct seen_list *list)
{
	while (list->ends.newer != &list->ends)
		seen_drop(list, list->ends.newer->task);
}
