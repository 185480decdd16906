/* What the firmware is told about the machine. */
#include "vmm/firmware/tables.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/log.h"
#include "base/writer.h"
#include "vmm/chipset/acpi-pm.h"
#include "vmm/chipset/hpet.h"
#include "vmm/firmware/acpi-machine.h"
#include "vmm/firmware/boot-policy.h"
#include "vmm/firmware/direct-boot.h"
#include "vmm/firmware/e820.h"
#include "vmm/firmware/file-bytes.h"
#include "vmm/firmware/firmware-config.h"
#include "vmm/firmware/fw-cfg.h"
#include "vmm/firmware/smbios.h"
#include "vmm/machine/machine-types.h"
#include "vmm/machine/machine.h"
#include "vmm/options/values.h"
#include "vmm/pci/pci.h"

enum {
	TABLES_UNIT =
		128 * KiB, /* the files' sizes are multiples of these, far above what they hold */
	RSDP_UNIT = 4,
	LOADER_UNIT = 16 * KiB, /* 128 commands; there are fewer than ten tables */
	SLEEP_STATE_WORKS = 1 << 7,
	HPET_ITEM_SIZE = 1 + 8 * 15, /* how many, and eight of them */
};

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
	fw_cfg_add_u32(machine->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1);
}

/* The event timers, for firmware that makes its own tables: how many blocks, and room for eight of them. */
static void add_hpet(struct machine *machine)
{
	const struct device *hpet = machine_device_of_class(machine, &hpet_class);
	g_autoptr(GByteArray) out = g_byte_array_new();
	g_autoptr(GBytes) data = NULL;

	if (hpet) {
		write_u8(out, 1);
		write_le32(out, hpet_block_id(hpet));
		write_le64(out, HPET_ADDRESS);
		write_le16(out, hpet_minimum_ticks(hpet));
		write_u8(out, 0); /* no protection of the page */
	}
	write_zeroes(out, HPET_ITEM_SIZE - out->len);
	data = g_bytes_new(out->data, out->len);
	fw_cfg_add(machine->fw_cfg, FW_CFG_HPET, data);
}

static void add_memory_map(struct machine *machine)
{
	GByteArray *map = g_byte_array_new();

	e820_build(machine->low_memory, machine->high_memory, map);
	add_file(machine->fw_cfg, "etc/e820", map);
}

/* Which sleep states there are: one byte for each of S0 to S5, its type, and a bit set for those that work. */
static void add_sleep_states(struct machine *machine)
{
	const struct acpi_pm *pm = machine->acpi_pm;
	const uint8_t states[] = {
		SLEEP_STATE_WORKS,
		0,
		0,
		ACPI_SLEEP_TYPE_S3 | (pm && acpi_pm_has_s3(pm) ? SLEEP_STATE_WORKS : 0),
		(pm ? pm->s4_type : 0) | (pm && acpi_pm_has_s4(pm) ? SLEEP_STATE_WORKS : 0),
		ACPI_SLEEP_TYPE_S5 | SLEEP_STATE_WORKS,
	};
	GByteArray *out = g_byte_array_new();

	write_bytes(out, states, sizeof(states));
	add_file(machine->fw_cfg, "etc/system-states", out);
}

static void build_acpi(void *owner)
{
	struct machine *machine = owner;
	GByteArray *tables = g_byte_array_new(), *rsdp = g_byte_array_new();
	GByteArray *script = g_byte_array_new();
	struct acpi_machine acpi;

	acpi_machine_init(&acpi, machine);
	acpi_build(&acpi.config, tables, rsdp, script);
	acpi_machine_clear(&acpi);
	if (!fw_cfg_build_file(machine->fw_cfg, ACPI_TABLES_FILE, tables, TABLES_UNIT) ||
		!fw_cfg_build_file(machine->fw_cfg, ACPI_RSDP_FILE, rsdp, RSDP_UNIT) ||
		!fw_cfg_build_file(machine->fw_cfg, ACPI_LOADER_FILE, script, LOADER_UNIT))
		log_error("the ACPI tables outgrew their files; the guest sees those of the start");
}

/* Root buses besides the board's, which SeaBIOS looks for until it found so many. */
static void add_extra_roots(struct machine *machine)
{
	GByteArray *out = g_byte_array_new();
	uint64_t count = 0;

	for (struct pci_bus *bus = pci_next_root(machine, NULL); bus;
		bus = pci_next_root(machine, bus))
		count++;
	if (count > 1) {
		write_le64(out, count - 1);
		add_file(machine->fw_cfg, "etc/extra-pci-roots", out);
	} else {
		g_byte_array_unref(out);
	}
}

static GPtrArray *load_structures(const GPtrArray *names, GError **error)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];
		GBytes *bytes = file_bytes(name, error);
		uint8_t type;

		if (bytes)
			g_ptr_array_add(files, bytes);
		if (!bytes || !smbios_structure_check(g_bytes_get_data(bytes, NULL),
				      g_bytes_get_size(bytes), &type, error)) {
			g_prefix_error(error, "-smbios file=%s: ", name);
			return NULL;
		}
	}
	return g_steal_pointer(&files);
}

/* The machine type's fields, as if the user had said them. */
static bool type_fields(const struct machine_type *type, GArray *fields, GError **error)
{
	for (guint i = 0; i < type->smbios_count; i++) {
		const struct machine_type_device *group = &type->smbios[i];
		uint64_t number = 0;

		for (guint j = 0; j < group->property_count; j++) {
			struct smbios_option option = {
				.key = group->properties[j].name,
				.value = group->properties[j].value,
			};
			bool good =
				value_parse_number(group->class, &number) && number <= UINT8_MAX;

			option.type = number;
			if (!good || !smbios_option_check(&option, error)) {
				if (!good)
					fail(error, VITRINE_ERROR_INPUT,
						"the type is a number up to 255");
				g_prefix_error(error, "machine type %s: [smbios %s]: ", type->name,
					group->class);
				return false;
			}
			g_array_append_val(fields, option);
		}
	}
	return true;
}

static bool add_smbios(struct machine *machine, GError **error)
{
	const struct firmware_config *said = machine->config->firmware_config;
	g_autoptr(GArray) defaults = g_array_new(FALSE, FALSE, sizeof(struct smbios_option));
	g_autoptr(GPtrArray) files = load_structures(said ? said->smbios_files : NULL, error);
	struct smbios_config config = {
		.options = said ? said->smbios : NULL,
		.files = files,
		.entry_64 = said && said->smbios_64,
		.defaults = defaults,
		.uuid = machine->config->uuid,
		.cpus = machine->cpu_count,
		.low_memory = machine->low_memory,
		.high_memory = machine->high_memory,
		.module_size = machine->config->type->memory_module,
	};
	GByteArray *tables, *anchor;

	if (!files || !type_fields(machine->config->type, defaults, error))
		return false;
	tables = g_byte_array_new();
	anchor = g_byte_array_new();
	smbios_build(&config, tables, anchor);
	add_file(machine->fw_cfg, "etc/smbios/smbios-tables", tables);
	add_file(machine->fw_cfg, "etc/smbios/smbios-anchor", anchor);
	return true;
}

bool firmware_tables_add(struct machine *machine, GError **error)
{
	add_numbers(machine);
	add_hpet(machine);
	add_memory_map(machine);
	add_sleep_states(machine);
	fw_cfg_set_builder(machine->fw_cfg, build_acpi, machine);
	add_extra_roots(machine);
	return add_smbios(machine, error) && direct_boot_add(machine, error) &&
	       boot_policy_add(machine, error);
}

void firmware_tables_start(struct machine *machine)
{
	boot_policy_start(machine);
}
