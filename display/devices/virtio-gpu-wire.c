/* virtio-gpu on the wire. Specification: virtio 1.2 sections 5.7.6.7 to 5.7.6.10. */
#include "display/devices/virtio-gpu-wire.h"

#include <string.h>

static void parse_area(struct reader *in, struct gpu_command *command)
{
	command->area.x = reader_le32(in);
	command->area.y = reader_le32(in);
	command->area.width = reader_le32(in);
	command->area.height = reader_le32(in);
}

static void parse_nothing(struct reader *in, struct gpu_command *command)
{
}

static void parse_resource(struct reader *in, struct gpu_command *command)
{
	command->resource = reader_le32(in);
	reader_skip(in, 4);
}

static void parse_create_2d(struct reader *in, struct gpu_command *command)
{
	command->resource = reader_le32(in);
	command->format = reader_le32(in);
	command->width = reader_le32(in);
	command->height = reader_le32(in);
}

static void parse_set_scanout(struct reader *in, struct gpu_command *command)
{
	parse_area(in, command);
	command->scanout = reader_le32(in);
	command->resource = reader_le32(in);
}

static void parse_flush(struct reader *in, struct gpu_command *command)
{
	parse_area(in, command);
	parse_resource(in, command);
}

static void parse_transfer(struct reader *in, struct gpu_command *command)
{
	parse_area(in, command);
	command->offset = reader_le64(in);
	parse_resource(in, command);
}

static void parse_attach(struct reader *in, struct gpu_command *command)
{
	command->resource = reader_le32(in);
	command->entries = reader_le32(in);
}

static void parse_get_edid(struct reader *in, struct gpu_command *command)
{
	command->scanout = reader_le32(in);
	reader_skip(in, 4);
}

static void parse_create_blob(struct reader *in, struct gpu_command *command)
{
	command->resource = reader_le32(in);
	command->blob_memory = reader_le32(in);
	command->blob_flags = reader_le32(in);
	command->entries = reader_le32(in);
	command->blob_id = reader_le64(in);
	command->blob_size = reader_le64(in);
}

static void parse_scanout_blob(struct reader *in, struct gpu_command *command)
{
	parse_set_scanout(in, command);
	command->width = reader_le32(in);
	command->height = reader_le32(in);
	command->format = reader_le32(in);
	reader_skip(in, 4);
	for (unsigned i = 0; i < GPU_PLANES; i++)
		command->strides[i] = reader_le32(in);
	for (unsigned i = 0; i < GPU_PLANES; i++)
		command->offsets[i] = reader_le32(in);
}

static void parse_cursor(struct reader *in, struct gpu_command *command)
{
	command->scanout = reader_le32(in);
	command->x = (int32_t)reader_le32(in);
	command->y = (int32_t)reader_le32(in);
	reader_skip(in, 4);
	command->resource = reader_le32(in);
	command->hot_x = reader_le32(in);
	command->hot_y = reader_le32(in);
	reader_skip(in, 4);
}

static const struct {
	enum gpu_type type;
	void (*parse)(struct reader *in, struct gpu_command *command);
} parsers[] = {
	{ GPU_GET_DISPLAY_INFO, parse_nothing },
	{ GPU_RESOURCE_CREATE_2D, parse_create_2d },
	{ GPU_RESOURCE_UNREF, parse_resource },
	{ GPU_SET_SCANOUT, parse_set_scanout },
	{ GPU_RESOURCE_FLUSH, parse_flush },
	{ GPU_TRANSFER_TO_HOST_2D, parse_transfer },
	{ GPU_RESOURCE_ATTACH_BACKING, parse_attach },
	{ GPU_RESOURCE_DETACH_BACKING, parse_resource },
	{ GPU_GET_EDID, parse_get_edid },
	{ GPU_RESOURCE_ASSIGN_UUID, parse_resource },
	{ GPU_RESOURCE_CREATE_BLOB, parse_create_blob },
	{ GPU_SET_SCANOUT_BLOB, parse_scanout_blob },
	{ GPU_UPDATE_CURSOR, parse_cursor },
	{ GPU_MOVE_CURSOR, parse_cursor },
};

static void parse_header(struct reader *in, struct gpu_header *header)
{
	header->type = reader_le32(in);
	header->flags = reader_le32(in);
	header->fence = reader_le64(in);
	header->context = reader_le32(in);
	header->ring = reader_u8(in);
	reader_skip(in, 3);
}

enum parse gpu_command_parse(struct reader *in, struct gpu_command *command)
{
	*command = (struct gpu_command) { 0 };
	parse_header(in, &command->header);
	if (reader_result(in) != PARSE_DONE)
		return reader_result(in);
	for (size_t i = 0; i < G_N_ELEMENTS(parsers); i++) {
		if (parsers[i].type != command->header.type)
			continue;
		parsers[i].parse(in, command);
		return reader_result(in);
	}
	return parse_error(in, "unknown request 0x%x", command->header.type);
}

enum parse gpu_entries_parse(struct reader *in, struct gpu_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		entries[i].address = reader_le64(in);
		entries[i].length = reader_le32(in);
		reader_skip(in, 4);
	}
	return reader_result(in);
}

bool gpu_format_known(uint32_t format)
{
	static const uint32_t formats[] = { 1, 2, 3, 4, 67, 68, 121, 134 };

	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i] == format)
			return true;
	return false;
}

/* --- answers --- */

static void put32(uint8_t *at, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

static void put64(uint8_t *at, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	memcpy(at, &value, sizeof(value));
}

enum {
	OUTPUT_BYTES = 24, /* rectangle, enabled, flags */
};

void gpu_answer_display_info(struct gpu_answer *answer, const struct gpu_output *outputs)
{
	uint8_t *at = answer->bytes + GPU_HEADER_BYTES;

	answer->length = GPU_HEADER_BYTES + OUTPUT_BYTES * GPU_SCANOUTS_MAX;
	for (unsigned i = 0; i < GPU_SCANOUTS_MAX; i++, at += OUTPUT_BYTES) {
		put32(at, outputs[i].area.x);
		put32(at + 4, outputs[i].area.y);
		put32(at + 8, outputs[i].area.width);
		put32(at + 12, outputs[i].area.height);
		put32(at + 16, outputs[i].enabled);
		put32(at + 20, 0);
	}
}

void gpu_answer_edid(struct gpu_answer *answer, const uint8_t *edid, size_t length)
{
	uint8_t *at = answer->bytes + GPU_HEADER_BYTES;

	answer->length = GPU_HEADER_BYTES + 8 + GPU_EDID_MAX;
	memset(at, 0, 8 + GPU_EDID_MAX);
	put32(at, length);
	memcpy(at + 8, edid, length);
}

void gpu_answer_uuid(struct gpu_answer *answer, const uint8_t uuid[GPU_UUID_BYTES])
{
	answer->length = GPU_HEADER_BYTES + GPU_UUID_BYTES;
	memcpy(answer->bytes + GPU_HEADER_BYTES, uuid, GPU_UUID_BYTES);
}

void gpu_answer_seal(
	struct gpu_answer *answer, enum gpu_type type, const struct gpu_header *request)
{
	bool fenced = request->flags & GPU_FLAG_FENCE;
	uint32_t kept = fenced ? request->flags & (GPU_FLAG_FENCE | GPU_FLAG_RING_INDEX) : 0;

	if (type >= GPU_ERROR_UNSPECIFIED || answer->length < GPU_HEADER_BYTES)
		answer->length = GPU_HEADER_BYTES;
	memset(answer->bytes, 0, GPU_HEADER_BYTES);
	put32(answer->bytes, type);
	put32(answer->bytes + 4, kept);
	if (!fenced)
		return;
	put64(answer->bytes + 8, request->fence);
	put32(answer->bytes + 16, request->context);
	if (kept & GPU_FLAG_RING_INDEX)
		answer->bytes[20] = request->ring;
}
