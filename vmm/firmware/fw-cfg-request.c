/* What a guest asks of fw_cfg by DMA.
 *
 * Specification: QEMU's docs/specs/fw_cfg.rst, "Guest-side DMA Interface".
 */
#include "vmm/firmware/fw-cfg-request.h"

#include "base/checked.h"
#include "base/reader.h"

enum fw_cfg_control {
	CONTROL_READ = 1 << 1,
	CONTROL_SKIP = 1 << 2,
	CONTROL_SELECT = 1 << 3,
	CONTROL_WRITE = 1 << 4,
	CONTROL_SELECTOR_SHIFT = 16,
};

/* When several are asked for, the first of these is done and the others are not. */
static const struct {
	uint32_t control;
	enum fw_cfg_action action;
} actions[] = {
	{ CONTROL_READ, FW_CFG_READ },
	{ CONTROL_WRITE, FW_CFG_WRITE },
	{ CONTROL_SKIP, FW_CFG_SKIP },
};

bool fw_cfg_request_parse(const uint8_t bytes[FW_CFG_REQUEST_SIZE], struct fw_cfg_request *request)
{
	struct reader in = reader_from(bytes, FW_CFG_REQUEST_SIZE);
	uint32_t control = reader_u32(&in);
	uint64_t end;

	*request = (struct fw_cfg_request) {
		.select = control & CONTROL_SELECT,
		.selector = control >> CONTROL_SELECTOR_SHIFT,
		.length = reader_u32(&in),
		.address = reader_u64(&in),
	};
	for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
		if (control & actions[i].control) {
			request->action = actions[i].action;
			break;
		}
	}
	return request->action == FW_CFG_NOTHING || request->action == FW_CFG_SKIP ||
	       checked_add(request->address, request->length, &end);
}
