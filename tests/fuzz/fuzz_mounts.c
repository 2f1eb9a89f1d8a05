/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a mountinfo: what is said of a mount does not depend on lines about others, and a
 * FUSE mount that is listed is never overlooked. */
#include <string.h>

#include "agent/object_mounts.h"
#include "take.h"

static char *joined(const char *a, size_t a_len, const char *b, size_t b_len)
{
	char *text = malloc(a_len + b_len + 1);

	must(text);
	memcpy(text, a, a_len);
	memcpy(text + a_len, b, b_len);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char fuse[] = "4000000000 1 4000000000:4000000000 / /m rw - fuse.x y rw\n";
	struct take take = { data, size };
	uint32_t id = take_u8(&take), major = take_u8(&take), minor = take_u8(&take);
	size_t len = take.left, fuse_len = sizeof(fuse) - 1;
	char *text = take_rest(&take), *both;

	must(mounts_by_id(text, len, id) <= MOUNT_SERVED);
	must(mounts_by_device(text, len, major, minor) <= MOUNT_SERVED);
	must(mounts_by_id(text, 0, id) == MOUNT_NOT_LISTED);
	both = joined(fuse, fuse_len, text, len);
	must(mounts_by_id(both, fuse_len + len, 4000000000u) == MOUNT_SERVED);
	must(mounts_by_device(both, fuse_len + len, 4000000000u, 4000000000u) == MOUNT_SERVED);
	must(mounts_by_id(both, fuse_len + len, id) == mounts_by_id(text, len, id));
	free(both);
	/* behind whatever stands there, once its line is ended */
	both = joined(text, len, "\n", 1);
	text = realloc(text, len + 2 + fuse_len);
	must(text);
	memcpy(text, both, len + 1);
	memcpy(text + len + 1, fuse, fuse_len);
	must(mounts_by_device(text, len + 1 + fuse_len, 4000000000u, 4000000000u) == MOUNT_SERVED);
	free(both);
	free(text);
	return 0;
}
