#!/usr/bin/python3
"""Every device and every query of a rich machine on both boards: all answer, nothing ends the program."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program
from harness.demo import DemoGuest
from harness.qmp import QmpError
from harness.vmm import kind_under_test

suite = Suite(__doc__)

# What a device cannot do without, or why it is not made at all.
NEEDS = {
    'virtio-blk-pci': 'drive=d-{n}', 'ide-hd': 'drive=d-{n}', 'ide-cd': 'drive=d-{n}', 'scsi-hd': 'drive=d-{n}',
    'usb-storage': 'drive=d-{n}', 'scsi-cd': 'drive=d-{n}', 'virtserialport': 'chardev=c-{n}', 'virtconsole': 'chardev=c-{n}',
    'isa-debugcon': 'chardev=c-{n},iobase=0x402', 'virtio-net-pci': 'netdev=n-{n}', 'isa-serial': 'chardev=c-{n}',
    'pcie-root-port': 'chassis={n}', 'pci-bridge': 'chassis_nr={n}', 'pxb': 'bus_nr=200', 'pxb-pcie': 'bus_nr=220',
}
NOT_OFFERED = {'scsi-block', 'scsi-generic'}
# A machine has one VGA; its ports and memory cannot be shared.
NOT_MADE = NOT_OFFERED | {'isa-ide', 'qxl-vga', 'virtio-vga'}
ONLY_Q35 = {'pcie-root-port', 'pxb-pcie', 'piix3-ide'}
ONLY_PC = {'pxb'}
BEFORE = ['qemu-xhci', 'virtio-scsi-pci', 'virtio-serial-pci', 'intel-hda']
BOARDS = ['q35', 'pc']
# Devices that a guest can be given while it runs, by the properties that they need then.
HOT = ['virtio-blk-pci', 'virtio-net-pci', 'virtio-rng-pci', 'virtio-scsi-pci', 'virtio-serial-pci', 'virtio-balloon-pci',
       'virtio-keyboard-pci', 'virtio-tablet-pci', 'qemu-xhci']


def only_ours():
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine is tested')


def devices():
    result = processes.run([need_program('vitrine'), '-device', 'help'])
    return re.findall(r'^name "([^"]*)", bus ([^,]*),', result.stdout, re.M)


def rich_machine(t, board):
    options = ['-machine', board, '-object', 'rng-random,id=rng,filename=/dev/urandom', '-object', 'iothread,id=io']
    names = [name for name, bus in devices()]
    for n, name in enumerate(BEFORE + [name for name in names if name not in BEFORE]):
        if name in NOT_MADE or name in (ONLY_PC if board == 'q35' else ONLY_Q35):
            continue
        needs = NEEDS.get(name, '').format(n=n)
        if 'drive=' in needs:
            image = t.directory / f'{board}-{n}.img'
            image.write_bytes(bytes(1 << 20))
            options += ['-drive', f'file={image},format=raw,if=none,id=d-{n}' + (',media=cdrom' if name.endswith('-cd') else '')]
        if 'chardev=' in needs:
            options += ['-chardev', f'null,id=c-{n}']
        if 'netdev=' in needs:
            options += ['-netdev', f'user,id=n-{n}']
        options += ['-device', ','.join(filter(None, [name, f'id=dev-{n}', needs]))]
    return options


@suite.test
def every_device_tells_its_properties(t):
    only_ours()
    check(devices(), 'no devices are listed')
    for name, bus in devices():
        check(bus and 'null' not in bus, f'{name} is on bus {bus!r}')
        result = processes.run([need_program('vitrine'), '-device', f'{name},help'])
        equal((result.returncode, result.stderr), (0, ''), f'-device {name},help')


@suite.test
def the_manual_has_every_option_and_device(t):
    only_ours()
    source = Path(__file__).resolve().parents[2] / 'data'
    manual = (source / 'man/vitrine.1.scd').read_text()
    help_text = processes.run([need_program('vitrine'), '--help']).stdout
    options = re.findall(r'^  -([^ ,\n]+)', help_text, re.M)
    check(len(options) > 40, options)
    missing = [option for option in options if f'*-{option}*' not in manual]
    # Those that are there for hosts' devices are listed and not offered.
    missing += [name for name, bus in devices() if name not in NOT_OFFERED and f'*{name}*' not in manual]
    equal(missing, [], 'what the manual does not have')
    script = ('source "$1"; COMP_WORDS=("$2" -); COMP_CWORD=1; _vitrine; printf "%s\\n" "${COMPREPLY[@]}"')
    result = processes.run(['bash', '-c', script, 'bash', source / 'completion/vitrine', need_program('vitrine')])
    found = result.stdout.split()
    equal([option for option in options if f'-{option}' not in found], [], 'what completion does not offer')


@suite.test
def every_query_answers(t):
    only_ours()
    for board in BOARDS:
        guest = t.vmm(rich_machine(t, board), paused=True, name=f'rich-{board}')
        qmp = guest.qmp
        commands = [entry['name'] for entry in qmp.execute('query-commands')]
        check(len(commands) > 50, commands)
        for command in commands:
            if not command.startswith('query-'):
                continue
            try:
                qmp.execute(command)
            except QmpError as error:
                check('missing' in str(error) or 'available' in str(error) or 'ot active' in str(error),
                      f'{command}: {error}')
        for name, bus in devices():
            qmp.execute('device-list-properties', {'typename': name})
        walk(qmp, '/', set())
        for line in qmp.execute('human-monitor-command', {'command-line': 'help info'}).splitlines():
            words = line.split()
            if len(words) < 2 or words[0] != 'info':
                continue
            text = qmp.execute('human-monitor-command', {'command-line': ' '.join(words[:2])})
            check('(null)' not in text, f'{line}: {text}')
            (t.directory / f'{board}-{words[1]}').write_text(text)
        qmp.execute('quit')
        equal(guest.wait_exit(), 0, 'the exit status')


def walk(qmp, path, seen):
    """Every property below an object."""
    check(len(seen) < 2000, 'there is no end of objects')
    for entry in qmp.execute('qom-list', {'path': path}):
        below = path.rstrip('/') + '/' + entry['name']
        if entry['type'].startswith('child<'):
            seen.add(below)
            walk(qmp, below, seen)
            continue
        try:
            qmp.execute('qom-get', {'path': path, 'property': entry['name']})
        except QmpError as error:
            raise AssertionError(f'{below}: {error}') from error


def plug_and_take(t, guest, running):
    qmp = guest.qmp
    for n, name in enumerate(HOT):
        arguments = {'driver': name, 'id': 'hot', 'bus': 'port'}
        if name == 'virtio-blk-pci':
            image = t.directory / f'hot-{running}.img'
            image.write_bytes(bytes(1 << 20))
            qmp.execute('blockdev-add', {'driver': 'raw', 'node-name': 'hotdisk',
                                         'file': {'driver': 'file', 'filename': str(image)}})
            arguments['drive'] = 'hotdisk'
        if name == 'virtio-net-pci':
            qmp.execute('netdev_add', {'type': 'user', 'id': 'hotnet'})
            arguments['netdev'] = 'hotnet'
        qmp.execute('device_add', arguments)
        check('"hot"' in qmp.execute('human-monitor-command', {'command-line': 'info qtree'}), f'{name} is not there')
        qmp.execute('device_del', {'id': 'hot'})
        # Nobody in the demo guest serves the button: a reset takes the device.
        qmp.execute('system_reset')
        qmp.wait_event('DEVICE_DELETED')
        if name == 'virtio-net-pci':
            qmp.execute('netdev_del', {'id': 'hotnet'})


@suite.test
def devices_come_and_go_before_the_start(t):
    only_ours()
    plug_and_take(t, t.vmm(['-device', 'pcie-root-port,id=port,chassis=1'], paused=True), False)


@suite.test
def devices_come_and_go_while_a_guest_runs(t):
    only_ours()
    guest = DemoGuest(t, ['-device', 'pcie-root-port,id=port,chassis=1'])
    plug_and_take(t, guest.vmm, True)


if __name__ == '__main__':
    suite.main()
