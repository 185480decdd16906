/* Where a JSON value ends in a stream of bytes. */
#include "vmm/control/json-splitter.h"

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static enum json_split wrong(struct json_splitter *splitter, const char *error)
{
	*splitter = (struct json_splitter) { .skipping = true, .error = error };
	return JSON_SPLIT_ERROR;
}

static enum json_split in_string(struct json_splitter *splitter, uint8_t byte)
{
	if (byte < 0x20)
		return wrong(splitter, "a control character in a string");
	if (splitter->escaped)
		splitter->escaped = false;
	else if (byte == '\\')
		splitter->escaped = true;
	else if (byte == '"')
		splitter->in_string = false;
	return JSON_SPLIT_MORE;
}

static enum json_split open_bracket(struct json_splitter *splitter, bool curly)
{
	uint64_t bit;

	if (splitter->depth == JSON_MAX_DEPTH)
		return wrong(splitter, "nested too deeply");
	bit = UINT64_C(1) << splitter->depth++;
	splitter->brackets = curly ? splitter->brackets | bit : splitter->brackets & ~bit;
	return JSON_SPLIT_MORE;
}

static enum json_split close_bracket(struct json_splitter *splitter, bool curly)
{
	splitter->depth--;
	if ((bool)(splitter->brackets >> splitter->depth & 1) != curly)
		return wrong(splitter, "brackets that do not match");
	return splitter->depth == 0 ? JSON_SPLIT_VALUE : JSON_SPLIT_MORE;
}

static enum json_split in_value(struct json_splitter *splitter, uint8_t byte)
{
	if (++splitter->length > JSON_MAX_LENGTH)
		return wrong(splitter, "longer than 1 MiB");
	if (splitter->in_string)
		return in_string(splitter, byte);
	switch (byte) {
	case '{':
	case '[':
		return open_bracket(splitter, byte == '{');
	case '}':
	case ']':
		return close_bracket(splitter, byte == '}');
	case '"':
		splitter->in_string = true;
		return JSON_SPLIT_MORE;
	default:
		return byte >= 0x20 || is_blank(byte) ? JSON_SPLIT_MORE
						      : wrong(splitter, "a control character");
	}
}

/* Skips what stands between two values. Returns the number of bytes. */
static size_t skip(struct json_splitter *splitter, const uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i < length && (splitter->skipping || is_blank(bytes[i])); i++) {
		if (bytes[i] == '\n')
			splitter->skipping = false;
	}
	return i;
}

enum json_split json_split(
	struct json_splitter *splitter, const uint8_t *bytes, size_t length, size_t *used)
{
	splitter->error = NULL;
	if (splitter->length == 0) {
		*used = skip(splitter, bytes, length);
		if (*used > 0 || length == 0)
			return JSON_SPLIT_MORE;
		if (bytes[0] != '{' && bytes[0] != '[') {
			*used = 1;
			return wrong(splitter, "expecting value");
		}
	}
	for (size_t i = 0; i < length; i++) {
		enum json_split result = in_value(splitter, bytes[i]);

		if (result == JSON_SPLIT_MORE)
			continue;
		*used = i + 1;
		if (result == JSON_SPLIT_VALUE)
			*splitter = (struct json_splitter) {};
		/* The end of the line may be the byte that was wrong. */
		else if (bytes[i] == '\n')
			splitter->skipping = false;
		return result;
	}
	*used = length;
	return JSON_SPLIT_MORE;
}
