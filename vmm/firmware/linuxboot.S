/* Option ROM that starts a kernel: firmware finds a bootable device in it, whose boot entry fetches setup, kernel,
 * command line and ramdisk from fw_cfg by DMA, each in one transfer. It then jumps to the real-mode entry of a Linux kernel's
 * setup, or to the 32-bit entry of a PVH kernel, whose setup is the block that kernel-image.c makes; the memory map and the
 * address of the ACPI tables are filled in here.
 *
 * It is data of the program, handed to the firmware as a file; hence the section. Everything in it is addressed relative
 * to its own start.
 *
 * Specification: BIOS Boot Specification 1.01, section 3 (PnP expansion header); Linux, Documentation/arch/x86/boot.rst;
 * Xen, docs/misc/pvh.pandoc; ACPI 6.4, sections 5.2.5.1 (RSDP) and 15.1 (memory map); QEMU's docs/specs/fw_cfg.rst.
 */

/* fw_cfg */
#define PORT_DMA_LOW      0x518
#define DMA_READ_SELECTED 0x0a /* read, after selecting the item in the upper half */
#define DMA_ERROR         0x01
#define KERNEL_ADDRESS    0x07
#define KERNEL_SIZE       0x08
#define RAMDISK_ADDRESS   0x0a
#define RAMDISK_SIZE      0x0b
#define KERNEL_DATA       0x11
#define RAMDISK_DATA      0x12
#define CMDLINE_ADDRESS   0x13
#define CMDLINE_SIZE      0x14
#define CMDLINE_DATA      0x15
#define SETUP_ADDRESS     0x16
#define SETUP_SIZE        0x17
#define SETUP_DATA        0x18

/* The setup's 64 KiB, from 0x10000. Its end is ours until the kernel starts. */
#define SETUP_SEGMENT     0x1000
#define SETUP_ENTRY       (SETUP_SEGMENT + 0x20)
#define SETUP_BASE        (SETUP_SEGMENT << 4)
#define STACK             0xffd0
#define REQUEST           0xffe0 /* control, length, address */
#define NUMBER            0xfff0 /* what a small item is read to */
#define KERNEL_STACK      0xfff0
#define HEADER_RAMDISK    0x218  /* in the setup: the ramdisk's address */

/* The setup of a PVH kernel, as kernel-image.c has it. */
#define PVH_MAGIC         0x336ec578
#define PVH_RSDP          0x20
#define PVH_MAP_COUNT     0x30
#define PVH_RAMDISK       0x40
#define PVH_SEGMENT_TABLE 0x80
#define PVH_ENTRY         0x88
#define PVH_MAP           0x100
#define PVH_MAP_ENTRIES   128
#define PVH_MAP_ENTRY     24
#define PVH_CODE          0x08
#define PVH_DATA          0x10
#define PVH_TASK          0x18

#define RSDP_SEGMENT      0xe000 /* looked for from here to 1 MiB */
#define RSDP_START        0x20445352 /* "RSD " */
#define RSDP_END          0x20525450 /* "PTR " */
#define E820_SIGNATURE    0x534d4150 /* "SMAP" */

	.section .rodata
	.code16
	.globl linuxboot_rom, linuxboot_rom_size
	.type linuxboot_rom, @object
	.type linuxboot_rom_size, @object
	.p2align 4

linuxboot_rom:
	.byte 0x55, 0xaa
	.byte 0                         /* size in blocks of 512 bytes */
	jmp initialize
	.org linuxboot_rom + 0x1a
	.word pnp - linuxboot_rom

	.p2align 4
pnp:
	.ascii "$PnP"
	.byte 1                         /* version */
	.byte 2                         /* length in 16 bytes */
	.word 0                         /* no further header */
	.byte 0
	.byte 0                         /* checksum of the header, not looked at */
	.long 0
	.word 0
	.word product - linuxboot_rom
	.byte 0, 0, 0                   /* device type */
	.byte 0xe4                      /* a ROM that can be shadowed, and an initial program load device */
	.word 0, 0
	.word boot - linuxboot_rom      /* boot entry vector */
	.word 0
	.word 0

product:
	.asciz "Linux kernel"
failed:
	.asciz "Vitrine: the kernel does not fit into the guest's memory\r\n"

/* Called when the ROM is found: a boot device is attached. */
initialize:
	movw $0x20, %ax
	lretw

/* Called to boot. */
boot:
	cld
	movw $SETUP_SEGMENT, %ax
	cli
	movw %ax, %ss
	movl $STACK, %esp
	sti

	movw $SETUP_ADDRESS, %si
	movw $SETUP_SIZE, %di
	movw $SETUP_DATA, %bp
	call load
	movw $KERNEL_ADDRESS, %si
	movw $KERNEL_SIZE, %di
	movw $KERNEL_DATA, %bp
	call load
	movw $CMDLINE_ADDRESS, %si
	movw $CMDLINE_SIZE, %di
	movw $CMDLINE_DATA, %bp
	call load

	movw $RAMDISK_SIZE, %ax
	call number
	testl %eax, %eax
	jz start
	movl %eax, %ecx
	call memory_end
	subl %ecx, %eax
	andl $0xfffff000, %eax
	movl %eax, %ebx
	movw $RAMDISK_ADDRESS, %ax
	call number
	cmpl %eax, %ebx
	jbe 1f
	movl %eax, %ebx
1:	movw $HEADER_RAMDISK, %di
	cmpl $PVH_MAGIC, %ss:0
	jne 2f
	movw $PVH_RAMDISK, %di
2:	movl %ebx, %ss:(%di)
	movw $RAMDISK_DATA, %ax
	call fetch

start:
	cmpl $PVH_MAGIC, %ss:0
	je start_pvh
	cli
	movw $SETUP_SEGMENT, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	movw %ax, %ss
	movl $KERNEL_STACK, %esp
	ljmpw $SETUP_ENTRY, $0

/* Completes the block and enters the kernel as PVH wants: flat segments of 32 bits, paging off, the block in %ebx. */
start_pvh:
	call memory_map
	call find_rsdp
	cli
	movw $SETUP_SEGMENT, %ax
	movw %ax, %ds
	lgdtl PVH_SEGMENT_TABLE
	movl PVH_ENTRY, %edi
	movl $SETUP_BASE, %ebx
	xorl %eax, %eax
	movl %eax, %cr4
	movl $1, %eax
	movl %eax, %cr0
	movw $PVH_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorw %ax, %ax
	movw %ax, %fs
	movw %ax, %gs
	movw $PVH_TASK, %ax
	ltr %ax
	movl $(SETUP_BASE + STACK), %esp
	pushl $PVH_CODE
	pushl %edi
	lretl

/* The firmware's memory map into the block. */
memory_map:
	movw $SETUP_SEGMENT, %ax
	movw %ax, %es
	movw $PVH_MAP, %di
	xorl %ebx, %ebx
1:	movl $0xe820, %eax
	movl $E820_SIGNATURE, %edx
	movl $20, %ecx
	int $0x15
	jc 2f
	cmpl $E820_SIGNATURE, %eax
	jne 2f
	incl %es:PVH_MAP_COUNT
	addw $PVH_MAP_ENTRY, %di
	cmpl $PVH_MAP_ENTRIES, %es:PVH_MAP_COUNT
	jae 2f
	testl %ebx, %ebx
	jnz 1b
2:	ret

/* The address of the ACPI tables' root into the block, when the firmware has left one. */
find_rsdp:
	movw $RSDP_SEGMENT, %ax
1:	movw %ax, %ds
	cmpl $RSDP_START, 0
	jne 2f
	cmpl $RSDP_END, 4
	jne 2f
	movzwl %ax, %eax
	shll $4, %eax
	movl %eax, %ss:PVH_RSDP
	ret
2:	incw %ax                        /* it begins at a paragraph */
	jnz 1b
	ret

/* Loads a part: items %si its address, %di its size, %bp the part. */
load:
	movw %si, %ax
	call number
	movl %eax, %ebx
	movw %di, %ax
	call number
	movl %eax, %ecx
	movw %bp, %ax
	jmp fetch

/* Reads the number that is item %ax into %eax. Keeps the rest. */
number:
	pushl %ebx
	pushl %ecx
	movl $(SETUP_BASE + NUMBER), %ebx
	movl $4, %ecx
	call fetch
	popl %ecx
	popl %ebx
	movl %ss:NUMBER, %eax
	ret

/* Reads %ecx bytes of item %ax to address %ebx. Changes %eax, %ebx, %ecx, %edx. */
fetch:
	shll $16, %eax
	movw $DMA_READ_SELECTED, %ax
	bswapl %eax
	bswapl %ebx
	bswapl %ecx
	movl %eax, %ss:REQUEST
	movl %ecx, %ss:REQUEST + 4
	movl $0, %ss:REQUEST + 8
	movl %ebx, %ss:REQUEST + 12
	movl $(SETUP_BASE + REQUEST), %eax
	bswapl %eax
	movw $PORT_DMA_LOW, %dx
	outl %eax, %dx
1:	movl %ss:REQUEST, %eax
	bswapl %eax
	testl %eax, %eax
	jz 2f
	testl $DMA_ERROR, %eax
	jz 1b
	jmp fail
2:	ret

/* Where the memory ends that is free for us, into %eax: the firmware keeps some at the end of RAM. Keeps %ecx. */
memory_end:
	pushl %ecx
	movw $0xe801, %ax
	xorw %cx, %cx
	xorw %dx, %dx
	int $0x15
	jc fail
	testw %cx, %cx                  /* some put the answer there only */
	jnz 1f
	movw %ax, %cx
	movw %bx, %dx
1:	movzwl %dx, %eax                /* 64 KiB blocks from 16 MiB on */
	testl %eax, %eax
	jz 2f
	shll $16, %eax
	addl $0x1000000, %eax
	jmp 3f
2:	movzwl %cx, %eax                /* KiB from 1 MiB to 16 MiB */
	shll $10, %eax
	addl $0x100000, %eax
3:	popl %ecx
	ret

fail:
	movw %cs, %ax
	movw %ax, %ds
	movw $(failed - linuxboot_rom), %si
1:	lodsb
	testb %al, %al
	jz 2f
	movb $0x0e, %ah
	movw $0x0007, %bx
	int $0x10
	jmp 1b
2:	hlt
	jmp 2b
linuxboot_rom_end:
	.size linuxboot_rom, . - linuxboot_rom

	.p2align 2
linuxboot_rom_size:
	.long linuxboot_rom_end - linuxboot_rom
	.size linuxboot_rom_size, . - linuxboot_rom_size
	.section .note.GNU-stack, "", @progbits
