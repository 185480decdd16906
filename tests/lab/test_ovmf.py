#!/usr/bin/python3
"""OVMF as the firmware of a guest: to its shell, with variables that are kept, and to GRUB on an EFI disk.

Runs itself in the lab where this machine's KVM cannot run stock guests: in QEMU's emulation of SVM with
its time counted by instructions (`lab run -i`), which was QEMU 7.2 when this was written; without that the
lab's emulator ends itself at a guest's write to CR8, and so do the versions up to 10.0. With `--vmm qemu` QEMU stands in for vitrine.
"""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import SKIPPED, Suite, check, equal
from harness.vmm import bed

LAB_SECONDS = 900
# Of the lab's time, which runs faster than the clock when nothing happens.
WAIT_SECONDS = 300
CODE = Path('/usr/share/OVMF/OVMF_CODE_4M.fd')
VARIABLES = Path('/usr/share/OVMF/OVMF_VARS_4M.fd')
GRUB_MODULES = ('normal', 'echo', 'halt', 'part_msdos', 'fat', 'configfile', 'ls')
GRUB_CONFIG = '''echo "GRUB was started by EFI"
ls
halt
'''
SECTOR = 512
PARTITION_START = 2048  # sectors
PARTITION_MIB = 16
EFI_SYSTEM_PARTITION = 0xef

suite = Suite(__doc__)


def make_efi_disk(folder):
    """A disk with an MBR and an EFI system partition, in it GRUB where firmware looks for it."""
    disk = folder / 'efi.img'
    config = folder / 'grub.cfg'
    program = folder / 'bootx64.efi'
    config.write_text(GRUB_CONFIG)
    subprocess.run(['grub-mkimage', '-O', 'x86_64-efi', '-p', '/EFI/BOOT', '-c', config, '-o', program, *GRUB_MODULES],
                   check=True)
    sectors = PARTITION_MIB * 1024 * 1024 // SECTOR
    with open(disk, 'wb') as image:
        entry = struct.pack('<B3sB3sII', 0, b'\xfe\xff\xff', EFI_SYSTEM_PARTITION, b'\xfe\xff\xff', PARTITION_START, sectors)
        image.write(bytes(446) + entry + bytes(48) + b'\x55\xaa')
        image.truncate((PARTITION_START + sectors) * SECTOR)
    partition = f'{disk}@@{PARTITION_START * SECTOR}'
    subprocess.run(['mformat', '-i', partition, '-T', str(sectors), '-h', '16', '-s', '63', '::'], check=True)
    subprocess.run(['mmd', '-i', partition, '::EFI', '::EFI/BOOT'], check=True)
    subprocess.run(['mcopy', '-i', partition, program, '::EFI/BOOT/BOOTX64.EFI'], check=True)
    return disk


def variables_of(context):
    """A guest's own variables, as empty as the template."""
    path = context.directory / 'variables.fd'
    shutil.copy(VARIABLES, path)
    return path


def start(context, variables, options=(), name='efi'):
    return context.vmm(['-m', '256', '-drive', f'if=pflash,format=raw,readonly=on,file={CODE}',
                        '-drive', f'if=pflash,format=raw,file={variables}', *options],
                       name=name, vnc=False, seconds=WAIT_SECONDS)


def shell(vmm):
    """To the shell's prompt, past its search for a script."""
    vmm.serial.expect('any other key to continue', WAIT_SECONDS)
    vmm.serial.send('\x1b')
    vmm.serial.expect('Shell> ', WAIT_SECONDS)


def switch_off(vmm):
    check(vmm.qmp.wait_event('SHUTDOWN', seconds=WAIT_SECONDS)['data']['guest'],
          'SHUTDOWN does not say that the guest did it')
    equal(vmm.wait_exit(WAIT_SECONDS), 0, 'the exit status')


@suite.test
def its_shell_keeps_variables_over_a_power_off(t):
    variables = variables_of(t)
    vmm = start(t, variables)
    shell(vmm)
    vmm.serial.send('set vitrine kept\r')
    vmm.serial.expect('Shell> ', WAIT_SECONDS)
    vmm.serial.send('reset -s\r')
    switch_off(vmm)
    check(variables.read_bytes() != VARIABLES.read_bytes(), 'nothing was written to the file of the variables')
    equal(variables.stat().st_size, VARIABLES.stat().st_size, 'the size of the file of the variables')

    vmm = start(t, variables, name='again')
    shell(vmm)
    vmm.serial.send('set vitrine\r')
    vmm.serial.expect(r'vitrine [^\r\n]*kept', WAIT_SECONDS)


@suite.test
def grub_starts_from_an_efi_disk(t):
    disk = make_efi_disk(t.directory)
    vmm = start(t, variables_of(t), ['-drive', f'file={disk},format=raw,if=none,id=disk',
                                     '-device', 'virtio-blk-pci,drive=disk'])
    vmm.serial.expect('GRUB was started by EFI', WAIT_SECONDS)
    vmm.serial.expect(r'\(hd0,msdos1\)', WAIT_SECONDS)
    switch_off(vmm)


def enter_the_lab():
    """Run this program again where OVMF runs; does not return."""
    lab = Path(__file__).with_name('lab')
    command = [lab, 'run', '-i', '-c', '1', '-t', str(LAB_SECONDS), '--', sys.executable, *sys.argv]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == '__main__':
    for needed in (CODE, VARIABLES, Path('/usr/lib/grub/x86_64-efi/kernel.img'), Path('/usr/bin/mformat')):
        if not needed.exists():
            print(f'1..0 # SKIP there is no {needed}')
            sys.exit(SKIPPED)
    if bed() != 'stock guests' and not os.environ.get('LAB'):
        sys.stdout.flush()
        enter_the_lab()
    suite.main()
