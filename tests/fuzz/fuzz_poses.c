/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as executable, comm and arguments: nobody who goes by the file's own path poses, and
 * without anything to go by nobody does. */
#include <string.h>

#include "bpf-free/poses.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct owner owner;
	struct take take = { data, size };
	bool first;

	owner_init(&owner);
	take_text(&take, owner.exe, 64);
	take_text(&take, owner.proc.comm, sizeof(owner.proc.comm));
	owner.cmdline_bytes = take_span(&take, owner.cmdline, sizeof(owner.cmdline) - 1);
	owner.cmdline[owner.cmdline_bytes] = '\0';
	first = poses(&owner);
	must(poses(&owner) == first);
	must(!first || owner.exe[0] == '/');
	owner.cut = OWNER_CUT_EXE;
	must(!poses(&owner));
	owner.cut = 0;
	owner.proc.comm[0] = '\0';
	strcpy(owner.cmdline, owner.exe);
	owner.cmdline_bytes = strlen(owner.exe) + 1;
	must(!poses(&owner) || !owner.exe[0]);
	owner.cmdline_bytes = 0;
	owner.cmdline[0] = '\0';
	must(!poses(&owner));
	return 0;
}
