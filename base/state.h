/* State tables: which members of a struct are a device's saved state.
 *
 * A device lists its state once; from the table come saving, restoring and the ABI dump. The order of the rows is the
 * order in the stream, and a released table never changes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum state_type {
	STATE_TYPE_END,
	STATE_TYPE_UINT8,
	STATE_TYPE_UINT16,
	STATE_TYPE_UINT32,
	STATE_TYPE_UINT64,
	STATE_TYPE_BOOL,
};

struct state_field {
	const char *name;
	enum state_type type;
	size_t offset; /* bytes from the start of the struct */
	size_t count;  /* elements: 1 for a plain member */
};

#define STATE_ARRAY_OF(type, structure, member, count) \
	{ \
#member, type, offsetof(structure, member), count \
	}

#define STATE_UINT8(structure, member)  STATE_ARRAY_OF(STATE_TYPE_UINT8, structure, member, 1)
#define STATE_UINT16(structure, member) STATE_ARRAY_OF(STATE_TYPE_UINT16, structure, member, 1)
#define STATE_UINT32(structure, member) STATE_ARRAY_OF(STATE_TYPE_UINT32, structure, member, 1)
#define STATE_UINT64(structure, member) STATE_ARRAY_OF(STATE_TYPE_UINT64, structure, member, 1)
#define STATE_BOOL(structure, member)   STATE_ARRAY_OF(STATE_TYPE_BOOL, structure, member, 1)
#define STATE_UINT8_ARRAY(structure, member, count) \
	STATE_ARRAY_OF(STATE_TYPE_UINT8, structure, member, count)
#define STATE_UINT16_ARRAY(structure, member, count) \
	STATE_ARRAY_OF(STATE_TYPE_UINT16, structure, member, count)
#define STATE_UINT32_ARRAY(structure, member, count) \
	STATE_ARRAY_OF(STATE_TYPE_UINT32, structure, member, count)
#define STATE_END \
	{ \
		NULL, STATE_TYPE_END, 0, 0 \
	}
