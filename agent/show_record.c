/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record seen as the row that the store gives for it, so that a replay is shown by the same
 * code as the store's rows. Copies nothing but the process chains; judges nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "show.h"

static struct store_bytes text_bytes(const char *text)
{
	return (struct store_bytes){ text, (int)strlen(text) };
}

static int64_t uid_or_none(uint32_t uid)
{
	return uid == OWNER_UID_NONE ? -1 : (int64_t)uid;
}

/* The chain as the store writes it: an array of {pid, uid, comm, start_ticks}. */
static char *chain_json(const struct owner_ref *refs, unsigned n, unsigned most)
{
	json_t *chain = show_need(json_array());
	char *text;

	for (unsigned i = 0; i < n && i < most; i++) {
		json_t *one = show_need(json_object());

		json_object_set_new(one, "pid", show_need(json_integer(refs[i].pid)));
		json_object_set_new(one, "uid",
				    refs[i].uid == OWNER_UID_NONE
					    ? json_null()
					    : show_need(json_integer(refs[i].uid)));
		json_object_set_new(
			one, "comm",
			show_bytes(refs[i].comm, strnlen(refs[i].comm, OWNER_COMM_BYTES)));
		json_object_set_new(one, "start_ticks",
				    show_need(json_integer((json_int_t)refs[i].start_ticks)));
		json_array_append_new(chain, one);
	}
	text = json_dumps(chain, JSON_COMPACT);
	json_decref(chain);
	if (!text)
		abort();
	return text;
}

/* One of them, likewise; empty: not told. */
static char *caller_json(const struct owner_ref *caller)
{
	char *chain, *text;

	if (!caller->pid)
		return show_printf("%s", "");
	chain = chain_json(caller, 1, 1);
	text = show_printf("%.*s", (int)strlen(chain) - 2, chain + 1);
	free(chain);
	return text;
}

static void view_process(struct show_view *view, const struct owner *owner)
{
	struct store_verdict *verdict = &view->verdict;

	verdict->pid = owner->proc.pid;
	verdict->start_ns = owner->start_ns;
	verdict->ruid = uid_or_none(owner->proc.uid);
	verdict->euid = uid_or_none(owner->euid);
	verdict->login_uid = uid_or_none(owner->login_uid);
	verdict->exe_deleted = owner->exe_deleted;
	verdict->exe_memfd = owner->exe_memfd;
	verdict->comm = (struct store_bytes){ owner->proc.comm,
					      (int)strnlen(owner->proc.comm, OWNER_COMM_BYTES) };
	verdict->exe = text_bytes(owner->exe);
	verdict->cmdline = (struct store_bytes){ owner->cmdline, (int)owner->cmdline_bytes };
	verdict->cwd = text_bytes(owner->cwd);
	verdict->script = text_bytes(owner->script);
	verdict->unit = text_bytes(owner->unit);
	verdict->container = text_bytes(owner->container);
	verdict->request_method = text_bytes(owner->request_method);
	verdict->request_uri = text_bytes(owner->request_uri);
	verdict->request_host = text_bytes(owner->request_host);
	verdict->request_client = text_bytes(owner->request_client);
	verdict->script_from = owner_script_from_words[owner->script_from];
	verdict->script_why = owner_why_words[owner->script_why];
	verdict->owner_how = owner_how_words[owner->how];
	verdict->owner_why = owner_why_words[owner->why];
	verdict->cut = owner->cut;
	verdict->n_holders = owner->n_holders;
	verdict->lookup_us = owner->how == OWNER_GIVEN ? -1 : (int64_t)owner->lookup_us;
	verdict->lookup_fds = owner->how == OWNER_GIVEN ? -1 : (int64_t)owner->lookup_fds;
	view->parents = chain_json(owner->parents, owner->n_parents, OWNER_PARENTS);
	view->holders = chain_json(owner->holders, owner->n_holders, OWNER_HOLDERS);
	view->caller = caller_json(&owner->caller);
	verdict->caller = text_bytes(view->caller);
	verdict->poses = owner->poses;
	verdict->parents = text_bytes(view->parents);
	verdict->holders = text_bytes(view->holders);
}

static void view_flow(struct store_verdict *verdict, const struct flow *flow)
{
	int len = flow->family == AF_INET ? 4 : flow->family == AF_INET6 ? 16 : 0;

	verdict->family = flow->family;
	verdict->src = (struct store_bytes){ (const char *)flow->src, len };
	verdict->dst = (struct store_bytes){ (const char *)flow->dst, len };
	verdict->sport = flow->has_ports ? flow->sport : -1;
	verdict->dport = flow->has_ports ? flow->dport : -1;
}

void show_view_record(struct show_view *view, const struct record *record, int64_t id)
{
	struct store_verdict *verdict = &view->verdict;
	const struct owner *owner = &record->owner;
	uint32_t charged;

	memset(view, 0, sizeof(*view));
	verdict->id = id;
	verdict->first_ns = verdict->last_ns = record->ts_ns;
	verdict->count = 1;
	verdict->via = record_via_words[record->via];
	verdict->verdict = verdict_words[record->verdict];
	verdict->reason = reason_words[record->reason];
	verdict->rule = record->rule;
	verdict->mode = policy_mode_words[record->mode];
	verdict->flow_error = flow_error_words[record->flow_error];
	verdict->has_uid = record->has_uid;
	verdict->uid = record->uid;
	verdict->gid = record->gid;
	verdict->has_charged_uid = record_charged_uid(record, &charged);
	if (verdict->has_charged_uid)
		verdict->charged_uid = charged;
	verdict->foreign_holder = record->foreign_holder;
	verdict->indev = text_bytes(record->indev);
	verdict->socket_uid = owner->has_socket ? uid_or_none(owner->socket_uid) : -1;
	verdict->inode = owner->has_socket ? (int64_t)owner->inode : -1;
	verdict->cookie = owner->has_socket ? (int64_t)owner->cookie : -1;
	verdict->cgroup_id = owner->has_socket && owner->cgroup_id ? (int64_t)owner->cgroup_id : -1;
	verdict->packet_bytes = record->packet_bytes;
	verdict->excerpt =
		(struct store_bytes){ (const char *)record->excerpt, record->excerpt_bytes };
	view_process(view, owner);
	view_flow(verdict, &record->flow);
}

void show_view_end(struct show_view *view)
{
	free(view->parents);
	free(view->holders);
	free(view->caller);
	memset(view, 0, sizeof(*view));
}
