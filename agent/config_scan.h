/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shape of a configuration file, before libconfuse reads its values: one assignment after the
 * other, each with its line. libconfuse would expand ${X} from the environment, cut a text at \x00,
 * and say neither the key nor what was expected; here none of it gets that far. Pure.
 */
#ifndef AGENT_CONFIG_SCAN_H
#define AGENT_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_TEXT_MAX	 (1U << 20)
#define CONFIG_KEY_BYTES 64

struct config_scan {
	const char *at; /* the rest of the text */
	unsigned line;	/* of `at` */
};

struct config_assignment {
	char key[CONFIG_KEY_BYTES]; /* also what stood where a key was expected, made printable */
	bool has_key;		    /* `key` is one, known or not */
	unsigned line;		    /* where the key stands; of an error: where it was found */
	const char *value;	    /* from the value's first to behind its last character */
	size_t value_len;
	bool list;
	const char *expected; /* of an error; static */
};

/* Is the text one that may be scanned: UTF-8, no control characters but tab and line ends, not too
 * long? NULL, or what was expected and *line. */
const char *config_scan_text(const char *text, size_t len, unsigned *line);

/* 1: *assignment is the next one; 0: the text is at its end; -EINVAL: `expected` says what was. */
int config_scan_next(struct config_scan *scan, struct config_assignment *assignment);

#endif
