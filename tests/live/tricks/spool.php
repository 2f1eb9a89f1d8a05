#!/usr/bin/php
<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// What an honest page does: hands its mail to the box's own mail server. ADDRESS RECIPIENT
[, $host, $to] = $argv;
$mail = fsockopen(strpos($host, ':') === false ? $host : "[$host]", 25, $code, $text, 5) or exit(1);
$said = fgets($mail);
usleep(300000); // a copy is looked at after the fact: the page is still there
foreach (['HELO shop.example', 'MAIL FROM:<orders@shop.example>', "RCPT TO:<$to>", 'DATA',
	  "From: orders@shop.example\r\nSubject: Your order\r\n\r\nThank you.\r\n.", 'QUIT'] as $line) {
	fwrite($mail, "$line\r\n");
	$said = fgets($mail);
}
printf("pid=%d said=%s", getmypid(), $said);
