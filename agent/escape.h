/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that somebody else chose, made safe to show on one line of a terminal, in JSON, in a
 * journal field or a pcapng comment: printable UTF-8 stays, everything else becomes \xHH (a
 * backslash becomes \\, so that it can be read back). Not printable: controls (C0, DEL, C1),
 * invalid or overlong UTF-8, surrogates, noncharacters, line and paragraph separators, and the
 * bidirectional and zero-width formatting characters (U+061C, U+200B-U+200F, U+2028-U+202E,
 * U+2060-U+206F, U+FEFF, U+FFF9-U+FFFB, U+E0000-U+E007F). Pure.
 */
#ifndef AGENT_ESCAPE_H
#define AGENT_ESCAPE_H

#include <stddef.h>

/* Writes at most size-1 bytes and a NUL, never half a character or half an escape; returns the
 * length it would have needed, as snprintf(3). */
size_t escape_bytes(const char *bytes, size_t len, char *out, size_t size);
/* malloc'd; never NULL (aborts when memory is gone). */
char *escape_dup(const char *bytes, size_t len);
/* /proc/PID/cmdline (arguments ended by NUL) as one line: arguments separated by a space, those
 * that are empty or hold a space or quote put in single quotes (a single quote within is \x27).
 * Empty arguments at the end are left out: a process title leaves such padding. malloc'd. */
char *escape_cmdline(const char *bytes, size_t len);

#endif
