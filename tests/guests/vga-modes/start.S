/* Boot sector of the guest that shows VGA modes, and what C cannot say: calls of the BIOS.
 *
 * Real mode throughout. The disk is this sector and what the linker puts behind it; all of it lies from 0x7c00 up, below
 * 64 KiB, so that code, data and stack share one segment at 0. BIOS calls are made with every register of a struct bios_call.
 *
 * Specification: BIOS Boot Specification 1.01 (boot sector); Enhanced Disk Drive 3.0, function 42h.
 */
	.code16
	.section .text.start
	.globl	_start

	.set	LOAD_SECTORS, 60
	.set	LOAD_ADDRESS, 0x7e00

_start:
	ljmp	$0, $begin
begin:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c00, %esp
	cld
	sti
	movw	$packet, %si
	movb	$0x42, %ah
	int	$0x13
	jc	failed
	calll	main
failed:
	hlt
	jmp	failed

	.balign 4
packet:
	.byte	16, 0
	.word	LOAD_SECTORS
	.word	LOAD_ADDRESS, 0
	.quad	1

	.org	510
	.byte	0x55, 0xaa

	.text
	/* void bios_video(struct bios_call *call): INT 10h; es:bp points to call->pointer. */
	.globl	bios_video
bios_video:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushw	%es
	movl	22(%esp), %esi
	pushl	%esi
	xorw	%ax, %ax
	movw	%ax, %es
	movl	0(%esi), %eax
	movl	4(%esi), %ebx
	movl	8(%esi), %ecx
	movl	12(%esi), %edx
	movl	16(%esi), %ebp
	movl	%ebp, %edi
	int	$0x10
	cld
	popl	%esi
	movl	%eax, 0(%esi)
	movl	%ebx, 4(%esi)
	movl	%ecx, 8(%esi)
	movl	%edx, 12(%esi)
	popw	%es
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	retl

	.section .note.GNU-stack, "", @progbits
