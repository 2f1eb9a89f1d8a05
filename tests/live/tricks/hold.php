<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// Speaks to a stranger's mail server in the midst of a request: POST mx=ADDRESS, before=MS and after=MS to sleep,
// by=shell to have a child do it.
header('Content-Type: text/plain');
usleep(1000 * (int)($_POST['before'] ?? 0));
if (!isset($_POST['mx'])) {
	echo "nothing\n";
} elseif (($_POST['by'] ?? '') === 'shell') {
	$words = 'exec 3<>/dev/tcp/' . $_POST['mx'] . '/25';
	echo shell_exec('/bin/bash -c ' . escapeshellarg($words . ' || echo refused; /bin/true') . ' 2>/dev/null');
} else {
	$mail = @fsockopen($_POST['mx'], 25, $code, $text, 5);
	echo $mail ? "connected\n" : "refused\n";
}
usleep(1000 * (int)($_POST['after'] ?? 0));
