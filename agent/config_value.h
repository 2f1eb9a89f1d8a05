/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One config_parse() under way, shared by what walks the text (config.c) and what checks a value
 * and puts it in its place (config_value.c).
 */
#ifndef AGENT_CONFIG_VALUE_H
#define AGENT_CONFIG_VALUE_H

#include <confuse.h>

#include "config_keys.h"

struct config_parse {
	struct config config; /* becomes the caller's when there was no error */
	const char *file;
	config_error_fn error;
	void *context;
	unsigned errors;
	unsigned line;			    /* of the assignment at hand */
	unsigned marks_line, evidence_line; /* the last that set one of them; 0: none did */
};

/* One error line, `file:line: key: expected…`. */
void config_complain(struct config_parse *parse, unsigned line, const char *key, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/* The value or values that libconfuse read for this key, as its option "v". */
void config_set_value(struct config_parse *parse, const struct config_key *key, cfg_t *values);

#endif
