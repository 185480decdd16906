/* Boot sector of the demo disk: loads the Linux boot image that follows it and starts that.
 *
 * The disk is this sector, then demo.bzimage. All disk access goes through INT 13h, so the disk may stand
 * behind any controller that the BIOS can read. Memory while it runs: the set-up part of the image at
 * 0x90000, a buffer of 32 KiB at 0x10000, the rest of the image from 1 MiB up.
 *
 * Specification: Linux x86 boot protocol (Documentation/arch/x86/boot.rst); Enhanced Disk Drive 3.0,
 * function 42h; INT 15h function 87h.
 */
	.code16
	.section .text
	.globl	_start

	.set	SETUP_SEGMENT, 0x9000
	.set	BUFFER_SEGMENT, 0x1000
	.set	BUFFER_SECTORS, 64
	.set	BUFFER_BYTES, BUFFER_SECTORS * 512
	/* Offsets in the header of the Linux boot protocol. */
	.set	SETUP_SECTORS, 0x1f1
	.set	SYSTEM_PARAGRAPHS, 0x1f4
	.set	TYPE_OF_LOADER, 0x210
	.set	LOADER_UNDEFINED, 0xff

_start:
	ljmp	$0, $begin
begin:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	sti
	movb	%dl, drive

	/* The first sector of the image says how many more belong to its set-up part. */
	movw	$1, %cx
	call	read_sectors
	movw	$SETUP_SEGMENT, %ax
	movw	%ax, %fs
	movzbw	%fs:SETUP_SECTORS, %cx
	movw	$0x200, packet_offset
	call	read_sectors

	movw	$0, packet_offset
	movw	$BUFFER_SEGMENT, packet_segment
	movl	%fs:SYSTEM_PARAGRAPHS, %ebp
	shll	$4, %ebp
next_chunk:
	movw	$BUFFER_SECTORS, %cx
	call	read_sectors
	movb	$0x87, %ah
	movw	$BUFFER_BYTES / 2, %cx
	movw	$move_table, %si
	int	$0x15
	jc	failed
	addl	$BUFFER_BYTES, move_target
	subl	$BUFFER_BYTES, %ebp
	ja	next_chunk

	movb	$LOADER_UNDEFINED, %fs:TYPE_OF_LOADER
	movw	$SETUP_SEGMENT, %ax
	movw	%ax, %ds
	movw	%ax, %es
	cli
	movw	%ax, %ss
	movw	$0x7ff0, %sp
	ljmp	$SETUP_SEGMENT + 0x20, $0

/* Reads %cx sectors to where the packet says, and moves the packet's sector number on. */
read_sectors:
	movw	%cx, packet_sectors
	movb	$0x42, %ah
	movb	drive, %dl
	movw	$packet, %si
	int	$0x13
	jc	failed
	movzwl	packet_sectors, %ecx
	addl	%ecx, packet_lba
	ret

failed:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	$message, %si
1:
	lodsb
	testb	%al, %al
	jz	2f
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	jmp	1b
2:
	hlt
	jmp	2b

message:
	.asciz	"Vitrine demo guest: the boot disk cannot be read\r\n"
drive:
	.byte	0

	.balign	4
packet:
	.byte	16, 0
packet_sectors:
	.word	1
packet_offset:
	.word	0
packet_segment:
	.word	SETUP_SEGMENT
packet_lba:
	.quad	1

/* Descriptors for INT 15h function 87h: two for the BIOS, source, target, two for the BIOS. */
	.balign	8
move_table:
	.quad	0, 0
	.word	0xffff
	.long	BUFFER_SEGMENT << 4 | 0x93 << 24
	.word	0
	.word	0xffff
move_target:
	.long	0x100000 | 0x93 << 24
	.word	0
	.quad	0, 0

	.org	510
	.word	0xaa55

	.section .note.GNU-stack, "", @progbits
