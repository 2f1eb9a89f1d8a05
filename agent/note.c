/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a note. */
#include "note.h"

#include <assert.h>

#define WORDS(table, n) static_assert(sizeof(table) / sizeof((table)[0]) == (n), "a word for each")

const char *const note_site_from_words[SITE_FROM_N] = {
	[SITE_FROM_NONE] = "none", [SITE_FROM_VHOST] = "vhost", [SITE_FROM_HOST] = "host",
	[SITE_FROM_POOL] = "pool", [SITE_FROM_PANEL] = "panel", [SITE_FROM_USER] = "user",
	[SITE_FROM_HOME] = "home",
};
WORDS(note_site_from_words, SITE_FROM_N);

const char *const note_match_words[MATCH_N] = {
	[MATCH_NONE] = "none",
	[MATCH_EXACT] = "exact",
	[MATCH_PROBABLE] = "probable",
	[MATCH_CANDIDATES] = "candidates",
};
WORDS(note_match_words, MATCH_N);

const char *const note_object_why_words[OBJECT_WHY_N] = {
	[OBJECT_WHY_NONE] = "none",	      [OBJECT_WHY_EXITED] = "exited",
	[OBJECT_WHY_TOO_BIG] = "too-big",     [OBJECT_WHY_BUDGET] = "budget",
	[OBJECT_WHY_NOT_ASKED] = "not-asked", [OBJECT_WHY_ERROR] = "error",
};
WORDS(note_object_why_words, OBJECT_WHY_N);
