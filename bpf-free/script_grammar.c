/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each interpreter's options are, from its manual page and its source. Nothing but the table.
 */
#include "script_grammar.h"

const struct grammar script_grammars[INTERP_N] = {
	/* php_cli.c OPTIONS and do_php_cli(); php(1) */
	[INTERP_PHP] = {
		.value = "cdtz", .text = "rR", .beside = "BE", .file = "fF", .input = "a",
		.away = "Simvhlsw?",
		.long_value = "php-ini|define|docroot|zend-extension|repeat|",
		.long_text = "run|process-code|",
		.long_beside = "process-begin|process-end|",
		.long_file = "file|process-file|",
		.long_input = "interactive|",
		.long_away = "server|info|modules|version|help|usage|syntax-check|ini|strip|"
			     "syntax-highlight|syntax-highlighting|rf|rfunction|rc|rclass|re|"
			     "rextension|rz|rzendextension|ri|rextinfo|",
		.flags = DASHES_STDIN | DASH_IS_FILE | VALUE_EQUALS,
	},
	/* cgi_main.c OPTIONS */
	[INTERP_PHP_CGI] = {
		.value = "cdzT", .file = "f", .away = "bimvhlsw?",
		.long_value = "php-ini|define|zend-extension|timing|",
		.long_file = "file|",
		.long_away = "bindpath|info|modules|version|help|usage|syntax-check|strip|"
			     "syntax-highlight|syntax-highlighting|",
		.flags = DASH_IS_FILE | VALUE_EQUALS,
	},
	/* parse_opt() and cli_main(), sapi/litespeed/lsapi_main.c */
	[INTERP_LSPHP] = {
		.value = "bc", .away = "ivlh?", .flags = NO_STDIN | MUST_BE_FILE,
	},
	/* perlrun(1), moreswitches() in perl.c */
	[INTERP_PERL] = {
		.value = "I", .attached = "iCDFMmxV", .colon = "d", .digits = "0l", .text = "eE",
		.flags = BLANK_OPTIONS | SEARCH,
	},
	/* python3(1), Python/initconfig.c; -Q is Python 2's */
	[INTERP_PYTHON] = {
		.value = "WXQ", .text = "c", .module = "m", .away = "Vh?",
		.long_value = "check-hash-based-pycs|",
		.long_away = "version|help|help-all|help-env|help-xoptions|",
	},
	/* ruby(1), ruby.c proc_options() */
	[INTERP_RUBY] = {
		.value = "CXIrE", .attached = "iFx", .colon = "W", .digits = "0WT", .one = "K",
		.text = "e",
		.long_value = "encoding|external-encoding|internal-encoding|enable|disable|dump|"
			      "backtrace-limit|parser|",
		.flags = SEARCH,
	},
	/* node(1), src/node_options.cc; what V8 takes needs "=" */
	[INTERP_NODE] = {
		.value = "rC", .text = "ep", .away = "cvh",
		.long_value =
			"require|import|loader|experimental-loader|conditions|title|input-type|"
			"icu-data-dir|inspect-port|debug-port|inspect-publish-uid|env-file|"
			"env-file-if-exists|openssl-config|diagnostic-dir|redirect-warnings|"
			"trace-event-categories|trace-event-file-pattern|trace-require-module|"
			"unhandled-rejections|dns-result-order|max-http-header-size|secure-heap|"
			"secure-heap-min|tls-cipher-list|tls-keylog|use-largepages|disable-proto|"
			"disable-warning|experimental-default-type|experimental-policy|"
			"experimental-sea-config|policy-integrity|es-module-specifier-resolution|"
			"heapsnapshot-signal|heapsnapshot-near-heap-limit|heap-prof-dir|"
			"heap-prof-interval|heap-prof-name|cpu-prof-dir|cpu-prof-interval|"
			"cpu-prof-name|report-directory|report-dir|report-filename|report-signal|"
			"snapshot-blob|build-snapshot-config|v8-pool-size|watch-path|allow-fs-read|"
			"allow-fs-write|localstorage-file|experimental-config-file|"
			"network-family-autoselection-attempt-timeout|",
		.long_text = "eval|print|",
		.long_away = "test|run|build-snapshot|prof-process|check|version|help|v8-options|",
	},
	/* lua.c collectargs(), luajit.c */
	[INTERP_LUA] = {
		.value = "lj", .attached = "O", .beside = "e", .away = "b",
		.flags = WORD_BESIDE,
	},
	/* awk(1p), mawk(1), gawk(1): main.c optlist */
	[INTERP_AWK] = {
		.value = "vFilW", .attached = "dDLop", .text = "e", .file = "fE", .away = "hVC",
		.long_value = "assign|field-separator|include|load|",
		.long_text = "source|", .long_file = "file|exec|",
		.long_away = "version|help|copyright|",
		.flags = WORD_IS_TEXT | FIRST_FILE,
	},
	/* sh(1p), bash(1), dash(1), zsh(1), ksh(1) */
	[INTERP_SHELL] = {
		.value = "oO", .text = "c", .input = "s",
		.long_value = "rcfile|init-file|emulate|",
		.flags = PLUS,
	},
};
