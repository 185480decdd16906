/* Commands to the codecs: the rings in guest memory (CORB and RIRB, section 4.4) and the immediate command (3.4.3).
 *
 * A command is answered at once. The CORB has at most 256 of them, so a run of it ends. When software has not taken as many
 * responses as it wanted an interrupt for, the rest waits until it has.
 */
#include "base/log.h"
#include "vmm/audio/hda-controller.h"

enum {
	COMMAND_BYTES = 4,
	RESPONSE_BYTES = 8,
	COMMAND_ADDRESS_SHIFT = 28,
};

static uint64_t ring(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

static bool respond(struct hda *hda, uint32_t command, uint32_t response)
{
	uint32_t answer[2] = { GUINT32_TO_LE(response),
		GUINT32_TO_LE(command >> COMMAND_ADDRESS_SHIFT) };

	hda->rirb_write = (hda->rirb_write + 1) % RING_ENTRIES;
	if (!hda_write_memory(hda,
		    ring(hda->rirb_low, hda->rirb_high) +
			    (uint64_t)hda->rirb_write * RESPONSE_BYTES,
		    answer, sizeof(answer))) {
		log_limited(&hda->pci.complaints, HDA_COMPLAINTS_MAX,
			"%s: the responses of codecs cannot be written to guest memory",
			hda->pci.device.class->name);
		return false;
	}
	hda->rirb_count++;
	return true;
}

/* How many responses there are before the next interrupt. */
static uint32_t batch(const struct hda *hda)
{
	return hda->rirb_interrupts > 0 ? hda->rirb_interrupts : RING_ENTRIES;
}

/* Some drivers leave the reset bit set. */
static uint32_t corb_position(const struct hda *hda)
{
	return hda->corb_read % RING_ENTRIES;
}

static bool takes_responses(const struct hda *hda)
{
	return hda->rirb_control & RIRBCTL_RUN && !(hda->rirb_status & RIRBSTS_RESPONSE);
}

/* The next command, and its response. False when it cannot be had. */
static bool run_command(struct hda *hda)
{
	uint32_t next = (corb_position(hda) + 1) % RING_ENTRIES;
	uint32_t command, response;

	if (!hda_read_memory(hda,
		    ring(hda->corb_low, hda->corb_high) + (uint64_t)next * COMMAND_BYTES, &command,
		    sizeof(command))) {
		log_limited(&hda->pci.complaints, HDA_COMPLAINTS_MAX,
			"%s: commands to codecs cannot be read from guest memory",
			hda->pci.device.class->name);
		return false;
	}
	hda->corb_read = next;
	command = GUINT32_FROM_LE(command);
	/* Where there is no codec nobody answers. */
	if (!hda_bus_command(&hda->bus, command, &response))
		return true;
	return respond(hda, command, response);
}

void hda_run_commands(struct hda *hda)
{
	while (hda->corb_control & CORBCTL_RUN && corb_position(hda) != hda->corb_write &&
		takes_responses(hda)) {
		if (!run_command(hda)) {
			hda->corb_control &= ~CORBCTL_RUN;
			return;
		}
		if (hda->rirb_count == 0 ||
			(hda->rirb_count < batch(hda) && corb_position(hda) != hda->corb_write))
			continue;
		hda->rirb_count = 0;
		if (hda->rirb_control & RIRBCTL_INTERRUPT)
			hda->rirb_status |= RIRBSTS_RESPONSE;
	}
	hda_update_interrupt(hda);
}

void hda_run_immediate(struct hda *hda)
{
	hda->immediate_response = 0;
	hda->immediate_status &= ~ICIS_BUSY;
	if (hda_bus_command(&hda->bus, hda->immediate_command, &hda->immediate_response))
		hda->immediate_status |= ICIS_VALID;
}
