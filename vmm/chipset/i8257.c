/* DMA controller: registers only, as an operating system probes and resets it. No device of the board does DMA by it, so a
 * channel never moves: what was written reads back.
 *
 * Specification: Intel 8237A datasheet; its places in a PC: Intel ICH9 datasheet, section 13.2.
 */
#include "vmm/chipset/i8257.h"

#include "vmm/machine/machine.h"

enum {
	CHANNELS = 4,
	CHANNEL_REGISTERS = 2 * CHANNELS, /* address and count of each */
	CONTROL_REGISTERS = 8,
	PAGE_REGISTERS = 8,
	HIGH_PAGES = 0x400, /* from the page registers to their high bytes (EISA) */
};

/* Offsets among the control registers. */
enum i8257_register {
	REGISTER_COMMAND = 0, /* read: status */
	REGISTER_REQUEST = 1,
	REGISTER_SINGLE_MASK = 2,
	REGISTER_MODE = 3,
	REGISTER_FLIP_FLOP = 4,
	REGISTER_CLEAR = 5, /* read: temporary */
	REGISTER_CLEAR_MASK = 6,
	REGISTER_ALL_MASK = 7,
};

enum {
	SINGLE_MASK_ON = 1 << 2,
	CHANNEL_BITS = 3,
	ALL_CHANNELS = 0x0f,
};

/* Which page register is whose: the odd order of the first PC. */
static const int page_channels[PAGE_REGISTERS] = { -1, 2, 3, 1, -1, -1, -1, 0 };

struct i8257 {
	struct device device;
	uint32_t base, page_base, shift; /* properties */
	struct io_region channel_region, control_region, page_region, high_page_region;

	uint16_t addresses[CHANNELS], counts[CHANNELS]; /* as written */
	uint8_t pages[CHANNELS], high_pages[CHANNELS], modes[CHANNELS];
	uint8_t command, status, mask;
	bool high_byte; /* the flip-flop: which byte of an address or a count is next */
};

static const struct state_field i8257_state[] = {
	STATE_ARRAY_OF(STATE_TYPE_UINT16, struct i8257, addresses, CHANNELS),
	STATE_ARRAY_OF(STATE_TYPE_UINT16, struct i8257, counts, CHANNELS),
	STATE_UINT8_ARRAY(struct i8257, pages, CHANNELS),
	STATE_UINT8_ARRAY(struct i8257, high_pages, CHANNELS),
	STATE_UINT8_ARRAY(struct i8257, modes, CHANNELS),
	STATE_UINT8(struct i8257, command),
	STATE_UINT8(struct i8257, status),
	STATE_UINT8(struct i8257, mask),
	STATE_BOOL(struct i8257, high_byte),
	STATE_END,
};

static const struct property i8257_properties[] = {
	{ "base", PROPERTY_UINT32, offsetof(struct i8257, base), "0", "first port",
		.maximum = 0xfff0 },
	{ "page-base", PROPERTY_UINT32, offsetof(struct i8257, page_base), "0x80",
		"first port of the page registers", .maximum = 0xfff0 },
	{ "dshift", PROPERTY_UINT32, offsetof(struct i8257, shift), "0",
		"1: a register every two ports (channels of 16 bits)", .maximum = 1 },
	{ NULL },
};

/* Addresses and counts: even and odd registers, a byte at a time. */

static uint16_t *channel_register(struct i8257 *dma, unsigned number)
{
	return number % 2 ? &dma->counts[number / 2] : &dma->addresses[number / 2];
}

static uint64_t channel_read(void *device, uint64_t offset, unsigned size)
{
	struct i8257 *dma = device;
	uint16_t value = *channel_register(dma, offset >> dma->shift);

	dma->high_byte = !dma->high_byte;
	return dma->high_byte ? value & 0xff : value >> 8;
}

static void channel_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8257 *dma = device;
	uint16_t *place = channel_register(dma, offset >> dma->shift);

	if (dma->high_byte)
		*place = (*place & 0x00ff) | value << 8;
	else
		*place = (*place & 0xff00) | value;
	dma->high_byte = !dma->high_byte;
}

static const struct io_ops channel_ops = { channel_read, channel_write, .max_access = 1 };

/* Control */

static void clear(struct i8257 *dma)
{
	dma->high_byte = false;
	dma->mask = ALL_CHANNELS;
	dma->command = 0;
	dma->status = 0;
}

static uint64_t control_read(void *device, uint64_t offset, unsigned size)
{
	struct i8257 *dma = device;

	switch (offset >> dma->shift) {
	case REGISTER_COMMAND:
		return dma->status;
	case REGISTER_ALL_MASK:
		return dma->mask;
	default:
		return 0;
	}
}

static void set_mask(struct i8257 *dma, uint8_t value)
{
	uint8_t channel = 1 << (value & CHANNEL_BITS);

	dma->mask = value & SINGLE_MASK_ON ? dma->mask | channel : dma->mask & ~channel;
}

/* A request by program, high nibble of the status. */
static void set_request(struct i8257 *dma, uint8_t value)
{
	uint8_t channel = 1 << (value & CHANNEL_BITS) << CHANNELS;

	dma->status = value & SINGLE_MASK_ON ? dma->status | channel : dma->status & ~channel;
}

static void control_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8257 *dma = device;

	switch (offset >> dma->shift) {
	case REGISTER_COMMAND:
		dma->command = value;
		break;
	case REGISTER_REQUEST:
		set_request(dma, value);
		break;
	case REGISTER_SINGLE_MASK:
		set_mask(dma, value);
		break;
	case REGISTER_MODE:
		dma->modes[value & CHANNEL_BITS] = value;
		break;
	case REGISTER_FLIP_FLOP:
		dma->high_byte = false;
		break;
	case REGISTER_CLEAR:
		clear(dma);
		break;
	case REGISTER_CLEAR_MASK:
		dma->mask = 0;
		break;
	case REGISTER_ALL_MASK:
		dma->mask = value & ALL_CHANNELS;
		break;
	}
}

static const struct io_ops control_ops = { control_read, control_write, .max_access = 1 };

/* Pages. Registers of no channel read as zero and keep nothing: port 0x80 takes the firmware's progress codes. */

static uint64_t page_read(void *device, uint64_t offset, unsigned size)
{
	const struct i8257 *dma = device;

	return page_channels[offset] < 0 ? 0 : dma->pages[page_channels[offset]];
}

static void page_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8257 *dma = device;

	if (page_channels[offset] >= 0)
		dma->pages[page_channels[offset]] = value;
}

static const struct io_ops page_ops = { page_read, page_write, .max_access = 1 };

static uint64_t high_page_read(void *device, uint64_t offset, unsigned size)
{
	const struct i8257 *dma = device;

	return page_channels[offset] < 0 ? 0 : dma->high_pages[page_channels[offset]];
}

static void high_page_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct i8257 *dma = device;

	if (page_channels[offset] >= 0)
		dma->high_pages[page_channels[offset]] = value;
}

static const struct io_ops high_page_ops = { high_page_read, high_page_write, .max_access = 1 };

/* Life */

static void map(struct i8257 *dma, struct io_region *region, const struct io_ops *ops,
	uint64_t size, uint64_t base)
{
	*region = (struct io_region) {
		.name = "i8257",
		.ops = ops,
		.device = dma,
		.size = size,
	};
	io_space_map(&dma->device.machine->ports, region, base);
}

static bool i8257_realize(struct device *device, GError **error)
{
	struct i8257 *dma = (struct i8257 *)device;

	map(dma, &dma->channel_region, &channel_ops, CHANNEL_REGISTERS << dma->shift, dma->base);
	map(dma, &dma->control_region, &control_ops, CONTROL_REGISTERS << dma->shift,
		dma->base + (CHANNEL_REGISTERS << dma->shift));
	map(dma, &dma->page_region, &page_ops, PAGE_REGISTERS, dma->page_base);
	map(dma, &dma->high_page_region, &high_page_ops, PAGE_REGISTERS,
		dma->page_base + HIGH_PAGES);
	return true;
}

static void i8257_reset(struct device *device)
{
	clear((struct i8257 *)device);
}

static void i8257_unrealize(struct device *device)
{
	struct i8257 *dma = (struct i8257 *)device;

	io_region_unmap(&dma->channel_region);
	io_region_unmap(&dma->control_region);
	io_region_unmap(&dma->page_region);
	io_region_unmap(&dma->high_page_region);
}

const struct device_class i8257_class = {
	.name = "i8257",
	.description = "DMA controller",
	.bus = BUS_ISA,
	.size = sizeof(struct i8257),
	.properties = i8257_properties,
	.state = i8257_state,
	.realize = i8257_realize,
	.reset = i8257_reset,
	.unrealize = i8257_unrealize,
};
