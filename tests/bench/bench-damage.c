/* What one harvest of a 1920 by 1080 picture costs: reading the dirty log, comparing, making rectangles; and, where there
 * is /dev/kvm, what KVM takes for the log alone, with pages that a guest has written.
 *
 * Prints a table with medians in microseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "display/bitmap.h"
#include "display/damage.h"
#include "tests/unit/display/fake-log.h"

enum {
	ROUNDS = 201,
	VIDEO_MEMORY = FAKE_PAGES * 4096, /* bytes */
	VIDEO_BASE = 0xe0000000,          /* guest physical */
	CODE_SIZE = 4096,
};

static const unsigned page_counts[] = { 0, 128, 2025 };

static const struct scanout picture = {
	.width = 1920,
	.height = 1080,
	.stride = 1920 * 4,
	.format = PIXMAN_x8r8g8b8,
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a;
	double second = *(const double *)b;

	return (first > second) - (first < second);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), ascending);
	return values[ROUNDS / 2];
}

/* One harvest after @pages were written, with a change in each of them or with the same bytes as before. */
static double harvest_cost(unsigned pages, bool changed)
{
	static struct fake_log log;
	struct damage_tracker *tracker;
	double values[ROUNDS];
	pixman_region32_t told, damage;

	memset(&log, 0, sizeof(log));
	log.memory = video_memory_new("bench", VIDEO_MEMORY, NULL);
	video_memory_set_dirty_log(log.memory, &fake_log_ops, &log);
	tracker = damage_tracker_new(log.memory, &picture);
	pixman_region32_init(&told);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct rectangle areas[16];
		double start;

		for (unsigned page = 0; page < pages; page++)
			fake_write(&log, (size_t)page * 4096, 4096, changed ? round : 0);
		pixman_region32_init(&damage);
		start = now();
		damage_tracker_harvest(tracker, &told, false, &damage);
		damage_rectangles(&damage, areas, G_N_ELEMENTS(areas));
		values[round] = now() - start;
		pixman_region32_fini(&damage);
	}
	damage_tracker_free(tracker);
	video_memory_set_dirty_log(log.memory, NULL, NULL);
	video_memory_unref(log.memory);
	return median(values);
}

/* A guest of a few bytes, in 32-bit protected mode, that writes to one page after the other. */
struct writer {
	int vm, vcpu;
	struct kvm_run *run;
	struct kvm_regs start;
};

static const uint8_t writer_code[] = {
	0xfe, 0xc0,                         /* inc al */
	0x88, 0x07,                         /* next: mov [edi], al */
	0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, /* add edi, 4096 */
	0x49,                               /* dec ecx */
	0x75, 0xf5,                         /* jnz next */
	0xf4,                               /* hlt */
};

static bool writer_start(struct writer *writer, bool manual)
{
	struct kvm_enable_cap protect = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};
	struct kvm_userspace_memory_region code = { .slot = 0, .memory_size = CODE_SIZE };
	struct kvm_userspace_memory_region video = {
		.slot = 1,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = VIDEO_BASE,
		.memory_size = VIDEO_MEMORY,
	};
	struct kvm_segment flat = {
		.limit = 0xffffffff,
		.selector = 8,
		.type = 3,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
	struct kvm_sregs sregs;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, CODE_SIZE + VIDEO_MEMORY, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (kvm < 0 || memory == MAP_FAILED)
		return false;
	writer->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (writer->vm < 0 || (manual && ioctl(writer->vm, KVM_ENABLE_CAP, &protect) < 0))
		return false;
	memcpy(memory, writer_code, sizeof(writer_code));
	code.userspace_addr = (uintptr_t)memory;
	video.userspace_addr = (uintptr_t)memory + CODE_SIZE;
	if (ioctl(writer->vm, KVM_SET_USER_MEMORY_REGION, &code) < 0 ||
		ioctl(writer->vm, KVM_SET_USER_MEMORY_REGION, &video) < 0)
		return false;
	writer->vcpu = ioctl(writer->vm, KVM_CREATE_VCPU, 0);
	if (writer->vcpu < 0)
		return false;
	writer->run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		MAP_SHARED, writer->vcpu, 0);
	if (writer->run == MAP_FAILED || ioctl(writer->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cr0 |= 1;
	sregs.ds = sregs.es = sregs.ss = flat;
	flat.type = 11;
	sregs.cs = flat;
	writer->start = (struct kvm_regs) { .rflags = 2, .rdi = VIDEO_BASE };
	return ioctl(writer->vcpu, KVM_SET_SREGS, &sregs) == 0;
}

static bool writer_write(struct writer *writer, unsigned pages)
{
	if (pages == 0)
		return true;
	writer->start.rax++;
	writer->start.rcx = pages;
	if (ioctl(writer->vcpu, KVM_SET_REGS, &writer->start) < 0)
		return false;
	while (ioctl(writer->vcpu, KVM_RUN, 0) < 0)
		if (errno != EINTR)
			return false;
	return writer->run->exit_reason == KVM_EXIT_HLT;
}

/* The cost of KVM's log for pages that a guest wrote; negative when it cannot be had. */
static double kvm_cost(unsigned pages, bool manual)
{
	static unsigned long bitmap[FAKE_PAGES / BITMAP_BITS];
	struct kvm_dirty_log get = { .slot = 1, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = {
		.slot = 1,
		.num_pages = FAKE_PAGES,
		.dirty_bitmap = bitmap,
	};
	struct writer writer;
	double values[ROUNDS];
	unsigned found = 0;

	if (!writer_start(&writer, manual))
		return -1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		double start;

		if (!writer_write(&writer, pages))
			return -1;
		start = now();
		if (ioctl(writer.vm, KVM_GET_DIRTY_LOG, &get) < 0 ||
			(manual && ioctl(writer.vm, KVM_CLEAR_DIRTY_LOG, &clear) < 0))
			return -1;
		values[round] = now() - start;
		found = 0;
		for (size_t i = 0; i < G_N_ELEMENTS(bitmap); i++)
			found += __builtin_popcountl(bitmap[i]);
	}
	close(writer.vcpu);
	close(writer.vm);
	return found == pages ? median(values) : -1;
}

static void print_row(const char *what, const double *values)
{
	printf("%-44s", what);
	for (size_t i = 0; i < G_N_ELEMENTS(page_counts); i++) {
		if (values[i] < 0)
			printf("%12s", "-");
		else
			printf("%12.1f", values[i]);
	}
	printf("\n");
}

int main(void)
{
	static const struct {
		const char *name;
		double (*cost)(unsigned pages, bool variant);
		bool variant;
	} rows[] = {
		{ "harvest, written with the same bytes", harvest_cost, false },
		{ "harvest, every page changed", harvest_cost, true },
		{ "KVM's log alone, GET", kvm_cost, false },
		{ "KVM's log alone, GET and CLEAR", kvm_cost, true },
	};

	printf("%-44s%12s%12s%12s\n", "1920x1080, microseconds (median), dirty pages", "0", "128",
		"2025");
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		double values[G_N_ELEMENTS(page_counts)];

		for (size_t j = 0; j < G_N_ELEMENTS(page_counts); j++)
			values[j] = rows[i].cost(page_counts[j], rows[i].variant);
		print_row(rows[i].name, values);
	}
	return 0;
}
