/* Writing AML, the byte code of ACPI tables. What is opened is closed by aml_close(), innermost first; terms are written in
 * the order in which the byte code has them, operators before operands.
 *
 * Specification: ACPI 6.4, chapter 20 (AML) and section 6.4 (resource data types).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	AML_MAX_DEPTH = 48 /* a level for each nested bus that takes part in hot-plug, and some */
};

struct aml {
	GByteArray *bytes;
	guint open[AML_MAX_DEPTH]; /* where the package lengths belong */
	unsigned depth;
};

enum aml_operator {
	AML_SHIFT_LEFT = 0x79,
	AML_NOTIFY = 0x86,
	AML_STORE = 0x70,
	AML_AND = 0x7b,
	AML_OR = 0x7d,
	AML_NOT_EQUAL = 0x9293, /* two operators in one: not, equal */
	AML_EQUAL = 0x93,
	AML_LOGICAL_AND = 0x90,
	AML_RETURN = 0xa4,
	AML_CREATE_DWORD_FIELD = 0x8a, /* buffer, index, name */
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_NO_TARGET = 0x00, /* where a result would be stored */
};

enum aml_region_space {
	AML_SYSTEM_IO = 1,
	AML_PCI_CONFIG = 2,
};

void aml_init(struct aml *aml);
GBytes *aml_end(struct aml *aml); /* everything must be closed; the bytes are the caller's */

/* Names are as in ASL: "PCI0", "\\_SB", "\\_SB.PCI0", "^S28.PCNT"; shorter segments are filled up. */
void aml_name(struct aml *aml, const char *name);   /* a use of the name */
void aml_define(struct aml *aml, const char *name); /* Name (name, what is written next) */
void aml_integer(struct aml *aml, uint64_t value);
void aml_string(struct aml *aml, const char *text);
void aml_eisa_id(struct aml *aml, const char *id); /* "PNP0A03" */
void aml_uuid(struct aml *aml, const char *uuid);  /* ToUUID (uuid) */
void aml_buffer(struct aml *aml, const GByteArray *bytes);
void aml_operator(struct aml *aml, enum aml_operator operator);

void aml_open_scope(struct aml *aml, const char *name);
void aml_open_device(struct aml *aml, const char *name);
void aml_open_method(struct aml *aml, const char *name, unsigned arguments, bool serialized);
void aml_open_package(struct aml *aml, uint8_t elements);
void aml_open_if(struct aml *aml); /* the condition is written next */
void aml_open_else(struct aml *aml);
void aml_close(struct aml *aml);

/* Processor () with its number, which is that of its MADT entry. */
void aml_open_processor(struct aml *aml, const char *name, uint8_t number);

void aml_operation_region(struct aml *aml, const char *name, enum aml_region_space space,
	uint32_t offset, uint32_t length);
void aml_open_field(struct aml *aml, const char *region); /* byte access, preserving */
/* Double words; what is not written is written as zero. */
void aml_open_long_field(struct aml *aml, const char *region);
void aml_field_unit(struct aml *aml, const char *name, unsigned bits);
void aml_field_skip(struct aml *aml, unsigned bits);

void aml_mutex(struct aml *aml, const char *name);
void aml_acquire(struct aml *aml, const char *mutex); /* waits for ever */
void aml_release(struct aml *aml, const char *mutex);

/* Resource templates: a byte array that ends with resource_end() and goes to aml_buffer(). */
void resource_io(GByteArray *out, uint16_t first, uint8_t align, uint8_t length);
void resource_irq(GByteArray *out, uint16_t mask); /* edge, active high, exclusive */
void resource_memory_window_64(GByteArray *out, uint64_t first, uint64_t last);
void resource_interrupt(
	GByteArray *out, const uint32_t *lines, unsigned count); /* level, active high, shared */
void resource_memory_fixed(GByteArray *out, uint32_t first, uint32_t length, bool writable);
void resource_bus_numbers(GByteArray *out, uint16_t first, uint16_t last);
void resource_io_window(GByteArray *out, uint16_t first, uint16_t last);
void resource_memory_window(GByteArray *out, uint32_t first, uint32_t last, bool cacheable);
void resource_end(GByteArray *out);
