/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an owners file: read, or refused with lines that say where; then asked. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "agent/owners.h"
#include "fuzz.h"

static void check_line(void *context, const char *line)
{
	unsigned *lines = context;

	must(!strncmp(line, "f:", 2) && strstr(line, ": expected "));
	must(!strchr(line, '\n'));
	++*lines;
}

static void ask(struct owners *owners, int family, const char *src, const char *dst)
{
	static struct owner owner;
	struct flow flow = {
		.family = (uint8_t)family, .has_ports = true, .sport = 40000, .dport = 25
	};
	struct egress_meta meta = { .via = VIA_REPLAY };

	must(inet_pton(family, src, flow.src) == 1 && inet_pton(family, dst, flow.dst) == 1);
	owners_meta(owners, &flow, &meta);
	must(!meta.has_uid || meta.uid != OWNER_UID_NONE);
	must(owners_resolve(owners, &flow, &meta, &owner) == 0);
	must(owner.how < OWNER_HOW_N && owner.why < OWNER_WHY_N);
	must(owner.cmdline_bytes <= OWNER_CMDLINE_BYTES && owner.n_holders <= 1);
	must(memchr(owner.exe, '\0', sizeof(owner.exe)));
	must(memchr(owner.script, '\0', sizeof(owner.script)));
	must(memchr(owner.unit, '\0', sizeof(owner.unit)));
	must(memchr(owner.proc.comm, '\0', sizeof(owner.proc.comm)));
	must(!owner.cmdline_bytes || !owner.cmdline[owner.cmdline_bytes - 1]);
	must((owner.script[0] != '\0') == (owner.script_from == OWNER_SCRIPT_GIVEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owners *owners = NULL;
	unsigned lines = 0;
	char *text = malloc(size + 1);
	int result;

	must(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	result = owners_parse(&owners, "f", text, check_line, &lines);
	must(result == 0 || result == -EINVAL);
	must((result == 0) == (owners != NULL) && (result == 0) == (lines == 0));
	if (owners) {
		ask(owners, AF_INET, "192.0.2.10", "198.51.100.25");
		ask(owners, AF_INET6, "2001:db8::10", "2001:db8:25::25");
	}
	owners_free(owners);
	free(text);
	return 0;
}
