/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in a folder, one after the other. */
#ifndef AGENT_FOLDER_H
#define AGENT_FOLDER_H

/* Calls visit for every entry of the folder behind dir_fd, which stays as it is, until it returns
 * an error. 0, that error, or -errno. */
int folder_each(int dir_fd, int (*visit)(void *context, const char *name), void *context);

#endif
