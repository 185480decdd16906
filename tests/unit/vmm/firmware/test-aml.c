/* AML as the specification spells it. */
#include "vmm/firmware/aml.h"

#include <string.h>

#include "tests/unit/bytes.h"

static void check(struct aml *aml, const char *hex)
{
	g_autoptr(GBytes) written = aml_end(aml);
	g_autoptr(GBytes) expected = bytes_from_hex(hex);
	gsize length, expected_length;
	const void *bytes = g_bytes_get_data(written, &length);
	const void *expected_bytes = g_bytes_get_data(expected, &expected_length);

	g_assert_cmpmem(bytes, length, expected_bytes, expected_length);
}

static const struct {
	const char *name;
	const char *hex;
} names[] = {
	{ "PCI0", "50434930" },
	{ "X", "585f5f5f" },
	{ "\\_SB", "5c 5f53425f" },
	{ "\\_SB.PCI0", "5c 2e 5f53425f 50434930" },
	{ "\\_SB.PCI0.ISA", "5c 2f 03 5f53425f 50434930 4953415f" },
	{ "\\", "5c 00" },
};

static void test_names(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct aml aml;

		aml_init(&aml);
		aml_name(&aml, names[i].name);
		check(&aml, names[i].hex);
	}
}

static const struct {
	uint64_t value;
	const char *hex;
} integers[] = {
	{ 0, "00" },
	{ 1, "01" },
	{ 2, "0a02" },
	{ 0xff, "0aff" },
	{ 0x100, "0b0001" },
	{ 0xffff, "0bffff" },
	{ 0x10000, "0c00000100" },
	{ 0xffffffff, "0cffffffff" },
	{ 0x100000000, "0e0000000001000000" },
};

static void test_integers(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(integers); i++) {
		struct aml aml;

		aml_init(&aml);
		aml_integer(&aml, integers[i].value);
		check(&aml, integers[i].hex);
	}
}

static void test_values(void)
{
	struct aml aml;

	aml_init(&aml);
	aml_eisa_id(&aml, "PNP0A08");
	aml_string(&aml, "Hi");
	check(&aml, "0c 41d00a08 0d 486900");
	aml_init(&aml);
	aml_uuid(&aml, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	check(&aml, "11 13 0a10 5b4ddb33 f71f 1c40 9657 7441c03dd766");
}

/* Decodes a package length the other way round. */
static size_t decode_length(const uint8_t *bytes, size_t *value)
{
	unsigned more = bytes[0] >> 6;

	*value = more == 0 ? bytes[0] & 0x3f : bytes[0] & 0x0f;
	for (unsigned i = 0; i < more; i++)
		*value |= (size_t)bytes[1 + i] << (4 + 8 * i);
	return 1 + more;
}

/* Around every size at which the length takes one byte more. */
static void test_package_lengths(void)
{
	static const size_t around[] = { 0, 58, 0xff0, 0xffff0 };

	for (size_t i = 0; i < G_N_ELEMENTS(around); i++) {
		for (size_t size = around[i]; size < around[i] + 24; size++) {
			g_autofree uint8_t *content = g_malloc0(size);
			g_autoptr(GBytes) written = NULL;
			const uint8_t *bytes;
			gsize length;
			size_t value;
			struct aml aml;

			aml_init(&aml);
			aml_open_if(&aml);
			g_byte_array_append(aml.bytes, content, size);
			aml_close(&aml);
			written = aml_end(&aml);
			bytes = g_bytes_get_data(written, &length);
			g_assert_cmpuint(decode_length(bytes + 1, &value), ==, length - 1 - size);
			g_assert_cmpuint(value, ==, length - 1);
		}
	}
}

static void test_objects(void)
{
	struct aml aml;

	aml_init(&aml);
	aml_open_scope(&aml, "\\_SB");
	aml_open_device(&aml, "COM1");
	aml_define(&aml, "_UID");
	aml_integer(&aml, 1);
	aml_close(&aml);
	aml_close(&aml);
	check(&aml, "10 13 5c5f53425f 5b82 0b 434f4d31 08 5f554944 01");
	aml_init(&aml);
	aml_open_method(&aml, "_STA", 1, true);
	aml_operator(&aml, AML_RETURN);
	aml_operator(&aml, AML_ARG0);
	aml_close(&aml);
	check(&aml, "14 08 5f535441 09 a4 68");
	aml_init(&aml);
	aml_open_package(&aml, 2);
	aml_integer(&aml, 0);
	aml_integer(&aml, 5);
	aml_close(&aml);
	check(&aml, "12 05 02 00 0a05");
}

static void test_resources(void)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GBytes) expected = bytes_from_hex("47 01 f803 f803 01 08"
						    "22 1000"
						    "89 0600 09 01 0a000000"
						    "86 0900 01 000000b0 00000010"
						    "79 00");
	gsize length;
	const void *bytes = g_bytes_get_data(expected, &length);

	resource_io(out, 0x3f8, 1, 8);
	resource_irq(out, 1 << 4);
	resource_interrupt(out, (const uint32_t[]) { 10 }, 1);
	resource_memory_fixed(out, 0xb0000000, 0x10000000, true);
	resource_end(out);
	g_assert_cmpmem(out->data, out->len, bytes, length);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/aml/names", test_names);
	g_test_add_func("/aml/integers", test_integers);
	g_test_add_func("/aml/values", test_values);
	g_test_add_func("/aml/package-lengths", test_package_lengths);
	g_test_add_func("/aml/objects", test_objects);
	g_test_add_func("/aml/resources", test_resources);
	return g_test_run();
}
