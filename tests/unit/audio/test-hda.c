/* The HDA controller and its codecs by their registers, as a driver has them. */
#include <string.h>

#include "base/error.h"
#include "tests/unit/audio/listener.h"
#include "tests/unit/virtio/virtio-machine.h"
#include "vmm/audio/hda-registers.h"
#include "vmm/audio/hda.h"
#include "vmm/machine/guest-clock.h"
#include "vmm/pci/pci.h"

enum {
	BAR = 0xe0000000,
	OUTPUT = HDA_STREAM_BASE + HDA_OUTPUT_FIRST * HDA_STREAM_BYTES,
	INPUT = HDA_STREAM_BASE,
	TAG = 5,
	FORMAT = 0x0011, /* 48 kHz, 16 bits, 2 channels */
	BUFFER_BYTES = 4800,
};

struct fixture {
	struct virtio_machine *vm;
	struct pci_device *pci;
	uint64_t corb, rirb;
	unsigned commands;
};

static uint32_t in(struct fixture *f, uint64_t offset, unsigned size)
{
	uint32_t value;

	g_mutex_lock(&f->vm->machine.lock);
	value = io_space_read(&f->vm->machine.mmio, BAR + offset, size);
	g_mutex_unlock(&f->vm->machine.lock);
	return value;
}

static void out(struct fixture *f, uint64_t offset, unsigned size, uint32_t value)
{
	g_mutex_lock(&f->vm->machine.lock);
	io_space_write(&f->vm->machine.mmio, BAR + offset, size, value);
	g_mutex_unlock(&f->vm->machine.lock);
}

static struct device *add(
	struct fixture *f, const struct device_class *class, const char *const *properties)
{
	g_autoptr(GError) error = NULL;
	struct device *device = virtio_machine_add(f->vm, class, NULL, properties, &error);

	g_assert_no_error(error);
	return device;
}

static void set_up(struct fixture *f, gconstpointer codec)
{
	f->vm = virtio_machine_new();
	f->pci = (struct pci_device *)add(f, &intel_hda_class, NULL);
	add(f, codec ? codec : &hda_duplex_class, NULL);
	g_mutex_lock(&f->vm->machine.lock);
	pci_device_config_write(f->pci, 0x10, 4, BAR);
	pci_device_config_write(f->pci, 0x04, 2, 6);
	g_mutex_unlock(&f->vm->machine.lock);
	f->corb = virtio_machine_alloc(f->vm, 1024, 128);
	f->rirb = virtio_machine_alloc(f->vm, 2048, 128);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	virtio_machine_free(f->vm);
}

static void leave_reset(struct fixture *f)
{
	out(f, HDA_GCTL, 4, GCTL_RUN);
	g_assert_cmphex(in(f, HDA_GCTL, 4), ==, GCTL_RUN);
	g_assert_cmphex(in(f, HDA_STATESTS, 2), ==, 1);
	out(f, HDA_STATESTS, 2, 1);
	g_assert_cmphex(in(f, HDA_STATESTS, 2), ==, 0);
}

/* A command by ICOI. */
static uint32_t verb(struct fixture *f, uint8_t node, uint32_t what)
{
	out(f, HDA_ICOI, 4, node << 20 | what);
	out(f, HDA_ICIS, 2, ICIS_BUSY | ICIS_VALID);
	g_assert_cmphex(in(f, HDA_ICIS, 2), ==, ICIS_VALID);
	return in(f, HDA_ICII, 4);
}

static void test_identity(struct fixture *f, gconstpointer data)
{
	static const uint8_t expected[] = { 0x86, 0x80, 0x68, 0x26 };

	g_assert_cmpmem(f->pci->config, 4, expected, 4);
	g_assert_cmphex(f->pci->config[0x40], ==, 1);
	g_assert_cmphex(f->pci->config[0x34], ==, 0x60);
	g_assert_cmphex(f->pci->config[0x60], ==, 0x05);
	g_assert_cmphex(f->pci->config[0x0a] | f->pci->config[0x0b] << 8, ==, 0x0403);
}

static void test_registers(struct fixture *f, gconstpointer data)
{
	g_assert_cmphex(in(f, HDA_GCAP, 4), ==, 0x01004401);
	g_assert_cmphex(in(f, HDA_GCAP + 1, 1), ==, 0x44);
	/* In reset nothing else can be written. */
	out(f, HDA_INTCTL, 4, 0xffffffff);
	g_assert_cmphex(in(f, HDA_INTCTL, 4), ==, 0);
	leave_reset(f);
	out(f, HDA_INTCTL, 4, 0xffffffff);
	g_assert_cmphex(in(f, HDA_INTCTL, 4), ==, 0xc00000ff);
	out(f, HDA_INTCTL + 3, 1, 0);
	g_assert_cmphex(in(f, HDA_INTCTL, 4), ==, 0xff);
	g_assert_cmphex(in(f, HDA_CORBSIZE, 1), ==, 0x42);
	out(f, OUTPUT + HDA_SD_BDPL, 4, 0x12345678);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_BDPL, 4), ==, 0x12345600);
	out(f, OUTPUT + HDA_SD_CTL, 1, SD_CTL_RESET);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_CTL, 4), ==, SD_CTL_RESET);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_BDPL, 4), ==, 0);
	out(f, OUTPUT + HDA_SD_CTL, 1, 0);
	/* Nothing lies behind the last stream, nor harms. */
	out(f, 0x1ff0, 4, 0xffffffff);
	g_assert_cmphex(in(f, 0x1ff0, 4), ==, 0);
	out(f, HDA_GCTL, 4, 0);
	g_assert_cmphex(in(f, HDA_INTCTL, 4), ==, 0);
}

static const struct {
	uint8_t node;
	uint32_t verb, output, duplex, micro;
} verbs[] = {
	{ 0, 0xf0000, 0x1af40012, 0x1af40022, 0x1af40032 },
	{ 0, 0xf0002, 0x00100101, 0x00100101, 0x00100101 },
	{ 0, 0xf0004, 0x00010001, 0x00010001, 0x00010001 },
	{ 1, 0xf0005, 1, 1, 1 },
	{ 1, 0xf0004, 0x00020002, 0x00020004, 0x00020004 },
	{ 1, 0xf0008, 0x808, 0x808, 0x808 },
	{ 1, 0xf2000, 0x1af40012, 0x1af40022, 0x1af40032 },
	{ 2, 0xf0009, 0x0000001d, 0x0000001d, 0x0000001d },
	{ 2, 0xf000a, 0x000201fc, 0x000201fc, 0x000201fc },
	{ 2, 0xf000b, 1, 1, 1 },
	{ 2, 0xf0012, 0x80034a4a, 0x80034a4a, 0x80034a4a },
	{ 3, 0xf0009, 0x00400101, 0x00400101, 0x00400101 },
	{ 3, 0xf000c, 0x10, 0x10, 0x10 },
	{ 3, 0xf1c00, 0x00004010, 0x00004010, 0x00104010 },
	{ 3, 0xf0700, 0x40, 0x40, 0x40 },
	{ 3, 0xf0200, 2, 2, 2 },
	{ 4, 0xf0009, 0, 0x0010011b, 0x0010011b },
	{ 4, 0xf000d, 0, 0x80034a4a, 0x80034a4a },
	{ 4, 0xf0200, 0, 5, 5 },
	{ 5, 0xf000c, 0, 0x20, 0x20 },
	{ 5, 0xf1c00, 0, 0x00805020, 0x00a05020 },
	{ 5, 0xf0700, 0, 0x20, 0x20 },
	/* the converter's state */
	{ 2, 0xa0000, 0x11, 0x11, 0x11 },
	{ 2, 0xb2000, 0x4a, 0x4a, 0x4a },
	{ 2, 0x3b080 | 0x11, 0, 0, 0 },
	{ 2, 0xb2000, 0x91, 0x91, 0x91 },
	{ 2, 0xb0000, 0x91, 0x91, 0x91 },
	{ 2, 0x70651, 0, 0, 0 },
	{ 2, 0xf0600, 0x51, 0x51, 0x51 },
	{ 2, 0x24011, 0, 0, 0 },
	{ 2, 0xa0000, 0x4011, 0x4011, 0x4011 },
	{ 2, 0x7ff00, 0, 0, 0 },
	{ 2, 0xf0600, 0, 0, 0 },
	/* what is not there */
	{ 3, 0xa0000, 0, 0, 0 },
	{ 6, 0xf0000, 0, 0, 0 },
	{ 0x7f, 0xf0009, 0, 0, 0 },
	{ 2, 0xfff00, 0, 0, 0 },
};

static void test_verbs(struct fixture *f, gconstpointer codec)
{
	leave_reset(f);
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		uint32_t expected = codec == &hda_output_class   ? verbs[i].output
				    : codec == &hda_duplex_class ? verbs[i].duplex
								 : verbs[i].micro;
		uint32_t got = verb(f, verbs[i].node, verbs[i].verb);

		if (got != expected)
			g_error("verb %zu (node %u, 0x%x): 0x%x", i, verbs[i].node, verbs[i].verb,
				got);
	}
}

static void start_rings(struct fixture *f)
{
	out(f, HDA_CORBLBASE, 4, f->corb);
	out(f, HDA_RIRBLBASE, 4, f->rirb);
	out(f, HDA_CORBRP, 2, CORBRP_RESET);
	g_assert_cmphex(in(f, HDA_CORBRP, 2), ==, CORBRP_RESET);
	out(f, HDA_CORBRP, 2, 0);
	g_assert_cmphex(in(f, HDA_CORBRP, 2), ==, 0);
	out(f, HDA_RIRBWP, 2, RIRBWP_RESET);
	out(f, HDA_RINTCNT, 2, 1);
	out(f, HDA_RIRBCTL, 1, RIRBCTL_RUN | RIRBCTL_INTERRUPT);
	out(f, HDA_CORBCTL, 1, CORBCTL_RUN);
	out(f, HDA_INTCTL, 4, 0xc00000ff);
}

static void test_rings(struct fixture *f, gconstpointer data)
{
	uint32_t *corb = virtio_machine_ram(f->vm, f->corb);
	uint32_t *rirb = virtio_machine_ram(f->vm, f->rirb);

	leave_reset(f);
	start_rings(f);
	corb[1] = 0x000f0000;
	corb[2] = 0x000f0004;
	out(f, HDA_CORBWP, 2, 2);
	/* One response, then it waits for the interrupt to be seen. */
	g_assert_cmphex(in(f, HDA_RIRBWP, 2), ==, 1);
	g_assert_cmphex(rirb[2], ==, 0x1af40022);
	g_assert_cmphex(rirb[3], ==, 0);
	g_assert_cmphex(in(f, HDA_INTSTS, 4), ==, 0xc0000000);
	g_assert_true(f->vm->level);
	out(f, HDA_RIRBSTS, 1, RIRBSTS_RESPONSE);
	g_assert_cmphex(in(f, HDA_RIRBWP, 2), ==, 2);
	g_assert_cmphex(rirb[4], ==, 0x00010001);
	out(f, HDA_RIRBSTS, 1, RIRBSTS_RESPONSE);
	g_assert_false(f->vm->level);
	/* Nobody lives at address 3. */
	corb[3] = 0x300f0000;
	out(f, HDA_CORBWP, 2, 3);
	g_assert_cmphex(in(f, HDA_CORBRP, 2), ==, 3);
	g_assert_cmphex(in(f, HDA_RIRBWP, 2), ==, 2);
	/* Rings outside of memory stop. */
	out(f, HDA_CORBUBASE, 4, 0x7fffffff);
	out(f, HDA_CORBWP, 2, 4);
	g_assert_cmphex(in(f, HDA_CORBCTL, 1), ==, 0);
}

/* Two buffers of 25 ms, with an interrupt behind the second. */
static uint64_t make_list(struct fixture *f, uint64_t *samples)
{
	uint64_t list = virtio_machine_alloc(f->vm, 32, 128);
	uint32_t *entries = virtio_machine_ram(f->vm, list);

	*samples = virtio_machine_alloc(f->vm, 2 * BUFFER_BYTES, 128);
	for (unsigned i = 0; i < 2; i++) {
		entries[i * 4] = *samples + i * BUFFER_BYTES;
		entries[i * 4 + 1] = 0;
		entries[i * 4 + 2] = BUFFER_BYTES;
		entries[i * 4 + 3] = i;
	}
	return list;
}

static void start_stream(struct fixture *f, uint64_t registers, uint64_t list)
{
	out(f, registers + HDA_SD_BDPL, 4, list);
	out(f, registers + HDA_SD_CBL, 4, 2 * BUFFER_BYTES);
	out(f, registers + HDA_SD_LVI, 2, 1);
	out(f, registers + HDA_SD_FMT, 2, FORMAT);
	out(f, registers + HDA_SD_CTL + 2, 1, TAG << 4);
	out(f, registers + HDA_SD_CTL, 1, SD_CTL_RUN | SD_CTL_INTERRUPTS);
}

static void test_playback(struct fixture *f, gconstpointer data)
{
	struct listener heard = { .bytes = g_byte_array_new() };
	uint64_t samples, list = make_list(f, &samples);
	uint64_t positions = virtio_machine_alloc(f->vm, 128, 128);
	uint8_t *bytes = virtio_machine_ram(f->vm, samples);
	struct audio_consumer *consumer;
	uint32_t paused, clock;

	for (unsigned i = 0; i < 2 * BUFFER_BYTES; i++)
		bytes[i] = i / 4;
	consumer = audio_add_consumer(
		display_audio(f->vm->machine.display), AUDIO_PLAYBACK, &listener_ops, &heard);
	leave_reset(f);
	out(f, HDA_INTCTL, 4, 0xc00000ff);
	out(f, HDA_DPLBASE, 4, positions | DPLBASE_ENABLE);
	verb(f, 2, 0x70600 | TAG << 4);
	start_stream(f, OUTPUT, list);
	while (heard.bytes->len < 3 * BUFFER_BYTES)
		g_main_context_iteration(NULL, TRUE);
	for (unsigned i = 0; i < 3 * BUFFER_BYTES; i++)
		g_assert_cmphex(heard.bytes->data[i], ==, bytes[i % (2 * BUFFER_BYTES)]);
	g_assert_true(heard.enabled);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_STS, 1), ==, SD_STS_COMPLETE | SD_STS_READY);
	g_assert_cmphex(in(f, HDA_INTSTS, 4), ==, 0x80000010);
	g_assert_true(f->vm->level);
	out(f, OUTPUT + HDA_SD_STS, 1, SD_STS_COMPLETE);
	g_assert_false(f->vm->level);
	g_assert_cmphex(
		*(uint32_t *)virtio_machine_ram(f->vm, positions + 8 * HDA_OUTPUT_FIRST), >, 0);

	/* While the machine is paused nothing moves. */
	g_mutex_lock(&f->vm->machine.lock);
	guest_clock_set_running(&f->vm->machine.clock, false);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_set_running(f->vm, false);
	paused = in(f, OUTPUT + HDA_SD_LPIB, 4);
	clock = in(f, HDA_WALCLK, 4);
	g_usleep(20000);
	virtio_machine_settle(f->vm);
	g_assert_cmpuint(in(f, HDA_ALIAS + OUTPUT + HDA_SD_LPIB, 4), ==, paused);
	g_assert_cmpuint(in(f, HDA_ALIAS + HDA_WALCLK, 4), ==, clock);
	g_mutex_lock(&f->vm->machine.lock);
	guest_clock_set_running(&f->vm->machine.clock, true);
	g_mutex_unlock(&f->vm->machine.lock);
	virtio_machine_set_running(f->vm, true);
	while (in(f, OUTPUT + HDA_SD_LPIB, 4) == paused)
		g_main_context_iteration(NULL, TRUE);

	out(f, OUTPUT + HDA_SD_CTL, 1, 0);
	virtio_machine_settle(f->vm);
	g_assert_false(heard.enabled);
	audio_remove_consumer(consumer);
	g_byte_array_unref(heard.bytes);
}

static void test_capture(struct fixture *f, gconstpointer data)
{
	struct listener heard = { .audio = display_audio(f->vm->machine.display) };
	uint64_t samples, list = make_list(f, &samples);
	uint8_t *bytes = virtio_machine_ram(f->vm, samples);
	struct audio_consumer *consumer =
		audio_add_consumer(heard.audio, AUDIO_CAPTURE, &listener_ops, &heard);

	leave_reset(f);
	verb(f, 4, 0x70600 | TAG << 4);
	start_stream(f, INPUT, list);
	while (bytes[BUFFER_BYTES] != LISTENER_SAYS && bytes[0] != LISTENER_SAYS)
		g_main_context_iteration(NULL, TRUE);
	out(f, INPUT + HDA_SD_CTL, 1, 0);
	audio_remove_consumer(consumer);
}

/* Lists and formats that cannot be used stop the stream, and the guest is told. */
static void test_bad_streams(struct fixture *f, gconstpointer data)
{
	uint64_t samples, list = make_list(f, &samples);
	uint32_t *entries = virtio_machine_ram(f->vm, list);

	leave_reset(f);
	out(f, HDA_INTCTL, 4, 0xc00000ff);
	start_stream(f, OUTPUT, UINT64_C(0x70000000));
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_STS, 1), ==, SD_STS_DESCRIPTOR_ERROR);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_CTL, 1) & SD_CTL_RUN, ==, 0);
	g_assert_true(f->vm->level);
	out(f, OUTPUT + HDA_SD_STS, 1, SD_STS_DESCRIPTOR_ERROR);
	g_assert_false(f->vm->level);

	entries[2] = 0; /* an empty buffer */
	start_stream(f, OUTPUT, list);
	g_assert_cmphex(in(f, OUTPUT + HDA_SD_STS, 1), ==, SD_STS_DESCRIPTOR_ERROR);
	out(f, OUTPUT + HDA_SD_CTL, 1, SD_CTL_RESET);
	out(f, OUTPUT + HDA_SD_CTL, 1, 0);

	entries[2] = BUFFER_BYTES;
	entries[1] = 0x7fffffff; /* outside of memory: found when it is played */
	start_stream(f, OUTPUT, list);
	while (!(in(f, OUTPUT + HDA_SD_STS, 1) & SD_STS_DESCRIPTOR_ERROR))
		g_main_context_iteration(NULL, TRUE);
	out(f, OUTPUT + HDA_SD_CTL, 1, SD_CTL_RESET);
	out(f, OUTPUT + HDA_SD_CTL, 1, 0);

	/* Tiny buffers take turns with the rest of the program. */
	entries[1] = 0;
	entries[2] = entries[6] = 1;
	start_stream(f, OUTPUT, list);
	while (in(f, OUTPUT + HDA_SD_LPIB, 4) < 64)
		g_main_context_iteration(NULL, TRUE);
	out(f, OUTPUT + HDA_SD_CTL, 1, 0);
}

static void test_addresses(struct fixture *f, gconstpointer data)
{
	static const char *const third[] = { "cad", "3", NULL };
	static const char *const nowhere[] = { "audiodev", "none-such", NULL };
	g_autoptr(GError) error = NULL;

	add(f, &hda_output_class, third);
	add(f, &hda_micro_class, NULL);
	g_assert_null(virtio_machine_add(f->vm, &hda_output_class, NULL, third, &error));
	g_assert_error(error, VITRINE_ERROR, VITRINE_ERROR_INPUT);
	g_assert_nonnull(strstr(error->message, "cad=3 of hda.0 is taken by hda-output"));
	g_clear_error(&error);
	g_assert_null(virtio_machine_add(f->vm, &hda_output_class, NULL, nowhere, &error));
	g_assert_nonnull(strstr(error->message, "audiodev=none-such"));
	out(f, HDA_GCTL, 4, GCTL_RUN);
	g_assert_cmphex(in(f, HDA_STATESTS, 2), ==, 0xb);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define TEST(name, data) \
	g_test_add("/hda/" #name, struct fixture, data, set_up, test_##name, tear_down)
	TEST(identity, NULL);
	TEST(registers, NULL);
	g_test_add("/hda/verbs/output", struct fixture, &hda_output_class, set_up, test_verbs,
		tear_down);
	g_test_add("/hda/verbs/duplex", struct fixture, &hda_duplex_class, set_up, test_verbs,
		tear_down);
	g_test_add("/hda/verbs/micro", struct fixture, &hda_micro_class, set_up, test_verbs,
		tear_down);
	TEST(rings, NULL);
	TEST(playback, NULL);
	TEST(capture, NULL);
	TEST(bad_streams, NULL);
	TEST(addresses, NULL);
	return g_test_run();
}
