#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What a cron job left behind by an intruder does: HOST PORT TIMES, one connection after the other.
use strict;
use warnings;
use IO::Socket::IP;

my ($hosts, $port, $times) = @ARGV;
my ($open, $refused) = (0, 0);
for (1 .. $times // 1) {
	for my $host (split /,/, $hosts) {
		my $mail = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => 5);
		$mail ? $open++ : $refused++;
		my $answer = <$mail> if $mail;
	}
}
print "pid=$$ open=$open refused=$refused\n";
