/* The heads of a QXL device: which part of the primary surface each of them shows, cursors, and what viewers wish. */
#include <spice/enums.h>
#include <string.h>

#include "base/error.h"
#include "display/devices/qxl-cursor.h"
#include "display/devices/qxl-private.h"

enum {
	DAMAGE_BOXES_MOST = 64, /* of one command; more become one */
};

static void refresh(void *device)
{
	struct qxl_head *head = device;

	vga_refresh(head->qxl->vga);
}

/* The rows of an upside-down surface, put upright. */
static void copy_upright(struct qxl *qxl)
{
	uint32_t height = qxl->surfaces->height[0];
	struct qxl_place place;
	int32_t stride;

	if (!qxl->upright || !qxl_surfaces_has(qxl->surfaces, 0))
		return;
	qxl_surfaces_place(qxl->surfaces, 0, &place, &stride);
	if (stride >= 0 || (uint64_t) - (int64_t)stride * height > video_memory_size(qxl->upright))
		return;
	for (uint32_t y = 0; y < height; y++)
		memcpy(video_memory_bytes(qxl->upright) + (size_t)y * -stride,
			qxl_memory_at(&qxl->memory, &place) + (size_t)(height - 1 - y) * -stride,
			-stride);
}

static void fetch(void *device)
{
	copy_upright(((struct qxl_head *)device)->qxl);
}

static void set_ui_info(void *device, const struct head_ui_info *info)
{
	struct qxl_head *head = device;
	struct qxl *qxl = head->qxl;
	uint32_t mask = qxl_header_load(qxl, offsetof(QXLRam, int_mask));

	head->wish = *info;
	if (qxl->vga && head->number == 0)
		vga_set_ui_info(qxl->vga, info);
	qxl_rom_set_wishes(qxl);
	/* Old drivers write all ones without knowing what they mean. */
	if (mask != UINT32_MAX && mask & QXL_INTERRUPT_CLIENT_MONITORS_CONFIG)
		qxl_raise(qxl, QXL_INTERRUPT_CLIENT_MONITORS_CONFIG);
}

static const struct head_ops vga_ops = { .refresh = refresh, .set_ui_info = set_ui_info };
static const struct head_ops native_ops = { .set_ui_info = set_ui_info };
static const struct head_ops upright_ops = { .fetch = fetch, .set_ui_info = set_ui_info };

static bool init_vga(struct qxl *qxl, struct display *display, GError **error)
{
	struct vga_config config = {
		.head = qxl->heads[0].head,
		.memory_size = qxl->config.frame_size,
		.edid = {
			.preferred_width = qxl->config.width ? qxl->config.width : 1024,
			.preferred_height = qxl->config.height ? qxl->config.height : 768,
			.serial = qxl->config.device_address,
		},
	};

	qxl->vga = vga_new(display, qxl->config.memory, &config, error);
	return qxl->vga != NULL;
}

bool qxl_heads_init(struct qxl *qxl, struct display *display, GError **error)
{
	for (unsigned i = 0; i < qxl->config.heads; i++) {
		struct head_config config = {
			.label = qxl->config.label,
			.device_address = qxl->config.device_address,
			.number = i,
			.ops = &native_ops,
			.device = &qxl->heads[i],
		};

		qxl->heads[i].qxl = qxl;
		qxl->heads[i].number = i;
		qxl->heads[i].head = head_new(display, &config);
	}
	return !qxl->config.has_vga || init_vga(qxl, display, error);
}

void qxl_heads_free(struct qxl *qxl)
{
	g_clear_pointer(&qxl->vga, vga_free);
	for (unsigned i = 0; i < qxl->config.heads; i++)
		head_free(qxl->heads[i].head);
	g_clear_pointer(&qxl->upright, video_memory_unref);
}

/* What of the primary surface a head shows; false: nothing. */
static bool monitor_box(const struct qxl *qxl, unsigned number, pixman_box32_t *box)
{
	const struct qxl_registers *r = &qxl->registers;
	uint32_t width = qxl->surfaces->width[0], height = qxl->surfaces->height[0];

	*box = (pixman_box32_t) { 0, 0, width, height };
	if (r->monitors == 0)
		return number == 0;
	if (number >= r->monitors || r->monitor_width[number] == 0 ||
		r->monitor_height[number] == 0 || r->monitor_x[number] >= width ||
		r->monitor_y[number] >= height)
		return false;
	box->x1 = r->monitor_x[number];
	box->y1 = r->monitor_y[number];
	box->x2 = MIN((uint64_t)box->x1 + r->monitor_width[number], width);
	box->y2 = MIN((uint64_t)box->y1 + r->monitor_height[number], height);
	return true;
}

static struct video_memory *primary_memory(struct qxl *qxl, enum qxl_area area)
{
	return area == QXL_AREA_RAM ? qxl->config.memory : qxl->config.surfaces_memory;
}

/* Memory for the upright copy of @size bytes; false when the host has none. */
static bool have_upright(struct qxl *qxl, uint64_t size)
{
	g_autoptr(GError) error = NULL;

	size = (size + 4095) / 4096 * 4096;
	if (qxl->upright && video_memory_size(qxl->upright) == size)
		return true;
	g_clear_pointer(&qxl->upright, video_memory_unref);
	qxl->upright = video_memory_new("qxl-upright", size, &error);
	if (!qxl->upright)
		qxl_complain(qxl, "%s", error->message);
	return qxl->upright != NULL;
}

static void show_primary(struct qxl *qxl, struct qxl_head *head)
{
	struct scanout scanout = { 0 };
	struct video_memory *memory;
	struct qxl_place place;
	pixman_box32_t box;
	int32_t stride;

	if (!monitor_box(qxl, head->number, &box)) {
		head_disable(head->head);
		return;
	}
	qxl_surfaces_place(qxl->surfaces, 0, &place, &stride);
	memory = primary_memory(qxl, place.area);
	scanout.offset = place.offset;
	scanout.stride = stride < 0 ? -stride : stride;
	if (stride < 0) {
		if (!have_upright(qxl, (uint64_t)scanout.stride * qxl->surfaces->height[0]))
			return;
		copy_upright(qxl);
		memory = qxl->upright;
		scanout.offset = 0;
	}
	scanout.format = qxl_surface_layout(qxl->surfaces->format[0]);
	if (scanout.format == PIXMAN_a8r8g8b8)
		scanout.format = PIXMAN_x8r8g8b8;
	scanout.width = box.x2 - box.x1;
	scanout.height = box.y2 - box.y1;
	scanout.offset += (uint64_t)box.y1 * scanout.stride +
			  (uint64_t)box.x1 * scanout_pixel_bytes(scanout.format);
	head_set_ops(head->head, stride < 0 ? &upright_ops : &native_ops);
	if (scanout_fits(&scanout, video_memory_size(memory)))
		head_set_scanout(head->head, memory, &scanout);
	else
		head_disable(head->head);
}

void qxl_heads_update(struct qxl *qxl)
{
	bool vga = qxl->registers.mode == QXL_MODE_VGA;

	if (qxl->vga && vga)
		head_set_ops(qxl->heads[0].head, &vga_ops);
	if (qxl->vga)
		vga_set_shown(qxl->vga, vga);
	for (unsigned i = 0; i < qxl->config.heads; i++) {
		if (qxl_surfaces_has(qxl->surfaces, 0))
			show_primary(qxl, &qxl->heads[i]);
		else if (vga && i > 0)
			head_disable(qxl->heads[i].head);
	}
}

void qxl_heads_damage(struct qxl *qxl, const struct qxl_damage *damage)
{
	if (damage->surface != 0)
		return;
	for (unsigned i = 0; i < qxl->config.heads; i++) {
		pixman_box32_t *boxes, box;
		pixman_region32_t region;
		int count;

		if (!monitor_box(qxl, i, &box))
			continue;
		pixman_region32_init(&region);
		pixman_region32_intersect_rect(&region, (pixman_region32_t *)&damage->region,
			box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1);
		pixman_region32_translate(&region, -box.x1, -box.y1);
		boxes = pixman_region32_rectangles(&region, &count);
		if (count > DAMAGE_BOXES_MOST) {
			boxes = pixman_region32_extents(&region);
			count = 1;
		}
		for (int n = 0; n < count; n++)
			head_damage(qxl->heads[i].head,
				&(struct rectangle) { boxes[n].x1, boxes[n].y1,
					boxes[n].x2 - boxes[n].x1, boxes[n].y2 - boxes[n].y1 });
		pixman_region32_fini(&region);
	}
}

void qxl_heads_set_cursor(struct qxl *qxl, struct cursor *cursor)
{
	for (unsigned i = 0; i < qxl->config.heads; i++)
		head_set_cursor(qxl->heads[i].head, cursor);
}

/* A cursor is where it is on the primary surface: on one head of several. */
void qxl_heads_move_cursor(struct qxl *qxl)
{
	int32_t x = (int32_t)qxl->registers.cursor_x, y = (int32_t)qxl->registers.cursor_y;

	for (unsigned i = 0; i < qxl->config.heads; i++) {
		pixman_box32_t box;
		bool there = monitor_box(qxl, i, &box);
		bool inside =
			there && (qxl->registers.monitors < 2 ||
					 (x >= box.x1 && x < box.x2 && y >= box.y1 && y < box.y2));

		head_move_cursor(qxl->heads[i].head, there ? x - box.x1 : x, there ? y - box.y1 : y,
			inside && qxl->registers.cursor_visible);
	}
}

bool qxl_heads_configure(struct qxl *qxl, uint64_t address, GError **error)
{
	struct qxl_registers *r = &qxl->registers;
	QXLMonitorsConfig config;
	QXLHead heads[QXL_HEADS_MOST];
	uint32_t count;

	/* Count and heads in two copies: the second one goes by the first one's count (CVE-2015-3247). */
	if (!qxl_memory_read(&qxl->memory, address, &config, sizeof(config), error))
		return false;
	if (config.count == 0)
		return fail(error, VITRINE_ERROR_INPUT, "a configuration of no monitors");
	count = MIN(config.count, qxl->config.heads);
	if (!qxl_memory_read(
		    &qxl->memory, address + sizeof(config), heads, count * sizeof(heads[0]), error))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (heads[i].width > QXL_SURFACE_MAX_SIZE || heads[i].height > QXL_SURFACE_MAX_SIZE)
			return fail(error, VITRINE_ERROR_INPUT, "a monitor of %u by %u pixels",
				heads[i].width, heads[i].height);
		if (heads[i].surface_id != 0)
			heads[i].width = heads[i].height = 0;
	}
	r->monitors = count;
	for (uint32_t i = 0; i < count; i++) {
		r->monitor_x[i] = heads[i].x;
		r->monitor_y[i] = heads[i].y;
		r->monitor_width[i] = heads[i].width;
		r->monitor_height[i] = heads[i].height;
	}
	qxl_heads_update(qxl);
	return true;
}
