/* What a guest may do to fw_cfg: any accesses to its ports, with any bytes in its memory. */
#include <string.h>

#include "base/reader.h"
#include "tests/unit/vmm/chipset/fake-machine.h"
#include "vmm/firmware/fw-cfg.h"

enum {
	PORT_SELECTOR = 0x510,
	PORT_DATA = 0x511,
	PORT_DMA = 0x514,
	REQUEST = 0x1000,
	REQUEST_SIZE = 16,
};

enum step {
	STEP_SELECT,
	STEP_READ,
	STEP_REQUEST,
	STEP_WRITE,
	STEPS,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void note_write(void *owner, const uint8_t *bytes, size_t length)
{
	if (length != 4)
		abort();
}

static void run(struct fake_machine *fake, struct reader *in)
{
	struct io_space *ports = &fake->machine.ports;

	switch (reader_u8(in) % STEPS) {
	case STEP_SELECT:
		io_space_write(ports, PORT_SELECTOR, 2, reader_le16(in));
		break;
	case STEP_READ:
		io_space_read(ports, PORT_DATA, 1);
		break;
	case STEP_REQUEST:
		reader_copy(in, fake->ram + REQUEST, REQUEST_SIZE);
		io_space_write(ports, PORT_DMA + 4, 4, GUINT32_SWAP_LE_BE((guint32)REQUEST));
		break;
	case STEP_WRITE:
		io_space_write(ports, PORT_SELECTOR + reader_u8(in) % 12, 1 << reader_u8(in) % 4,
			reader_le64(in));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct reader in = reader_from(bytes, length);
	struct fake_machine *fake = fake_machine_new();
	struct fw_cfg *cfg = fw_cfg_new(&fake->machine);
	g_autoptr(GBytes) file = g_bytes_new_static("0123456789", 10);
	g_autoptr(GBytes) four = g_bytes_new_static("four", 4);

	fw_cfg_add_file(cfg, "etc/file", file);
	fw_cfg_add_writable_file(cfg, "etc/writable", four, note_write, NULL);
	while (reader_left(&in) > 0 && !in.ran_out)
		run(fake, &in);
	fw_cfg_reset(cfg);
	fw_cfg_free(cfg);
	fake_machine_free(fake);
	return 0;
}
