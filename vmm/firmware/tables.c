/* What the firmware is told about the machine. */
#include "vmm/firmware/tables.h"

#include <string.h>

#include "base/writer.h"
#include "vmm/chipset/serial.h"
#include "vmm/firmware/acpi.h"
#include "vmm/firmware/direct-boot.h"
#include "vmm/firmware/e820.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/smbios.h"
#include "vmm/machine/machine-types.h"
#include "vmm/machine/machine.h"

/* Takes @bytes. */
static void add_file(struct fw_cfg *cfg, const char *name, GByteArray *bytes)
{
	g_autoptr(GBytes) data = g_byte_array_free_to_bytes(bytes);

	fw_cfg_add_file(cfg, name, data);
}

static void add_numbers(struct machine *machine)
{
	uint64_t size = GUINT64_TO_LE(machine->low_memory + machine->high_memory);
	uint8_t uuid[16];
	g_autoptr(GBytes) memory = g_bytes_new(&size, sizeof(size));
	g_autoptr(GBytes) uuid_data = NULL;

	uuid_bytes(machine->config->uuid, uuid);
	uuid_data = g_bytes_new(uuid, sizeof(uuid));
	fw_cfg_add(machine->fw_cfg, FW_CFG_UUID, uuid_data);
	fw_cfg_add(machine->fw_cfg, FW_CFG_RAM_SIZE, memory);
	fw_cfg_add_u16(machine->fw_cfg, FW_CFG_NOGRAPHIC, 0);
	fw_cfg_add_u16(machine->fw_cfg, FW_CFG_NB_CPUS, machine->cpu_count);
	fw_cfg_add_u16(machine->fw_cfg, FW_CFG_MAX_CPUS, machine->cpu_count);
	fw_cfg_add_u16(machine->fw_cfg, FW_CFG_BOOT_MENU, 0);
	fw_cfg_add_u32(machine->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1);
}

static void add_memory_map(struct machine *machine)
{
	GByteArray *map = g_byte_array_new();

	e820_build(machine->low_memory, machine->high_memory, map);
	add_file(machine->fw_cfg, "etc/e820", map);
}

/* Which sleep states there are: one byte for each of S0 to S5, bit 7 set for those that work. */
static void add_sleep_states(struct machine *machine)
{
	static const uint8_t states[] = { 0x80, 0x00, 0x00, 0x01, 0x02, 0x80 };
	GByteArray *out = g_byte_array_new();

	write_bytes(out, states, sizeof(states));
	add_file(machine->fw_cfg, "etc/system-states", out);
}

/* When nothing boots, SeaBIOS stays with its message instead of trying again every minute. */
static void add_boot_policy(struct machine *machine)
{
	GByteArray *wait = g_byte_array_new();

	write_le32(wait, UINT32_MAX);
	add_file(machine->fw_cfg, "etc/boot-fail-wait", wait);
}

static void add_acpi(struct machine *machine)
{
	struct acpi_config config = {
		.cpus = machine->cpu_count,
		.high_memory = machine->high_memory,
	};
	GByteArray *tables = g_byte_array_new(), *rsdp = g_byte_array_new();
	GByteArray *script = g_byte_array_new();

	for (guint i = 0; i < machine->devices->len; i++) {
		const struct device *device = machine->devices->pdata[i];

		if (device->class != &isa_serial_class || config.serial_ports == ACPI_SERIAL_PORTS)
			continue;
		isa_serial_place(device, &config.serial[config.serial_ports].port,
			&config.serial[config.serial_ports].irq);
		config.serial_ports++;
	}
	acpi_build(&config, tables, rsdp, script);
	add_file(machine->fw_cfg, ACPI_TABLES_FILE, tables);
	add_file(machine->fw_cfg, ACPI_RSDP_FILE, rsdp);
	add_file(machine->fw_cfg, "etc/table-loader", script);
}

static void add_smbios(struct machine *machine)
{
	struct smbios_config config = {
		.product = machine->config->type->description,
		.version = machine->config->type->name,
		.uuid = machine->config->uuid,
		.cpus = machine->cpu_count,
		.low_memory = machine->low_memory,
		.high_memory = machine->high_memory,
	};
	GByteArray *tables = g_byte_array_new(), *anchor = g_byte_array_new();

	smbios_build(&config, tables, anchor);
	add_file(machine->fw_cfg, "etc/smbios/smbios-tables", tables);
	add_file(machine->fw_cfg, "etc/smbios/smbios-anchor", anchor);
}

bool firmware_tables_add(struct machine *machine, GError **error)
{
	add_numbers(machine);
	add_memory_map(machine);
	add_sleep_states(machine);
	add_boot_policy(machine);
	add_acpi(machine);
	add_smbios(machine);
	return direct_boot_add(machine, error);
}
