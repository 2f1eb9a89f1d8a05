/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a process pose as a program that it does not run? Many re-title themselves honestly, and
 * an interpreter's program may take any name it likes, so a title that merely differs is no lie.
 * One is told only where the title or comm claims to be a certain well-known program, or a thread
 * of the kernel, and the executable's file has no name that this program goes by.
 */
#ifndef BPF_FREE_POSES_H
#define BPF_FREE_POSES_H

#include "owner.h"

/* From proc.comm, exe and cmdline; the byte behind the last of cmdline is NUL. No arguments at all
 * (they could not be read, or there are none) say nothing; arguments that are all empty pose, as
 * no program is called so. Pure. */
bool poses(const struct owner *owner);

#endif
