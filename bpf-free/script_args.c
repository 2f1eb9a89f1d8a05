/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the script among an interpreter's arguments, as its manual page says. Pure. */
#include <string.h>

#include "script.h"

/*
 * How an interpreter reads its options. In the letter lists: `value` takes the rest of the word,
 * or else the next word; `attached` takes the rest of the word only; `text` is the program
 * itself (or takes it); `file` is the script; `away` means that the arguments don't name the
 * script (a module, a search along PATH, a server). Long options the same, as "name|name|".
 */
struct grammar {
	const char *value, *attached, *text, *file, *away;
	const char *long_value, *long_text, *long_file, *long_away;
	bool plus;	   /* +o is an option too (shells) */
	bool dashes_stdin; /* behind "--" there is no script, only arguments (php) */
	const char *stdin_letters;
};

static const struct grammar grammars[INTERP_N] = {
	/* php_cli.c OPTIONS; php-cli(1) */
	[INTERP_PHP] = {
		.value = "cdz", .text = "rBRE", .file = "fF", .away = "Stimvhl",
		.long_value = "php-ini|define|zend-extension|",
		.long_text = "run|process-begin|process-code|process-end|",
		.long_file = "file|process-file|",
		.long_away = "server|docroot|rf|rfunction|rc|rclass|re|rextension|rz|"
			     "rzendextension|ri|rextinfo|",
		.dashes_stdin = true,
	},
	[INTERP_PHP_CGI] = {
		.value = "cdzT", .file = "f", .away = "b",
		.long_value = "php-ini|define|zend-extension|timing|",
		.long_file = "file|", .long_away = "bindpath|",
	},
	/* perlrun(1): -i, -l, -0, -C, -D, -d, -F, -M, -m, -x, -V take what is attached only */
	[INTERP_PERL] = {
		.value = "I", .attached = "il0CDdFMmxV", .text = "eE", .away = "S",
	},
	/* python3(1), Python/initconfig.c; -Q is Python 2's */
	[INTERP_PYTHON] = {
		.value = "WXQ", .text = "c", .away = "m",
		.long_value = "check-hash-based-pycs|",
	},
	/* ruby(1), ruby.c proc_options() */
	[INTERP_RUBY] = {
		.value = "CIrE", .attached = "iFKTWx0", .text = "e", .away = "S",
		.long_value = "encoding|external-encoding|internal-encoding|enable|disable|dump|",
	},
	/* node(1), src/node_options.cc */
	[INTERP_NODE] = {
		.value = "rC", .text = "ep",
		.long_value = "require|import|loader|experimental-loader|conditions|title|"
			      "input-type|icu-data-dir|inspect-port|env-file|openssl-config|"
			      "diagnostic-dir|redirect-warnings|trace-event-categories|"
			      "trace-event-file-pattern|unhandled-rejections|dns-result-order|"
			      "max-http-header-size|stack-trace-limit|secure-heap|"
			      "secure-heap-min|tls-cipher-list|tls-keylog|use-largepages|"
			      "disable-warning|experimental-default-type|es-module-specifier-"
			      "resolution|heapsnapshot-signal|debug-port|",
		.long_text = "eval|print|",
		.long_away = "test|run|build-snapshot|prof-process|",
		.stdin_letters = "i",
	},
	/* POSIX sh(1), bash(1), dash(1), zsh(1), ksh(1) */
	[INTERP_SHELL] = {
		.value = "oO", .text = "c", .plus = true, .stdin_letters = "s",
		.long_value = "rcfile|init-file|emulate|",
	},
};

struct words {
	const char *at, *end;
};

/* The next argument; NULL at the end. A last one without NUL ends at the buffer's own NUL. */
static const char *next_word(struct words *words)
{
	const char *word = words->at;

	if (word >= words->end)
		return NULL;
	words->at = word + strnlen(word, (size_t)(words->end - word)) + 1;
	return word;
}

static bool listed(const char *list, const char *name, size_t len)
{
	for (const char *at = list; at && *at;) {
		size_t n = strcspn(at, "|");

		if (n == len && !memcmp(at, name, n))
			return true;
		at += n + 1;
	}
	return false;
}

static bool has(const char *letters, char c)
{
	return letters && c && strchr(letters, c);
}

enum step { GO_ON, DONE };

static enum step answer(struct script_args *args, enum owner_script_from from, const char *path)
{
	if (from == OWNER_SCRIPT_ARGV && (!path || !*path))
		from = OWNER_SCRIPT_NONE;
	args->from = from;
	args->why = from == OWNER_SCRIPT_NONE ? OWNER_WHY_NOT_TOLD : OWNER_WHY_NONE;
	args->path = from == OWNER_SCRIPT_ARGV ? path : NULL;
	return DONE;
}

static enum step long_option(const struct grammar *g, const char *word, struct words *words,
			     struct script_args *args)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);

	if (listed(g->long_text, name, len))
		return answer(args, OWNER_SCRIPT_INLINE, NULL);
	if (listed(g->long_away, name, len))
		return answer(args, OWNER_SCRIPT_NONE, NULL);
	if (listed(g->long_file, name, len))
		return answer(args, OWNER_SCRIPT_ARGV, equals ? equals + 1 : next_word(words));
	if (listed(g->long_value, name, len) && !equals)
		next_word(words);
	return GO_ON;
}

static enum step letters(const struct grammar *g, const char *word, struct words *words,
			 bool *from_stdin, struct script_args *args)
{
	unsigned values = 0;

	for (const char *c = word + 1; *c; c++) {
		if (has(g->text, *c))
			return answer(args, OWNER_SCRIPT_INLINE, NULL);
		if (has(g->away, *c))
			return answer(args, OWNER_SCRIPT_NONE, NULL);
		if (has(g->file, *c))
			return answer(args, OWNER_SCRIPT_ARGV, c[1] ? c + 1 : next_word(words));
		if (has(g->stdin_letters, *c))
			*from_stdin = true;
		if (has(g->attached, *c))
			break;
		if (!has(g->value, *c))
			continue;
		if (g->plus) { /* shells: "-eo pipefail", values follow the whole word */
			values++;
			continue;
		}
		if (!c[1])
			values++;
		break;
	}
	while (values--)
		next_word(words);
	return GO_ON;
}

static void walk(const struct grammar *g, struct words *words, struct script_args *args)
{
	bool from_stdin = false;
	const char *word;

	while ((word = next_word(words))) {
		enum step step;

		if (!strcmp(word, "--")) {
			word = g->dashes_stdin ? NULL : next_word(words);
			break;
		}
		if (!strcmp(word, "-")) {
			/* sh(1): a lone "-" ends the options; elsewhere it is standard input */
			if (!g->plus)
				from_stdin = true;
			word = g->plus ? next_word(words) : NULL;
			break;
		}
		if (word[0] == '+' ? !g->plus : word[0] != '-')
			break;
		if (word[1] == '-')
			step = long_option(g, word, words, args);
		else
			step = letters(g, word, words, &from_stdin, args);
		if (step == DONE)
			return;
	}
	if (!word || from_stdin)
		answer(args, OWNER_SCRIPT_STDIN, NULL);
	else
		answer(args, OWNER_SCRIPT_ARGV, word);
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

void script_of_args(enum interp interp, const char *cmdline, size_t len, bool cut,
		    struct script_args *args)
{
	struct words words = { cmdline, cmdline + len };
	const char *argv0 = next_word(&words);

	memset(args, 0, sizeof(*args));
	switch (interp) {
	case INTERP_NONE:
	case INTERP_N:
		return;
	case INTERP_PHP_FPM:
	case INTERP_LSPHP:
	case INTERP_APACHE:
		args->why = OWNER_WHY_NOT_TOLD;
		return;
	default:
		break;
	}
	if (!argv0) {
		args->why = OWNER_WHY_NOT_TOLD;
		return;
	}
	if (interp == INTERP_SHELL && is_busybox(argv0))
		argv0 = next_word(&words);
	walk(&grammars[interp], &words, args);
	if (args->from == OWNER_SCRIPT_ARGV && interp == INTERP_NODE &&
	    !strcmp(args->path, "inspect"))
		answer(args, OWNER_SCRIPT_NONE, NULL); /* node's debugger, not a file */
	if (args->from == OWNER_SCRIPT_ARGV) {
		args->cut = cut && args->path + strlen(args->path) >= cmdline + len - 1;
		return;
	}
	if (args->from == OWNER_SCRIPT_STDIN &&
	    (cut || !argv0 || !is_own_name(interp, argv0) || interp == INTERP_PHP_CGI))
		answer(args, OWNER_SCRIPT_NONE, NULL);
}
