/* What QEMU 7.2's devices answer, asked through its qemu-xhci, and what ours do: byte by byte. */
#include <string.h>

#include "tests/unit/bytes.h"
#include "tests/unit/vmm/usb/xhci-driver.h"
#include "vmm/usb/usb-input.h"
#include "vmm/usb/usb-storage.h"

static const struct descriptor_case {
	const char *name;
	const struct device_class *class;
	struct usb_setup setup;
	const char *bytes;
} cases[] = {
	{ "/descriptors/keyboard/device", &usb_keyboard_class, { 0x80, 6, 0x0100, 0x0000, 64 },
		"120100020000004027060100000001040b01" },
	{ "/descriptors/keyboard/configuration", &usb_keyboard_class,
		{ 0x80, 6, 0x0200, 0x0000, 255 },
		"09022200010108a032090400000103010100092111010001223f0007058103080007" },
	{ "/descriptors/keyboard/bos", &usb_keyboard_class, { 0x80, 6, 0x0f00, 0x0000, 255 },
		"050f0c000107100202000000" },
	{ "/descriptors/keyboard/qualifier", &usb_keyboard_class, { 0x80, 6, 0x0600, 0x0000, 10 },
		"0a060001000000080100" },
	{ "/descriptors/keyboard/other-speed", &usb_keyboard_class,
		{ 0x80, 6, 0x0700, 0x0000, 255 },
		"09072200010108a032090400000103010100092111010001223f000705810308000a" },
	{ "/descriptors/keyboard/manufacturer", &usb_keyboard_class,
		{ 0x80, 6, 0x0301, 0x0409, 255 }, "0a03510045004d005500" },
	{ "/descriptors/keyboard/string-2", &usb_keyboard_class, { 0x80, 6, 0x0302, 0x0409, 255 },
		"1e03510045004d005500200055005300420020004d006f00750073006500" },
	{ "/descriptors/keyboard/report", &usb_keyboard_class, { 0x81, 6, 0x2200, 0x0000, 255 },
		"05010906a10175019508050719e029e715002501810295017508810195057501050819012905"
		"910295017503910195067508150025ff0507190029ff8100c0" },
	{ "/descriptors/mouse/device", &usb_mouse_class, { 0x80, 6, 0x0100, 0x0000, 64 },
		"120100020000004027060100000001020901" },
	{ "/descriptors/mouse/configuration", &usb_mouse_class, { 0x80, 6, 0x0200, 0x0000, 255 },
		"09022200010106a03209040000010301020009210100000122340007058103040007" },
	{ "/descriptors/mouse/bos", &usb_mouse_class, { 0x80, 6, 0x0f00, 0x0000, 255 },
		"050f0c000107100202000000" },
	{ "/descriptors/mouse/qualifier", &usb_mouse_class, { 0x80, 6, 0x0600, 0x0000, 10 },
		"0a060001000000080100" },
	{ "/descriptors/mouse/other-speed", &usb_mouse_class, { 0x80, 6, 0x0700, 0x0000, 255 },
		"09072200010106a0320904000001030102000921010000012234000705810304000a" },
	{ "/descriptors/mouse/manufacturer", &usb_mouse_class, { 0x80, 6, 0x0301, 0x0409, 255 },
		"0a03510045004d005500" },
	{ "/descriptors/mouse/string-2", &usb_mouse_class, { 0x80, 6, 0x0302, 0x0409, 255 },
		"1e03510045004d005500200055005300420020004d006f00750073006500" },
	{ "/descriptors/mouse/report", &usb_mouse_class, { 0x81, 6, 0x2200, 0x0000, 255 },
		"05010902a1010901a10005091901290515002501950575018102950175038101050109300931"
		"09381581257f750895038106c0c0" },
	{ "/descriptors/tablet/device", &usb_tablet_class, { 0x80, 6, 0x0100, 0x0000, 64 },
		"120100020000004027060100000001030a01" },
	{ "/descriptors/tablet/configuration", &usb_tablet_class, { 0x80, 6, 0x0200, 0x0000, 255 },
		"09022200010107a032090400000103000000092101000001224a0007058103080004" },
	{ "/descriptors/tablet/bos", &usb_tablet_class, { 0x80, 6, 0x0f00, 0x0000, 255 },
		"050f0c000107100202000000" },
	{ "/descriptors/tablet/qualifier", &usb_tablet_class, { 0x80, 6, 0x0600, 0x0000, 10 },
		"0a060001000000080100" },
	{ "/descriptors/tablet/other-speed", &usb_tablet_class, { 0x80, 6, 0x0700, 0x0000, 255 },
		"09072200010107a032090400000103000000092101000001224a000705810308000a" },
	{ "/descriptors/tablet/manufacturer", &usb_tablet_class, { 0x80, 6, 0x0301, 0x0409, 255 },
		"0a03510045004d005500" },
	{ "/descriptors/tablet/string-2", &usb_tablet_class, { 0x80, 6, 0x0302, 0x0409, 255 },
		"1e03510045004d005500200055005300420020004d006f00750073006500" },
	{ "/descriptors/tablet/report", &usb_tablet_class, { 0x81, 6, 0x2200, 0x0000, 255 },
		"05010902a1010901a10005091901290315002501950375018102950175058101050109300931"
		"150026ff7f350046ff7f751095028102050109381581257f35004500750895018106c0c0" },
	{ "/descriptors/storage/device", &usb_storage_class, { 0x80, 6, 0x0100, 0x0000, 64 },
		"1201000300000009f4460100000001020301" },
	{ "/descriptors/storage/configuration", &usb_storage_class,
		{ 0x80, 6, 0x0200, 0x0000, 255 },
		"09022c00010106c0000904000002080650000705810200040006300f00000007050202000400"
		"06300f000000" },
	{ "/descriptors/storage/bos", &usb_storage_class, { 0x80, 6, 0x0f00, 0x0000, 255 },
		"050f160002071002020000000a1003000e00010a2000" },
	{ "/descriptors/storage/manufacturer", &usb_storage_class, { 0x80, 6, 0x0301, 0x0409, 255 },
		"0a03510045004d005500" },
	{ "/descriptors/storage/string-2", &usb_storage_class, { 0x80, 6, 0x0302, 0x0409, 255 },
		"2603510045004d00550020005500530042002000480041005200440044005200490056004500" },
};

static void check_case(gconstpointer data)
{
	const struct descriptor_case *c = data;
	struct xhci_driver *driver = xhci_driver_new();
	g_autoptr(GBytes) expected = bytes_from_hex(c->bytes);
	struct usb_device *device = xhci_driver_add(driver, c->class);
	unsigned slot, moved;

	xhci_driver_start(driver);
	slot = xhci_driver_open(driver, device->speed == USB_SPEED_SUPER ? 1 : 5);
	/* Short of what was asked for is success as well: the last event is the status stage's. */
	g_assert_cmpuint(xhci_driver_control(driver, slot, &c->setup, &moved), ==, CODE_SUCCESS);
	g_assert_cmpmem(driver->fake->ram + DRIVER_BUFFER, moved, g_bytes_get_data(expected, NULL),
		g_bytes_get_size(expected));
	xhci_driver_free(driver);
}

/* As QEMU has it: of the kind, of the controller's place, and of the port. */
static void test_serial_number(void)
{
	static const struct usb_setup setup = { 0x80, 6, 0x030b, 0x0409, 255 };
	static const char text[] = "68284-0000:00:00.0-1";
	struct xhci_driver *driver = xhci_driver_new();
	unsigned slot, moved;

	xhci_driver_add(driver, &usb_keyboard_class);
	xhci_driver_start(driver);
	slot = xhci_driver_open(driver, 5);
	g_assert_cmpuint(xhci_driver_control(driver, slot, &setup, &moved), ==, CODE_SUCCESS);
	g_assert_cmpuint(moved, ==, 2 + 2 * strlen(text));
	for (size_t i = 0; text[i]; i++)
		g_assert_cmpint(driver->fake->ram[DRIVER_BUFFER + 2 + 2 * i], ==, text[i]);
	xhci_driver_free(driver);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, &cases[i], check_case);
	g_test_add_func("/serial-number", test_serial_number);
	return g_test_run();
}
