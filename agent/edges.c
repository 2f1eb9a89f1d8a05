/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the queue, the NFLOG groups and the look-up's eyes; reads nothing. */
#include "edges.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "log.h"

#define RETRIES	 20
#define RETRY_NS 50000000
/* NFLOG messages that the kernel may gather for 10 ms: nobody waits for the guard's; and the mail
 * server's connect must not wait for us, which it would on the same CPU if each woke us. */
#define GUARD_BATCH 32
#define MAIL_BATCH  16

/* What is missing makes look-ups slower, and some owners unknown: said, and lived with. */
static int open_eyes(const struct config *config, struct owner_eyes **eyes)
{
	int error = owner_eyes_open(config->ports, config->n_ports, eyes);

	if (error) {
		log_error("owner look-up: %s", strerror(-error));
		return error;
	}
	if (*owner_eyes_no_calls(*eyes))
		log_warning("%s: who called connect(2) is not told by the kernel: owners take "
			    "longer, and one that has exited is unknown",
			    owner_eyes_no_calls(*eyes));
	if (*owner_eyes_no_processes(*eyes))
		log_warning("%s: there is no table of processes: owners take longer the more there "
			    "are",
			    owner_eyes_no_processes(*eyes));
	return 0;
}

/* A judge that was killed a moment ago may not have let go of it yet. */
static int open_queue(const struct config *config, struct edges *edges, const char **what)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	int error = queue_open(&edges->queue, config, what);

	for (int i = 0; i < RETRIES && (error == -EPERM || error == -EBUSY); i++) {
		nanosleep(&pause, NULL);
		error = queue_open(&edges->queue, config, what);
	}
	return error;
}

int edges_open(const struct config *config, struct edges *edges)
{
	static const struct {
		enum record_via via;
		unsigned group_offset, batch;
	} groups[] = { { VIA_GUARD, 0, GUARD_BATCH },
		       { VIA_MAIL, 1, MAIL_BATCH },
		       { VIA_LOCAL, 2, 1 } };
	struct edges opened = { .queue = NULL };
	const char *what = "";
	struct queue_state state;
	int error = open_queue(config, &opened, &what);

	if (error == -EPERM || error == -EBUSY) {
		if (queue_state(config->queue_num, &state) == 0)
			log_error("queue_num: queue %u is held by netlink port %u (as a rule that "
				  "is its "
				  "process id): expected a free queue",
				  config->queue_num, state.portid);
		else
			log_error("%s %u: %s", what, config->queue_num, strerror(-error));
		return error;
	}
	if (error) {
		log_error("%s %u: %s", what, config->queue_num, strerror(-error));
		return error;
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		uint16_t group = (uint16_t)(config->nflog_group + groups[i].group_offset);

		error = copies_open(&opened.copies[groups[i].via], group, groups[i].batch,
				    config->rcvbuf_bytes, &what);
		if (error) {
			log_error("%s %u: %s", what, group,
				  error == -EBUSY || error == -EPERM ? "another program holds it"
								     : strerror(-error));
			edges_close(&opened);
			return error;
		}
	}
	error = open_eyes(config, &opened.eyes);
	if (error) {
		edges_close(&opened);
		return error;
	}
	*edges = opened;
	return 0;
}

void edges_close(struct edges *edges)
{
	queue_free(edges->queue);
	for (int via = 0; via < VIA_N; via++)
		copies_free(edges->copies[via]);
	owner_eyes_free(edges->eyes);
	*edges = (struct edges){ .queue = NULL };
}
