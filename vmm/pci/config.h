/* Little-endian numbers in configuration space. */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t config_get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return GUINT16_FROM_LE(value);
}

static inline uint32_t config_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return GUINT32_FROM_LE(value);
}

static inline uint64_t config_get64(const uint8_t *at)
{
	return config_get32(at) | (uint64_t)config_get32(at + 4) << 32;
}

static inline void config_set16(uint8_t *at, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static inline void config_set32(uint8_t *at, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}
