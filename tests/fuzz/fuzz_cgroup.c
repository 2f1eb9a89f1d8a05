/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /proc/PID/cgroup: names that stand there, whole, and are of a kind we know. */
#include <string.h>

#include "bpf-free/cgroup.h"
#include "fuzz.h"

static void check_unit(const char *unit, const char *text, size_t len)
{
	static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
	size_t n = strlen(unit), known = 0;
	const char *at;

	for (size_t i = 0; i < n; i++)
		must((unit[i] >= '0' && unit[i] <= '9') || (unit[i] >= 'A' && unit[i] <= 'Z') ||
		     (unit[i] >= 'a' && unit[i] <= 'z') || strchr(":-_.\\@", unit[i]));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		known += n > strlen(types[i]) && !strcmp(unit + n - strlen(types[i]), types[i]);
	must(known == 1);
	/* a whole part of a path: "/UNIT" or "/_UNIT", up to a slash or an end */
	for (at = text; (at = memmem(at, (size_t)(text + len - at), unit, n)); at++) {
		const char *end = at + n, *start = at > text && at[-1] == '_' ? at - 1 : at;

		if (start > text && (start[-1] == '/' || start[-1] == ':') &&
		    (end == text + len || *end == '/' || *end == '\n'))
			return;
	}
	must(!"the unit stands in the text");
}

static void check_container(const char *container)
{
	static const char *const ids[] = { "docker:", "podman:", "containerd:", "crio:" };
	const char *id = strchr(container, ':');

	must(id && id[1]);
	id++;
	if (!strncmp(container, "lxc:", 4) || !strncmp(container, "machine:", 8))
		return;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (strncmp(container, ids[i], strlen(ids[i])))
			continue;
		must(strspn(id, "0123456789abcdef") == 12 && !id[12]);
		return;
	}
	must(!"a kind of container that we know");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct cgroup_names names;

	memset(&names, 0x5a, sizeof(names));
	cgroup_parse(text, size, &names);
	must(memchr(names.unit, '\0', sizeof(names.unit)));
	must(memchr(names.container, '\0', sizeof(names.container)));
	if (*names.unit)
		check_unit(names.unit, text, size);
	if (*names.container)
		check_container(names.container);
	return 0;
}
