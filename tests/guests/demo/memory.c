/* The functions on memory and text that the compiler and the program expect of a C library. */
#include "memory.h"

void *memset(void *target, int value, size_t bytes)
{
	void *at = target;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
	return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t bytes)
{
	void *to = target;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(bytes) : : "memory");
	return target;
}

/* Moves forwards: enough where the target lies below the source, which is all that the program
 * asks. */
void *memmove(void *target, const void *source, size_t bytes)
{
	void *to = target;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(source), "+c"(bytes) : : "memory");
	return target;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

bool text_equal(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && memcmp(a, b, strlen(a)) == 0;
}

bool text_number(const char **text, unsigned base, uint32_t *value)
{
	const char *at = *text;
	uint32_t result = 0;

	for (;; at++) {
		unsigned digit;

		if (*at >= '0' && *at <= '9')
			digit = (unsigned)(*at - '0');
		else if ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'f')
			digit = (unsigned)((*at | 0x20) - 'a') + 10;
		else
			break;
		if (digit >= base || result > (0xffffffffu - digit) / base)
			break;
		result = result * base + digit;
	}
	if (at == *text)
		return false;
	*text = at;
	*value = result;
	return true;
}
