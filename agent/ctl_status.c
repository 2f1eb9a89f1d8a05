/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl status: gathers what the store, the kernel and the process table say; changes nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_ruleset.h"
#include "ctl.h"
#include "ctl_rules.h"
#include "ctl_users.h"
#include "show_status.h"

#define REPORT_FRESH_NS (5 * 1000000000LL) /* the judge reports each second */
#define QUEUE_FILE	"/proc/net/netfilter/nfnetlink_queue"

static bool judge_runs(const struct store_status *store, int64_t now_ns)
{
	const struct wire_status *last = &store->last;
	int64_t age_ns = now_ns - last->ts_ns;

	if (last->ts_ns <= 0 || last->judge_pid <= 0 || age_ns > REPORT_FRESH_NS ||
	    age_ns < -REPORT_FRESH_NS)
		return false;
	return !kill(last->judge_pid, 0) || errno == EPERM;
}

/* Fields: queue_number peer_portid queue_total copy_mode copy_range queue_dropped user_dropped
 * id_sequence 1 (net/netfilter/nfnetlink_queue.c, seq_show). Readable by root only. */
static void read_queue(uint16_t queue_num, struct show_queue *queue)
{
	FILE *file = fopen(QUEUE_FILE, "re");
	char line[256];

	if (!file)
		return;
	queue->known = true;
	while (fgets(line, sizeof(line), file)) {
		uint64_t number, portid, waiting, queue_dropped, user_dropped;

		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64,
			   &number, &portid, &waiting, &queue_dropped, &user_dropped) != 5 ||
		    number != queue_num)
			continue;
		queue->bound = true;
		queue->portid = portid;
		queue->waiting = waiting;
		queue->queue_dropped = queue_dropped;
		queue->user_dropped = user_dropped;
	}
	fclose(file);
}

/* As the judge writes it in its reports (stats.h). */
static void kernel_epoch(uint64_t handle, char *out, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	char boot_id[64] = "";

	if (!file)
		return;
	if (fgets(boot_id, sizeof(boot_id), file)) {
		boot_id[strcspn(boot_id, "\n")] = '\0';
		snprintf(out, size, "%s:%" PRIu64, boot_id, handle);
	}
	fclose(file);
}

static void ask_kernel(struct ctl *ctl, const struct policy *policy, struct show_kernel *kernel)
{
	struct ruleset_link *link = NULL;
	struct ruleset set;
	uint64_t handle;
	char *message = NULL;
	int error;

	if (!ctl_rules_permitted()) {
		kernel->why = "needs root (CAP_NET_ADMIN)";
		return;
	}
	config_ruleset(&ctl->config, policy, &set);
	error = ruleset_link_open(&link);
	if (!error)
		error = ruleset_counters(link, set.table, kernel->packets, &handle);
	if (error && error != -ENOENT) {
		kernel->why = strerror(-error);
	} else if (!error) {
		kernel->loaded = true;
		kernel_epoch(handle, kernel->epoch, sizeof(kernel->epoch));
		kernel->form = RULESET_QUEUE_NONE;
		ruleset_agent_form(link, set.table, &kernel->form);
		kernel->check = ruleset_check(&set, &message);
		if (kernel->check == 0 && message)
			snprintf(kernel->lacks, sizeof(kernel->lacks), "%s", message);
		free(message);
	}
	ruleset_link_free(link);
}

static void look_up_users(const struct config *config, int64_t uids[CONFIG_MAIL_USERS_MAX])
{
	for (unsigned i = 0; i < config->n_mail_users; i++) {
		uid_t uid;
		gid_t gid;

		uids[i] = config_user(config->mail_users[i], &uid, &gid) ? -1 : (int64_t)uid;
	}
}

static int print(struct ctl *ctl, const struct show_status *status)
{
	json_t *object;
	int error;

	if (ctl->args.format == FORMAT_TABLE) {
		error = show_status_page(status, &ctl->show, stdout);
	} else {
		object = show_status_json(status, &ctl->show);
		error = show_json_write(object, ctl->args.format == FORMAT_JSONL, ctl->show.ascii,
					stdout);
		json_decref(object);
	}
	if (!error && fflush(stdout))
		error = errno ? -errno : -EIO;
	return error ? ctl_write_failed(error) : CTL_OK;
}

int ctl_status(struct ctl *ctl)
{
	struct show_status status = { .config = &ctl->config };
	struct store_status *read = NULL;
	struct store *store = NULL;
	struct policy policy;
	int code, written;

	if (ctl->args.format == FORMAT_CSV)
		return ctl_no_csv(ctl);
	code = ctl_store_open(ctl, &store);
	if (code == CTL_CONFIG)
		return code;
	read = calloc(1, sizeof(*read));
	if (!read)
		abort();
	if (!code) {
		int error = store_status(store, read);

		if (error)
			code = ctl_store_failed(ctl, store, error);
		else
			status.store = read;
	}
	status.now_ns = ctl_now_ns();
	status.judge_runs = status.store && judge_runs(read, status.now_ns);
	ctl_users_policy(&ctl->config, &policy, false);
	look_up_users(&ctl->config, status.mail_uids);
	ask_kernel(ctl, &policy, &status.kernel);
	read_queue(ctl->config.queue_num, &status.queue);
	/* Without a store the rest is shown all the same; the exit code says what was missing. */
	written = print(ctl, &status);
	free(read);
	store_free(store);
	return code ? code : written;
}
