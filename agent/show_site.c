/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which site is shown for a row: the one rule for lists, pages and JSON. It looks at what was
 * noted and at the script's path only, never at a disk.
 */
#include <stdlib.h>
#include <string.h>

#include "note_text.h"
#include "show.h"
#include "site.h"

static bool has_word(const struct store_site *site, enum note_site_from from)
{
	return !strcmp(site->from, note_site_from_words[from]);
}

/* Does path lie below folder? */
static bool is_below(const struct store_bytes *path, const struct store_bytes *folder)
{
	return folder->len > 0 && path->len > folder->len &&
	       !memcmp(path->bytes, folder->bytes, (size_t)folder->len) &&
	       (folder->len == 1 || path->bytes[folder->len] == '/');
}

/* Is the note better than the script's folder? A vhost was told by the script or by the request;
 * the other kinds go by the account, and say nothing of a script that lies elsewhere. */
static bool is_better(const struct store_site *noted, const struct store_bytes *script)
{
	if (!noted->from || has_word(noted, SITE_FROM_NONE))
		return false;
	if (has_word(noted, SITE_FROM_VHOST) || has_word(noted, SITE_FROM_HOST))
		return true;
	if (script->len <= 0 || script->bytes[0] != '/')
		return true;
	if (has_word(noted, SITE_FROM_HOME))
		return false;
	return noted->root.len <= 0 || is_below(script, &noted->root);
}

static struct store_site choose(const struct store_site *noted, const struct store_bytes *script,
				const struct store_bytes *folder)
{
	if (is_better(noted, script))
		return *noted;
	return (struct store_site){
		.from = folder->len > 0 ? SHOW_SITE_SCRIPT
			: noted->from	? note_site_from_words[SITE_FROM_NONE]
					: NULL,
		.account = noted->account,
		.root = *folder,
	};
}

struct store_site show_site_of_offender(const struct store_offender *offender)
{
	return choose(&offender->noted, &offender->script, &offender->site);
}

struct store_site show_site_of_verdict(const struct store_verdict *verdict)
{
	struct store_bytes none = { "", 0 }, folder = none;
	const struct store_bytes *script = verdict->foreign_holder ? &none : &verdict->script;
	char *path = script->len > 0 ? show_printf("%.*s", script->len, script->bytes) : NULL;

	if (path)
		folder = (struct store_bytes){ script->bytes, (int)site_length(path) };
	free(path);
	return choose(&verdict->site, script, &folder);
}

const char *show_explain_site(const char *word)
{
	if (word && !strcmp(word, SHOW_SITE_SCRIPT))
		return "the folder of the script, down to a web root of common form";
	return note_explain_site(word);
}
