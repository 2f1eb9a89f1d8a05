/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a tracepoint's format, as its record, and as an event of the proc connector. */
#include <stdlib.h>
#include <string.h>

#include "bpf-free/caller.h"
#include "bpf-free/connector.h"
#include "fuzz.h"

static void as_format(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct caller_format format;
	unsigned id;

	memcpy(text, data, size);
	text[size] = 0;
	if (!caller_parse_format(text, &id, &format))
		must(id && format.size >= format.daddr6 + 16 && format.size >= format.dport + 2);
	free(text);
}

static void as_record(const uint8_t *data, size_t size)
{
	static const struct caller_format format = { 8,	 16, 20, 24, 26, 28,
						     30, 32, 36, 40, 56, 72 };
	struct caller_event event = { .tuple.family = 99 };

	if (!caller_parse_record(&format, data, size, &event))
		must(size >= format.size &&
		     (event.tuple.family == AF_INET || event.tuple.family == AF_INET6));
	else
		must(event.tuple.family == 99);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct connector_event event = { .pid = -1 };

	as_format(data, size);
	as_record(data, size);
	if (!connector_parse(data, size, &event))
		must(event.what <= CONNECTOR_EXIT && (event.pid > 0 || event.what == CONNECTOR_OTHER));
	else
		must(event.pid == -1);
	return 0;
}
