<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// A web shell's test: can this box reach a stranger's mail port? Says what became of it, and when.
[$host, $port] = PHP_SAPI === 'cli' ? array_slice($argv, 1, 2) : [$_GET['host'], $_GET['port']];
if (PHP_SAPI !== 'cli')
	header('Content-Type: text/plain');
$target = strpos($host, ':') === false ? $host : "[$host]";
$start = hrtime(true);
$mail = @fsockopen($target, (int)$port, $code, $text, 5);
$ms = (hrtime(true) - $start) / 1e6;
$result = $mail ? 'connected' : "errno=$code";
$banner = $mail ? substr(fgets($mail), 0, 3) : '-';
printf("pid=%d result=%s banner=%s ms=%.2f\n", getmypid(), $result, $banner, $ms);
