/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a struct config as text that config_parse() reads back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"

static void write_quoted(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void write_users(FILE *out, const struct config *config)
{
	putc('{', out);
	for (unsigned i = 0; i < config->n_mail_users; i++) {
		fputs(i ? ", " : "", out);
		write_quoted(out, config->mail_users[i]);
	}
	putc('}', out);
}

static void write_ports(FILE *out, const struct config *config)
{
	putc('{', out);
	for (unsigned i = 0; i < config->n_ports; i++)
		fprintf(out, "%s%u", i ? ", " : "", config->ports[i]);
	putc('}', out);
}

static void write_value(FILE *out, const struct config *config, const struct config_key *key)
{
	const void *field = (const char *)config + key->offset;

	switch (key->kind) {
	case CONFIG_MODE:
		write_quoted(out, policy_mode_words[config->mode]);
		break;
	case CONFIG_USERS:
		write_users(out, config);
		break;
	case CONFIG_PORTS:
		write_ports(out, config);
		break;
	case CONFIG_BOOL:
		fputs(*(const bool *)field ? "true" : "false", out);
		break;
	case CONFIG_MARK:
		fprintf(out, "0x%08" PRIx32, *(const uint32_t *)field);
		break;
	case CONFIG_U16:
		fprintf(out, "%" PRIu16, *(const uint16_t *)field);
		break;
	case CONFIG_U32:
		fprintf(out, "%" PRIu32, *(const uint32_t *)field);
		break;
	case CONFIG_U64:
		fprintf(out, "%" PRIu64, *(const uint64_t *)field);
		break;
	default:
		write_quoted(out, field);
	}
}

char *config_text(const struct config *config)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (unsigned i = 0; i < config_keys_n; i++) {
		fprintf(out, "%s = ", config_keys[i].name);
		write_value(out, config, &config_keys[i]);
		putc('\n', out);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
