/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a configuration: read, or refused with lines that say where. */
#include <errno.h>
#include <string.h>

#include "agent/config.h"
#include "fuzz.h"

static void check_line(void *context, const char *line)
{
	unsigned *lines = context;

	must(!strncmp(line, "f:", 2) && line[2] >= '1' && line[2] <= '9');
	must(!strchr(line, '\n') && strstr(line, ": expected "));
	for (const char *c = line; *c; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
	/* What the scan lets through, libconfuse reads. */
	must(!strstr(line, "that libconfuse can read"));
	++*lines;
}

static void check_config(const struct config *config)
{
	must(config->n_ports >= 1 && config->n_ports <= POLICY_PORTS_MAX);
	must(config->n_mail_users <= CONFIG_MAIL_USERS_MAX);
	must(config->mode < MODE_N);
	must(config->mark_allow && config->mark_deny && config->mark_allow != config->mark_deny);
	must(!((config->mark_allow | config->mark_deny) & ~config->mark_mask));
	must(memchr(config->table, '\0', sizeof(config->table)) && *config->table);
	must(config->state_dir[0] == '/' && config->nft_program[0] == '/');
	must(config->excerpt_bytes <= 512);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config, before, back;
	unsigned lines = 0;
	char *text = malloc(size + 1), *written;
	int result;

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	config_defaults(&config);
	before = config;
	result = config_parse(&config, "f", text, check_line, &lines);
	if (result) {
		must(result == -EINVAL && lines);
		must(!memcmp(&config, &before, sizeof(config)));
	} else {
		must(!lines);
		check_config(&config);
		written = config_text(&config);
		must(written);
		config_defaults(&back);
		must(!config_parse(&back, "f", written, check_line, &lines));
		must(!memcmp(&config, &back, sizeof(config)));
		free(written);
	}
	free(text);
	return 0;
}
