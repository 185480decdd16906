/* Inside the table of options: the rows of each topic, up to a row without a name. The order of the topics in
 * option-table.c is that of --help. */
#pragma once

#include "vmm/options/options.h"

extern const struct option_spec option_rows_machine[], option_rows_storage[], option_rows_devices[],
	option_rows_firmware[], option_rows_display[], option_rows_lines[], option_rows_control[],
	option_rows_network[];

/* The keys of -serial, -debugcon and -qmp: a back end in one word. */
extern const struct option_key option_line_keys[];
