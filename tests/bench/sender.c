/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program that `connect exec` executes: one connect, its result written to the load
 * generator's memory, the end. Static and small, so that executing it costs little.
 * Usage: sender FD INDEX ADDRESS PORT
 */
#include "load.h"

int main(int argc, char **argv)
{
	struct result result;
	struct target target;

	if (argc != 5 || !target_parse(argv[3], argv[4], &target))
		return 2;
	connect_once(&target, &result);
	return pwrite(atoi(argv[1]), &result, sizeof(result),
		      (off_t)(atol(argv[2]) * (long)sizeof(result))) != sizeof(result);
}
