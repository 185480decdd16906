/* The one GError domain of our own errors: their code says what kind of thing went wrong, their message says what,
 * where, and what would be right. Messages are UTF-8, start in lower case and end without a full stop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VITRINE_ERROR (vitrine_error_quark())

enum vitrine_error {
	VITRINE_ERROR_INPUT,     /* an option, a file, a message: something from outside is wrong */
	VITRINE_ERROR_HOST,      /* the host lacks something: a device, a file, a right */
	VITRINE_ERROR_BUSY,      /* somebody else holds what was asked for */
	VITRINE_ERROR_NOT_FOUND, /* there is nothing by that name */
	VITRINE_ERROR_STATE,     /* not now: the state of things forbids it */
};

GQuark vitrine_error_quark(void);

/* Sets @error and returns false, so that a function can end with: return fail(error, ...). */
bool fail(GError **error, enum vitrine_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* As fail(), with ": " and the text of errno behind the message. */
bool fail_errno(GError **error, enum vitrine_error code, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
