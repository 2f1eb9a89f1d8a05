/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the script among an interpreter's arguments, as its manual page says. Pure. */
#include <string.h>

#include "script.h"

enum {
	PLUS = 1 << 0,		/* shells: +o is an option too, values follow the whole word */
	DASHES_STDIN = 1 << 1,	/* behind "--" there is no script, only arguments (php) */
	DASH_IS_FILE = 1 << 2,	/* "-" is a file's name like any other (php) */
	WORD_IS_TEXT = 1 << 3,	/* without a file the first word is the program (awk) */
	WORD_BESIDE = 1 << 4,	/* the first word is a script also beside program text (lua) */
	VALUE_EQUALS = 1 << 5,	/* "-f=FILE" is "-fFILE" (php_getopt()) */
	BLANK_OPTIONS = 1 << 6, /* "-w -T" may be one word, as #! lines make it (perl) */
	SEARCH = 1 << 7,	/* -S looks for the script along PATH */
	FIRST_FILE = 1 << 8,	/* of several files the first is named, not the last */
	NO_STDIN = 1 << 9,	/* without a script it reads no program */
	MUST_BE_FILE = 1 << 10, /* believed only if such a file is there */
};

/*
 * How an interpreter reads its options. In the letter lists: `value` takes the rest of the word,
 * or else the next word; `attached` takes the rest of the word only, `colon` does so if a colon
 * follows; `digits` takes the digits that follow, `one` a single letter; `text` is the program
 * itself (or takes it), `beside` takes program text beside which a file may run; `file` is the
 * script, `module` its module's name; `input` reads the program from standard input; `away` means
 * that the arguments don't name what runs, or that nothing does. Long options the same, as
 * "name|name|".
 */
struct grammar {
	const char *value, *attached, *colon, *digits, *one, *text, *beside, *file, *module, *input,
		*away;
	const char *long_value, *long_text, *long_beside, *long_file, *long_input, *long_away;
	unsigned flags;
};

static const struct grammar grammars[INTERP_N] = {
	/* php_cli.c OPTIONS and do_php_cli(); php(1) */
	[INTERP_PHP] = {
		.value = "cdtz", .text = "rR", .beside = "BE", .file = "fF", .input = "a",
		.away = "Simvhlsw?",
		.long_value = "php-ini|define|docroot|zend-extension|repeat|",
		.long_text = "run|process-code|",
		.long_beside = "process-begin|process-end|",
		.long_file = "file|process-file|",
		.long_input = "interactive|",
		.long_away = "server|info|modules|version|help|usage|syntax-check|ini|strip|"
			     "syntax-highlight|syntax-highlighting|rf|rfunction|rc|rclass|re|"
			     "rextension|rz|rzendextension|ri|rextinfo|",
		.flags = DASHES_STDIN | DASH_IS_FILE | VALUE_EQUALS,
	},
	/* cgi_main.c OPTIONS */
	[INTERP_PHP_CGI] = {
		.value = "cdzT", .file = "f", .away = "bimvhlsw?",
		.long_value = "php-ini|define|zend-extension|timing|",
		.long_file = "file|",
		.long_away = "bindpath|info|modules|version|help|usage|syntax-check|strip|"
			     "syntax-highlight|syntax-highlighting|",
		.flags = DASH_IS_FILE | VALUE_EQUALS,
	},
	/* parse_opt() and cli_main(), sapi/litespeed/lsapi_main.c */
	[INTERP_LSPHP] = {
		.value = "bc", .away = "ivlh?", .flags = NO_STDIN | MUST_BE_FILE,
	},
	/* perlrun(1), moreswitches() in perl.c */
	[INTERP_PERL] = {
		.value = "I", .attached = "iCDFMmxV", .colon = "d", .digits = "0l", .text = "eE",
		.flags = BLANK_OPTIONS | SEARCH,
	},
	/* python3(1), Python/initconfig.c; -Q is Python 2's */
	[INTERP_PYTHON] = {
		.value = "WXQ", .text = "c", .module = "m", .away = "Vh?",
		.long_value = "check-hash-based-pycs|",
		.long_away = "version|help|help-all|help-env|help-xoptions|",
	},
	/* ruby(1), ruby.c proc_options() */
	[INTERP_RUBY] = {
		.value = "CXIrE", .attached = "iFx", .colon = "W", .digits = "0WT", .one = "K",
		.text = "e",
		.long_value = "encoding|external-encoding|internal-encoding|enable|disable|dump|"
			      "backtrace-limit|parser|",
		.flags = SEARCH,
	},
	/* node(1), src/node_options.cc; what V8 takes needs "=" */
	[INTERP_NODE] = {
		.value = "rC", .text = "ep", .away = "cvh",
		.long_value =
			"require|import|loader|experimental-loader|conditions|title|input-type|"
			"icu-data-dir|inspect-port|debug-port|inspect-publish-uid|env-file|"
			"env-file-if-exists|openssl-config|diagnostic-dir|redirect-warnings|"
			"trace-event-categories|trace-event-file-pattern|trace-require-module|"
			"unhandled-rejections|dns-result-order|max-http-header-size|secure-heap|"
			"secure-heap-min|tls-cipher-list|tls-keylog|use-largepages|disable-proto|"
			"disable-warning|experimental-default-type|experimental-policy|"
			"experimental-sea-config|policy-integrity|es-module-specifier-resolution|"
			"heapsnapshot-signal|heapsnapshot-near-heap-limit|heap-prof-dir|"
			"heap-prof-interval|heap-prof-name|cpu-prof-dir|cpu-prof-interval|"
			"cpu-prof-name|report-directory|report-dir|report-filename|report-signal|"
			"snapshot-blob|build-snapshot-config|v8-pool-size|watch-path|allow-fs-read|"
			"allow-fs-write|localstorage-file|experimental-config-file|"
			"network-family-autoselection-attempt-timeout|",
		.long_text = "eval|print|",
		.long_away = "test|run|build-snapshot|prof-process|check|version|help|v8-options|",
	},
	/* lua.c collectargs(), luajit.c */
	[INTERP_LUA] = {
		.value = "lj", .attached = "O", .beside = "e", .away = "b",
		.flags = WORD_BESIDE,
	},
	/* awk(1p), mawk(1), gawk(1): main.c optlist */
	[INTERP_AWK] = {
		.value = "vFilW", .attached = "dDLop", .text = "e", .file = "fE", .away = "hVC",
		.long_value = "assign|field-separator|include|load|",
		.long_text = "source|", .long_file = "file|exec|",
		.long_away = "version|help|copyright|",
		.flags = WORD_IS_TEXT | FIRST_FILE,
	},
	/* sh(1p), bash(1), dash(1), zsh(1), ksh(1) */
	[INTERP_SHELL] = {
		.value = "oO", .text = "c", .input = "s",
		.long_value = "rcfile|init-file|emulate|",
		.flags = PLUS,
	},
};

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
		walk(&grammars[interp], words, args);
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
