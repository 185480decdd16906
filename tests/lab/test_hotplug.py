#!/usr/bin/python3
"""Disks and network cards that come and go while a stock Debian guest runs, through a PCI Express root port.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

DATA_BYTES = 8 << 20

suite = Suite(__doc__)


def booted(context):
    with open(context.directory / 'data.img', 'wb') as image:
        image.truncate(DATA_BYTES)
    guest = StockGuest(context, 'hotplug', [
        '-device', 'pcie-root-port,id=port1,chassis=1,slot=1,addr=4.0,multifunction=on',
        '-device', 'pcie-root-port,id=port2,chassis=1,slot=2,addr=4.1',
        '-device', 'virtio-rng-pci,bus=port2,id=entropy',
        '-drive', f'file={context.directory}/data.img,format=raw,if=none,id=data',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.wait_started()
    guest.log_in()
    return guest


def hotplug(t):
    return t.shared('hotplug', booted)


def listed(guest, disk):
    return guest.run(f'[ -b /dev/{disk} ] && echo there || echo gone').split()[-1] == 'there'


def remove(guest, device):
    guest.qmp.execute('device_del', {'id': device})
    while guest.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != device:
        pass


@suite.test
def a_device_behind_a_port_is_there_from_the_start(t):
    guest = hotplug(t)
    check(guest.found('entropy virtio_rng'), guest.facts)
    check('BAR' not in guest.run('dmesg | grep "BAR.*no space"'), guest.run('dmesg | grep BAR'))


@suite.test
def a_disk_comes_and_goes_twice(t):
    guest = hotplug(t)
    for _ in range(2):
        guest.qmp.execute('device_add', {'driver': 'virtio-blk-pci', 'id': 'late', 'bus': 'port1', 'drive': 'data'})
        wait_until(lambda: listed(guest, 'vdb'), '/dev/vdb appearing')
        equal(guest.run('cat /sys/block/vdb/size').split()[-1], str(DATA_BYTES // 512), 'its sectors')
        guest.run('echo hot | dd of=/dev/vdb conv=fsync')
        remove(guest, 'late')
        wait_until(lambda: not listed(guest, 'vdb'), '/dev/vdb going away')
    with open(t.shared('hotplug', booted).disk.parent / 'data.img', 'rb') as image:
        equal(image.read(4), b'hot\n', 'what the guest wrote')


@suite.test
def a_cold_plugged_device_can_go(t):
    guest = hotplug(t)
    remove(guest, 'entropy')
    equal(guest.run('cat /sys/class/misc/hw_random/rng_current').split()[-1], 'none', 'the random numbers afterwards')


if __name__ == '__main__':
    run(suite)
