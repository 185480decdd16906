/* Inside of the HDA controller: its registers (intel-hda.c), commands to codecs (hda-commands.c) and streams
 * (hda-stream.c). With the machine's lock held. */
#pragma once

#include "vmm/audio/hda-registers.h"
#include "vmm/audio/hda.h"
#include "vmm/audio/pacer.h"
#include "vmm/pci/pci.h"

enum {
	HDA_COMPLAINTS_MAX = 8,
	HDA_BUFFERS_MAX = 256, /* of a buffer descriptor list */
};

/* An entry of a buffer descriptor list (section 3.6.3), as it was when the stream started. */
struct hda_buffer {
	uint64_t address;
	uint32_t length; /* bytes, more than 0 */
	bool interrupts; /* when it is done */
};

struct hda;

struct hda_stream {
	struct hda *hda;
	unsigned number;
	/* registers */
	uint32_t control, status, position, cyclic_length, last_index, fifo, format, list_low,
		list_high;
	/* while it runs */
	struct audio_pacer pacer;
	struct audio_format parsed;
	unsigned tag;
	uint16_t running_format;
	struct hda_buffer buffers[HDA_BUFFERS_MAX];
	uint32_t buffer_count, buffer, offset; /* where it is in the list */
};

struct hda {
	struct pci_device pci;
	struct io_region registers;
	struct hda_bus bus;
	struct hda_stream streams[HDA_STREAMS];
	/* registers */
	uint32_t global_control, wake_enable, state_status, global_status, interrupt_control,
		stream_sync;
	uint32_t corb_low, corb_high, corb_write, corb_read, corb_control, corb_status;
	uint32_t rirb_low, rirb_high, rirb_write, rirb_interrupts, rirb_control, rirb_status;
	uint32_t immediate_command, immediate_response, immediate_status;
	uint32_t position_low, position_high;
	uint32_t rirb_count; /* responses since the last interrupt */
	int64_t clock_start; /* guest's clock when WALCLK was 0 */
	/* properties */
	uint32_t msi;
};

/* The interrupt is as the registers say now. */
void hda_update_interrupt(struct hda *hda);
bool hda_read_memory(struct hda *hda, uint64_t address, void *to, size_t length);
bool hda_write_memory(struct hda *hda, uint64_t address, const void *from, size_t length);

/* Commands that wait in the CORB, as far as the responses have room. */
void hda_run_commands(struct hda *hda);
/* The one in ICOI. */
void hda_run_immediate(struct hda *hda);

void hda_stream_init(struct hda_stream *stream, struct hda *hda, unsigned number);
void hda_stream_finish(struct hda_stream *stream);
/* The control register was written; @old is what was there. */
void hda_stream_controlled(struct hda_stream *stream, uint32_t old);
void hda_stream_reset(struct hda_stream *stream);
