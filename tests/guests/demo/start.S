/* Kernel mode of the demo: enters long mode, starts the program in user mode and serves its few calls.
 *
 * All C runs in ring 3. A KVM without hardware virtualization runs that at the speed of the host, but
 * emulates kernel mode instruction by instruction and knows only some of them. So kernel mode is these few
 * lines. Interrupts are open only while call_wait halts, and their handler drops the frame instead of going
 * back to the HLT.
 *
 * A call is UD2, because that is the one way into ring 0 that every kind of KVM takes: without hardware
 * virtualization, INT n is an invalid opcode and SYSCALL does not arrive.
 *
 * Specification: Linux x86 boot protocol, 32-bit and 64-bit entries; Intel SDM volume 3, chapters 6 and 7.
 */
	.set	KERNEL_CODE, 0x10
	.set	KERNEL_DATA, 0x18
	.set	USER_DATA, 0x2b
	.set	USER_CODE, 0x33
	.set	TASK_STATE, 0x38
	.set	MSR_EFER, 0xc0000080
	.set	EFER_LME, 1 << 8
	.set	CR0_PE, 1 << 0
	.set	CR0_PG, 1 << 31
	.set	CR4_PAE, 1 << 5
	.set	FLAGS, 0x002
	.set	PIC_COMMAND, 0x20
	.set	PIC2_COMMAND, 0xa0
	.set	PIC_END_OF_INTERRUPT, 0x20
	.set	VECTOR_NMI, 2
	.set	VECTOR_UD, 6
	.set	FIRST_INTERRUPT, 0x20
	.set	VECTORS, 0x30
	.set	LOAD_ADDRESS_HIGH, 0x10
	.set	NOWHERE, 0xfeb80000

	.section .text.start, "ax"
	.globl	_start
	.code32
_start:
	cli
	cld
	movl	%esi, %ebx
	lgdtl	descriptors_pointer
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$page_map, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG | CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$KERNEL_CODE, $start_long

	.code64
	.org	0x200
	cli
	cld
	movq	%rsi, %rbx
	lgdtq	descriptors_pointer
	movl	$page_map, %eax
	movq	%rax, %cr3
	movl	$kernel_stack_top, %esp
	pushq	$KERNEL_CODE
	pushq	$start_long
	lretq

start_long:
	movl	$KERNEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	$kernel_stack_top, %esp
	lidtq	gates_pointer
	movl	$TASK_STATE, %eax
	ltr	%ax
	pushq	$USER_DATA
	pushq	$user_stack_top
	pushq	$FLAGS
	pushq	$USER_CODE
	pushq	$start_user
	iretq

start_user:
	movl	$USER_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	$__bss_start, %edi
	movl	$__bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb
	movl	%ebx, %edi
	call	main

/* What the processor raised, one entry a vector: its number on the stack above the error code, or a 0. */
	.balign	16
vectors:
	.set	vector, 0
	.rept	VECTORS
	.balign	16
	.if	(0x27d00 >> vector & 1) == 0
	pushq	$0
	.endif
	pushq	$vector
	.if	vector == VECTOR_UD
	jmp	called
	.elseif	vector == VECTOR_NMI
	jmp	nmi
	.elseif	vector >= FIRST_INTERRUPT
	jmp	interrupted
	.else
	jmp	faulted
	.endif
	.set	vector, vector + 1
	.endr

/* A call: number in %eax, arguments in %edi and %esi; result in %eax, %edx is lost. */
called:
	addq	$16, %rsp
	cmpl	$CALLS, %eax
	jae	no_call
	movl	%edi, %edx
	jmp	*calls(,%rax,8)
no_call:
	pushq	$0
	pushq	$VECTOR_UD

/* A fault of the program: goes on in main.c's main_faulted(vector, error code, where), on a fresh stack. */
faulted:
	popq	%rdi
	popq	%rsi
	popq	%rdx
	movl	$kernel_stack_top, %esp
	pushq	$USER_DATA
	pushq	$user_stack_top - 8
	pushq	$FLAGS
	pushq	$USER_CODE
	pushq	$main_faulted
	iretq

call_in8:
	xorl	%eax, %eax
	inb	%dx, %al
	jmp	call_done
call_in16:
	xorl	%eax, %eax
	inw	%dx, %ax
	jmp	call_done
call_in32:
	inl	%dx, %eax
	jmp	call_done
call_out8:
	movl	%esi, %eax
	outb	%al, %dx
	jmp	call_done
call_out16:
	movl	%esi, %eax
	outw	%ax, %dx
	jmp	call_done
call_out32:
	movl	%esi, %eax
	outl	%eax, %dx

/* Goes on behind the UD2. The resume flag, which the processor sets in the frame of a fault, must not stay. */
call_done:
	addq	$2, (%rsp)
	movq	$FLAGS, 16(%rsp)
	iretq

/* Halts until an interrupt; the result is its vector. */
call_wait:
	sti
	hlt
	cli
	xorl	%eax, %eax
	jmp	call_done
interrupted:
	movb	$PIC_END_OF_INTERRUPT, %al
	cmpl	$FIRST_INTERRUPT + 8, (%rsp)
	jb	1f
	outb	%al, $PIC2_COMMAND
1:
	outb	%al, $PIC_COMMAND
	movl	(%rsp), %eax
	movl	$kernel_stack_top - 40, %esp
	jmp	call_done

/* Non-maskable interrupts are counted; one that came during the HLT ends it. */
nmi:
	incl	nmi_count
	addq	$16, %rsp
	testb	$3, 8(%rsp)
	jnz	1f
	movl	$VECTOR_NMI, %eax
	movl	$kernel_stack_top - 40, %esp
	jmp	call_done
1:
	iretq

/* No vectors: the next fault is a triple fault. */
call_triple_fault:
	lidtq	no_gates_pointer
	ud2

/* An instruction that KVM's emulator lacks; where the processor itself executes it, on to where no memory is. */
call_emulation_failure:
	fwait
	movl	$NOWHERE, %eax
	jmp	*%rax

call_halt:
	cli
	hlt
	jmp	call_halt

	.section .rodata
	.balign	8
/* In the order of enum call. */
calls:
	.quad	call_in8, call_in16, call_in32, call_out8, call_out16, call_out32
	.quad	call_wait, call_triple_fault, call_emulation_failure, call_halt
	.set	CALLS, (. - calls) / 8

	.section .text.start
	.balign	16
descriptors:
	.quad	0, 0
	.quad	0x00af9b000000ffff		/* 0x10: kernel code, 64 bits */
	.quad	0x00cf93000000ffff		/* 0x18: kernel data */
	.quad	0
	.quad	0x00cff3000000ffff		/* 0x2b: user data */
	.quad	0x00affb000000ffff		/* 0x33: user code, 64 bits */
	.word	task_state_end - task_state - 1	/* 0x38: task state */
	.word	task_state - _start
	.word	LOAD_ADDRESS_HIGH | 0x8900
	.word	0
	.quad	0
descriptors_pointer:
	.word	. - descriptors - 1
	.quad	descriptors
gates_pointer:
	.word	VECTORS * 16 - 1
	.quad	gates
no_gates_pointer:
	.word	0
	.quad	0

	.balign	16
task_state:
	.long	0
	.quad	kernel_stack_top, 0, 0
	.skip	74
	.word	task_state_end - task_state	/* no map of ports that user mode may use */
task_state_end:

	.balign	16
gates:
	.set	vector, 0
	.rept	VECTORS
	.word	vectors - _start + vector * 16, KERNEL_CODE, 0x8e00, LOAD_ADDRESS_HIGH
	.quad	0
	.set	vector, vector + 1
	.endr

/* All of the first 4 GiB where it is, in pages of 2 MiB that user mode may use. */
	.section .data
	.balign	4096
page_map:
	.quad	directory_pointers + 7
	.fill	511, 8, 0
directory_pointers:
	.set	directory, 0
	.rept	4
	.quad	directories + directory * 4096 + 7
	.set	directory, directory + 1
	.endr
	.fill	508, 8, 0
directories:
	.set	page, 0
	.rept	2048
	.quad	page << 21 | 0xe7
	.set	page, page + 1
	.endr

	.globl	nmi_count
nmi_count:
	.long	0

	.section .bss
	.balign	16
	.skip	65536
user_stack_top:

/* Outside the program's zeroed memory, which is cleared from user mode with this stack in use by nobody. */
	.section .stack, "aw", @nobits
	.balign	16
	.skip	4096
kernel_stack_top:

	.section .note.GNU-stack, "", @progbits
