#!/usr/bin/python3
"""What SeaBIOS starts: disks by bootindex=, nothing else with strict, files of fw_cfg, option ROMs.

Each disk has a boot sector that ends the guest with a number of its own.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal

EXIT_PORT = 0x501
DISK_BYTES = 1 << 20
FIRMWARE = Path('/usr/share/seabios/bios-256k.bin')

suite = Suite(__doc__)


def ending(number):
    """16-bit code that writes the number to the debug exit port: the exit status is twice that and one."""
    return bytes((0xba, EXIT_PORT & 0xff, EXIT_PORT >> 8, 0xb0, number, 0xee, 0xf4, 0xeb, 0xfd))


def boot_sector(number):
    return ending(number).ljust(510, b'\0') + b'\x55\xaa'


def option_rom(number):
    """A ROM that ends the guest when the firmware initializes it."""
    rom = bytearray((b'\x55\xaa\x01' + ending(number)).ljust(512, b'\0'))
    rom[-1] = -sum(rom) & 0xff
    return bytes(rom)


def started(t, disks, options=(), machine='q35'):
    """Start with disks of these numbers, each with the given properties; returns the number that ended the guest."""
    arguments = ['-machine', machine, '-device', 'isa-debug-exit']
    for number, properties in disks:
        path = t.directory / f'disk{number}.img'
        path.write_bytes(boot_sector(number).ljust(DISK_BYTES, b'\0'))
        arguments += ['-drive', f'file={path},format=raw,if=none,id=d{number}',
                      '-device', f'virtio-blk-pci,drive=d{number}{properties}']
    vmm = t.vmm([*arguments, *options], vnc=False, defaults=False)
    status = vmm.wait_exit()
    equal(status % 2, 1, f'the lowest bit of the exit status {status}')
    return status // 2


@suite.test
def the_first_disk_boots_when_nothing_is_said(t):
    equal(started(t, [(1, ''), (2, '')]), 1, 'the disk that was started')


@suite.test
def bootindex_chooses_the_second_disk(t):
    equal(started(t, [(1, ',bootindex=2'), (2, ',bootindex=1')]), 2, 'the disk that was started')


@suite.test
def bootindex_of_one_is_enough(t):
    equal(started(t, [(1, ''), (2, ''), (3, ',bootindex=7')]), 3, 'the disk that was started')


@suite.test
def bootindex_chooses_on_the_pc_too(t):
    equal(started(t, [(1, ',bootindex=2'), (2, ',bootindex=1')], machine='pc'), 2, 'the disk that was started')


@suite.test
def bootindex_chooses_storage_on_usb(t):
    for machine, controller in (('q35', ['-device', 'qemu-xhci']), ('pc', ['-usb'])):
        stick = t.directory / f'stick-{machine}.img'
        stick.write_bytes(boot_sector(4).ljust(DISK_BYTES, b'\0'))
        options = [*controller, '-drive', f'file={stick},format=raw,if=none,id=stick',
                   '-device', 'usb-storage,drive=stick,bootindex=0']
        equal(started(t, [(1, ',bootindex=1')], options, machine), 4, f'the disk that was started on {machine}')


@suite.test
def an_option_rom_runs_before_any_disk(t):
    rom = t.directory / 'rom.bin'
    rom.write_bytes(option_rom(9))
    equal(started(t, [(1, '')], ['-option-rom', rom]), 9, 'what ended the guest')


@suite.test
def wrong_options_are_refused(t):
    big = t.directory / 'structure.bin'
    big.write_bytes(b'\x01\x20\x00\x00\x00\x00')
    for options, says in (
            (['-boot', 'order=x'], 'up to 3 of a'),
            (['-boot', 'cc'], 'each once'),
            (['-fw_cfg', 'name=opt/a'], 'either file= or string='),
            (['-fw_cfg', 'name=bootorder2,file=/nowhere'], '/nowhere'),
            (['-fw_cfg', 'name=etc/e820,string=x'], 'there is a file etc/e820 already'),
            (['-option-rom', '/nowhere'], '-option-rom /nowhere'),
            (['-smbios', 'type=1,vendor=x'], 'accepted: manufacturer, product'),
            (['-smbios', 'type=5,serial=x'], 'accepted: 0, 1, 2, 3, 4, 11 or 17'),
            (['-smbios', f'file={big}'], 'its fields have 32 bytes'),
            (['-numa', 'node,mem=64'], '-m says'),
            (['-numa', 'dist,src=0,dst=0,val=10'], 'there are no nodes'),
            (['-numa', 'node,cpus=0-9'], 'N or N-M, from 0 to 0')):
        refused = t.start([program_path(), '-runtime-dir', t.directory, *options], name='refused')
        equal(refused.wait(), 1, f'the exit status with {options}')
        check(says in refused.err(), f'{options}: {refused.err()}')


@suite.test
def the_firmware_may_be_a_node_that_is_a_flash_chip(t):
    if not FIRMWARE.exists():
        raise Skip(f'there is no {FIRMWARE}')
    chip = t.directory / 'firmware.bin'
    chip.write_bytes(FIRMWARE.read_bytes())
    nodes = ['-blockdev', f'{{"driver":"file","filename":"{chip}","node-name":"bytes","auto-read-only":true,"discard":"unmap"}}',
             '-blockdev', '{"node-name":"chip","read-only":true,"driver":"raw","file":"bytes"}']
    for machine in ('q35', 'pc'):
        equal(started(t, [(1, '')], nodes, machine=f'{machine},pflash0=chip'), 1, f'the disk that was started on {machine}')


def program_path():
    from harness.vmm import program
    return program('vitrine')


suite.main()
