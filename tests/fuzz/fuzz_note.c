/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any note that the wire lets through, as a line of the journal: it fits the datagram, is one line
 * a field, shows no byte that a terminal obeys, and says the same whatever room it is given.
 */
#include <string.h>

#include "agent/escape.h"
#include "agent/journal.h"
#include "agent/wire.h"
#include "fuzz.h"

#define DATAGRAM_BYTES 16384

static void check_line(const char *line, size_t len)
{
	static char escaped[4 * DATAGRAM_BYTES];
	size_t i, n = 0;

	for (i = 0; i < len; i++) { /* escaping anew finds nothing, but backslashes */
		must(line[i] != '\0');
		n += line[i] == '\\';
	}
	must(escape_bytes(line, len, escaped, sizeof(escaped)) == len + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct note note;
	static char whole[DATAGRAM_BYTES], cut[DATAGRAM_BYTES];
	const char *at, *end, *equals;
	size_t len;

	if (wire_decode_note(data, size, &note))
		return 0;
	len = journal_format_note(&note, 7, false, whole, sizeof(whole));
	must(len > 0 && len <= sizeof(whole));
	must(!memcmp(whole, "MESSAGE=Learnt of attempt 7: ", 29));
	for (at = whole; at < whole + len; at = end + 1) {
		end = memchr(at, '\n', len - (size_t)(at - whole));
		must(end != NULL);
		equals = memchr(at, '=', (size_t)(end - at));
		must(equals && equals > at && *at >= 'A' && *at <= 'Z');
		check_line(at, (size_t)(end - at));
	}
	must(journal_format_note(&note, 7, false, cut, 100) == len && !memcmp(cut, whole, 100));
	return 0;
}
