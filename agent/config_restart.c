/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which keys of a configuration a running egressd can't take over; changes nothing. */
#include <string.h>

#include "config.h"

const char *config_needs_restart(const struct config *old, const struct config *new)
{
	if (strcmp(old->table, new->table))
		return "table";
	if (old->queue_num != new->queue_num)
		return "queue_num";
	if (old->queue_len != new->queue_len)
		return "queue_len";
	if (old->fail_open != new->fail_open)
		return "fail_open";
	if (old->rcvbuf_bytes != new->rcvbuf_bytes)
		return "rcvbuf_bytes";
	if (old->nflog_group != new->nflog_group)
		return "nflog_group";
	if (old->containers != new->containers)
		return "containers";
	if (strcmp(old->judge_user, new->judge_user))
		return "judge_user";
	if (strcmp(old->recorder_user, new->recorder_user))
		return "recorder_user";
	if (strcmp(old->state_dir, new->state_dir))
		return "state_dir";
	if (old->channel_bytes != new->channel_bytes)
		return "channel_bytes";
	if (old->evidence != new->evidence)
		return "evidence";
	if (strcmp(old->journal_socket, new->journal_socket))
		return "journal_socket";
	return NULL;
}
