/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft's listing of one table, line by line; must not run nft or know what a rule means. */
#include "ruleset_listing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_text.h"

#define LISTING_COMPARE_MAX 2000 /* lines of one block; the comparison is quadratic */
#define LISTING_SHOWN_MAX   100	 /* differences said one by one */
#define LISTING_TEXT_MAX    400	 /* bytes of a rule in a difference */

void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->n; i++) {
		free(listing->lines[i].block);
		free(listing->lines[i].text);
	}
	free(listing->lines);
	*listing = (struct listing){ 0 };
}

static int listing_add(struct listing *listing, const char *block, const char *prefix,
		       const char *text, size_t len)
{
	struct listing_line line;
	struct ruleset_text joined = { 0 };

	if (listing->n == listing->room) {
		size_t room = listing->room ? listing->room * 2 : 64;
		void *lines = reallocarray(listing->lines, room, sizeof(line));

		if (!lines)
			return -ENOMEM;
		listing->lines = lines;
		listing->room = room;
	}
	ruleset_text_add(&joined, prefix, strlen(prefix));
	ruleset_text_add(&joined, text, len);
	line.block = strdup(block);
	line.text = ruleset_text_take(&joined);
	if (!line.block || !line.text) {
		free(line.block);
		free(line.text);
		return -ENOMEM;
	}
	listing->lines[listing->n++] = line;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct listing_line *)a)->text,
		      ((const struct listing_line *)b)->text);
}

/* "elements = { 25, 465,\n\t\t\t     587 }" as one line each, sorted: their order in the listing
 * is the order of a hash. */
static int listing_elements(struct listing *listing, const char *block, const char *text)
{
	size_t first = listing->n, end = strlen(text);
	int ret = 0;

	while (end && strchr(" \n\t}", text[end - 1]))
		end--;
	for (size_t i = strcspn(text, "{") + 1; i < end && !ret;) {
		size_t len;

		i += strspn(text + i, " \n\t,");
		len = strcspn(text + i, ",");
		if (i + len > end)
			len = i < end ? end - i : 0;
		if (len)
			ret = listing_add(listing, block, "element ", text + i, len);
		i += len;
	}
	if (listing->n > first)
		qsort(listing->lines + first, listing->n - first, sizeof(*listing->lines), by_text);
	return ret;
}

struct listing_parser {
	struct listing *listing;
	char *block;		      /* NULL: between blocks */
	struct ruleset_text elements; /* being collected over several lines */
	uint16_t queue_num;
	bool in_elements, dynamic, agent_rule;
};

/*
 * The agent's rule in nft's words: native `queue flags bypass to 7`; through nft_compat
 * `queue num 7 bypass` where nft translates it with libxtables, else an opaque target.
 */
static bool is_agent_rule(const char *text, size_t len, uint16_t queue_num)
{
	char forms[5][48];

	snprintf(forms[0], sizeof(forms[0]), "queue flags bypass to %u", queue_num);
	snprintf(forms[1], sizeof(forms[1]), "queue num %u bypass", queue_num);
	snprintf(forms[2], sizeof(forms[2]), "queue to %u bypass", queue_num);
	snprintf(forms[3], sizeof(forms[3]), "xt target \"NFQUEUE\"");
	snprintf(forms[4], sizeof(forms[4]), "xt target NFQUEUE");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (len == strlen(forms[i]) && !memcmp(text, forms[i], len))
			return true;
	return false;
}

static int parse_elements_end(struct listing_parser *parser)
{
	char *text;
	int ret = 0;

	if (!parser->in_elements)
		return 0;
	parser->in_elements = false;
	text = ruleset_text_take(&parser->elements);
	if (!text)
		return -ENOMEM;
	if (!parser->dynamic)
		ret = listing_elements(parser->listing, parser->block, text);
	free(text);
	return ret;
}

static int parse_block_begin(struct listing_parser *parser, const char *line, size_t len)
{
	if (len > 2 && !memcmp(line + len - 2, " {", 2))
		len -= 2;
	free(parser->block);
	parser->block = strndup(line, len);
	parser->dynamic = false;
	if (!parser->block)
		return -ENOMEM;
	return listing_add(parser->listing, parser->block, "", "", 0);
}

static int parse_content(struct listing_parser *parser, const char *line, size_t len)
{
	static const char elements[] = "elements = {", flags[] = "flags ";

	if (len > strlen(elements) && !memcmp(line, elements, strlen(elements))) {
		parser->in_elements = true;
		ruleset_text_add(&parser->elements, line, len);
		return 0;
	}
	if (len > strlen(flags) && !memcmp(line, flags, strlen(flags)) &&
	    !strncmp(parser->block, "set ", 4) && memmem(line, len, "dynamic", 7))
		parser->dynamic = true;
	if (!strcmp(parser->block, "chain agent") && !parser->agent_rule &&
	    is_agent_rule(line, len, parser->queue_num)) {
		parser->agent_rule = true;
		return 0;
	}
	return listing_add(parser->listing, parser->block, "", line, len);
}

/* nft indents: a block's head by one tab, what stands in it by two, more elements by three. */
static int parse_line(struct listing_parser *parser, const char *line, size_t len)
{
	size_t tabs = 0;
	int ret;

	while (tabs < len && line[tabs] == '\t')
		tabs++;
	if (parser->in_elements && tabs >= 3) {
		ruleset_text_add(&parser->elements, line, len);
		return 0;
	}
	ret = parse_elements_end(parser);
	line += tabs;
	len -= tabs;
	if (ret || !len || !tabs)
		return ret; /* the table's head and end; "# Warning" of compat rules */
	if (tabs == 1 && len == 1 && *line == '}') {
		free(parser->block);
		parser->block = NULL;
		return 0;
	}
	if (tabs == 1 && line[len - 1] == '{')
		return parse_block_begin(parser, line, len);
	if (!parser->block) /* a property of the table itself: flags, comment */
		return listing_add(parser->listing, "table", "", line, len);
	return parse_content(parser, line, len);
}

int listing_parse(const char *text, uint16_t queue_num, struct listing *listing)
{
	struct listing made = { 0 };
	struct listing_parser parser = { .listing = &made, .queue_num = queue_num };
	int ret = 0;

	while (*text && !ret) {
		size_t len = strcspn(text, "\n");

		ret = parse_line(&parser, text, len);
		text += len + (text[len] == '\n');
	}
	if (!ret && parser.block)
		ret = parse_elements_end(&parser);
	free(parser.block);
	ruleset_text_free(&parser.elements);
	if (ret) {
		listing_free(&made);
		return ret;
	}
	*listing = made;
	return 0;
}

struct compare {
	struct ruleset_text lines;
	int count;
};

static void compare_say(struct compare *compare, const char *what, const struct listing_line *line)
{
	if (++compare->count > LISTING_SHOWN_MAX)
		return;
	ruleset_text_printf(&compare->lines, "%s%s: ", compare->count > 1 ? "\n" : "", what);
	ruleset_text_escaped(&compare->lines, line->block, LISTING_TEXT_MAX);
	if (!*line->text)
		return; /* the block as a whole */
	ruleset_text_add(&compare->lines, ": ", 2);
	ruleset_text_escaped(&compare->lines, line->text, LISTING_TEXT_MAX);
}

/* The lines of a block stand together; their number from `first` on. */
static size_t block_lines(const struct listing *listing, size_t first)
{
	size_t n = first;

	while (n < listing->n && !strcmp(listing->lines[n].block, listing->lines[first].block))
		n++;
	return n - first;
}

static size_t block_find(const struct listing *listing, const char *block)
{
	size_t i = 0;

	while (i < listing->n && strcmp(listing->lines[i].block, block) != 0)
		i++;
	return i;
}

/* The longest common subsequence is what was kept; everything else is said. */
static int compare_block(struct compare *compare, const struct listing_line *wanted,
			 size_t n_wanted, const struct listing_line *held, size_t n_held)
{
	size_t stride = n_held + 1, i, j;
	uint16_t *common;

	if (n_wanted > LISTING_COMPARE_MAX || n_held > LISTING_COMPARE_MAX) {
		compare_say(compare, "too long to compare", held);
		return 0;
	}
	common = calloc((n_wanted + 1) * stride, sizeof(*common));
	if (!common)
		return -ENOMEM;
	for (i = n_wanted; i-- > 0;)
		for (j = n_held; j-- > 0;) {
			uint16_t *at = common + i * stride + j;

			if (!strcmp(wanted[i].text, held[j].text))
				*at = at[stride + 1] + 1;
			else
				*at = at[stride] > at[1] ? at[stride] : at[1];
		}
	for (i = j = 0; i < n_wanted || j < n_held;) {
		uint16_t *at = common + i * stride + j;

		if (i < n_wanted && j < n_held && !strcmp(wanted[i].text, held[j].text)) {
			i++;
			j++;
		} else if (i < n_wanted && (j == n_held || at[stride] >= at[1])) {
			compare_say(compare, "missing", &wanted[i++]);
		} else {
			compare_say(compare, "foreign", &held[j++]);
		}
	}
	free(common);
	return 0;
}

int listing_compare(const struct listing *wanted, const struct listing *held, char **lines)
{
	struct compare compare = { 0 };
	size_t i, n, other;
	int ret = 0;
	char *said;

	for (i = 0; i < wanted->n && !ret; i += n) {
		n = block_lines(wanted, i);
		other = block_find(held, wanted->lines[i].block);
		if (other == held->n)
			compare_say(&compare, "missing", &wanted->lines[i]);
		else
			ret = compare_block(&compare, wanted->lines + i, n, held->lines + other,
					    block_lines(held, other));
	}
	for (i = 0; i < held->n; i += n) {
		n = block_lines(held, i);
		if (block_find(wanted, held->lines[i].block) == wanted->n)
			compare_say(&compare, "foreign", &held->lines[i]);
	}
	if (compare.count > LISTING_SHOWN_MAX)
		ruleset_text_printf(&compare.lines, "\n... and %d more",
				    compare.count - LISTING_SHOWN_MAX);
	said = ret ? NULL : ruleset_text_take(&compare.lines);
	ruleset_text_free(&compare.lines);
	if (!said)
		return ret ? ret : -ENOMEM;
	*lines = said;
	return compare.count;
}
