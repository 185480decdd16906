/* What a guest asks of fw_cfg by DMA: from sixteen bytes of guest memory to one validated value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	FW_CFG_REQUEST_SIZE = 16
};

enum fw_cfg_action {
	FW_CFG_NOTHING, /* select only, or nothing at all */
	FW_CFG_READ,
	FW_CFG_WRITE,
	FW_CFG_SKIP,
};

struct fw_cfg_request {
	enum fw_cfg_action action;
	bool select; /* @selector is chosen first */
	uint16_t selector;
	uint32_t length;  /* bytes */
	uint64_t address; /* guest-physical, of the data */
};

/* Reads the request that lies in @bytes (control, length, address, each big endian). False when it can't be carried out
 * by anybody: its range wraps around the end of the address space. */
bool fw_cfg_request_parse(const uint8_t bytes[FW_CFG_REQUEST_SIZE], struct fw_cfg_request *request);
