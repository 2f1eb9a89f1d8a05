<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// One blocking connect(2) of `connect php`: php send.php ADDRESS PORT prints "NS ERRNO".
$socket = socket_create(strpos($argv[1], ':') === false ? AF_INET : AF_INET6, SOCK_STREAM, SOL_TCP);
socket_set_option($socket, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
$start = hrtime(true);
$good = @socket_connect($socket, $argv[1], (int)$argv[2]);
$ns = hrtime(true) - $start;
echo $ns, ' ', $good ? 0 : socket_last_error($socket), "\n";
