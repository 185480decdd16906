/* Types of the control protocol that more than one row of its tables speaks of, by QEMU's names. */
#include "vmm/control/keycodes.h"
#include "vmm/control/schema.h"
#include "vmm/machine/machine.h"

static char **run_states(void)
{
	GPtrArray *names = g_ptr_array_new();

	for (unsigned state = 0; state < RUN_STATES; state++)
		g_ptr_array_add(names, g_strdup(run_state_name((enum run_state)state)));
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

const struct schema_type schema_types[] = {
	{ "RunState", .values = run_states },
	{ "ShutdownCause",
		"host-error|host-qmp-quit|host-qmp-system-reset|host-signal|guest-shutdown|"
		"guest-reset|guest-panic" },
	{ "QKeyCode", .values = keycode_names },
	{ "KeyValue",
		"{type: number|qcode; type; number = {data: int}, qcode = {data: QKeyCode}}" },
	{ "InputAxis", "x|y" },
	{ "InputEvent",
		"{type: key|btn|rel|abs|mtt; type; key = {data: {key: KeyValue, down: bool}}, "
		"btn = {data: {button: left|middle|right|wheel-up|wheel-down|side|extra, down: "
		"bool}}, rel = {data: {axis: InputAxis, value: int}}, "
		"abs = {data: {axis: InputAxis, value: int}}, "
		"mtt = {data: {type: begin|update|end|cancel|data, slot: int, tracking-id: int, "
		"axis: InputAxis, value: int}}}" },
	{ "VersionInfo", "{qemu: {major: int, minor: int, micro: int}, package: str}" },
	{ "MachineInfo", "{name: str, alias?: str, is-default?: bool, cpu-max: int, "
			 "hotpluggable-cpus: bool, "
			 "numa-mem-supported: bool, deprecated: bool, default-cpu-type?: str, "
			 "default-ram-id?: str}" },
	{ "ObjectPropertyInfo", "{name: str, type: str, description?: str, default-value?: any}" },
	{ "CpuInstanceProperties",
		"{node-id?: int, socket-id?: int, die-id?: int, cluster-id?: int, core-id?: int, "
		"thread-id?: int}" },
	{ "SchemaInfo",
		"{name: str, meta-type: builtin|enum|array|object|alternate|command|event, "
		"features?: [str]; meta-type; "
		"builtin = {json-type: string|number|int|boolean|null|object|array|value}, "
		"enum = {members: [{name: str, features?: [str]}], values: [str]}, "
		"array = {element-type: str}, "
		"object = {members: [{name: str, type: str, default?: any, features?: [str]}], "
		"tag?: str, variants?: [{case: str, type: str}]}, "
		"alternate = {members: [{type: str}]}, "
		"command = {arg-type: str, ret-type: str, allow-oob?: bool}, "
		"event = {arg-type: str}}" },
	{ "BlockDeviceInfo",
		"{file: str, node-name?: str, ro: bool, drv: str, backing_file?: str, "
		"backing_file_depth: int, encrypted: bool, detect_zeroes: off|on|unmap, bps: int, "
		"bps_rd: int, bps_wr: int, iops: int, iops_rd: int, iops_wr: int, "
		"image: {filename: str, format: str, virtual-size: int, actual-size?: int}, "
		"cache: {writeback: bool, direct: bool, no-flush: bool}, write_threshold: int}" },
	{ "BlockInfo", "{device: str, qdev?: str, type: str, removable: bool, locked: bool, "
		       "inserted?: BlockDeviceInfo, tray_open?: bool, "
		       "io-status?: ok|failed|nospace}" },
	{ "BlockStats",
		"{device?: str, qdev?: str, node-name?: str, stats: {rd_bytes: int, wr_bytes: int, "
		"unmap_bytes: int, rd_operations: int, wr_operations: int, flush_operations: int, "
		"unmap_operations: int, rd_total_time_ns: int, wr_total_time_ns: int, "
		"flush_total_time_ns: int, unmap_total_time_ns: int, wr_highest_offset: int, "
		"rd_merged: int, wr_merged: int, unmap_merged: int, failed_rd_operations: int, "
		"failed_wr_operations: int, failed_flush_operations: int, "
		"failed_unmap_operations: int, invalid_rd_operations: int, "
		"invalid_wr_operations: int, invalid_flush_operations: int, "
		"invalid_unmap_operations: int, account_invalid: bool, account_failed: bool, "
		"timed_stats: [any]}}" },
	{ "PciMemoryRange", "{base: int, limit: int}" },
	{ "PciBusInfo", "{number: int, secondary: int, subordinate: int, io_range: PciMemoryRange, "
			"memory_range: PciMemoryRange, prefetchable_range: PciMemoryRange}" },
	{ "PciDeviceInfo",
		"{bus: int, slot: int, function: int, class_info: {desc?: str, class: int}, "
		"id: {device: int, vendor: int, subsystem?: int, subsystem-vendor?: int}, "
		"irq?: int, irq_pin: int, qdev_id: str, "
		"pci_bridge?: {bus: PciBusInfo, devices?: [PciDeviceInfo]}, "
		"regions: [{bar: int, type: str, address: int, size: int, prefetch?: bool, "
		"mem_type_64?: bool}]}" },
	{ "CpuModelInfo", "{name: str, props?: any}" },
	{},
};
