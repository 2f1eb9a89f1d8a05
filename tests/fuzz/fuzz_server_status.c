/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what a web server answers for its mod_status page. */
#include <errno.h>
#include <string.h>

#include "take.h"
#include "web/trigger_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	pid_t pid = take_u16(&take);
	struct trigger_line line;
	size_t len = take.left, page_len = 0;
	char *answer = malloc(len ? len : 1); /* of its own size: nothing may be read behind it */
	const char *page;
	int result;

	must(answer);
	take_bytes(&take, answer, len);
	page = trigger_status_page(answer, len, &page_len);
	must(!page || (page >= answer && page + page_len == answer + len));
	if (!page) {
		page = answer;
		page_len = len;
	}
	result = trigger_status_row(page, page_len, pid, &line);
	must(!result || result == -ENOENT || result == -EBADMSG);
	if (!result) {
		must(line.pid == pid && line.uri[0] == '/' && line.method[0]);
		must(strlen(line.uri) < 128 && memchr(line.client, '\0', sizeof(line.client)));
	}
	free(answer);
	return 0;
}
