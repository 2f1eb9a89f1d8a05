/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary in sentences, for people; decides nothing.
 */
#include <assert.h>
#include <string.h>

#include "show_page.h"

static const char *const reasons[] = {
	[REASON_LOCAL] = "the destination is this box",
	[REASON_MAIL_SERVER] = "the mail server may send",
	[REASON_NOT_ALLOWED] = "only the mail server may send",
	[REASON_NO_UID] = "the packet carries no user",
	[REASON_FRAGMENT] = "a fragment hides what it is",
	[REASON_MALFORMED] = "the packet can't be read",
	[REASON_NOT_OPENING] = "part of a connection that was never allowed to open",
	[REASON_FORWARDED] = "forwarded for a container or another host, which may not send",
	[REASON_OTHER_PORT] = "not a mail port",
};
static_assert(sizeof(reasons) / sizeof(reasons[0]) == REASON_N, "a sentence for each reason");

static const char *const hows[] = {
	[OWNER_UNKNOWN] = "not found",
	[OWNER_UNIQUE] = "every process was looked at, and only this one holds the socket",
	[OWNER_SHARED] = "several processes hold the socket, this is one of them",
	[OWNER_CONFIRMED] = "it holds the socket; not every other process was looked at",
	[OWNER_IN_FLIGHT] = "the socket is in no process: on its way between two",
	[OWNER_EXITED] = "it was found, and has ended since",
	[OWNER_CALLER] = "the kernel saw it call connect; that it holds the socket was not seen",
	[OWNER_NO_SOCKET] =
		"the kernel has no such socket: closed already, or the packet was made by hand",
	[OWNER_FOREIGN_NETNS] = "the socket is in another network namespace",
	[OWNER_GIVEN] = "told by an owners file",
};
static_assert(sizeof(hows) / sizeof(hows[0]) == OWNER_HOW_N, "a sentence for each how");

static const char *const whys[] = {
	[OWNER_WHY_NONE] = "nothing is missing",
	[OWNER_WHY_EXITED] = "the process had ended before it could be read",
	[OWNER_WHY_CLOSED] = "the socket was closed already",
	[OWNER_WHY_IN_FLIGHT] = "no process holds the socket: on its way between two",
	[OWNER_WHY_NO_SOCKET] =
		"the kernel has no such socket: closed already, or the packet was made by hand",
	[OWNER_WHY_NETNS] = "it is in another network namespace",
	[OWNER_WHY_BUDGET] = "too many descriptors to read in the time there is",
	[OWNER_WHY_DEADLINE] = "the time for it was up",
	[OWNER_WHY_DENIED] = "the kernel did not let egressd read it",
	[OWNER_WHY_KERNEL_SOCKET] = "the kernel's own socket (AF_SMC, MPTCP)",
	[OWNER_WHY_REFUSED_FIRST] = "the rule set refused it before it could be looked up",
	[OWNER_WHY_NOT_GIVEN] = "the owners file does not name this flow",
	[OWNER_WHY_NOT_TOLD] = "nothing on this machine says which one",
	[OWNER_WHY_NO_STATUS_PAGE] = "its php-fpm pool has no status page to ask (pm.status_path)",
	[OWNER_WHY_NOT_TRUSTED] = "there was an answer, but it could have been forged",
	[OWNER_WHY_ERROR] = "an error; see egressd's log",
	[OWNER_WHY_EXEC] = "it executed another program while it was being read",
};
static_assert(sizeof(whys) / sizeof(whys[0]) == OWNER_WHY_N, "a sentence for each why");

static const char *const scripts[] = {
	[OWNER_SCRIPT_NONE] = "not known",
	[OWNER_SCRIPT_ARGV] = "an argument of the interpreter",
	[OWNER_SCRIPT_INLINE] = "the program text stands in the command line",
	[OWNER_SCRIPT_STDIN] = "the interpreter's standard input",
	[OWNER_SCRIPT_ENVIRON] = "the CGI environment (the process could have changed it)",
	[OWNER_SCRIPT_FPM_STATUS] = "php-fpm's status page",
	[OWNER_SCRIPT_TITLE] = "the process title (the process could have changed it)",
	[OWNER_SCRIPT_MODULE] = "the name of a module in the arguments (-m)",
	[OWNER_SCRIPT_GIVEN] = "told by an owners file",
};
static_assert(sizeof(scripts) / sizeof(scripts[0]) == OWNER_SCRIPT_FROM_N,
	      "a sentence for each source of a script");

static const char *const vias[] = {
	[VIA_QUEUE] = "held while it was judged",
	[VIA_FORWARD] = "forwarded, and held while it was judged",
	[VIA_MAIL] = "a copy: the mail server is never held",
	[VIA_LOCAL] = "a copy: local submission is never held",
	[VIA_GUARD] = "a copy: the rule set decided alone",
	[VIA_REPLAY] = "read from a capture",
};
static_assert(sizeof(vias) / sizeof(vias[0]) == VIA_N, "a sentence for each way");

static const char *const verdicts[] = {
	[VERDICT_ALLOW] = "let out",
	[VERDICT_DENY] = "refused at once: connect(2) fails",
	[VERDICT_WOULD_DENY] = "let out, since the mode is monitor; enforce would refuse it",
};
static_assert(sizeof(verdicts) / sizeof(verdicts[0]) == VERDICT_N, "a sentence for each verdict");

static const char *explain(const char *word, const char *const *words, const char *const *texts,
			   unsigned n)
{
	for (unsigned i = 0; word && i < n; i++)
		if (!strcmp(word, words[i]) && texts[i])
			return texts[i];
	return word ? word : "not known";
}

const char *show_explain_reason(const char *word)
{
	return explain(word, reason_words, reasons, REASON_N);
}

const char *show_explain_verdict(const char *word)
{
	return explain(word, verdict_words, verdicts, VERDICT_N);
}

const char *show_explain_how(const char *word)
{
	return explain(word, owner_how_words, hows, OWNER_HOW_N);
}

const char *show_explain_why(const char *word)
{
	return explain(word, owner_why_words, whys, OWNER_WHY_N);
}

const char *show_explain_script(const char *word)
{
	return explain(word, owner_script_from_words, scripts, OWNER_SCRIPT_FROM_N);
}

const char *show_explain_no_script(const char *word)
{
	if (word && !strcmp(word, owner_script_from_words[OWNER_SCRIPT_INLINE]))
		return "the program text stands in the command line (-c, -e, -r)";
	if (word && !strcmp(word, owner_script_from_words[OWNER_SCRIPT_STDIN]))
		return "the interpreter read the program text from its standard input";
	return NULL;
}

const char *show_explain_via(const char *word)
{
	return explain(word, record_via_words, vias, VIA_N);
}
