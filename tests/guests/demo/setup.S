/* Real-mode part of the demo's Linux boot image: header, then the code that asks the BIOS for what only it
 * knows (memory map, the character set of the VGA) and leaves real mode.
 *
 * A loader that enters the 32-bit or 64-bit entry of the rest directly never runs this; the program then
 * does without the BIOS's characters.
 *
 * Specification: Linux x86 boot protocol 2.12 (Documentation/arch/x86/boot.rst, zero-page.rst).
 */
	.code16
	.section .text
	.globl	_start

	/* Everything lies in one segment, whose start is where the loader put the header's sector. */
	.set	BOOT_PARAMS, 0x1000
	.set	BP_E820_ENTRIES, 0x1e8
	.set	BP_HEADER, 0x1f1
	.set	BP_E820_TABLE, 0x2d0
	.set	FONT_NODE, 0x2000
	.set	STACK_TOP, 0x7ff0
	.set	PROGRAM, 0x100000
	.set	MAX_MEMORY_ENTRIES, 64
	.set	MEMORY_ENTRY_BYTES, 20
	.set	FONT_BYTES, 4096
	/* Type of the setup_data node that carries 256 characters of 16 bytes: "font". */
	.set	SETUP_DATA_FONT, 0x746e6f66

_start:
	.org	BP_HEADER
header:
	.byte	(setup_end - _start) / 512 - 1	/* setup_sects */
	.word	1				/* root_flags */
	.long	0			/* syssize: make-images.py fills it in */
	.word	0				/* ram_size */
	.word	0xffff				/* vid_mode: normal */
	.word	0				/* root_dev */
	.word	0xaa55				/* boot_flag */
	.byte	0xeb, header_end - 1f		/* jump */
1:
	.ascii	"HdrS"
	.word	0x020c				/* version */
	.long	0				/* realmode_swtch */
	.word	0				/* start_sys_seg */
	.word	version - 0x200			/* kernel_version */
	.byte	0				/* type_of_loader */
	.byte	0x01				/* loadflags: LOADED_HIGH */
	.word	0				/* setup_move_size */
code32_start:
	.long	PROGRAM				/* code32_start */
	.long	0, 0				/* ramdisk_image, ramdisk_size */
	.long	0				/* bootsect_kludge */
	.word	0				/* heap_end_ptr */
	.byte	0, 0				/* ext_loader_ver, ext_loader_type */
	.long	0				/* cmd_line_ptr */
	.long	0x7fffffff			/* initrd_addr_max */
	.long	0x100000			/* kernel_alignment */
	.byte	0				/* relocatable_kernel */
	.byte	20				/* min_alignment */
	.word	0x0001				/* xloadflags: 64-bit entry at 0x200 */
	.long	255				/* cmdline_size */
	.long	0				/* hardware_subarch */
	.quad	0				/* hardware_subarch_data */
	.long	0, 0				/* payload_offset, payload_length */
setup_data:
	.quad	0				/* setup_data */
	.quad	PROGRAM				/* pref_address */
	.long	0x400000			/* init_size */
	.long	0				/* handover_offset */
header_end:

	/* The loader comes with %cs one sector beyond %ds; from here on both are the same. */
	pushw	%ds
	pushw	$begin
	lretw
begin:
	cli
	cld
	movw	%ds, %ax
	movw	%ax, %es
	movw	%ax, %ss
	movw	$STACK_TOP, %sp
	sti
	xorl	%eax, %eax
	movw	%ds, %ax
	shll	$4, %eax
	movl	%eax, segment_base

	movw	$BOOT_PARAMS, %di
	xorl	%eax, %eax
	movw	$1024, %cx
	rep stosl

	call	ask_font
	movw	$header, %si
	movw	$BOOT_PARAMS + BP_HEADER, %di
	movw	$header_end - header, %cx
	rep movsb
	call	ask_memory_map

	/* Let address line 20 through, by the BIOS and by the chipset's port. */
	movw	$0x2401, %ax
	int	$0x15
	inb	$0x92, %al
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92

	cli
	movl	segment_base, %ebx
	leal	descriptors(%ebx), %eax
	movl	%eax, descriptors_pointer + 2
	leal	protected(%ebx), %eax
	movl	%eax, protected_pointer
	lgdtl	descriptors_pointer
	movl	code32_start, %ecx
	leal	BOOT_PARAMS(%ebx), %esi
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	*protected_pointer

/* Chains the BIOS's characters of 8x16 pixels, if it has them, to the boot parameters' setup_data. */
ask_font:
	pushw	%es
	movw	$0x1130, %ax
	movb	$0x06, %bh
	xorw	%cx, %cx
	int	$0x10
	movw	%es, %ax
	popw	%es
	cmpw	$16, %cx
	jne	1f
	pushw	%ds
	movw	%ax, %ds
	movw	%bp, %si
	movw	$FONT_NODE + 16, %di
	movw	$FONT_BYTES / 4, %cx
	rep movsl
	popw	%ds
	movl	setup_data, %eax
	movl	%eax, FONT_NODE
	movl	setup_data + 4, %eax
	movl	%eax, FONT_NODE + 4
	movl	$SETUP_DATA_FONT, FONT_NODE + 8
	movl	$FONT_BYTES, FONT_NODE + 12
	movl	segment_base, %eax
	addl	$FONT_NODE, %eax
	movl	%eax, setup_data
	movl	$0, setup_data + 4
1:
	ret

ask_memory_map:
	xorl	%ebx, %ebx
	movw	$BOOT_PARAMS + BP_E820_TABLE, %di
1:
	movl	$0xe820, %eax
	movl	$0x534d4150, %edx		/* "SMAP" */
	movl	$MEMORY_ENTRY_BYTES, %ecx
	int	$0x15
	jc	2f
	cmpl	$0x534d4150, %eax
	jne	2f
	addw	$MEMORY_ENTRY_BYTES, %di
	incb	BOOT_PARAMS + BP_E820_ENTRIES
	cmpb	$MAX_MEMORY_ENTRIES, BOOT_PARAMS + BP_E820_ENTRIES
	jae	2f
	testl	%ebx, %ebx
	jnz	1b
2:
	ret

	.code32
protected:
	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	leal	STACK_TOP(%ebx), %esp
	xorl	%ebp, %ebp
	xorl	%edi, %edi
	jmp	*%ecx

	.balign	8
descriptors:
	.quad	0, 0
	.quad	0x00cf9b000000ffff		/* 0x10: code, 4 GiB */
	.quad	0x00cf93000000ffff		/* 0x18: data, 4 GiB */
descriptors_pointer:
	.word	. - descriptors - 1
	.long	0
protected_pointer:
	.long	0
	.word	0x10
segment_base:
	.long	0
version:
	.asciz	"0.1.0 (Vitrine demo guest)"

	.balign	512
setup_end:

	.section .note.GNU-stack, "", @progbits
