/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as php-fpm's configuration: values that fit, and a page only where we would go. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "bpf-free/fpm_conf.h"
#include "take.h"

static void check_end(const char value[FPM_CONF_VALUE])
{
	must(memchr(value, '\0', FPM_CONF_VALUE));
}

static void check_page(const struct fpm_conf *conf)
{
	static const unsigned char loopback6[16] = { [15] = 1 };
	static struct fpm_page page, before;
	int result;

	memset(&page, 0x5a, sizeof(page));
	before = page;
	result = fpm_conf_page(conf, &page);
	if (result) {
		must(result == -ENOENT || result == -EADDRNOTAVAIL);
		must(!memcmp(&page, &before, sizeof(page)));
		return;
	}
	must(conf->pool.found && page.status_path[0] == '/');
	check_end(page.status_path);
	if (page.is_unix) {
		must(page.unix_path[0] == '/');
		check_end(page.unix_path);
	} else {
		must(page.port && (page.family == AF_INET || page.family == AF_INET6));
		must(page.family == AF_INET ? page.address[0] == 127
					    : !memcmp(page.address, loopback6, 16));
	}
}

/* Each line ends where its allocation ends. */
static void give_line(struct fpm_conf *conf, const uint8_t *line, size_t len)
{
	char include[FPM_CONF_VALUE], *copy = malloc(len ? len : 1);

	must(copy);
	if (len)
		memcpy(copy, line, len);
	memset(include, 0x5a, sizeof(include));
	if (fpm_conf_line(conf, copy, len, include)) {
		check_end(include);
		must(*include && !strstr(include, "${"));
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fpm_conf conf;
	struct take take = { data, size };
	const uint8_t *newline, *line;
	char pool[600]; /* longer than a value: it comes from a process title */

	take_text(&take, pool, take_u8(&take) & 1 ? sizeof(pool) : 16);
	fpm_conf_begin(&conf, pool);
	for (line = take.at; line < data + size; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(data + size - line));
		if (!newline)
			newline = data + size;
		give_line(&conf, line, (size_t)(newline - line));
		must(!(conf.in_pool && conf.in_global));
	}
	check_end(conf.pool.listen);
	check_end(conf.pool.status_path);
	check_end(conf.pool.status_listen);
	check_end(conf.pool.prefix);
	check_page(&conf);
	return 0;
}
