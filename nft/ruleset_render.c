/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The template with the config's values in it; must not know what its rules mean. */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ruleset.h"
#include "ruleset_text.h"

#define RENDER_FILE_MAX (1U << 18)
#define RENDER_WORD_MAX 100 /* bytes of an unknown placeholder in a message */

extern const char ruleset_template[]; /* nft/template.S */

enum placeholder {
	PLACE_TABLE,
	PLACE_PORTS,
	PLACE_MAIL_UIDS,
	PLACE_MARK_MASK,
	PLACE_MARK_KEEP,
	PLACE_MARK_ALLOW,
	PLACE_MARK_DENY,
	PLACE_MARK_MAIL,
	PLACE_HOT_LIMIT,
	PLACE_GROUP_REFUSED,
	PLACE_GROUP_MAIL,
	PLACE_GROUP_LOCAL,
	PLACE_MODE,
	PLACE_N
};

static const char *const placeholder_words[PLACE_N] = {
	[PLACE_TABLE] = "table",
	[PLACE_PORTS] = "ports",
	[PLACE_MAIL_UIDS] = "mail_uids",
	[PLACE_MARK_MASK] = "mark_mask",
	[PLACE_MARK_KEEP] = "mark_keep",
	[PLACE_MARK_ALLOW] = "mark_allow",
	[PLACE_MARK_DENY] = "mark_deny",
	[PLACE_MARK_MAIL] = "mark_mail",
	[PLACE_HOT_LIMIT] = "hot_limit",
	[PLACE_GROUP_REFUSED] = "group_refused",
	[PLACE_GROUP_MAIL] = "group_mail",
	[PLACE_GROUP_LOCAL] = "group_local",
	[PLACE_MODE] = "mode",
};
static_assert(sizeof(placeholder_words) / sizeof(placeholder_words[0]) == PLACE_N,
	      "a word for each placeholder");

struct render {
	const struct ruleset *ruleset;
	struct ruleset_text *out;
	bool used[PLACE_N];
	unsigned line;
	struct ruleset_text message;
};

/* NULL, or what is wrong with a value. The table's name goes into the text as it is, so it must
 * not be able to carry syntax. */
static const char *ruleset_wrong(const struct ruleset *ruleset)
{
	const char *name = ruleset->table;
	uint32_t mask = ruleset->mark_mask, allow = ruleset->mark_allow, deny = ruleset->mark_deny;

	if (!name || (!isalpha((unsigned char)*name) && *name != '_') || strlen(name) > 63)
		return "table: a name of letters, digits and _ was expected";
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return "table: a name of letters, digits and _ was expected";
	if (!ruleset->n_ports || ruleset->n_ports > RULESET_PORTS_MAX)
		return "ports: 1 to 64 ports were expected";
	if (ruleset->n_mail_uids > RULESET_UIDS_MAX)
		return "mail users: at most 64 were expected";
	if (!allow || !deny || allow == deny || (allow & ~mask) || (deny & ~mask))
		return "marks: two different values within the mask, not 0, were expected";
	if (ruleset->hot_rate && !ruleset->hot_burst)
		return "hot_burst: 1 packet or more was expected";
	if (ruleset->nflog_group > UINT16_MAX - 2)
		return "nflog_group: at most 65533 was expected";
	return NULL;
}

/* A third value within the mask, not 0: a mask that has two has one more. */
static uint32_t mark_mail(const struct ruleset *ruleset)
{
	uint32_t allow = ruleset->mark_allow, deny = ruleset->mark_deny, both = allow | deny;

	return both != allow && both != deny ? both : allow ^ deny;
}

static void render_value(struct render *render, enum placeholder place)
{
	const struct ruleset *ruleset = render->ruleset;
	struct ruleset_text *out = render->out;

	switch (place) {
	case PLACE_TABLE:
		ruleset_text_printf(out, "%s", ruleset->table);
		break;
	case PLACE_PORTS:
		for (unsigned i = 0; i < ruleset->n_ports; i++)
			ruleset_text_printf(out, "%s%u", i ? ", " : "", ruleset->ports[i]);
		break;
	case PLACE_MAIL_UIDS:
		for (unsigned i = 0; i < ruleset->n_mail_uids; i++)
			ruleset_text_printf(out, "%s%" PRIu32, i ? ", " : "",
					    ruleset->mail_uids[i]);
		break;
	case PLACE_MARK_MASK:
		ruleset_text_printf(out, "0x%08" PRIx32, ruleset->mark_mask);
		break;
	case PLACE_MARK_KEEP:
		ruleset_text_printf(out, "0x%08" PRIx32, ~ruleset->mark_mask);
		break;
	case PLACE_MARK_ALLOW:
		ruleset_text_printf(out, "0x%08" PRIx32, ruleset->mark_allow);
		break;
	case PLACE_MARK_DENY:
		ruleset_text_printf(out, "0x%08" PRIx32, ruleset->mark_deny);
		break;
	case PLACE_MARK_MAIL:
		ruleset_text_printf(out, "0x%08" PRIx32, mark_mail(ruleset));
		break;
	case PLACE_HOT_LIMIT:
		if (ruleset->hot_rate)
			ruleset_text_printf(
				out, "limit rate over %" PRIu32 "/second burst %" PRIu32 " packets",
				ruleset->hot_rate, ruleset->hot_burst);
		break;
	case PLACE_GROUP_REFUSED:
		ruleset_text_printf(out, "%u", ruleset->nflog_group);
		break;
	case PLACE_GROUP_MAIL:
		ruleset_text_printf(out, "%u", ruleset->nflog_group + 1U);
		break;
	case PLACE_GROUP_LOCAL:
		ruleset_text_printf(out, "%u", ruleset->nflog_group + 2U);
		break;
	case PLACE_MODE:
		ruleset_text_printf(out, "%s", ruleset->monitor ? "monitor" : "enforce");
		break;
	case PLACE_N:
		break;
	}
}

static enum placeholder placeholder_find(const char *word, size_t len)
{
	enum placeholder place;

	for (place = 0; place < PLACE_N; place++)
		if (strlen(placeholder_words[place]) == len &&
		    !memcmp(placeholder_words[place], word, len))
			break;
	return place;
}

/* Where the line's comment begins: the first # outside of quotes. Comments stay as they are. */
static size_t code_len(const char *line, size_t len)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '"')
			quoted = !quoted;
		if (line[i] == '#' && !quoted)
			break;
	}
	return i;
}

static int unknown_placeholder(struct render *render, const char *at, size_t len)
{
	char *word = strndup(at, len);

	if (!word)
		return -ENOMEM;
	ruleset_text_printf(&render->message, "line %u: unknown placeholder ", render->line);
	ruleset_text_escaped(&render->message, word, RENDER_WORD_MAX);
	free(word);
	return -EINVAL;
}

/* One line with its values; a line with an empty value is left out, since nft 1.0.6 takes no
 * `elements = { }`. */
static int render_line(struct render *render, const char *line, size_t len)
{
	size_t start = render->out->len, code = code_len(line, len), i = 0;

	while (i < len) {
		const char *open = i < code ? memmem(line + i, code - i, "${", 2) : NULL;
		const char *close = open ? memchr(open, '}', (size_t)(line + code - open)) : NULL;
		size_t value = 0, plain = open ? (size_t)(open - line) - i : len - i;
		enum placeholder place;

		ruleset_text_add(render->out, line + i, plain);
		if (!open)
			break;
		place = close ? placeholder_find(open + 2, (size_t)(close - open) - 2) : PLACE_N;
		if (place == PLACE_N) {
			return unknown_placeholder(render, open,
						   close ? (size_t)(close - open) + 1 : 2);
		}
		render->used[place] = true;
		value = render->out->len;
		render_value(render, place);
		if (render->out->len == value && !render->out->failed) {
			render->out->len = start;
			return 0;
		}
		i = (size_t)(close - line) + 1;
	}
	ruleset_text_add(render->out, "\n", 1);
	return 0;
}

static int render_all(struct render *render, const char *template)
{
	int ret = 0;

	while (*template && !ret) {
		size_t len = strcspn(template, "\n");

		render->line++;
		ret = render_line(render, template, len);
		template += len + (template[len] == '\n');
	}
	for (enum placeholder place = 0; place < PLACE_N && !ret; place++) {
		if (render->used[place])
			continue;
		ruleset_text_printf(&render->message, "the placeholder ${%s} is missing",
				    placeholder_words[place]);
		ret = -EINVAL;
	}
	return ret;
}

static int template_read(const char *path, char **template)
{
	struct ruleset_text text = { 0 };
	char buffer[4096], *bytes;
	ssize_t n;
	int fd, ret = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (!ret && (n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			ret = -errno;
		if (n > 0)
			ruleset_text_add(&text, buffer, (size_t)n);
		if (text.len > RENDER_FILE_MAX)
			ret = -EFBIG;
	}
	close(fd);
	if (!ret && text.len && memchr(text.bytes, '\0', text.len))
		ret = -EINVAL; /* what stands behind it would silently be no rule */
	bytes = ret ? NULL : ruleset_text_take(&text);
	ruleset_text_free(&text);
	if (!bytes)
		return ret ? ret : -ENOMEM;
	*template = bytes;
	return 0;
}

int ruleset_render(const struct ruleset *ruleset, char **text, char **message)
{
	const char *file = ruleset->rules_file, *wrong = ruleset_wrong(ruleset);
	struct ruleset_text out = { 0 };
	struct render render = { .ruleset = ruleset, .out = &out };
	char *read_template = NULL, *bytes;
	int ret = 0;

	*message = NULL;
	if (wrong) {
		ruleset_text_printf(&render.message, "%s", wrong);
		ret = -EINVAL;
		goto out;
	}
	if (file) {
		ret = template_read(file, &read_template);
		if (ret < 0) {
			ruleset_text_printf(&render.message, "%s: %s", file, strerror(-ret));
			goto out;
		}
	}
	ret = render_all(&render, file ? read_template : ruleset_template);
	if (ret < 0)
		goto out;
	bytes = ruleset_text_take(&out);
	if (!bytes) {
		ret = -ENOMEM;
		goto out;
	}
	*text = bytes;
out:
	if (ret < 0)
		*message = ruleset_text_take(&render.message);
	ruleset_text_free(&render.message);
	ruleset_text_free(&out);
	free(read_template);
	return ret;
}
