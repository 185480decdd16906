/* Where a JSON value ends in a stream of bytes, found as they arrive and before anything parses them.
 *
 * It follows only quotation marks, backslashes and brackets, and so bounds what a JSON parser gets to see: its length, and
 * how deeply it is nested. What is between the brackets is the parser's to refuse.
 *
 * Specification: RFC 8259; QMP takes objects, and answers arrays with an error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JSON_MAX_LENGTH = 1 << 20, /* bytes of one value */
	JSON_MAX_DEPTH = 64,       /* brackets open at once */
};

enum json_split {
	JSON_SPLIT_MORE,  /* all bytes are used and the value goes on, or there was none */
	JSON_SPLIT_VALUE, /* the value ends with the last byte used */
	JSON_SPLIT_ERROR, /* @error says why; what was used is to be thrown away */
};

struct json_splitter {
	unsigned depth;
	uint64_t brackets; /* bit N: the bracket at depth N is a curly one */
	size_t length;     /* bytes of the value so far; 0 between values */
	bool in_string, escaped;
	bool skipping; /* after an error: up to the end of the line */
	const char *error;
};

/**
 * json_split - looks at the next bytes of a stream
 * @splitter: all zeroes at first
 * @used: set to the bytes looked at; those in front of a value (blanks, line feeds) are used with JSON_SPLIT_MORE and
 * @splitter's length 0, so that a value always starts where a call starts
 *
 * After an error the rest of the line is skipped, then values are taken again.
 */
enum json_split json_split(
	struct json_splitter *splitter, const uint8_t *bytes, size_t length, size_t *used);
