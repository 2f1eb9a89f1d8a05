/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the FastCGI protocol (FastCGI Specification 1.0) as one GET of php-fpm's status page
 * needs. Pure: bytes in, bytes out.
 */
#ifndef BPF_FREE_FCGI_H
#define BPF_FREE_FCGI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FCGI_BODY_MAX (1u << 20) /* of a response; a pool of 2,000 workers needs 800 kB */

/* The whole request for PATH?full; the connection stays open for another one. Returns its length, 0
 * when it does not fit. */
size_t fcgi_put_status_request(uint8_t *out, size_t size, const char *path);

struct fcgi_response {
	uint8_t header[8]; /* of the record under way */
	unsigned header_n;
	size_t content_left, padding_left;
	char *body; /* standard output so far, grows up to FCGI_BODY_MAX */
	size_t n, room;
	uint8_t end[8]; /* FCGI_EndRequestBody */
	unsigned end_n;
	bool done;
};

/* Takes bytes as they come. 0: more is needed; 1: the response is complete; -EBADMSG: this is no
 * FastCGI response to our request, or the application refused; -EFBIG; -ENOMEM. */
int fcgi_feed(struct fcgi_response *response, const uint8_t *bytes, size_t n);
void fcgi_response_free(struct fcgi_response *response);
/* The page behind the CGI headers, if their status is 200; NULL else. */
const char *fcgi_page(const struct fcgi_response *response, size_t *len);

#endif
