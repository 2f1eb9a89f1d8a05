/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks what --columns names against the fields of the command's rows. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_args.h"

/* Names of all fields, a space between; malloc'd. */
static char *field_names(const struct show_kind *kind)
{
	char *names = show_printf("%s", kind->fields[0].name);

	for (unsigned i = 1; i < kind->n; i++) {
		char *longer = show_printf("%s %s", names, kind->fields[i].name);

		free(names);
		names = longer;
	}
	return names;
}

/* "user, script" -> "user,script". malloc'd. */
static char *without_blanks(const char *columns)
{
	char *out = show_printf("%s", columns), *to = out;

	for (const char *at = columns; *at;) {
		size_t len;

		at += strspn(at, " \t");
		len = strcspn(at, ",");
		to = mempcpy(to, at, len);
		at += len;
		while (to > out && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		if (*at)
			*to++ = *at++;
	}
	*to = '\0';
	return out;
}

int ctl_columns_check(struct ctl_args *args, char **message)
{
	const struct show_kind *kind = args->command->kind;
	const struct show_field *seen[64];
	unsigned n = 0;

	args->columns = args->own_columns = without_blanks(args->columns);
	for (const char *at = args->columns;;) {
		size_t len = strcspn(at, ",");
		const struct show_field *field = show_field_by_name(kind, at, len);

		for (unsigned i = 0; field && i < n; i++) {
			if (seen[i] != field)
				continue;
			*message = show_printf("--columns: \"%s\" stands there twice", field->name);
			return -EINVAL;
		}
		if (!field) {
			char *names = field_names(kind);

			*message = show_printf("--columns: expected some of %s, got \"%.*s\"",
					       names, (int)len, at);
			free(names);
			return -EINVAL;
		}
		assert(n < sizeof(seen) / sizeof(seen[0]));
		seen[n++] = field;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}
