#!/usr/bin/python3
"""Disks: images of several formats, helpers that are killed, media that change, sizes, and what is refused."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm
from harness.demo import demo_image
from harness.qmp import QmpError
from harness.vmm import kind_under_test, program
from harness.wait import wait_until

suite = Suite(__doc__)

GREETING = 'Vitrine demo guest'
MIB = 1 << 20
CHUNKS = 32
CHUNK = 16384
FIRST_CHUNK = 64 * 512

# Writes chunks to the disk it starts from, each full of its own number from 1, and says one character for each: '.', in the
# end 'D' for done, or 'F' where writing failed.
WRITER = f'''
	.code16
	.globl _start
_start:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	movb %dl, drive
	movw $0x1000, %ax
	movw %ax, %es
1:	xorw %di, %di
	incw number
	movw number, %ax
	movw ${CHUNK // 2}, %cx
	cld
	rep stosw
	movw $packet, %si
	movb drive, %dl
	movw $0x4300, %ax
	int $0x13
	movb $'F', %al
	jc 3f
	addl ${CHUNK // 512}, sector
	movb $'.', %al
	call say
	cmpw ${CHUNKS}, number
	jb 1b
	movb $'D', %al
3:	call say
4:	hlt
	jmp 4b
say:	movb %al, %bl
	movw $0x3fd, %dx
5:	inb %dx, %al
	testb $0x20, %al
	jz 5b
	movb %bl, %al
	movw $0x3f8, %dx
	outb %al, %dx
	ret
number:	.word 0
drive:	.byte 0
packet:	.byte 16, 0
	.word {CHUNK // 512}, 0, 0x1000
sector:	.long {FIRST_CHUNK // 512}, 0
	.org 510
	.word 0xaa55
'''


def ours(t):
    need_vmm()
    need_program('qemu-nbd')
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has helpers')


def qcow2(t, name='disk.qcow2'):
    """The demo guest's disk as a qcow2 image."""
    path = t.directory / name
    subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', demo_image('demo.img'), path], check=True,
                   timeout=60)
    return path


def helpers(guest):
    return processes.named(processes.descendants(guest.pid), 'qemu-nbd')


def is_gone(pid):
    """Whether a process has ended; a zombie has."""
    processes.reap()
    return not Path(f'/proc/{pid}').exists()


def refused(qmp, command, word, **arguments):
    try:
        qmp.execute(command, arguments)
    except QmpError as error:
        check(word in str(error), f'{command}: {word!r} is not in: {error}')
    else:
        check(False, f'{command} {arguments} was not refused')


@suite.test
def a_guest_starts_from_a_qcow2_image_on_every_interface(t):
    ours(t)
    image = qcow2(t)
    for number, interface in enumerate(('virtio', 'ide')):
        guest = t.vmm(['-drive', f'file={image},format=qcow2,if={interface}'], name=f'guest{number}', vnc=False)
        guest.serial.expect(GREETING)
        block = guest.qmp.execute('query-block')[0]
        equal(block['inserted']['drv'], 'qcow2', 'the format')
        check(guest.qmp.execute('query-blockstats')[0]['stats']['rd_bytes'] >= 512, 'nothing was read')
        helper = helpers(guest)
        equal(len(helper), 1, 'helpers')
        guest.close()
        wait_until(lambda: is_gone(helper[0]), 'the end of the helper')


@suite.test
def a_killed_helper_comes_back_and_the_guest_reads_on(t):
    ours(t)
    guest = t.vmm(['-drive', f'file={qcow2(t)},format=qcow2,if=virtio'], vnc=False)
    for _ in range(3):
        guest.serial.expect(GREETING)
        before = helpers(guest)
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: helpers(guest) != before, 'the end of the helper')
        guest.qmp.execute('system_reset')
    guest.serial.expect(GREETING)
    equal(guest.qmp.status(), 'running', 'the status')
    equal(guest.qmp.execute('query-blockstats')[0]['stats']['failed_rd_operations'], 0, 'failed requests')


@suite.test
def a_helper_does_not_outlive_a_killed_guest(t):
    ours(t)
    guest = t.vmm(['-drive', f'file={qcow2(t)},format=qcow2,if=virtio'], vnc=False)
    helper = helpers(guest)
    os.kill(guest.pid, signal.SIGKILL)
    wait_until(lambda: is_gone(helper[0]), 'the end of the helper')
    shutil.rmtree(guest.runtime / guest.name, ignore_errors=True)


@suite.test
def a_snapshot_leaves_the_image_alone(t):
    ours(t)
    image = qcow2(t)
    before = image.read_bytes()
    guest = t.vmm(['-drive', f'file={image},format=qcow2,if=virtio,snapshot=on'], vnc=False)
    guest.serial.expect(GREETING)
    guest.close()
    check(image.read_bytes() == before, 'the image has changed')


@suite.test
def media_and_sizes_change(t):
    ours(t)
    image = qcow2(t)
    raw = t.directory / 'second.img'
    raw.write_bytes(bytes(MIB))
    guest = t.vmm(['-drive', f'file={image},format=qcow2,if=none,id=disk', '-device', 'virtio-blk-pci,drive=disk',
                   '-cdrom', raw], vnc=False)
    qmp = guest.qmp
    qmp.execute('block_resize', {'device': 'disk', 'size': 64 * MIB})
    blocks = {block['device']: block for block in qmp.execute('query-block')}
    equal(blocks['disk']['inserted']['image']['virtual-size'], 64 * MIB, 'the size')
    cdrom = 'ide2-cd0'
    check(blocks[cdrom]['removable'], 'the CD-ROM drive is not removable')
    qmp.execute('eject', {'device': cdrom})
    check('inserted' not in next(b for b in qmp.execute('query-block') if b['device'] == cdrom), 'the medium is there')
    qmp.execute('blockdev-change-medium', {'device': cdrom, 'filename': str(raw), 'format': 'raw'})
    refused(qmp, 'eject', 'not removable', device='disk')
    refused(qmp, 'blockdev-change-medium', '/nowhere', device=cdrom, filename='/nowhere')
    refused(qmp, 'block_resize', '512', device='disk', size=1000)
    qmp.execute('blockdev-add', {'driver': 'file', 'filename': str(t.directory / 'third.img'), 'node-name': 'bytes'})
    qmp.execute('blockdev-del', {'node-name': 'bytes'})


def boot_sector(t):
    """The writer as the bytes of a sector."""
    for name in ('as', 'ld'):
        need_program(name)
    source, made, binary = (t.directory / f'writer.{kind}' for kind in ('S', 'o', 'bin'))
    source.write_text(WRITER)
    subprocess.run(['as', '--32', '-o', made, source], check=True, timeout=60)
    subprocess.run(['ld', '-m', 'elf_i386', '--oformat', 'binary', '-Ttext', '0x7c00', '-o', binary, made], check=True,
                   timeout=60)
    return binary.read_bytes()[:512]


def small_file_system(t, name):
    """A folder of its own with room for half of what is written."""
    folder = t.directory / name
    folder.mkdir()
    if os.geteuid() != 0:
        raise Skip('only root can mount a small file system')
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], capture_output=True).returncode:
        raise Skip('no file system can be mounted here')
    t.defer(lambda: subprocess.run(['umount', '-l', folder], check=True))
    return folder


@suite.test
def a_full_file_system_stops_the_guest_and_nothing_is_lost(t):
    ours(t)
    for interface in ('virtio', 'ide'):
        folder = small_file_system(t, interface)
        image = folder / 'disk.img'
        with open(image, 'wb') as made:
            made.write(boot_sector(t))
            made.truncate(2 * MIB)
        guest = t.vmm(['-drive', f'file={image},format=raw,if={interface},werror=stop'], name=f'full-{interface}', vnc=False)
        event = guest.qmp.wait_event('BLOCK_IO_ERROR')['data']
        equal((event['operation'], event['action'], event['nospace']), ('write', 'stop', True), 'what the event says')
        wait_until(lambda: guest.qmp.status() == 'io-error', 'the stop of the guest')
        # Without room it stops again.
        guest.qmp.execute('cont')
        guest.qmp.wait_event('BLOCK_IO_ERROR')
        wait_until(lambda: guest.qmp.status() == 'io-error', 'the second stop of the guest')
        subprocess.run(['mount', '-o', 'remount,size=4m', folder], check=True)
        guest.qmp.execute('cont')
        said = guest.serial.expect('[.]*[DF]').group(0)
        equal(said[-1], 'D', f'how writing ended after {len(said) - 1} chunks')
        content = image.read_bytes()[FIRST_CHUNK:]
        for number in range(CHUNKS):
            check(content[number * CHUNK:(number + 1) * CHUNK] == (number + 1).to_bytes(2, 'little') * (CHUNK // 2),
                  f'{interface}: chunk {number} is not what was written')
        guest.close()


@suite.test
def what_cannot_be_opened_is_named(t):
    ours(t)
    image = qcow2(t)
    t.vmm(['-drive', f'file={image},format=qcow2,if=virtio'], vnc=False)

    def complaint(drive, **environment):
        result = subprocess.run([program('vitrine'), '-runtime-dir', t.directory / 'other', '-drive', drive],
                                capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
        equal(result.returncode, 1, f'the exit status of {drive}')
        return result.stderr

    for drive, word in ((f'file={image},format=qcow2', 'uses it'), (f'file={image},format=vdi', 'disk.qcow2'),
                        ('file=/nowhere.qcow2,format=qcow2', 'No such file'), ('file=rbd://a/b', 'nbd+unix://')):
        check(word in complaint(drive), f'{drive}: {word!r} is not in: {complaint(drive)}')
    check('qemu-utils' in complaint(f'file={image},format=qcow2', PATH='/nowhere'), 'the package is not named')


if __name__ == '__main__':
    sys.exit(suite.main())
