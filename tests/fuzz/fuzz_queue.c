/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the kernel's queue messages: what is handed on lies within them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/nfsock.h"
#include "agent/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *copy = malloc(size ? size : 1); /* aligned, as a receive buffer is */
	const struct nlmsghdr *message;
	size_t offset = 0;

	if (size)
		memcpy(copy, data, size);
	while ((message = nfsock_message(copy, size, &offset))) {
		struct queue_packet packet;

		if (queue_parse(message, &packet) < 0 || !packet.bytes)
			continue;
		assert(packet.bytes >= (const uint8_t *)message);
		assert(packet.bytes + packet.len <= (const uint8_t *)message + message->nlmsg_len);
	}
	free(copy);
	return 0;
}
