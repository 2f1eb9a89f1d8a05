/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a path, a host or a name fits what a vhost has. Pure. Private to web/sites*.c. */
#ifndef WEB_SITES_MATCH_H
#define WEB_SITES_MATCH_H

#include "sites.h"

/* Absolute, without empty, `.` or `..` components: these may be anywhere. */
bool match_is_plain(const char *path);
/* A Host without its port and the dot at its end, in lower case; "" for what is none. */
void match_take_host(const char *host, char out[SITES_NAME_BYTES]);

bool match_has_name(const struct sites_vhost *vhost, const char *name);
/* Is name the domain, or in it? */
bool match_in_domain(const char *name, const char *domain);
/*
 * How well a vhost's names fit the host; 0: not. The whole name before "*.example.com" before
 * "mail.*", longer ones first (nginx.org/en/docs/http/server_names.html).
 */
unsigned match_host(const struct sites_vhost *vhost, const char *host);
/* How much of the script's path is this vhost's root; 0: it is not below it. */
size_t match_root(const struct sites_vhost *vhost, const char *script);

#endif
