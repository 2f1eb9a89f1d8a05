/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that a suspicious process runs: hands it to the work, and its notes to the recorder. */
#include <unistd.h>

#include "clock.h"
#include "object_work.h"
#include "pass_fd.h"
#include "witness_internal.h"

#define STEP_BYTES (1u << 20) /* some milliseconds */

static int send_note(void *context, const struct note *note, int copy_fd)
{
	struct witness *witness = context;
	int len = wire_encode_note(note, witness->message, sizeof(witness->message));
	int error =
		len < 0 ? len
			: pass_fd_send(witness->channel_fd, witness->message, (size_t)len, copy_fd);

	if (error)
		witness->lost_notes++;
	return error;
}

int witness_object_open(struct witness *witness)
{
	return object_work_open(&witness->objects, witness->config, send_note, witness);
}

void witness_object_close(struct witness *witness)
{
	object_work_close(witness->objects);
	witness->objects = NULL;
}

void witness_object(struct witness *witness, int fd, const struct record *record)
{
	object_work_add(witness->objects, fd, record, clock_ns(CLOCK_MONOTONIC));
}

int witness_object_wait_ms(const struct witness *witness, int most_ms)
{
	int wait_ms = object_work_wait_ms(witness->objects, clock_ns(CLOCK_MONOTONIC));

	return wait_ms >= 0 && wait_ms < most_ms ? wait_ms : most_ms;
}

void witness_object_step(struct witness *witness)
{
	object_work_step(witness->objects, STEP_BYTES, clock_ns(CLOCK_MONOTONIC));
}
