/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the words of one directive, within bounds; knows no grammar. */
#include <stdlib.h>

#include "sites_words.h"

#define MAX_BYTES (1u << 20)
#define MAX_WORDS (1u << 16)

void words_clear(struct sites_words *words)
{
	words->used = 0;
	words->n = 0;
	words->bad = false;
}

void words_begin(struct sites_words *words)
{
	if (words->n == words->room && words->n < MAX_WORDS) {
		unsigned room = words->room ? words->room * 2 : 64;
		uint32_t *at = reallocarray(words->at, room, sizeof(*at));

		if (at) {
			words->at = at;
			words->room = room;
		} else {
			words->no_memory = true;
		}
	}
	if (words->n == words->room) {
		words->bad = true;
		return;
	}
	words->at[words->n++] = (uint32_t)words->used;
}

static void put(struct sites_words *words, char c)
{
	if (words->used == words->size && words->size < MAX_BYTES) {
		size_t size = words->size ? words->size * 2 : 4096;
		char *text = realloc(words->text, size);

		if (text) {
			words->text = text;
			words->size = size;
		} else {
			words->no_memory = true;
		}
	}
	if (words->used == words->size)
		words->bad = true;
	else
		words->text[words->used++] = c;
}

void words_put(struct sites_words *words, char c)
{
	words->bad |= !c;
	put(words, c);
}

void words_end(struct sites_words *words)
{
	put(words, 0);
}

void words_free(struct sites_words *words)
{
	free(words->text);
	free(words->at);
}
