/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any text as a template and any values: no placeholder is left in what is loaded, or why not. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nft/ruleset.h"
#include "shown.h"
#include "take.h"

static char template_path[64]; /* of a file in memory */

static const char *file_of(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("template", MFD_CLOEXEC);
		snprintf(template_path, sizeof(template_path), "/proc/self/fd/%d", fd);
	}
	must(fd >= 0 && !ftruncate(fd, 0));
	must(!size || pwrite(fd, data, size, 0) == (ssize_t)size);
	return template_path;
}

/* Outside of comments; a # in quotes begins none. */
static void check_no_placeholder(const char *text)
{
	bool quoted = false, comment = false;

	for (; *text; text++) {
		if (*text == '\n')
			quoted = comment = false;
		else if (*text == '"' && !comment)
			quoted = !quoted;
		else if (*text == '#' && !quoted)
			comment = true;
		must(comment || text[0] != '$' || text[1] != '{');
	}
}

static void check_render(const struct ruleset *ruleset, bool has_nul)
{
	char *text = NULL, *message = NULL;
	int result = ruleset_render(ruleset, &text, &message);

	if (result) {
		must(result == -EINVAL || (result == -EFBIG && ruleset->rules_file));
		must(!text && message && *message);
		must_be_ascii(message);
	} else {
		must(text && !message && (!has_nul || !ruleset->rules_file));
		must(!*text || text[strlen(text) - 1] == '\n');
		check_no_placeholder(text);
	}
	free(text);
	free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t ports[RULESET_PORTS_MAX + 1] = { 0 };
	uint32_t uids[RULESET_UIDS_MAX + 1] = { 0 };
	struct take take = { data, size };
	struct ruleset ruleset = { .ports = ports, .mail_uids = uids };
	uint8_t flags = take_u8(&take);
	char table[70];

	take_text(&take, table, sizeof(table));
	ruleset.table = table;
	ruleset.monitor = flags & 1;
	ruleset.n_ports = (unsigned)take_span(&take, ports, sizeof(ports)) / sizeof(ports[0]);
	ruleset.n_mail_uids = (unsigned)take_span(&take, uids, sizeof(uids)) / sizeof(uids[0]);
	ruleset.mark_mask = take_u32(&take);
	ruleset.mark_allow = take_u32(&take);
	ruleset.mark_deny = take_u32(&take);
	ruleset.nflog_group = take_u16(&take);
	ruleset.queue_num = take_u16(&take);
	if (flags & 2)
		ruleset.rules_file = file_of(take.at, take.left);
	check_render(&ruleset, memchr(take.at, '\0', take.left));
	return 0;
}
