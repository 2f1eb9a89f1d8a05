/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * egressctl: what its commands share. Each command is a function of struct ctl that returns the
 * exit code; what it says to people goes to stderr through ctl_say(), what it shows to stdout.
 */
#ifndef AGENT_CTL_H
#define AGENT_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "show_list.h"
#include "store.h"

/* The exit codes of egressctl; `egressctl help` prints them. */
enum ctl_exit {
	CTL_OK = 0,	   /* done; list-offenders: there are none */
	CTL_FAILED = 1,	   /* something could not be done, read or written; the rules differ */
	CTL_USAGE = 2,	   /* the command line is wrong */
	CTL_NO_STORE = 3,  /* there is no store, or it can't be read */
	CTL_CONFIG = 4,	   /* the configuration is wrong or can't be read */
	CTL_OFFENDERS = 5, /* list-offenders: there are some */
};

#define CTL_EXITS_SIMPLE (1 << CTL_OK | 1 << CTL_FAILED | 1 << CTL_USAGE)
#define CTL_EXITS_CONFIG (CTL_EXITS_SIMPLE | 1 << CTL_CONFIG)
#define CTL_EXITS_STORE	 (CTL_EXITS_CONFIG | 1 << CTL_NO_STORE)

/* Options, as bits: which a command takes, and which were given. */
enum ctl_option {
	CTL_CONFIG_FILE = 1 << 0,
	CTL_OUTPUT = 1 << 1,
	CTL_SINCE = 1 << 2,
	CTL_UNTIL = 1 << 3,
	CTL_USER = 1 << 4,
	CTL_OFFENDER = 1 << 5,
	CTL_SORT = 1 << 6,
	CTL_LIMIT = 1 << 7,
	CTL_COLUMNS = 1 << 8,
	CTL_NO_HEADER = 1 << 9,
	CTL_UTC = 1 << 10,
	CTL_PCAP = 1 << 11,
	CTL_OWNERS = 1 << 12,
};
/* Taken by every command, also where they mean nothing: scripts put them first. */
#define CTL_EVERYWHERE	 (CTL_CONFIG_FILE | CTL_OUTPUT)
#define CTL_LIST_OPTIONS (CTL_CONFIG_FILE | CTL_OUTPUT | CTL_COLUMNS | CTL_NO_HEADER | CTL_UTC)

struct ctl;

struct ctl_command {
	const char *name;
	int (*run)(struct ctl *ctl);
	const char *arguments;	       /* "ID", "FILE...", "load|unload|show|check" */
	unsigned least, most;	       /* number of arguments */
	unsigned options;	       /* enum ctl_option */
	unsigned exits;		       /* 1 << enum ctl_exit, each that it can give */
	const char *summary;	       /* one line */
	const char *help;	       /* what `help COMMAND` says beside the options */
	const struct show_kind *kind;  /* whose fields --columns names; NULL: none */
	const char *const *sort_words; /* NULL-terminated by count */
	unsigned n_sort_words;
	unsigned instead; /* the option that stands in for the arguments; 0: none */
};
extern const struct ctl_command ctl_commands[]; /* ends with a name of NULL */
const struct ctl_command *ctl_command_by_name(const char *name);

/* The command line, read (ctl_args.h). Strings point into argv. */
struct ctl_args {
	unsigned given;	 /* enum ctl_option */
	unsigned shorts; /* of these, those typed as one letter */
	const char *config_file;
	enum show_format format;
	const char *since, *until;
	int64_t since_ns, until_ns;
	const char *user, *columns, *pcap, *owners;
	char *own_columns; /* columns, without blanks */
	unsigned sort;	   /* of the command's sort_words */
	int64_t limit;
	int64_t offender; /* 0: all */
	bool no_header, utc;
	const struct ctl_command *command;
	char **arguments; /* n_arguments, NULL-terminated; within words */
	char **words;	  /* owned */
	unsigned n_arguments;
};

struct ctl {
	struct ctl_args args;
	struct show_options show;
	struct config config;
	bool config_is_default; /* no file was given and the default one does not exist */
};

/* "egressctl: …" and a newline to stderr; escaped, one line. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Each line of text, after a prefix. */
void ctl_say_lines(const char *prefix, const char *text);

/* Says that the command has no CSV. CTL_USAGE. */
int ctl_no_csv(const struct ctl *ctl);

/* ctl_config.c */
/* The config file's lines go to stderr. 0 or CTL_CONFIG. */
int ctl_config_load(struct ctl *ctl);
void ctl_config_error(void *context, const char *line); /* a config_error_fn */
int ctl_config(struct ctl *ctl);

/* ctl_store.c */
/* Opens the config's store for reading; says why not. 0, CTL_CONFIG or CTL_NO_STORE. */
int ctl_store_open(struct ctl *ctl, struct store **store);
/* Says what the store said; CTL_NO_STORE. */
int ctl_store_failed(const struct ctl *ctl, const struct store *store, int error);
/* since, until and user of the command line. 0 or CTL_USAGE. */
int ctl_store_filter(const struct ctl *ctl, struct store_filter *filter);

/* A list on stdout as the command line wants it. 0 or CTL_USAGE. */
int ctl_list_new(struct ctl *ctl, const struct show_kind *kind, struct show_list **list);
/* The end, and the note about columns left out. 0 or CTL_FAILED. */
int ctl_list_end(struct ctl *ctl, struct show_list *list);
/* Says that stdout could not be written (nothing for a closed pipe); CTL_FAILED. */
int ctl_write_failed(int error);

int64_t ctl_now_ns(void);

int ctl_status(struct ctl *ctl);
int ctl_list_offenders(struct ctl *ctl);
int ctl_list_verdicts(struct ctl *ctl);
int ctl_show(struct ctl *ctl);
int ctl_watch(struct ctl *ctl);
int ctl_replay(struct ctl *ctl);
int ctl_rules(struct ctl *ctl);
int ctl_help(struct ctl *ctl);
/* ctl_words.c: the words that columns hold, with a sentence each; and all terms, too. */
void ctl_words_enums(void);
void ctl_words(void);
int ctl_version(struct ctl *ctl);

#endif
