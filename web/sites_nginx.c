/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splits nginx's configuration into directives and blocks, as ngx_conf_read_token() of nginx's
 * src/core/ngx_conf_file.c does, and follows includes. What they mean is sites_nginx_http.c's
 * affair.
 */
#include <stdlib.h>
#include <string.h>

#include "sites_nginx.h"

enum token { TOKEN_DIRECTIVE, TOKEN_BLOCK, TOKEN_CLOSE, TOKEN_END };

struct cursor {
	const char *at, *end;
	unsigned line;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char take_char(struct cursor *in)
{
	in->line += *in->at == '\n';
	return *in->at++;
}

/* A backslash takes itself away before a quote or another one, and makes \t, \r and \n. */
static void put_escaped(struct sites_words *words, struct cursor *in)
{
	char c;

	if (in->at == in->end) {
		words->bad = true;
		return;
	}
	c = take_char(in);
	switch (c) {
	case '"':
	case '\'':
	case '\\':
		break;
	case 't':
		c = '\t';
		break;
	case 'r':
		c = '\r';
		break;
	case 'n':
		c = '\n';
		break;
	default:
		words_put(words, '\\');
	}
	words_put(words, c);
}

static void quoted_word(struct sites_words *words, struct cursor *in, char quote)
{
	char c;

	words_begin(words);
	while (in->at < in->end && (c = take_char(in)) != quote) {
		if (c == '\\')
			put_escaped(words, in);
		else
			words_put(words, c);
	}
	words_end(words);
}

/* Up to a blank, `;` or `{`, which stay; the brace of "${name}" is the word's. */
static void plain_word(struct sites_words *words, struct cursor *in)
{
	bool after_dollar = false;

	words_begin(words);
	while (in->at < in->end && !is_blank(*in->at) && *in->at != ';' &&
	       (*in->at != '{' || after_dollar)) {
		char c = take_char(in);

		after_dollar = c == '$';
		if (c == '\\')
			put_escaped(words, in);
		else
			words_put(words, c);
	}
	words_end(words);
}

static void skip_blank(struct cursor *in)
{
	while (in->at < in->end && (is_blank(*in->at) || *in->at == '#')) {
		if (*in->at == '#')
			while (in->at < in->end && *in->at != '\n')
				in->at++;
		else
			take_char(in);
	}
}

static enum token next_token(struct nginx *nginx, struct cursor *in)
{
	struct sites_words *words = &nginx->words;

	words_clear(words);
	for (;;) {
		skip_blank(in);
		if (in->at == in->end) {
			if (words->n) /* no `;` */
				build_skip(nginx->build);
			return TOKEN_END;
		}
		if (!words->n)
			nginx->line = in->line;
		switch (*in->at) {
		case ';':
			in->at++;
			return TOKEN_DIRECTIVE;
		case '{':
			in->at++;
			return TOKEN_BLOCK;
		case '}':
			in->at++;
			if (words->n)
				build_skip(nginx->build);
			return TOKEN_CLOSE;
		case '"':
		case '\'':
			quoted_word(words, in, take_char(in));
			break;
		default:
			plain_word(words, in);
		}
	}
}

/* "[[", "[==[": how many marks, -1 for none of these. */
static int long_bracket(const struct cursor *in, char bracket)
{
	const char *at = in->at;
	int marks = 0;

	if (at == in->end || *at++ != bracket)
		return -1;
	for (; at < in->end && *at == '='; at++)
		marks++;
	return at < in->end && *at == bracket ? marks : -1;
}

static void skip_long(struct cursor *in, int marks)
{
	in->at += marks + 2;
	while (in->at < in->end) {
		if (long_bracket(in, ']') == marks) {
			in->at += marks + 2;
			return;
		}
		take_char(in);
	}
}

static void skip_lua_string(struct cursor *in)
{
	char c, quote = take_char(in);

	while (in->at < in->end && (c = take_char(in)) != quote)
		if (c == '\\' && in->at < in->end)
			take_char(in);
}

/* `content_by_lua_block {…}` of OpenResty: Lua up to its own closing brace. */
static void skip_lua(struct cursor *in)
{
	unsigned open = 1;

	while (in->at < in->end && open) {
		bool is_comment = in->end - in->at > 1 && in->at[0] == '-' && in->at[1] == '-';
		int marks;

		if (is_comment)
			in->at += 2;
		marks = long_bracket(in, '[');
		if (marks >= 0) {
			skip_long(in, marks);
		} else if (is_comment) {
			while (in->at < in->end && *in->at != '\n')
				in->at++;
		} else if (*in->at == '"' || *in->at == '\'') {
			skip_lua_string(in);
		} else {
			char c = take_char(in);

			open += (c == '{') - (c == '}');
		}
	}
}

static bool is_lua(const struct sites_words *words)
{
	const char *name = words_at(words, 0);
	size_t len = strlen(name);

	return !words->bad && len > 13 && !strcmp(name + len - 13, "_by_lua_block");
}

static sites_take take_text;

/* A relative pattern is below the main file's folder (ngx_conf_full_name() with conf_prefix). */
static void include(struct nginx *nginx, const char *pattern)
{
	char folder[SITES_PATH_BYTES], *path;
	size_t len = (size_t)(strrchr(nginx->conf, '/') - nginx->conf);

	memcpy(folder, nginx->conf, len);
	strcpy(folder + len, "/");
	path = build_path(nginx->build, folder, pattern);
	if (path)
		nginx->source->include(nginx->source->context, path, SITES_INCLUDE_SORTED,
				       take_text, nginx);
	else
		build_skip(nginx->build);
}

static void open_block(struct nginx *nginx, struct cursor *in)
{
	if (is_lua(&nginx->words)) {
		skip_lua(in);
		return;
	}
	if (nginx->depth + 1 == NGINX_NEST) {
		build_skip(nginx->build);
		in->at = in->end;
		return;
	}
	nginx->levels[nginx->depth + 1] = nginx_block(nginx);
	nginx->depth++;
}

/* One file. A block ends in the file where it began. */
static void take_text(void *reader, const char *file, const char *text, size_t len)
{
	struct nginx *nginx = reader;
	const char *outer_file = nginx->file;
	char *outer_kept = nginx->kept_file;
	struct cursor in = { text, text + len, 1 };
	unsigned base = nginx->depth;
	enum token token;

	nginx->file = file;
	nginx->kept_file = NULL;
	while (!nginx->source->expired(nginx->source->context) &&
	       (token = next_token(nginx, &in)) != TOKEN_END) {
		if (token == TOKEN_BLOCK) {
			open_block(nginx, &in);
		} else if (token == TOKEN_DIRECTIVE) {
			if (nginx_directive(nginx))
				include(nginx, words_at(&nginx->words, 1));
		} else if (nginx->depth > base) {
			nginx_leave(nginx, false);
		} else {
			build_skip(nginx->build);
			break;
		}
	}
	while (nginx->depth > base) {
		build_skip(nginx->build);
		nginx_leave(nginx, true);
	}
	nginx->file = outer_file;
	nginx->kept_file = outer_kept;
}

void nginx_read(struct sites_build *build, const struct sites_source *source, const char *conf,
		const char *prefix, const char *log)
{
	struct nginx *nginx = calloc(1, sizeof(*nginx));

	if (!nginx) {
		build->no_memory = true;
		return;
	}
	nginx->build = build;
	nginx->source = source;
	nginx->prefix = prefix;
	nginx->default_log = log;
	nginx->conf = conf;
	source->include(source->context, conf, SITES_INCLUDE_OPTIONAL, take_text, nginx);
	nginx_finish(nginx);
	build->no_memory |= nginx->words.no_memory;
	words_free(&nginx->words);
	free(nginx);
}
