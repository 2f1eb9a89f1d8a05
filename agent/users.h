/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of uids from the system's user database, remembered for a while; also that there is none.
 */
#ifndef AGENT_USERS_H
#define AGENT_USERS_H

#include <stdint.h>

struct users;

struct users *users_new(void); /* NULL: no memory */
void users_free(struct users *users);
/* The name, good until the next call, or NULL. now_ns: CLOCK_MONOTONIC. May block in NSS. */
const char *users_name(struct users *users, uint32_t uid, int64_t now_ns);

#endif
