#!/usr/bin/python3
"""Stock drivers on every disk controller: virtio-blk, virtio-scsi, AHCI and IDE, disks and CD-ROMs, raw and qcow2.

fio writes and verifies in the guest; what it wrote is then compared with what is in the images. Runs itself in the lab
where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in for vitrine, which shows that the
tests are right.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program
from harness.qmp import QmpError
from harness.vmm import kind_under_test
from harness.wait import wait_until
from lab.disk_tools import initramfs_with_disk_tools
from lab.images import ARGUMENTS, images
from lab.stock import PROMPT, StockGuest, run

MIB = 1 << 20
DISK_BYTES = 4 * MIB
MEDIUM_BYTES = MIB // 2
WRITES_BETWEEN_KILLS = 150
# What drivers say of devices that do not do as they should.
COMPLAINT = re.compile(r'(?:ata\d|sd[a-z]|sr\d|vd[a-z]|virtio_scsi|scsi|I/O).*(?:exception|error|reset|fail|timeout|frozen|'
                       r'sense key|lost|abort|invalid|unexpected|refused)', re.IGNORECASE)
FIO = ('fio --thread --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --verify=crc32c --verify_fatal=1 --end_fsync=1 '
       '--output=/tmp/fio.out')

SCRIPTS = {
    'load': '''
dmesg -n 1
while read -r module; do insmod /modules/$module || echo "$module did not load"; done </modules/order-of-disks
''',
    'disks': '''
for disk in /sys/block/[vs][dr]*; do
	echo "disk: ${disk##*/} $(cat $disk/size) $(readlink -f $disk)"
done
''',
    # verify BYTES NAME...: all of them at the same time
    'verify': f'''
size=$1
shift
jobs=
for name; do jobs="$jobs --name=$name --filename=/dev/$name"; done
{FIO} --size=$size --bsrange=4k-64k $jobs 2>/tmp/fio.err
code=$?
[ $code = 0 ] || cat /tmp/fio.err /tmp/fio.out
echo "fio ended with $code"
''',
    # many small writes, flushed now and then
    'load-on': f'''
{FIO} --size=4m --bs=4k --fsync=32 --name=$1 --filename=/dev/$1 2>/tmp/fio.err
code=$?
[ $code = 0 ] || cat /tmp/fio.err /tmp/fio.out
echo "fio ended with $code"
''',
    'sums': '''
sync
echo 3 >/proc/sys/vm/drop_caches
for name; do
	# The first that is said after another medium was put in is that there is another.
	tries=5
	until head -c 1 /dev/$name >/dev/null 2>&1 || [ $tries = 0 ]; do
		tries=$((tries - 1))
		sleep 1
	done
	echo "sum: $name $(sha256sum </dev/$name 2>&1 | cut -c 1-64)"
done
''',
}

suite = Suite(__doc__)


def sum_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def content(name):
    """The bytes of a medium, others for each name."""
    return b''.join(hashlib.sha512(b'%s %d' % (name.encode(), n)).digest() for n in range(MEDIUM_BYTES // 64))


def raw(path):
    with open(path, 'wb') as image:
        image.truncate(DISK_BYTES)
    return path


def qcow2(path):
    subprocess.run([need_program('qemu-img'), 'create', '-q', '-f', 'qcow2', path, str(DISK_BYTES)], check=True, timeout=120)
    return path


def medium(context, name):
    path = context.directory / f'{name}.iso'
    path.write_bytes(content(name))
    return path


class Guest(StockGuest):
    """A guest with disks and CD-ROMs, which are known by the end of their path in /sys and by the id of their drive."""

    def __init__(self, context, name, options):
        self.folder = context.directory
        self.drives = {}
        super().__init__(context, name, [*options, '-kernel', images() / 'vmlinuz', '-initrd',
                                         initramfs_with_disk_tools(SCRIPTS), '-append', ARGUMENTS])
        self.wait_started()
        self.log_in()
        equal(self.run('load'), '', 'what loading the drivers says')

    def find(self, drives):
        """`drives` has for each id how Linux calls such devices and part of the path in /sys; waits until all are found."""
        def all_found():
            self.disks = [line.split()[1:] for line in self.run('disks').splitlines() if line.startswith('disk: ')]
            self.drives = {drive: [name for name, size, path in self.disks if name.startswith(kind) and
                                   re.search(f'/{place}/', path) and size != '0']
                           for drive, (kind, place) in drives.items()}
            return all(len(names) == 1 for names in self.drives.values())
        try:
            wait_until(all_found, 'all disks being found', interval=1)
        except Exception as error:
            raise AssertionError(f'{error}: {self.disks}; found: {self.drives}; {self.run("dmesg | tail -n 40")}') from None
        self.drives = {drive: names[0] for drive, names in self.drives.items()}

    def complaints(self, *drives):
        names = '|'.join(self.drives[drive] for drive in drives)
        return [line for line in self.run('dmesg').splitlines() if COMPLAINT.search(line) and re.search(names, line)]

    def sums(self, *drives):
        said = self.run(f'sums {" ".join(self.drives[drive] for drive in drives)}')
        sums = dict(re.findall(r'sum: (\S+) ([0-9a-f]{64})', said))
        check(len(sums) == len(drives), f'the sums of {drives}: {said}')
        return [sums[self.drives[drive]] for drive in drives]

    def fio_ended(self):
        """Wait for the end of fio, started before; the rest of what it said is shown when it found anything wrong."""
        start = self.serial.position
        code = self.serial.expect(r'fio ended with (\d+)')[1]
        self.serial.expect(PROMPT)
        equal(code, '0', f'fio: {self.serial.log[start:self.serial.position]}: its status')

    def verify(self, *drives):
        self.serial.send(f'verify {DISK_BYTES} {" ".join(self.drives[drive] for drive in drives)}\n')
        self.fio_ended()

    def statistics(self, drive):
        return next(one['stats'] for one in self.qmp.execute('query-blockstats') if one.get('device') == drive)

    def tray_told(self, tray, is_open):
        """Wait for the event; the ones before it may come late, or not at all, as they are limited in rate."""
        while self.qmp.wait_event('DEVICE_TRAY_MOVED')['data'] != {'device': tray.replace('tray', 'cd'), 'id': tray,
                                                                  'tray-open': is_open}:
            pass

    def helper(self, image):
        """The process that serves an image (ours only)."""
        return [pid for pid in processes.descendants(self.vmm.pid)
                if 'qemu-nbd' in processes.command_line(pid) and str(image) in processes.command_line(pid)]


def drive(name, path, kind='raw', more=''):
    return ['-drive', f'file={path},format={kind},if=none,id={name}{more}']


def small_file_system(context):
    """A folder with room for a quarter of a disk."""
    folder = context.directory / 'small'
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_BYTES // 4}', 'tmpfs', folder]).returncode:
        raise Skip('only root can mount a small file system')
    context.defer(lambda: subprocess.run(['umount', '-l', folder], check=True))
    return folder


def q35_guest(context):
    folder = context.directory
    guest = Guest(context, 'q35', [
        *drive('split', raw(folder / 'split.img')), '-device', 'virtio-blk-pci,drive=split,addr=10.0',
        *drive('packed', qcow2(folder / 'packed.qcow2'), 'qcow2'),
        '-device', 'virtio-blk-pci,drive=packed,packed=on,addr=11.0',
        *drive('full', raw(small_file_system(context) / 'full.img'), more=',werror=stop'),
        '-device', 'virtio-blk-pci,drive=full,addr=12.0',
        *drive('sata', raw(folder / 'sata.img')), '-device', 'ide-hd,bus=ide.0,drive=sata,serial=S-ATA',
        *drive('sata-cd', medium(context, 'sata-cd'), more=',media=cdrom'),
        '-device', 'ide-cd,bus=ide.1,drive=sata-cd,id=sata-tray',
        '-device', 'virtio-scsi-pci,id=scsi,addr=13.0',
        *drive('scsi', qcow2(folder / 'scsi.qcow2'), 'qcow2'), '-device', 'scsi-hd,bus=scsi.0,drive=scsi,scsi-id=1',
        *drive('scsi-cd', medium(context, 'scsi-cd'), more=',media=cdrom'),
        '-device', 'scsi-cd,bus=scsi.0,drive=scsi-cd,scsi-id=2,id=scsi-tray'])
    guest.find({'split': ('vd', '0000:00:10.0'), 'packed': ('vd', '0000:00:11.0'), 'full': ('vd', '0000:00:12.0'),
                'sata': ('sd', '0000:00:1f.2'), 'sata-cd': ('sr', '0000:00:1f.2'),
                'scsi': ('sd', '0000:00:13.0'), 'scsi-cd': ('sr', '0000:00:13.0')})
    return guest


def pc_guest(context):
    folder = context.directory
    guest = Guest(context, 'pc', [
        '-machine', 'pc', *drive('ide', raw(folder / 'ide.img')), '-device', 'ide-hd,bus=ide.0,drive=ide',
        *drive('ide-2', qcow2(folder / 'ide-2.qcow2'), 'qcow2'), '-device', 'ide-hd,bus=ide.0,drive=ide-2',
        *drive('ide-cd', medium(context, 'ide-cd'), more=',media=cdrom'),
        '-device', 'ide-cd,bus=ide.1,drive=ide-cd,id=ide-tray'])
    guest.find({'ide': ('sd', 'target0:0:0'), 'ide-2': ('sd', 'target0:0:1'), 'ide-cd': ('sr', 'ata2')})
    return guest


def q35(t):
    return t.shared('q35', q35_guest)


def pc(t):
    return t.shared('pc', pc_guest)



@suite.test
def fio_verifies_virtio_blk_virtio_scsi_and_ahci(t):
    guest = q35(t)
    guest.verify('split', 'packed', 'sata', 'scsi')
    sums = guest.sums('split', 'sata')
    for name, found in zip(('split', 'sata'), sums):
        equal(found, sum_of(guest.folder / f'{name}.img'), f'the sum of {name}')
    equal(guest.complaints('split', 'packed', 'sata', 'scsi'), [], 'complaints')


@suite.test
def a_packed_ring_is_used(t):
    guest = q35(t)
    # Feature bit 34; the file has one character for each bit.
    features = guest.run(f'cat /sys/block/{guest.drives["packed"]}/device/features')
    equal(features.split()[-1][34], '1', f'RING_PACKED of {features}')


def media(guest, buses):
    for cd, tray in buses:
        other = guest.folder / f'other-{cd}.iso'
        other.write_bytes(content(f'other-{cd}'))
        sr = guest.drives[cd]
        equal(guest.sums(cd), [hashlib.sha256(content(cd)).hexdigest()], f'the medium in {sr}')
        equal(guest.complaints(cd), [], 'complaints')

        guest.qmp.execute('blockdev-change-medium', {'id': tray, 'filename': str(other), 'format': 'raw'})
        equal(guest.sums(cd), [hashlib.sha256(content(f'other-{cd}')).hexdigest()], f'the other medium in {sr}')

        # Who has it open has locked the tray.
        guest.run(f'exec 3</dev/{sr}')
        try:
            guest.qmp.execute('eject', {'id': tray})
            raise AssertionError('a locked tray was opened without force')
        except QmpError as error:
            check('lock' in error.description, error.description)
        guest.run('exec 3<&-')

        guest.qmp.execute('eject', {'id': tray, 'force': True})
        check('o medium' in guest.run(f'head -c 1 </dev/{sr}'), f'{sr} has a medium after eject')
        guest.qmp.execute('blockdev-change-medium', {'id': tray, 'filename': str(other), 'format': 'raw'})
        equal(guest.sums(cd), [hashlib.sha256(content(f'other-{cd}')).hexdigest()], f'the medium put back in {sr}')

        def is_open():
            return next(block['tray_open'] for block in guest.qmp.execute('query-block')
                        if block.get('qdev', '').split('/')[-1] == tray)
        equal(guest.run(f'tray open /dev/{sr}'), '', 'what opening the tray says')
        guest.tray_told(tray, True)
        check(is_open(), f'{sr} was ejected, and its tray is not open')
        equal(guest.run(f'tray close /dev/{sr}'), '', 'what closing the tray says')
        guest.tray_told(tray, False)
        check(not is_open(), f'{sr} was closed, and its tray is open')


@suite.test
def media_of_sata_and_scsi_come_and_go(t):
    media(q35(t), (('sata-cd', 'sata-tray'), ('scsi-cd', 'scsi-tray')))


@suite.test
def nothing_is_lost_when_helpers_are_killed_under_load(t):
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has helpers')
    guest = q35(t)
    for name in ('packed', 'scsi'):
        image = guest.folder / f'{name}.qcow2'
        writes = guest.statistics(name)['wr_operations']
        guest.serial.send(f'load-on {guest.drives[name]}\n')
        for _ in range(3):
            writes += WRITES_BETWEEN_KILLS
            wait_until(lambda: guest.statistics(name)['wr_operations'] >= writes, 'more writes')
            before = guest.helper(image)
            equal(len(before), 1, f'the helpers of {image}')
            os.kill(before[0], signal.SIGKILL)
            wait_until(lambda: guest.helper(image) not in (before, []), 'a new helper')
            guest.serial.drain()
            check('fio ended' not in guest.serial.log[guest.serial.position:], 'the load was over before the last kill')
        guest.fio_ended()
        equal(guest.complaints(name), [], 'complaints')


@suite.test
def a_full_disk_stops_the_guest_and_nothing_is_lost(t):
    guest = q35(t)
    guest.qmp.events.clear()
    guest.serial.send(f'verify {DISK_BYTES} {guest.drives["full"]}\n')
    for _ in range(2):
        event = guest.qmp.wait_event('BLOCK_IO_ERROR')['data']
        equal((event['operation'], event['action'], event['nospace']), ('write', 'stop', True), 'what the event says')
        wait_until(lambda: guest.qmp.status() == 'io-error', 'the stop of the guest')
        # Without room it stops again.
        guest.qmp.events.clear()
        guest.qmp.execute('cont')
    guest.qmp.wait_event('BLOCK_IO_ERROR')
    wait_until(lambda: guest.qmp.status() == 'io-error', 'the last stop of the guest')
    subprocess.run(['mount', '-o', f'remount,size={4 * DISK_BYTES}', guest.folder / 'small'], check=True)
    guest.qmp.execute('cont')
    guest.fio_ended()
    equal(guest.sums('full'), [sum_of(guest.folder / 'small/full.img')], 'the sum of what is on the disk')
    equal(guest.complaints('full'), [], 'complaints')


def end_and_compare(guest, names):
    """What the guest read last is in its qcow2 images when it has ended."""
    sums = guest.sums(*names)
    guest.vmm.close()
    for name, expected in zip(names, sums):
        image = guest.folder / f'{name}.qcow2'
        subprocess.run(['qemu-img', 'check', '-q', image], check=True, timeout=120)
        subprocess.run(['qemu-img', 'convert', '-O', 'raw', image, guest.folder / f'{name}.raw'], check=True, timeout=120)
        equal(sum_of(guest.folder / f'{name}.raw'), expected, f'the sum of what is in {image}')


@suite.test
def what_is_in_qcow2_is_there_afterwards(t):
    end_and_compare(q35(t), ('packed', 'scsi'))


@suite.test
def fio_verifies_ide_disks_on_pc(t):
    guest = pc(t)
    guest.verify('ide', 'ide-2')
    equal(guest.sums('ide'), [sum_of(guest.folder / 'ide.img')], 'the sum of the disk')
    modes = guest.run('cat /sys/class/ata_device/*/dma_mode')
    check('DMA' in modes and 'PIO' not in modes, f'no DMA: {modes}')
    equal(guest.complaints('ide', 'ide-2'), [], 'complaints')


@suite.test
def media_of_ide_come_and_go(t):
    media(pc(t), (('ide-cd', 'ide-tray'), ))
    end_and_compare(pc(t), ('ide-2', ))


if __name__ == '__main__':
    if not os.environ.get('LAB'):
        need_program('fio')
        initramfs_with_disk_tools(SCRIPTS)
    run(suite)
