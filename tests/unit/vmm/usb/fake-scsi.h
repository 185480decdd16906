/* A logical unit that answers as the test says, in place of the SCSI layer. */
#pragma once

#include "vmm/storage/scsi.h"

struct fake_scsi {
	struct scsi_request *request; /* under way, NULL: none */
	unsigned cancelled;
	enum scsi_direction direction; /* what the next command does */
	uint64_t length;               /* and how much of it */
	unsigned block;                /* it moves whole blocks of so many bytes; 0: any number */
	uint8_t status;
	bool later; /* ends when fake_scsi_finish() is called */
	uint8_t bytes[8192];
};

extern struct fake_scsi fake_scsi;

void fake_scsi_finish(void);
