/* Registers of the controller. Specification: High Definition Audio 1.0a, section 3.3; the addresses of SSYNC and of the
 * streams are those of Intel's ICH6 (4 input streams, 4 output streams). */
#pragma once

enum {
	HDA_REGISTER_BYTES = 0x4000, /* of BAR 0 */
	HDA_ALIAS = 0x2000,          /* the second half shows WALCLK and LPIB again */
	HDA_STREAMS = 8,
	HDA_OUTPUT_FIRST = 4, /* streams 0..3 are inputs, 4..7 outputs */
	HDA_STREAM_BASE = 0x80,
	HDA_STREAM_BYTES = 0x20,
};

enum hda_offset {
	HDA_GCAP = 0x00,
	HDA_VERSION = 0x02,
	HDA_OUTPAY = 0x04,
	HDA_INPAY = 0x06,
	HDA_GCTL = 0x08,
	HDA_WAKEEN = 0x0c,
	HDA_STATESTS = 0x0e,
	HDA_GSTS = 0x10,
	HDA_OUTSTRMPAY = 0x18,
	HDA_INSTRMPAY = 0x1a,
	HDA_INTCTL = 0x20,
	HDA_INTSTS = 0x24,
	HDA_WALCLK = 0x30,
	HDA_SSYNC = 0x34,
	HDA_CORBLBASE = 0x40,
	HDA_CORBUBASE = 0x44,
	HDA_CORBWP = 0x48,
	HDA_CORBRP = 0x4a,
	HDA_CORBCTL = 0x4c,
	HDA_CORBSTS = 0x4d,
	HDA_CORBSIZE = 0x4e,
	HDA_RIRBLBASE = 0x50,
	HDA_RIRBUBASE = 0x54,
	HDA_RIRBWP = 0x58,
	HDA_RINTCNT = 0x5a,
	HDA_RIRBCTL = 0x5c,
	HDA_RIRBSTS = 0x5d,
	HDA_RIRBSIZE = 0x5e,
	HDA_ICOI = 0x60,
	HDA_ICII = 0x64,
	HDA_ICIS = 0x68,
	HDA_DPLBASE = 0x70,
	HDA_DPUBASE = 0x74,
};

/* Of a stream, from its first register. */
enum hda_stream_offset {
	HDA_SD_CTL = 0x00,
	HDA_SD_STS = 0x03,
	HDA_SD_LPIB = 0x04,
	HDA_SD_CBL = 0x08,
	HDA_SD_LVI = 0x0c,
	HDA_SD_FIFOS = 0x10,
	HDA_SD_FMT = 0x12,
	HDA_SD_BDPL = 0x18,
	HDA_SD_BDPU = 0x1c,
};

enum {
	GCAP_VALUE = HDA_OUTPUT_FIRST << 12 | HDA_OUTPUT_FIRST << 8 | 1, /* 64 bits addresses */

	GCTL_RUN = 1 << 0, /* CRST: 0 holds the controller in reset */
	GCTL_UNSOLICITED = 1 << 8,

	INTERRUPT_CONTROLLER = 1 << 30,

	CORBCTL_RUN = 1 << 1,
	CORBRP_RESET = 1 << 15,
	RIRBWP_RESET = 1 << 15,
	RIRBCTL_INTERRUPT = 1 << 0,
	RIRBCTL_RUN = 1 << 1,
	RIRBSTS_RESPONSE = 1 << 0,
	RIRBSTS_OVERRUN = 1 << 2,

	RING_ENTRIES = 256,
	RING_SIZE_VALUE = 0x42, /* 256 entries, and nothing else can be chosen */

	ICIS_BUSY = 1 << 0,
	ICIS_VALID = 1 << 1,

	DPLBASE_ENABLE = 1 << 0,

	SD_CTL_RESET = 1 << 0,
	SD_CTL_RUN = 1 << 1,
	SD_CTL_INTERRUPTS = 7 << 2, /* the enable of each bit of SD_STS at the same place */
	SD_CTL_TAG_SHIFT = 20,
	SD_STS_COMPLETE = 1 << 2,
	SD_STS_FIFO_ERROR = 1 << 3,
	SD_STS_DESCRIPTOR_ERROR = 1 << 4,
	SD_STS_READY = 1 << 5,

	FIFO_BYTES = 0x100,
};

#define INTERRUPT_GLOBAL (UINT32_C(1) << 31)
