/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trigger of a refused connect: which HTTP request was open at the moment of the SYN, as the
 * web server's access log tells afterwards. Two pure parts: a line's fields by the format that the
 * server's configuration gives (nginx's log_format, ngx_http_log_module; Apache's LogFormat,
 * mod_log_config), and the decision over the lines that appeared since.
 *
 * Both servers write the line when the request has ended. Apache's %t is when it was received
 * (unless end: is asked for), nginx's $time_local, $time_iso8601 and $msec are when it ended. With
 * a duration beside it (%D, %T, $request_time) both ends are known, else one.
 *
 * Lines are made of what clients chose. Both servers escape quotes, backslashes and control bytes
 * (\x22, \"), so a raw quote is always the format's own; spaces and brackets are not escaped. A
 * line that can be read in two ways that differ is not read at all.
 */
#ifndef WEB_TRIGGER_H
#define WEB_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sites.h"

#define TRIGGER_LINE_BYTES (128u << 10) /* a longer line is none */
#define TRIGGER_URI_BYTES  1024

struct trigger_format;

/* 0; -EINVAL: the text gives no time or no request, has too many parts, or the server is told to
 * escape nothing, so that clients could write what they like; -ENOMEM. */
int trigger_format_make(enum sites_server server, enum sites_escape escape, const char *text,
			struct trigger_format **format);
/* For a log whose configuration is not known: the common forms, with a vhost before them or not,
 * and whatever behind them. */
int trigger_format_guess(enum sites_server server, struct trigger_format **format);
void trigger_format_free(struct trigger_format *format); /* takes NULL */
/* Lines may be of either; other becomes the format's. Two of one text are one. */
void trigger_format_join(struct trigger_format *format, struct trigger_format *other);

/* Raw bytes, unescaped, NUL-terminated. A NUL in the line makes it none. */
struct trigger_line {
	char client[64], vhost[SITES_NAME_BYTES], method[16], uri[TRIGGER_URI_BYTES];
	bool uri_cut;
	bool no_request; /* what came was no request; nothing was run for it */
	bool odd;	 /* there was one, but it can't be told what is its URI */
	uint16_t status; /* 0: not told */
	pid_t pid;	 /* of the process that served it; 0: not told */
	int64_t time_ns; /* the line's time, ns since the epoch */
	/* Bounds, both ends included. INT64_MIN and INT64_MAX: not told. */
	int64_t start_min_ns, start_max_ns, end_min_ns, end_max_ns;
};

/* line: without its newline. 0; -EBADMSG: it is not of this format, or can be read in several
 * ways. */
int trigger_line_parse(const struct trigger_format *format, const char *line, size_t len,
		       struct trigger_line *out);

/* --- the decision --------------------------------------------------------------------------- */

/*
 * A line counts if its request could have been open at the SYN and may have run the program:
 *   - it ended at the SYN or later, and started no later, within the clocks' granularity (the
 *     bounds of its times, and TRIGGER_SLACK_NS);
 *   - it appeared in the log after the SYN;
 *   - its vhost, where the line tells it, is one of the site's names;
 *   - it is no static file;
 *   - what is known of the process's request agrees: its method, and its URI. A URI that is told
 *     as a script's name (php-fpm) agrees with another one's only where it is an index.* that
 *     serves what lies below its folder; any other URI must be the same, byte for byte.
 *
 *   exact       one line with the process's pid, or with its URI and method, in a log of its
 *               site; a request that the process itself claims is no more than probable
 *   probable    one line counts, nothing says that it is another's, every line could be read,
 *               and each request of the site comes to a log that is read
 *   candidates  several count, or one where the true one may be nowhere, or another site's. Given
 *               is the one that ended next after the SYN, as far as the lines tell
 *   none        no line counts
 *
 * Lines of several logs that say the same method and URI are one request, told by each server that
 * it passed through.
 */
#define TRIGGER_SLACK_NS (100 * INT64_C(1000000))

enum trigger_match { /* agent/note.h has the same order */
		     TRIGGER_NONE,
		     TRIGGER_EXACT,
		     TRIGGER_PROBABLE,
		     TRIGGER_CANDIDATES,
		     TRIGGER_MATCH_N
};

/* What is known of the process; "" or 0 for what is not. */
struct trigger_question {
	int64_t syn_ns; /* since the epoch */
	pid_t pid;
	char method[16], uri[TRIGGER_URI_BYTES], client[64];
	bool uri_cut;	    /* only its beginning is known */
	bool uri_is_script; /* the URI is a script's name and its query, not as the client sent it
			     */
	bool path_only;	    /* of the URI only the path is known */
	bool claimed;	    /* the request is what the process says of itself (a CGI environment) */
	bool unlogged;	    /* some requests that may be its come to no log that is read … */
	bool conditional;   /* … and of two alike one may */
	char **names;	    /* the site's; not owned. A name may have a wildcard label: *.x, x.* */
	unsigned n_names;
};

/* What the reader of the log knows of a line. */
struct trigger_place {
	unsigned log;	  /* number of the log */
	bool site_proven; /* nobody but this site writes to this log, or the line told its vhost */
	bool is_static;	  /* the URI names a file that the server sends as it is */
};

enum trigger_fit {
	TRIGGER_FIT_NO,
	TRIGGER_FIT_TIME,    /* nothing speaks against it */
	TRIGGER_FIT_REQUEST, /* its URI, and method where known, are the process's */
	TRIGGER_FIT_PID,
};

#define TRIGGER_TWINS 64
struct trigger_tally {
	unsigned n_twins;
	struct trigger_twin { /* one line that counts, to find others of the same request */
		enum trigger_fit fit;
		unsigned log;
		uint64_t hash; /* of method and URI */
	} twins[TRIGGER_TWINS];
	uint32_t n_more; /* lines that found no room */
	uint32_t unread; /* lines that could not be read, or read safely */
	bool partial;	 /* lines may have been missed */
	struct trigger_best {
		bool set;
		struct trigger_line line;
		struct trigger_place place;
	} best[TRIGGER_FIT_PID + 1]; /* by fit: the one given */
};

enum trigger_fit trigger_fit(const struct trigger_question *question,
			     const struct trigger_line *line, const struct trigger_place *place);
void trigger_tally_add(struct trigger_tally *tally, const struct trigger_question *question,
		       const struct trigger_line *line, const struct trigger_place *place);
/* What the lines so far say. *best: inside tally, NULL for none. *n: requests that fit. */
enum trigger_match trigger_tally_answer(const struct trigger_tally *tally,
					const struct trigger_question *question,
					const struct trigger_best **best, uint32_t *n);

/* Is name one of these? A port behind it, and case, make no difference. */
bool trigger_is_name(const char *name, char *const *names, unsigned n_names);
/* The path of a URI below a document root, %XX decoded; -EINVAL: it has none, or climbs out. */
int trigger_uri_path(const char *uri, char *path, size_t size);
/* Does the path's name end as those of files that web servers send themselves (.css, .png)? */
bool trigger_looks_static(const char *path);

#endif
