/* Properties: what each type takes, what it refuses, and that what is set is read back. */
#include "tests/unit/vmm/stub-devices.h"

#include <string.h>

static const struct {
	const char *property, *value;
	const char *back;  /* as it is read back; NULL: refused */
	const char *error; /* what the error has in it */
} cases[] = {
	{ "enabled", "yes", "on" },
	{ "enabled", "off", "off" },
	{ "enabled", "1",
		.error = "VGA 'v': enabled=1 is not accepted; accepted: on, off, yes, no, true or "
			 "false" },
	{ "queues", "16", "16" },
	{ "queues", "0x10", "16" },
	{ "queues", "0", .error = "queues=0 is not accepted; accepted: 1 to 16" },
	{ "queues", "65537", .error = "queues=65537 is not accepted" },
	{ "octet", "255", "255" },
	{ "octet", "256", .error = "octet=256 is not accepted; accepted: 0x0 to 0xff" },
	{ "octet", "-1", .error = "octet=-1 is not accepted" },
	{ "octet", "", .error = "octet= is not accepted" },
	{ "memory", "1.5M", "1536K" },
	{ "memory", "256M", "256M" },
	{ "memory", "1K", .error = "memory=1K is not accepted; accepted: a size from 1M to 256M" },
	{ "memory", "20000000T", .error = "is not accepted" },
	{ "colour", "green", "green" },
	{ "colour", "Green", .error = "accepted: one of red, green" },
	{ "drive", "a,b", "a,b" },
	{ "addr", "5.0", "5.0" },
	{ "shape", "x", .error = "VGA 'v': has no property 'shape'" },
};

static void test_set_and_get(void)
{
	struct stub_device stub = { .device = { .class = device_class_find("VGA"),
					    .id = (char *)"v" } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct property *property =
			device_class_property(stub.device.class, cases[i].property);
		g_autoptr(GError) error = NULL;
		g_autofree char *back = NULL;
		bool good = device_set_property(
			&stub.device, cases[i].property, cases[i].value, &error);

		g_test_message("%s=%s", cases[i].property, cases[i].value);
		if (cases[i].error) {
			g_assert_false(good);
			if (!strstr(error->message, cases[i].error))
				g_error("\"%s\" is not in \"%s\"", cases[i].error, error->message);
			continue;
		}
		g_assert_no_error(error);
		back = device_get_property(&stub.device, property);
		g_assert_cmpstr(back, ==, cases[i].back);
	}
	g_free(stub.drive);
	g_free(stub.addr);
}

/* What is refused changes nothing, and neighbours stay as they are. */
static void test_neighbours(void)
{
	struct stub_device stub = { .device = { .class = device_class_find("VGA") } };

	memset(&stub.enabled, 0xff,
		offsetof(struct stub_device, colour) - offsetof(struct stub_device, enabled));
	g_assert_true(device_set_property(&stub.device, "octet", "7", NULL));
	g_assert_cmphex(stub.octet, ==, 7);
	g_assert_cmphex(stub.queues, ==, UINT16_MAX);
	g_assert_cmphex(stub.memory, ==, UINT64_MAX);
	g_assert_false(device_set_property(&stub.device, "octet", "300", NULL));
	g_assert_cmphex(stub.octet, ==, 7);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/properties/set-and-get", test_set_and_get);
	g_test_add_func("/properties/neighbours", test_neighbours);
	return g_test_run();
}
