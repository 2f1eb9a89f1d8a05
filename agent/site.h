/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The site a script belongs to, as a folder: the script's path down to a known form of web root
 * (/var/www/NAME, /home/USER/public_html, /home/USER/domains/DOMAIN/public_html, …), else the
 * folder the script lies in, unless that is the system's (/, /usr/bin, /usr/share/…): these are
 * nobody's site. Empty for what is no absolute path. Raw bytes in and out. Pure.
 */
#ifndef AGENT_SITE_H
#define AGENT_SITE_H

#include <stddef.h>

/* Length of the leading part of script that names its site, 0 when there is none. */
size_t site_length(const char *script);
/* The same of a folder that a process works in; only by a known form of web root. */
size_t site_of_folder(const char *folder);

#endif
