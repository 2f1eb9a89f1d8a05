/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the script among an interpreter's arguments, as its manual page says. Pure. */
#include <string.h>

#include "script_grammar.h"

/* bash takes these with one dash too (long_args[], shell.c). */
static const char bash_words[] =
	"debug|debugger|dump-po-strings|dump-strings|help|init-file|login|noediting|noprofile|norc|"
	"posix|pretty-print|protected|rcfile|restricted|verbose|version|wordexp|";

const char *script_next_word(struct script_words *words)
{
	const char *word = words->at;

	if (word >= words->end)
		return NULL;
	words->at = word + strnlen(word, (size_t)(words->end - word)) + 1;
	return word;
}

static bool same_name(const char *listed, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (listed[i] != name[i] && !(listed[i] == '-' && name[i] == '_'))
			return false;
	return true;
}

bool script_listed(const char *list, const char *name, size_t len)
{
	for (const char *at = list; at && *at;) {
		size_t n = strcspn(at, "|");

		if (n == len && same_name(at, name, n))
			return true;
		at += n + 1;
	}
	return false;
}

void script_answer(struct script_args *args, enum owner_script_from from, const char *path)
{
	bool named = from == OWNER_SCRIPT_ARGV || from == OWNER_SCRIPT_MODULE;

	if (named && (!path || !*path))
		from = OWNER_SCRIPT_NONE;
	args->from = from;
	args->why = from == OWNER_SCRIPT_NONE ? OWNER_WHY_NOT_TOLD : OWNER_WHY_NONE;
	args->path = named && from != OWNER_SCRIPT_NONE ? path : NULL;
}

/* What the options said so far. */
struct walk {
	const struct grammar *g;
	struct script_words words;
	const char *file;
	bool text, input, search, moved;
};

enum step { GO_ON, DONE };

static enum step answer(struct script_args *args, enum owner_script_from from, const char *path)
{
	script_answer(args, from, path);
	return DONE;
}

static bool has(const char *letters, char c)
{
	return letters && c && strchr(letters, c);
}

static enum step take_file(struct walk *w, const char *path, struct script_args *args)
{
	if (!path)
		return answer(args, OWNER_SCRIPT_NONE, NULL);
	if (!w->file || !(w->g->flags & FIRST_FILE))
		w->file = path;
	return GO_ON;
}

/* Program text that is not there makes no program. */
static enum step take_text(const char *text, struct script_args *args)
{
	return answer(args, text ? OWNER_SCRIPT_INLINE : OWNER_SCRIPT_NONE, NULL);
}

static enum step long_option(struct walk *w, const char *name, struct script_args *args)
{
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct grammar *g = w->g;

	if (script_listed(g->long_away, name, len))
		return answer(args, OWNER_SCRIPT_NONE, NULL);
	if (script_listed(g->long_input, name, len))
		w->input = true;
	if (script_listed(g->long_text, name, len))
		return take_text(equals ? equals : script_next_word(&w->words), args);
	if (script_listed(g->long_file, name, len))
		return take_file(w, equals ? equals + 1 : script_next_word(&w->words), args);
	if (script_listed(g->long_beside, name, len))
		w->text = true;
	else if (!script_listed(g->long_value, name, len))
		return GO_ON;
	if (!equals)
		script_next_word(&w->words);
	return GO_ON;
}

/* The rest of the word, or the next one. */
static const char *value_of(struct walk *w, const char *rest)
{
	if (!*rest)
		return script_next_word(&w->words);
	return *rest == '=' && (w->g->flags & VALUE_EQUALS) ? rest + 1 : rest;
}

/* perl: up to four octal digits, the "0" of -0 among them, or -0xHEX; ruby's are fewer. */
static const char *skip_digits(const char *c)
{
	if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X'))
		return c + 1 + strspn(c + 2, "0123456789abcdefABCDEF");
	return c + strspn(c + 1, "01234567");
}

/* The last character of what belongs to the letter at c; at the word's end its last one. */
static const char *skip_own(const struct grammar *g, const char *c)
{
	const char *last = c + strlen(c) - 1;

	if (has(g->attached, *c))
		return last;
	if (has(g->colon, *c)) {
		const char *colon = c[1] == 't' ? c + 2 : c + 1;

		if (*colon == ':' || *colon == '=')
			return last;
	}
	if (has(g->digits, *c))
		return skip_digits(c);
	if (has(g->one, *c) && c[1])
		return c + 1;
	if ((g->flags & BLANK_OPTIONS) && *c == ' ')
		return c + strspn(c, " ") - (c[strspn(c, " ")] == '-' ? 0 : 1);
	return c;
}

static enum step letters(struct walk *w, const char *word, struct script_args *args)
{
	const struct grammar *g = w->g;
	unsigned values = 0;

	for (const char *c = word + 1; *c; c++) {
		if (has(g->text, *c))
			return take_text(g->flags & PLUS ? c : value_of(w, c + 1), args);
		if (has(g->away, *c))
			return answer(args, OWNER_SCRIPT_NONE, NULL);
		if (has(g->module, *c))
			return answer(args, OWNER_SCRIPT_MODULE, value_of(w, c + 1));
		if (has(g->file, *c))
			return take_file(w, value_of(w, c + 1), args);
		if (has(g->beside, *c)) {
			w->text = value_of(w, c + 1) != NULL;
			return GO_ON;
		}
		w->input |= has(g->input, *c);
		w->search |= (g->flags & SEARCH) && *c == 'S';
		w->moved |= (g->flags & SEARCH) && *c == 'x' && c[1];
		if (has(g->value, *c)) {
			if (g->flags & PLUS) { /* "-eo pipefail" */
				values++;
				continue;
			}
			value_of(w, c + 1);
			return GO_ON;
		}
		c = skip_own(g, c);
	}
	while (values--)
		script_next_word(&w->words);
	return GO_ON;
}

static enum step option(struct walk *w, const char *word, struct script_args *args)
{
	if (word[1] == '-')
		return long_option(w, word + 2, args);
	if ((w->g->flags & PLUS) && script_listed(bash_words, word + 1, strlen(word + 1)))
		return long_option(w, word + 1, args);
	return letters(w, word, args);
}

/* perl and ruby with -S look along PATH, but not for these. */
static bool is_here(const char *path)
{
	return *path == '/' || !strncmp(path, "./", 2) || !strncmp(path, "../", 3);
}

/* word: the first that is no option, or NULL. */
static void conclude(const struct walk *w, const char *word, struct script_args *args)
{
	unsigned flags = w->g->flags;

	if (w->input)
		script_answer(args, OWNER_SCRIPT_STDIN, NULL);
	else if (w->file)
		script_answer(args, OWNER_SCRIPT_ARGV, w->file);
	else if (flags & WORD_IS_TEXT)
		script_answer(args, word ? OWNER_SCRIPT_INLINE : OWNER_SCRIPT_NONE, NULL);
	else if (w->text && !((flags & WORD_BESIDE) && word))
		script_answer(args, OWNER_SCRIPT_INLINE, NULL);
	else if (word && w->search && !is_here(word))
		script_answer(args, OWNER_SCRIPT_NONE, NULL);
	else if (word)
		script_answer(args, OWNER_SCRIPT_ARGV, word);
	else
		script_answer(args, flags & NO_STDIN ? OWNER_SCRIPT_NONE : OWNER_SCRIPT_STDIN,
			      NULL);
	args->moved = w->moved && args->from == OWNER_SCRIPT_ARGV;
	args->if_file = (flags & MUST_BE_FILE) && args->from == OWNER_SCRIPT_ARGV;
}

static void walk(const struct grammar *g, struct script_words *words, struct script_args *args)
{
	struct walk w = { .g = g, .words = *words };
	const char *word;

	while ((word = script_next_word(&w.words))) {
		if (!strcmp(word, "--")) {
			word = g->flags & DASHES_STDIN ? NULL : script_next_word(&w.words);
			break;
		}
		if (!strcmp(word, "-")) {
			if (g->flags & (DASH_IS_FILE | WORD_IS_TEXT))
				break;
			/* sh(1): a lone "-" ends the options; elsewhere it is standard input */
			if (g->flags & PLUS)
				word = script_next_word(&w.words);
			else
				w.input = true;
			break;
		}
		if (word[0] == '+' ? !(g->flags & PLUS) : word[0] != '-')
			break;
		if (option(&w, word, args) == DONE)
			return;
	}
	conclude(&w, word, args);
}

/* Without a script word it reads standard input, but only if argv is still its own: perl's $0
 * and setproctitle(3) leave one word, and then nothing is known. */
static bool is_own_name(enum interp interp, const char *argv0)
{
	if (*argv0 == '-')
		argv0++;
	return script_interp(argv0, "", 0) == interp;
}

/* "busybox sh FILE" and "/bin/busybox.static sh FILE" */
static bool is_busybox(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return !strncmp(slash ? slash + 1 : argv0, "busybox", 7);
}

static void ask(enum interp interp, struct script_words *words, struct script_args *args)
{
	switch (interp) {
	case INTERP_JAVA:
		script_of_java(words, args);
		break;
	case INTERP_DENO:
		script_of_deno(words, args);
		break;
	case INTERP_BUN:
		script_of_bun(words, args);
		break;
	case INTERP_TCL:
		script_of_tcl(words, args);
		break;
	case INTERP_R:
		script_of_r(words, args);
		break;
	default:
		walk(&script_grammars[interp], words, args);
	}
}

void script_of_args(enum interp interp, const char *cmdline, size_t len, bool cut,
		    struct script_args *args)
{
	struct script_words words = { cmdline, cmdline + len };
	const char *argv0 = script_next_word(&words);

	memset(args, 0, sizeof(*args));
	if (interp == INTERP_NONE || interp == INTERP_N)
		return;
	if (interp == INTERP_PHP_FPM || interp == INTERP_APACHE || !argv0) {
		args->why = OWNER_WHY_NOT_TOLD;
		return;
	}
	if ((interp == INTERP_SHELL || interp == INTERP_AWK) && is_busybox(argv0))
		argv0 = script_next_word(&words);
	ask(interp, &words, args);
	if (args->from == OWNER_SCRIPT_ARGV && interp == INTERP_NODE &&
	    !strcmp(args->path, "inspect"))
		script_answer(args, OWNER_SCRIPT_NONE, NULL); /* node's debugger, not a file */
	if (args->path) {
		args->cut = cut && args->path + strlen(args->path) >= cmdline + len - 1;
		return;
	}
	args->moved = args->if_file = false;
	if (args->from == OWNER_SCRIPT_STDIN && (cut || !argv0 || !is_own_name(interp, argv0)))
		script_answer(args, OWNER_SCRIPT_NONE, NULL);
}
