/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft/egressd.nft as a string inside the program, so that the rule set that was tested with this
 * program is the one it loads. Read-only data, NUL-terminated; no code.
 */
	.section .rodata
	.global ruleset_template
	.type ruleset_template, %object
ruleset_template:
	.incbin "nft/egressd.nft"
	.byte 0
	.size ruleset_template, . - ruleset_template

	.section .note.GNU-stack, "", %progbits
