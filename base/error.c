/* The one GError domain of our own errors. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

GQuark vitrine_error_quark(void)
{
	return g_quark_from_static_string("vitrine-error");
}

bool fail(GError **error, enum vitrine_error code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (error)
		*error = g_error_new_valist(VITRINE_ERROR, code, format, arguments);
	va_end(arguments);
	return false;
}

bool fail_errno(GError **error, enum vitrine_error code, const char *format, ...)
{
	int number = errno;
	va_list arguments;
	g_autofree char *message = NULL;

	va_start(arguments, format);
	message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, VITRINE_ERROR, code, "%s: %s", message, g_strerror(number));
	return false;
}
