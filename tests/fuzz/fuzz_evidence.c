/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an evidence file, read as the recorder and `egressctl show` do: what stands for
 * whole ends between blocks, can be added to, and each packet reads back within its block.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/evidence.h"
#include "agent/evidence_block.h"
#include "fuzz.h"

static int file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("evidence", MFD_CLOEXEC);
	must(fd >= 0 && !ftruncate(fd, 0));
	must(!size || pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

/* A block that was believed, made anew of what it said, says the same. */
static void check_again(const struct evidence_packet *packet, size_t comment_len)
{
	struct evidence_packet made = *packet, back;
	char *comment = strndup(packet->comment ? packet->comment : "", comment_len);
	size_t len, back_len;
	uint8_t *block;

	must(comment);
	made.comment = comment;
	if (evidence_block_bytes(&made, &len)) {
		must(strlen(comment) > EVIDENCE_COMMENT_MAX);
	} else {
		block = malloc(len);
		must(block && len <= EVIDENCE_BLOCK_MAX);
		evidence_block(&made, block);
		must(evidence_block_length(block) == len);
		must(!evidence_block_parse(block, len, &back, &back_len));
		must(back.ts_ns == made.ts_ns && back.len == made.len &&
		     back.packet_bytes == made.packet_bytes && back_len == strlen(comment) &&
		     !memcmp(back.comment, comment, back_len) &&
		     !memcmp(back.bytes, made.bytes, made.len));
		free(block);
	}
	free(comment);
}

static bool check_block(const uint8_t *block, size_t len)
{
	struct evidence_packet packet = { .ts_ns = 77 };
	size_t comment_len = 0;
	int result = evidence_block_parse(block, len, &packet, &comment_len);

	if (result) {
		must(result == -EBADMSG && packet.ts_ns == 77 && !packet.bytes);
		return false;
	}
	must(packet.bytes >= block && packet.len <= (size_t)(block + len - packet.bytes));
	must(packet.packet_bytes >= packet.len);
	must(packet.comment || !comment_len);
	if (packet.comment) {
		must((const uint8_t *)packet.comment >= packet.bytes + packet.len);
		must((const uint8_t *)packet.comment + comment_len <= block + len);
	}
	check_again(&packet, comment_len);
	return true;
}

static void check_read(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
	uint32_t len = 0, packet_bytes = 0;
	uint8_t *bytes = NULL;
	char *comment = NULL;
	int64_t ts_ns = 0;
	int result = evidence_read(fd, offset, &ts_ns, &bytes, &len, &packet_bytes, &comment);
	size_t block;

	must(result == 0 || result == -EBADMSG);
	must((result == 0) == (bytes != NULL) && (result == 0) == (comment != NULL));
	if (!result) {
		block = evidence_block_length(data + offset);
		must(block && block <= size - offset && len <= block && packet_bytes >= len);
		must(!memcmp(bytes, data + offset + 28, len));
		must(check_block(data + offset, block));
	}
	free(bytes);
	free(comment);
}

static void check_file(const uint8_t *data, size_t size)
{
	uint8_t head[EVIDENCE_HEAD_MAX];
	uint64_t end = 77, same;
	size_t at = evidence_head(head);
	int fd = file_of(data, size);
	int result = evidence_check(data, size, &end);

	check_read(fd, data, size, 0);
	check_read(fd, data, size, size);
	check_read(fd, data, size, size ? data[size - 1] : UINT64_MAX);
	if (result) {
		must(result == -EBADMSG && end == 77);
		return;
	}
	must(end >= at && end <= size && !memcmp(data, head, at));
	must(!evidence_check(data, end, &same) && same == end);
	while (at < end) {
		must(check_block(data + at, evidence_block_length(data + at)));
		check_read(fd, data, size, at);
		at += evidence_block_length(data + at);
	}
	must(at == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_file(data, size);
	if (size >= 8 && evidence_block_length(data) > 0)
		check_block(data, size);
	return 0;
}
