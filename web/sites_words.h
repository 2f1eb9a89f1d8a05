/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of one directive: bounded, NUL-terminated, used again for the next. No grammar. */
#ifndef WEB_SITES_WORDS_H
#define WEB_SITES_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sites_words {
	char *text;
	size_t used, size;
	uint32_t *at;
	unsigned n, room;
	bool bad;	/* too long, too many, or with a NUL: not to be used */
	bool no_memory; /* likewise; stays set */
};

void words_clear(struct sites_words *words);
void words_begin(struct sites_words *words);
void words_put(struct sites_words *words, char c);
void words_end(struct sites_words *words);
void words_free(struct sites_words *words);

/* FNV-1a, for tables. */
static inline uint32_t words_hash(const char *text)
{
	uint32_t hash = 2166136261u;

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 16777619u;
	return hash;
}

static inline const char *words_at(const struct sites_words *words, unsigned i)
{
	return i < words->n ? words->text + words->at[i] : "";
}

#endif
