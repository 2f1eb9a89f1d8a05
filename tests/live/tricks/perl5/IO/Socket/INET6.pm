# SPDX-License-Identifier: GPL-2.0-or-later
# swaks asks for this module for IPv6 only; perl's own IO::Socket::IP does the same work, so the
# test needs no further package.
package IO::Socket::INET6;
use strict;
use warnings;
use parent 'IO::Socket::IP';
1;
