/* virtio-gpu on the wire: requests from bytes to checked values, answers from values to bytes.
 *
 * Pure: nothing here knows of resources, scanouts or guest memory. Specification: virtio 1.2 section 5.7.6.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

enum {
	GPU_SCANOUTS_MAX = 16,
	GPU_ENTRIES_MAX = 16384, /* pieces of backing memory that one request names */
	GPU_ENTRY_BYTES = 16,
	GPU_EDID_MAX = 1024, /* bytes in the answer to GET_EDID */
	GPU_UUID_BYTES = 16,
	GPU_HEADER_BYTES = 24,
	GPU_COMMAND_MAX = 96, /* bytes of a request without its entries */
	GPU_ANSWER_MAX = GPU_HEADER_BYTES + 8 + GPU_EDID_MAX,
	GPU_PLANES = 4,
};

/* Section 5.7.6.7: types of requests, answers and errors. */
enum gpu_type {
	GPU_GET_DISPLAY_INFO = 0x0100,
	GPU_RESOURCE_CREATE_2D,
	GPU_RESOURCE_UNREF,
	GPU_SET_SCANOUT,
	GPU_RESOURCE_FLUSH,
	GPU_TRANSFER_TO_HOST_2D,
	GPU_RESOURCE_ATTACH_BACKING,
	GPU_RESOURCE_DETACH_BACKING,
	GPU_GET_CAPSET_INFO,
	GPU_GET_CAPSET,
	GPU_GET_EDID,
	GPU_RESOURCE_ASSIGN_UUID,
	GPU_RESOURCE_CREATE_BLOB,
	GPU_SET_SCANOUT_BLOB,

	GPU_UPDATE_CURSOR = 0x0300,
	GPU_MOVE_CURSOR,

	GPU_OK_NODATA = 0x1100,
	GPU_OK_DISPLAY_INFO,
	GPU_OK_CAPSET_INFO,
	GPU_OK_CAPSET,
	GPU_OK_EDID,
	GPU_OK_RESOURCE_UUID,
	GPU_OK_MAP_INFO,

	GPU_ERROR_UNSPECIFIED = 0x1200,
	GPU_ERROR_OUT_OF_MEMORY,
	GPU_ERROR_INVALID_SCANOUT,
	GPU_ERROR_INVALID_RESOURCE,
	GPU_ERROR_INVALID_CONTEXT,
	GPU_ERROR_INVALID_PARAMETER,
};

enum gpu_header_flags {
	GPU_FLAG_FENCE = 1 << 0,
	GPU_FLAG_RING_INDEX = 1 << 1,
};

enum gpu_blob_memory {
	GPU_BLOB_GUEST = 1, /* the only one without a 3D back end */
};

enum gpu_blob_flags {
	GPU_BLOB_MAPPABLE = 1 << 0,
	GPU_BLOB_SHAREABLE = 1 << 1,
	GPU_BLOB_CROSS_DEVICE = 1 << 2,
	GPU_BLOB_FLAGS = GPU_BLOB_MAPPABLE | GPU_BLOB_SHAREABLE | GPU_BLOB_CROSS_DEVICE,
};

struct gpu_header {
	uint32_t type, flags;
	uint64_t fence;
	uint32_t context;
	uint8_t ring;
};

struct gpu_rectangle {
	uint32_t x, y, width, height;
};

/* A request. Members that its type does not have are 0. */
struct gpu_command {
	struct gpu_header header;
	uint32_t scanout, resource;
	uint32_t format, width, height;
	struct gpu_rectangle area;
	uint64_t offset;  /* of a transfer, in the backing memory */
	uint32_t entries; /* that follow the request */
	uint32_t blob_memory, blob_flags;
	uint64_t blob_id, blob_size;
	uint32_t strides[GPU_PLANES], offsets[GPU_PLANES];
	int32_t x, y; /* of the cursor */
	uint32_t hot_x, hot_y;
};

/* A piece of backing memory; guest-physical. */
struct gpu_entry {
	uint64_t address;
	uint32_t length;
};

/**
 * gpu_command_parse - a request of either queue
 *
 * PARSE_MORE when it is shorter than its type has to be; PARSE_ERROR when there is no such type. The header is set in both
 * cases, as far as there was one: with it goes the answer.
 */
enum parse gpu_command_parse(struct reader *in, struct gpu_command *command);

/* The @count entries that follow a request. */
enum parse gpu_entries_parse(struct reader *in, struct gpu_entry *entries, uint32_t count);

/* Bytes of a pixel of each of the eight formats is four; whether this is one of them (section 5.7.6.8). */
bool gpu_format_known(uint32_t format);

struct gpu_answer {
	uint8_t bytes[GPU_ANSWER_MAX];
	size_t length;
};

struct gpu_output {
	struct gpu_rectangle area;
	bool enabled;
};

/* Answers; the header comes last. All of @outputs, GPU_SCANOUTS_MAX of them. */
void gpu_answer_display_info(struct gpu_answer *answer, const struct gpu_output *outputs);
void gpu_answer_edid(struct gpu_answer *answer, const uint8_t *edid, size_t length);
void gpu_answer_uuid(struct gpu_answer *answer, const uint8_t uuid[GPU_UUID_BYTES]);
/* Puts the header in front; with a fence if the request had one. What is no success has no further data. */
void gpu_answer_seal(
	struct gpu_answer *answer, enum gpu_type type, const struct gpu_header *request);
