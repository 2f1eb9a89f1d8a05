/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How interpreters read their options: the tables that script_args.c walks by. */
#ifndef BPF_FREE_SCRIPT_GRAMMAR_H
#define BPF_FREE_SCRIPT_GRAMMAR_H

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

/* Of those that read them as getopt(3) does, or nearly; the others are script_launch.c's. */
extern const struct grammar script_grammars[INTERP_N];

#endif
