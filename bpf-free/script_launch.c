/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what java, deno, bun, tclsh and R were told to run. Pure. */
#include <string.h>

#include "script.h"

static bool is(const char *word, const char *name)
{
	return !strcmp(word, name);
}

static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

static bool ends(const char *word, const char *with)
{
	size_t n = strlen(word), tail = strlen(with);

	return n > tail && !strcmp(word + n - tail, with);
}

static bool one_of(const char *list, const char *word)
{
	return script_listed(list, word, strlen(word));
}

/* IsWhiteSpaceOption() and ParseArguments(), java.base/share/native/libjli/java.c. The first word
 * that is no option is what runs; -jar and --source only say what it is. */
void script_of_java(struct script_words *words, struct script_args *args)
{
	static const char takes_next[] =
		"-cp|-classpath|--class-path|-p|--module-path|--upgrade-module-path|"
		"--add-modules|--limit-modules|--enable-native-access|--add-exports|--add-opens|"
		"--add-reads|--patch-module|-d|--describe-module|";
	bool jar = false, source = false, files = true;
	const char *word;

	while ((word = script_next_word(words)) && (*word == '-' || *word == '@')) {
		if (*word == '@' && files) { /* anything may stand in there */
			script_answer(args, OWNER_SCRIPT_NONE, NULL);
			return;
		}
		if (*word == '@')
			break;
		if (is(word, "--disable-@files"))
			files = false;
		else if (is(word, "-jar"))
			jar = true;
		else if (is(word, "-m") || is(word, "--module") || begins(word, "--module=")) {
			const char *equals = strchr(word, '=');

			script_answer(args, OWNER_SCRIPT_MODULE,
				      equals ? equals + 1 : script_next_word(words));
			return;
		} else if (is(word, "--source") || begins(word, "--source=")) {
			source = true;
			if (!strchr(word, '='))
				script_next_word(words);
		} else if (one_of(takes_next, word)) {
			script_next_word(words);
		}
	}
	if (word && !jar && !source && !ends(word, ".java"))
		script_answer(args, OWNER_SCRIPT_MODULE, word);
	else
		script_answer(args, OWNER_SCRIPT_ARGV, word);
}

/* A file, or what deno and bun fetch from elsewhere. */
static void file_or_module(const char *word, struct script_args *args)
{
	static const char *const schemes[] = { "http:", "https:", "npm:",  "jsr:",
					       "data:", "node:",  "blob:", "file:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (begins(word, schemes[i])) {
			script_answer(args, OWNER_SCRIPT_MODULE, word);
			return;
		}
	script_answer(args, OWNER_SCRIPT_ARGV, word);
	args->if_file = args->from == OWNER_SCRIPT_ARGV;
}

/* Skips options; those of `takes_next` with their value. NULL: no word is left, or *text is true:
 * one of `texts` stood there. */
static const char *skip_options(struct script_words *words, const char *takes_next,
				const char *texts, bool *text)
{
	const char *word;

	while ((word = script_next_word(words)) && word[0] == '-' && word[1]) {
		size_t name = strcspn(word, "=");

		if (is(word, "--"))
			return script_next_word(words);
		if (script_listed(texts, word, name)) {
			*text = true;
			return NULL;
		}
		if (!word[name] && one_of(takes_next, word))
			script_next_word(words);
	}
	return word;
}

/* deno(1), cli/args/flags.rs: "deno [OPTIONS] COMMAND", and since 2.0 "deno FILE". */
void script_of_deno(struct script_words *words, struct script_args *args)
{
	static const char takes_next[] = "-c|--config|--import-map|-L|--log-level|--cert|--seed|"
					 "--location|--ext|";
	bool text = false;
	const char *word = skip_options(words, takes_next, "", &text);

	if (word && (is(word, "run") || is(word, "serve")))
		word = skip_options(words, takes_next, "", &text);
	else if (word && is(word, "eval"))
		text = true;
	else if (word && !strpbrk(word, "./:"))
		word = NULL; /* another command */
	if (text)
		script_answer(args, OWNER_SCRIPT_INLINE, NULL);
	else if (word && is(word, "-"))
		script_answer(args, OWNER_SCRIPT_STDIN, NULL);
	else if (word)
		file_or_module(word, args);
	else
		script_answer(args, OWNER_SCRIPT_NONE, NULL);
}

/* `bun --help`: "bun [run] [flags] FILE or SCRIPT"; a name without slash and dot may be one of
 * package.json's scripts. */
void script_of_bun(struct script_words *words, struct script_args *args)
{
	static const char takes_next[] =
		"--cwd|-r|--preload|--require|--import|--env-file|-d|--define|-l|--loader|"
		"--tsconfig-override|--port|--conditions|--main-fields|--extension-order|"
		"--jsx-factory|--jsx-fragment|--jsx-import-source|--jsx-runtime|--drop|--title|"
		"--inspect-wait|--elide-lines|--filter|--user-agent|--stack-trace-limit|";
	static const char texts[] = "-e|--eval|-p|--print|";
	bool text = false;
	const char *word = skip_options(words, takes_next, texts, &text);

	if (word && is(word, "run"))
		word = skip_options(words, takes_next, texts, &text);
	if (text)
		script_answer(args, OWNER_SCRIPT_INLINE, NULL);
	else if (word && is(word, "-"))
		script_answer(args, OWNER_SCRIPT_STDIN, NULL);
	else if (word && strpbrk(word, "./"))
		file_or_module(word, args);
	else
		script_answer(args, OWNER_SCRIPT_NONE, NULL);
}

/* Tcl_MainEx(), generic/tclMain.c: nothing else is an option of tclsh. */
void script_of_tcl(struct script_words *words, struct script_args *args)
{
	const char *first = script_next_word(words), *third;

	if (first && is(first, "-encoding")) {
		script_next_word(words);
		third = script_next_word(words);
		if (third && *third != '-') {
			script_answer(args, OWNER_SCRIPT_ARGV, third);
			return;
		}
	}
	if (first && *first != '-')
		script_answer(args, OWNER_SCRIPT_ARGV, first);
	else
		script_answer(args, OWNER_SCRIPT_STDIN, NULL);
}

/* R(1) and Rscript(1), which executes "R --no-echo --no-restore --file=FILE --args …". */
void script_of_r(struct script_words *words, struct script_args *args)
{
	const char *word;

	while ((word = script_next_word(words)) && !is(word, "--args")) {
		if (begins(word, "--file=")) {
			script_answer(args, OWNER_SCRIPT_ARGV, word + 7);
			return;
		}
		if (is(word, "-f") || is(word, "--file")) {
			script_answer(args, OWNER_SCRIPT_ARGV, script_next_word(words));
			return;
		}
		if (is(word, "-e")) {
			script_answer(args, OWNER_SCRIPT_INLINE, NULL);
			return;
		}
		if (is(word, "-g") || is(word, "--gui") || is(word, "-d") || is(word, "--debugger"))
			script_next_word(words);
	}
	script_answer(args, OWNER_SCRIPT_STDIN, NULL);
}
