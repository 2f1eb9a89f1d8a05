/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens the store for the commands that read it, and makes the filter and the list that the
 * command line asks for; shows no row.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

int ctl_store_failed(const struct ctl *ctl, const struct store *store, int error)
{
	const char *dir = ctl->config.state_dir;

	switch (-error) {
	case ENOENT:
		ctl_say("no store at %s/%s: egressd has recorded nothing there yet; does it run "
			"with this configuration (state_dir)?",
			dir, STORE_FILE);
		break;
	case EACCES:
	case EPERM:
		ctl_say("%s/%s: no permission to read it: run as root, or as a member of its group",
			dir, STORE_FILE);
		break;
	case EPROTO:
		ctl_say("%s/%s: made by a newer egressd than this egressctl (%s)", dir, STORE_FILE,
			EGRESSD_VERSION);
		break;
	case ESTALE:
		ctl_say("%s/%s: made by an older egressd: it is upgraded when this one (%s) starts",
			dir, STORE_FILE, EGRESSD_VERSION);
		break;
	case EUCLEAN:
		ctl_say("%s/%s: damaged; egressd sets it aside and begins a new one", dir,
			STORE_FILE);
		break;
	case ELOOP:
	case EINVAL:
		if (!store) {
			ctl_say("%s/%s, or its -wal or -shm: is no regular file: not read", dir,
				STORE_FILE);
			break;
		}
		/* fall through */
	default:
		ctl_say("%s/%s: %s", dir, STORE_FILE,
			store ? store_error(store) : strerror(-error));
		break;
	}
	return CTL_NO_STORE;
}

int ctl_store_open(struct ctl *ctl, struct store **store)
{
	int error = ctl_config_load(ctl);

	if (error)
		return error;
	error = store_open_read(store, ctl->config.state_dir);
	return error ? ctl_store_failed(ctl, NULL, error) : 0;
}

int ctl_store_filter(const struct ctl *ctl, struct store_filter *filter)
{
	uid_t uid;
	gid_t gid;

	memset(filter, 0, sizeof(*filter));
	filter->since_ns = ctl->args.since_ns;
	filter->until_ns = ctl->args.until_ns;
	filter->offender = ctl->args.offender;
	if (!ctl->args.user)
		return 0;
	if (config_user(ctl->args.user, &uid, &gid)) {
		ctl_say("--user: expected a user of this box or a number, got \"%s\"",
			ctl->args.user);
		return CTL_USAGE;
	}
	filter->has_uid = true;
	filter->uid = uid;
	return 0;
}

int ctl_list_new(struct ctl *ctl, const struct show_kind *kind, struct show_list **list)
{
	char *bad = NULL;

	if (!show_list_new(list, kind, ctl->args.format, ctl->args.columns, &ctl->show, stdout,
			   &bad))
		return 0;
	ctl_say("--columns: \"%s\" stands there twice", bad);
	free(bad);
	return CTL_USAGE;
}

int ctl_list_end(struct ctl *ctl, struct show_list *list)
{
	char *left_out = NULL;
	int error = show_list_end(list, &left_out);

	if (!error && fflush(stdout))
		error = errno ? -errno : -EIO;
	if (!error && left_out && ctl->show.header)
		ctl_say("left out at %u columns: %s (a wider terminal, a pipe or --columns shows "
			"them)",
			ctl->show.width, left_out);
	free(left_out);
	return error ? ctl_write_failed(error) : 0;
}
