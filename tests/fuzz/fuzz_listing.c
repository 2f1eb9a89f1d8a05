/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any two texts as nft's listing of a table, a form feed between them: each is the same as itself,
 * they differ the same from both sides, and every difference is one printable line.
 */
#include <errno.h>
#include <string.h>

#include "nft/ruleset_listing.h"
#include "shown.h"
#include "take.h"

#define SHOWN_MAX 100

static int compare(const struct listing *wanted, const struct listing *held)
{
	char *lines = NULL, *rest, *line;
	int count = listing_compare(wanted, held, &lines), said = 0;

	must(count >= 0 && lines);
	rest = *lines ? lines : NULL;
	while ((line = strsep(&rest, "\n"))) {
		must(*line);
		must_be_ascii(line);
		said++;
	}
	must(said == (count <= SHOWN_MAX ? count : SHOWN_MAX + 1));
	free(lines);
	return count;
}

static void parse(const char *text, struct listing *listing)
{
	must(!listing_parse(text, 7, listing));
	for (size_t i = 0; i < listing->n; i++) {
		must(!strchr(listing->lines[i].block, '\n'));
		must(!strchr(listing->lines[i].text, '\n'));
	}
}

/* As nft lists: the lines of a block together, a block once, and not too long to compare. */
static bool is_plain(const struct listing *listing)
{
	for (size_t i = 1; i < listing->n; i++)
		for (size_t j = 0; j + 1 < i; j++)
			if (!strcmp(listing->lines[i].block, listing->lines[j].block) &&
			    strcmp(listing->lines[i].block, listing->lines[i - 1].block) != 0)
				return false;
	return listing->n <= 2000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	struct listing first = { 0 }, second = { 0 };
	char *text = take_rest(&take), *other = strchr(text, '\f');
	int differ;

	if (other)
		*other++ = '\0';
	parse(text, &first);
	parse(other ? other : "", &second);
	differ = compare(&first, &second);
	if (is_plain(&first) && is_plain(&second)) {
		must(compare(&first, &first) == 0 && compare(&second, &second) == 0);
		must(compare(&second, &first) == differ);
	}
	listing_free(&first);
	listing_free(&second);
	must(!first.n && !first.lines);
	free(text);
	return 0;
}
