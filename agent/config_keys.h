/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of the configuration's keys: name, kind, limits and place in struct config. The parser
 * and the writer of the text walk it; nobody else needs it.
 */
#ifndef AGENT_CONFIG_KEYS_H
#define AGENT_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum config_kind {
	CONFIG_MODE,
	CONFIG_USERS, /* a list */
	CONFIG_PORTS, /* a list */
	CONFIG_IDENTIFIER,
	CONFIG_USER,
	CONFIG_PATH, /* absolute */
	CONFIG_PATH_OR_EMPTY,
	CONFIG_SOCKET_OR_EMPTY, /* fits sockaddr_un.sun_path */
	CONFIG_PAGE_OR_EMPTY,	/* http:// and an address of this box's loopback */
	CONFIG_BOOL,
	CONFIG_MARK, /* uint32_t, written in hex */
	CONFIG_U16,
	CONFIG_U32,
	CONFIG_U64,
};

struct config_key {
	const char *name;
	enum config_kind kind;
	size_t offset;	   /* in struct config */
	uint64_t min, max; /* of a number */
	const char *unit;  /* of a number, for messages; NULL: none */
};

extern const struct config_key config_keys[];
extern const unsigned config_keys_n;
#define CONFIG_KEYS_MAX 64 /* room that is enough for all of them */

#endif
