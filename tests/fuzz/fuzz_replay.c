/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a capture file, over the whole way to records. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/replay.h"
#include "fuzz.h"

static int check_record(void *context, const struct record *record)
{
	uint64_t *records = context;

	must(record->via == VIA_REPLAY);
	must(record->excerpt_bytes <= RECORD_EXCERPT_BYTES);
	must(record->packet_bytes >= record->excerpt_bytes);
	must(record->reason != REASON_OTHER_PORT && record->reason != REASON_NOT_OPENING);
	++*records;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct policy policy = {
		.ports = { 25, 465, 587 }, .n_ports = 3, .mail_uids = { 101 }, .n_mail_uids = 1
	};
	struct replay_counts counts;
	uint64_t records = 0, by_port = 0;
	char path[64], *message;
	int fd = memfd_create("capture", MFD_CLOEXEC), result;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = replay_file(path, &policy, NULL, check_record, &records, &counts, &message);
	must(result == 0 || result == -EINVAL);
	must((result == 0) == (message == NULL));
	for (unsigned i = 0; i < policy.n_ports; i++)
		by_port += counts.syns_by_port[i];
	must(by_port == counts.syns && counts.syns == counts.attempts + counts.retransmits);
	must(records == counts.attempts + counts.refused_other);
	must(counts.not_ip + counts.syns + counts.refused_other <= counts.frames);
	free(message);
	close(fd);
	return 0;
}
