/* A firmware's side of the table loader, written from the specification: files are given addresses, the script is carried
 * out. */
#pragma once

#include <glib.h>
#include <stdint.h>

struct loaded_file {
	const char *name;
	GByteArray *bytes;
	uint32_t address;
};

/* Carries out @script on @files, whose addresses are already chosen; any command that does not fit is a failure of the
 * test. */
void loader_run(const GByteArray *script, struct loaded_file *files, unsigned count);

/* What lies at an address, at least @length bytes of it. */
const uint8_t *loader_at(
	const struct loaded_file *files, unsigned count, uint64_t address, size_t length);
