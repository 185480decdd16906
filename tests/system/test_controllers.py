#!/usr/bin/python3
"""SeaBIOS starts what lies on disks and CD-ROMs of IDE, AHCI and virtio-scsi."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite

suite = Suite(__doc__)

# Says what lies at 0x7d00 on the first serial line, and halts.
SPEAKER = bytes.fromhex('fa 31c0 8ed8 be007d baf803 ac 08c0 7403 ee ebf8 f4 ebfd')
CD_SECTOR = 2048
CATALOG, BOOT_IMAGE, SECTORS = 20, 21, 64


def boot_sector(text):
    sector = bytearray(512)
    sector[:len(SPEAKER)] = SPEAKER
    sector[0x100:0x100 + len(text) + 3] = text.encode() + b'\r\n\0'
    sector[510:] = b'\x55\xaa'
    return bytes(sector)


def disk(t, text):
    path = t.directory / f'{text.split()[0]}.img'
    path.write_bytes(boot_sector(text) + bytes((1 << 20) - 512))
    return path


def cdrom(t, text):
    """An ISO 9660 volume with nothing in it but an El Torito boot record (version 1.0 of that specification)."""
    image = bytearray(SECTORS * CD_SECTOR)

    def put(sector, content):
        image[sector * CD_SECTOR:sector * CD_SECTOR + len(content)] = content

    put(16, b'\x01CD001\x01')
    put(17, b'\0CD001\x01' + b'EL TORITO SPECIFICATION'.ljust(64, b'\0') + struct.pack('<I', CATALOG))
    put(18, b'\xffCD001\x01')
    validation = bytearray(b'\x01'.ljust(30, b'\0') + b'\x55\xaa')
    struct.pack_into('<H', validation, 28, -sum(struct.unpack('<16H', validation)) & 0xffff)
    put(CATALOG, bytes(validation) + struct.pack('<BBHBBHI', 0x88, 0, 0, 0, 0, 4, BOOT_IMAGE))
    put(BOOT_IMAGE, boot_sector(text))
    path = t.directory / f'{text.split()[0]}.iso'
    path.write_bytes(image)
    return path


def drive(path, name):
    return ['-drive', f'file={path},format=raw,if=none,id={name}' + (',readonly=on' if path.suffix == '.iso' else '')]


def boots(t, machine, options, text):
    guest = t.vmm(['-machine', machine, *options], vnc=False, name=machine)
    guest.serial.expect(text)
    guest.qmp.execute('quit')
    guest.wait_exit()


@suite.test
def a_disk_of_every_controller_boots(t):
    for machine, devices in (('pc', ['-device', 'ide-hd,drive=d']),
                             ('q35', ['-device', 'ide-hd,drive=d,bus=ide.3']),
                             ('q35', ['-device', 'virtio-scsi-pci', '-device', 'scsi-hd,drive=d'])):
        boots(t, machine, [*drive(disk(t, 'disk speaks'), 'd'), *devices], 'disk speaks')


@suite.test
def a_cdrom_of_every_controller_boots(t):
    for machine, devices in (('pc', ['-device', 'ide-cd,drive=c,bus=ide.1']),
                             ('q35', ['-device', 'ide-cd,drive=c']),
                             ('pc', ['-device', 'virtio-scsi-pci,id=s', '-device', 'scsi-cd,drive=c,bus=s.0,scsi-id=3'])):
        boots(t, machine, [*drive(cdrom(t, 'cdrom speaks'), 'c'), *devices], 'cdrom speaks')


@suite.test
def drives_without_a_device_are_ide(t):
    for machine in ('pc', 'q35'):
        boots(t, machine, ['-hda', disk(t, 'hda speaks')], 'hda speaks')


if __name__ == '__main__':
    suite.main()
