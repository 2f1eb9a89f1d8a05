/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet out of a file of the evidence folder, or into a file of its own; keeps nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"
#include "evidence_block.h"

static int read_all(int fd, uint8_t *bytes, size_t len, uint64_t offset)
{
	ssize_t n;

	while (len > 0) {
		n = pread(fd, bytes, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		bytes += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int evidence_read(int fd, uint64_t offset, int64_t *ts_ns, uint8_t **bytes, uint32_t *len,
		  uint32_t *packet_bytes, char **comment)
{
	struct evidence_packet packet;
	uint8_t start[8], *block, *copy = NULL;
	size_t block_len, comment_len;
	char *text = NULL;
	int err;

	if (offset > INT64_MAX - EVIDENCE_BLOCK_MAX)
		return -EBADMSG;
	err = read_all(fd, start, sizeof(start), offset);
	if (err)
		return err;
	block_len = evidence_block_length(start);
	if (block_len == 0)
		return -EBADMSG;
	block = malloc(block_len);
	if (!block)
		return -ENOMEM;
	err = read_all(fd, block, block_len, offset);
	if (!err)
		err = evidence_block_parse(block, block_len, &packet, &comment_len);
	if (!err) {
		copy = malloc(packet.len + 1);
		text = strndup(packet.comment ? packet.comment : "", comment_len);
		err = copy && text ? 0 : -ENOMEM;
	}
	if (err) {
		free(copy);
		free(text);
	} else {
		memcpy(copy, packet.bytes, packet.len);
		*ts_ns = packet.ts_ns;
		*bytes = copy;
		*len = packet.len;
		*packet_bytes = packet.packet_bytes;
		*comment = text;
	}
	free(block);
	return err;
}

static int stream_all(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int evidence_write_single(int fd, const struct evidence_packet *packet)
{
	struct evidence_packet whole = *packet;
	uint8_t head[EVIDENCE_HEAD_MAX], *block;
	size_t len;
	int err;

	if (whole.packet_bytes < whole.len)
		whole.packet_bytes = whole.len;
	err = evidence_block_bytes(&whole, &len);
	if (err)
		return err;
	block = malloc(len);
	if (!block)
		return -ENOMEM;
	evidence_block(&whole, block);
	err = stream_all(fd, head, evidence_head(head)); /* may be a pipe: no offsets */
	if (!err)
		err = stream_all(fd, block, len);
	free(block);
	return err;
}
