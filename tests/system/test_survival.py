#!/usr/bin/python3
"""What goes wrong and what is left of it: killed servers, killed VMMs, guests that KVM cannot run any further."""

import json
import os
import signal
import stat
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm
from harness.demo import DemoGuest, pattern
from harness.qmp import QmpError
from harness.rfb import RfbClient
from harness.vmm import bed, kind_under_test
from harness.wait import wait_until

suite = Suite(__doc__)

# Seconds until a server that was killed takes clients again; and what a busy machine may add.
RESTART, PATIENCE = 1, 5


def ours(t):
    need_vmm()
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has servers and a registry of its own')


def servers(guest):
    return processes.named(processes.descendants(guest.pid), 'vitrine-vnc')


def running(t):
    ours(t)
    return t.shared('demo', lambda context: DemoGuest(context, name='survivor'))


@suite.test
def a_killed_server_comes_back_and_the_guest_goes_on(t):
    guest = running(t)
    guest.command('pattern')
    expected = pattern(640, 480)
    for _ in range(3):
        guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern')
        frames = guest.info()
        server = servers(guest.vmm)
        equal(len(server), 1, 'servers')
        os.kill(server[0], signal.SIGKILL)
        wait_until(lambda: (now := servers(guest.vmm)) and now != server, 'a new server', RESTART + PATIENCE)
        equal(guest.info()['picture'], frames['picture'], 'what the guest shows')
        equal(guest.qmp.status(), 'running', 'the status')
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern from the new server')


@suite.test
def a_client_of_a_killed_server_is_not_left_hanging(t):
    guest = running(t)
    client = guest.vmm.vnc()
    client.update(incremental=False)
    os.kill(servers(guest.vmm)[0], signal.SIGKILL)
    try:
        while True:
            client.update(incremental=False)
    except (ConnectionError, OSError):
        pass


@suite.test
def a_killed_vmm_stops_no_next_start(t):
    ours(t)
    for _ in range(2):
        guest = t.vmm(name='phoenix')
        guest.vnc().update(incremental=False)
        server = servers(guest)
        guest.program.kill(signal.SIGKILL)
        equal(guest.wait_exit(), -signal.SIGKILL, 'the exit status')
        wait_until(lambda: not [pid for pid in server if processes.state(pid) not in (None, 'Z')],
                   'the server ending after its VMM')
        processes.reap()
    last = t.vmm(name='phoenix')
    equal(last.qmp.execute('query-name'), {'name': 'phoenix'}, 'the name')
    last.vnc().update(incremental=False)
    equal(last.record()['pid'], last.pid, 'the process in guest.json')


@suite.test
def a_terminated_vmm_leaves_nothing(t):
    ours(t)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        guest = t.vmm(name=f'ended-{number.name.lower()}')
        server = servers(guest)
        guest.program.kill(number)
        equal(guest.wait_exit(), 0, f'the exit status after {number.name}')
        check(not guest.vnc_path.exists(), 'the VNC socket is left behind')
        check(not guest.qmp_path.exists(), 'the QMP socket is left behind')
        equal(list(guest.runtime.iterdir()), [], 'the runtime directory')
        equal([pid for pid in server if processes.state(pid) not in (None, 'Z')], [], 'servers')


@suite.test
def the_registry_says_what_runs(t):
    ours(t)
    uuid = '01234567-89ab-cdef-0123-456789abcdef'
    guest = t.vmm(['-uuid', uuid], name='listed')
    folder = guest.runtime / 'listed'
    record = guest.record()
    equal({key: record[key] for key in ('name', 'uuid', 'machine', 'pid')},
          {'name': 'listed', 'uuid': uuid, 'machine': 'q35-1.0', 'pid': guest.pid}, 'guest.json')
    equal(stat.S_IMODE(folder.stat().st_mode), 0o700, 'the mode of the folder')
    for name in (record['display'], record['qmp'], record['serial'][0]['socket']):
        check(stat.S_ISSOCK((folder / name).stat().st_mode), f'{name} is no socket')
    equal(record['vnc'], [f'unix:{guest.vnc_path}'], 'the VNC addresses')
    listed = processes.run([need_program('vitrine-console'), '--runtime-dir', guest.runtime, 'list'])
    check(listed.returncode == 0 and 'listed' in listed.stdout, listed)
    guest.qmp.execute('quit')
    guest.wait_exit()
    check(not folder.exists(), 'the folder is left behind')


@suite.test
def configurations_come_back_as_they_were(t):
    """What -writeconfig writes starts the same machine through -readconfig, and is written alike."""
    ours(t)
    first, second = t.directory / 'first.cfg', t.directory / 'second.cfg'
    image = t.directory / 'a, "b".img'
    image.write_bytes(bytes(1 << 20))
    name = str(image).replace(',', ',,')
    guest = t.vmm(['-m', '96', '-smp', '2', '-drive', f'file={name},format=raw,if=none,id=d,readonly=on',
                   '-device', 'virtio-blk-pci,drive=d,id=disk', '-writeconfig', first], name='one')
    wait_until(first.exists, 'the first file')
    guest.qmp.execute('quit')
    guest.wait_exit()
    result = t.start([need_program('vitrine'), '-readconfig', first, '-writeconfig', second], name='two')
    wait_until(second.exists, 'the second file')
    wait_until(lambda: (guest.runtime / 'one' / 'guest.json').exists(), 'the guest from the file')
    result.end()
    equal(second.read_text(), first.read_text(), 'the second file')


def stopped(guest, reason, code):
    """The guest is stopped, reported with registers and code bytes, and can be looked at and reset."""
    wait_until(lambda: guest.qmp.status() == 'internal-error', 'the stop')
    text = guest.program.err()
    check(reason in text, f'{reason!r} is not said on stderr: {text}')
    for register in ('IP=', 'AX=', 'CS =', 'CR0='):
        check(register in text, f'{register!r} is not among the registers on stderr: {text}')
    check(code in text, f'the code bytes {code!r} are not on stderr: {text}')
    events = [json.dumps(event) for event in guest.qmp.events]
    check(any('IP=' in event and code in event for event in events), f'no event has registers and code: {events}')
    check(guest.vnc().wait(lambda picture: True).width, 'the screen is not served any more')
    try:
        guest.qmp.execute('cont')
        raise AssertionError('a guest that failed can be continued without a reset')
    except QmpError:
        pass


@suite.test
def a_triple_fault_is_reported_and_stays_inspectable(t):
    ours(t)
    guest = DemoGuest(t)
    guest.serial.send('crash\r')
    guest.serial.expect('crashing')
    guest.qmp.wait_event('STOP')
    stopped(guest.vmm, 'triple fault', '<')
    guest.qmp.execute('system_reset')
    guest.qmp.execute('cont')
    guest.wait_started()


@suite.test
def code_that_kvm_cannot_emulate_is_reported(t):
    ours(t)
    if bed() != 'small guests':
        raise Skip("this machine's KVM runs such code")
    guest = DemoGuest(t)
    guest.serial.send('crash emulation\r')
    guest.serial.expect('crashing')
    guest.qmp.wait_event('STOP')
    stopped(guest.vmm, 'cannot emulate', '<')
    guest.qmp.execute('system_reset')
    guest.qmp.execute('cont')
    guest.wait_started()


@suite.test
def a_boot_sector_that_faults_is_shown_by_its_bytes(t):
    """It sets an empty interrupt table, enters protected mode and meets an undefined instruction."""
    ours(t)
    sector = bytes.fromhex('fa 0f011e107c 0f20c0 0c01 0f22c0 0f0b') + struct.pack('<HI', 0, 0)
    image = t.directory / 'fault.img'
    image.write_bytes(sector.ljust(510, b'\0') + b'\x55\xaa' + bytes(1 << 20))
    guest = t.vmm(['-drive', f'file={image},format=raw'])
    guest.qmp.wait_event('STOP')
    stopped(guest, 'triple fault', '0f 22 c0 <0f> 0b')


@suite.test
def a_spinning_guest_can_be_stopped_reset_and_ended(t):
    ours(t)
    image = t.directory / 'spin.img'
    image.write_bytes(bytes.fromhex('fa ebfe').ljust(510, b'\0') + b'\x55\xaa' + bytes(1 << 20))
    guest = t.vmm(['-smp', '2', '-drive', f'file={image},format=raw'])
    for command in ('stop', 'cont', 'system_reset', 'stop', 'cont', 'quit'):
        guest.qmp.execute(command)
    equal(guest.wait_exit(), 0, 'the exit status')


suite.main()
