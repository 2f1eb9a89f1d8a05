#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Connects to HOST PORT and says what became of it, and when.
use strict;
use warnings;
use IO::Socket::IP;
use Time::HiRes qw(time);

my ($host, $port) = @ARGV;
my $start = time;
my $mail = IO::Socket::IP->new(PeerHost => $host, PeerPort => $port, Timeout => 5);
my ($code, $ms) = ($! + 0, (time - $start) * 1000);
my $result = $mail ? 'connected' : "errno=$code";
my $banner = $mail ? substr(<$mail>, 0, 3) : '-';
printf "pid=%d result=%s banner=%s ms=%.2f\n", $$, $result, $banner, $ms;
