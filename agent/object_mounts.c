/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks a mount up in a mountinfo text; reads no file. */
#include "object_mounts.h"

#include <stdbool.h>
#include <string.h>

struct line {
	uint32_t id, major, minor;
	const char *type; /* ends at a blank */
	size_t type_len;
};

static const char *const served[] = {
	"nfs",	"nfs4",	  "cifs",  "smb3",     "smbfs",	   "9p",     "ceph",   "afs",
	"coda", "lustre", "ncpfs", "orangefs", "virtiofs", "vboxsf", "beegfs", "prl_fs",
};
static const char *const stacked[] = { "overlay", "overlayfs", "aufs", "shiftfs", "ecryptfs" };

static bool is_one_of(const struct line *line, const char *const table[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(table[i]) == line->type_len &&
		    !memcmp(table[i], line->type, line->type_len))
			return true;
	return false;
}

static enum mount_kind kind_of(const struct line *line)
{
	if (line->type_len >= 4 && !memcmp(line->type, "fuse", 4)) /* fuseblk, fuse.sshfs */
		return MOUNT_SERVED;
	if (is_one_of(line, served, sizeof(served) / sizeof(served[0])))
		return MOUNT_SERVED;
	if (is_one_of(line, stacked, sizeof(stacked) / sizeof(stacked[0])))
		return MOUNT_STACKED;
	return MOUNT_LOCAL;
}

static bool take_number(const char **at, const char *end, char behind, uint32_t *number)
{
	uint32_t value = 0;
	const char *p = *at;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint32_t)(*p - '0'), &value))
			return false;
	if (p == *at || p == end || *p != behind)
		return false;
	*at = p + 1;
	*number = value;
	return true;
}

/* "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw"; blanks in texts are escaped. */
static bool read_line(const char *at, const char *end, struct line *line)
{
	const char *dash = memmem(at, (size_t)(end - at), " - ", 3);
	const char *blank;
	uint32_t parent;

	if (!dash || !take_number(&at, end, ' ', &line->id) ||
	    !take_number(&at, end, ' ', &parent) || !take_number(&at, end, ':', &line->major) ||
	    !take_number(&at, end, ' ', &line->minor) || at > dash)
		return false;
	line->type = dash + 3;
	blank = memchr(line->type, ' ', (size_t)(end - line->type));
	if (!blank)
		return false;
	line->type_len = (size_t)(blank - line->type);
	return line->type_len > 0;
}

/* The next line that can be read; false at the end. */
static bool next_line(const char **at, const char *end, struct line *line)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at)), *begin = *at;

		if (!newline)
			return false;
		*at = newline + 1;
		if (read_line(begin, newline, line))
			return true;
	}
	return false;
}

enum mount_kind mounts_by_id(const char *text, size_t len, uint32_t id)
{
	const char *end = text + len;
	struct line line;

	while (next_line(&text, end, &line))
		if (line.id == id)
			return kind_of(&line);
	return MOUNT_NOT_LISTED;
}

enum mount_kind mounts_by_device(const char *text, size_t len, uint32_t major, uint32_t minor)
{
	enum mount_kind worst = MOUNT_NOT_LISTED;
	const char *end = text + len;
	struct line line;

	while (next_line(&text, end, &line))
		if (line.major == major && line.minor == minor && kind_of(&line) > worst)
			worst = kind_of(&line);
	return worst;
}
