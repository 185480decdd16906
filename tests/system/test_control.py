#!/usr/bin/python3
"""QMP: commands with their answers and errors, events, and what they do to the guest."""

import json
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal
from harness.picture import read_picture
from harness.qmp import Qmp, QmpError
from harness.screen_text import screen_text
from harness.vmm import kind_under_test
from harness.wait import Deadline

suite = Suite(__doc__)
# The cursor, up to three scan lines of one cell, blinks.
CURSOR = 9 * 3
UUID = '6a2f41a3-c54c-4b8b-8d43-5a5d6c1ee0a1'


def idle(context):
    """A guest that has found nothing to boot."""
    guest = context.vmm(['-uuid', UUID, '-device', 'isa-debug-exit'], name='idle')
    guest.vnc().wait(lambda picture: 'No bootable device' in screen_text(picture), 'the end of the BIOS')
    return guest


def shared(t):
    """The guest of most tests; events of earlier tests are forgotten."""
    guest = t.shared('idle', idle)
    guest.qmp.events.clear()
    return guest


def connect(t, **settings):
    """One more client."""
    if kind_under_test() == 'qemu':
        raise Skip('QEMU serves one client on each socket')
    qmp = Qmp(shared(t).qmp_path, **settings)
    t.defer(qmp.close)
    return qmp


def follow_restart(client):
    """The old screen goes, and the BIOS comes to its end again."""
    client.wait(lambda picture: 'No bootable device' not in screen_text(picture), 'the restart')
    client.wait(lambda picture: 'No bootable device' in screen_text(picture), 'the end of the BIOS')


def refusal(qmp, command, arguments=None):
    """The error that a command gets."""
    try:
        answer = qmp.execute(command, arguments)
    except QmpError as error:
        return error
    raise AssertionError(f'{command} {arguments} was accepted: {answer!r}')


@suite.test
def the_greeting_comes_first(t):
    qmp = connect(t, negotiate=False)
    version = qmp.greeting['QMP']['version']
    check(all(isinstance(version['qemu'][part], int) for part in ('major', 'minor', 'micro')), version)
    equal(refusal(qmp, 'query-status').kind, 'CommandNotFound', 'the error before the negotiation')
    equal(qmp.execute('qmp_capabilities'), {}, 'the answer to qmp_capabilities')
    equal(qmp.execute('query-version'), version, 'query-version')


@suite.test
def queries_tell_what_was_asked_for(t):
    qmp = shared(t).qmp
    equal(qmp.execute('query-name'), {'name': 'idle'}, 'query-name')
    equal(qmp.execute('query-uuid'), {'UUID': UUID}, 'query-uuid')
    equal(qmp.execute('query-status')['running'], True, 'running')
    machines = qmp.execute('query-machines')
    default = [machine for machine in machines if machine.get('is-default')]
    equal(len(default), 1, 'default machines')
    if kind_under_test() == 'vitrine':
        equal((default[0]['name'], default[0]['alias']), ('q35-1.0', 'q35'), 'the default machine')
    chardevs = {chardev['label']: chardev for chardev in qmp.execute('query-chardev')}
    check(any(str(shared(t).serial_paths[0]) in chardev['filename'] for chardev in chardevs.values()), chardevs)


@suite.test
def answers_carry_the_id_of_their_command(t):
    qmp = shared(t).qmp
    for identity in ('text', 7, {'a': [1, None]}):
        qmp.send({'execute': 'query-status', 'id': identity})
        equal(qmp.answer()['id'], identity, 'the id')


@suite.test
def wrong_commands_get_errors_and_harm_nothing(t):
    qmp = shared(t).qmp
    equal(refusal(qmp, 'frobnicate').kind, 'CommandNotFound', 'an unknown command')
    check('frobnicate' in refusal(qmp, 'frobnicate').description, 'the unknown command is not named')
    for command, arguments, named in (
            ('screendump', {}, 'filename'), ('screendump', {'filename': 7}, 'filename'),
            ('screendump', {'filename': '/nowhere/picture.ppm'}, '/nowhere/picture.ppm'),
            ('screendump', {'filename': str(t.directory / 'x'), 'format': 'gif'}, 'gif'),
            ('send-key', {'keys': 'a'}, 'keys'),
            ('send-key', {'keys': [{'type': 'qcode', 'data': 'nokey'}]}, 'nokey'),
            ('query-status', {'colour': 'red'}, 'colour')):
        error = refusal(qmp, command, arguments)
        equal(error.kind, 'GenericError', f'{command} {arguments}')
        check(named in error.description, f'{command} {arguments}: {named} is not named in {error.description!r}')
    for line in (b'{"execute": }\n', b'[1, 2]\n', b'{"arguments": {}}\n', b'{"execute": 7}\n'):
        qmp.send(line)
        check('error' in qmp.answer(), f'{line} got no error')
    equal(qmp.status(), 'running', 'the status afterwards')


@suite.test
def a_client_that_sends_too_much_is_cut_off_alone(t):
    flood = connect(t)
    try:
        for _ in range(256):
            flood.send(b'[' * (1 << 20))
    except (BrokenPipeError, ConnectionResetError):
        pass
    equal(shared(t).qmp.status(), 'running', 'the status for another client')


@suite.test
def stop_and_cont_work_twice(t):
    qmp = shared(t).qmp
    for _ in range(2):
        before = time.time()
        qmp.execute('stop')
        stamp = qmp.wait_event('STOP')['timestamp']
        check(abs(stamp['seconds'] + stamp['microseconds'] / 1e6 - before) < 60, f'{stamp} at {before}')
        equal(qmp.status(), 'paused', 'the status after stop')
        qmp.execute('stop')
        qmp.execute('cont')
        qmp.wait_event('RESUME')
        equal(qmp.status(), 'running', 'the status after cont')
        qmp.execute('cont')
    equal([event for event in qmp.events if event['event'] in ('STOP', 'RESUME')], [], 'events without a change')


@suite.test
def every_client_gets_the_events(t):
    guest = shared(t)
    others = [connect(t) for _ in range(3)]
    guest.qmp.execute('stop')
    guest.qmp.execute('cont')
    for qmp in (guest.qmp, *others):
        qmp.wait_event('STOP')
        qmp.wait_event('RESUME')


@suite.test
def system_reset_works_twice(t):
    guest = shared(t)
    client = guest.vnc()
    for _ in range(2):
        guest.qmp.execute('system_reset')
        # SeaBIOS resets once more when it finds that it was not started from power-on.
        data = guest.qmp.wait_event('RESET')['data']
        while data['reason'] != 'host-qmp-system-reset':
            data = guest.qmp.wait_event('RESET')['data']
        equal(data['guest'], False, 'whether the guest did it')
        follow_restart(client)


@suite.test
def system_reset_of_a_paused_guest_leaves_it_paused(t):
    guest = shared(t)
    guest.qmp.execute('stop')
    guest.qmp.execute('system_reset')
    guest.qmp.wait_event('RESET')
    check(not guest.qmp.execute('query-status')['running'], 'the guest runs')
    guest.qmp.execute('cont')
    follow_restart(guest.vnc())


@suite.test
def the_power_button_is_an_event(t):
    qmp = shared(t).qmp
    qmp.execute('system_powerdown')
    qmp.wait_event('POWERDOWN')
    equal(qmp.status(), 'running', 'the status of a guest that does not listen')


@suite.test
def a_screendump_is_what_vnc_shows(t):
    guest = shared(t)
    guest.qmp.execute('stop')
    t.defer(lambda: guest.qmp.execute('cont'))
    client = guest.vnc()
    for settings in ({}, {'format': 'ppm'}, {'format': 'png'}):
        path = t.directory / 'dump'
        guest.qmp.execute('screendump', {'filename': str(path), **settings})
        dumped = read_picture(path)
        # The last picture before the stop may still be on its way to the client.
        client.wait(lambda picture: picture.size == dumped.size and dumped.differing(picture) <= CURSOR,
                    f'the picture of the dump with {settings}')
        equal(path.read_bytes()[:2], b'\x89P' if settings.get('format') == 'png' else b'P6', 'the kind of file')


@suite.test
def keys_and_nmis_are_taken(t):
    qmp = shared(t).qmp
    qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'a'}]})
    qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': name} for name in ('ctrl', 'shift', 'f1')],
                             'hold-time': 20})
    qmp.execute('send-key', {'keys': [{'type': 'number', 'data': 30}]})
    qmp.execute('inject-nmi')


@suite.test
def control_alt_delete_restarts_the_bios(t):
    guest = shared(t)
    client = guest.vnc()
    for down in (True, False):
        for keysym in (0xffe3, 0xffe9, 0xffff):
            client.key(keysym, down)
    follow_restart(client)


@suite.test
def messages_may_come_in_pieces_and_in_heaps(t):
    qmp = connect(t)
    for byte in json.dumps({'execute': 'query-status'}).encode():
        qmp.send(bytes([byte]))
    qmp.send(b'\n')
    check(qmp.answer()['return']['running'], 'the answer to a command in pieces')
    qmp.send(b'{"execute":"query-name"}' * 50)
    for _ in range(50):
        equal(qmp.answer()['return'], {'name': 'idle'}, 'an answer')


@suite.test
def it_calls_on_a_socket_that_waits(t):
    """-qmp unix:PATH connects; with reconnect= again when the other side went away."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(t.directory / 'manager'))
        listener.listen()
        listener.settimeout(Deadline().left())
        t.vmm(['-qmp', f"unix:{t.directory / 'manager'},reconnect=1"], name='caller')
        for _ in range(2):
            with listener.accept()[0] as line, line.makefile('rw') as file:
                check('QMP' in json.loads(file.readline()), 'no greeting')
                for command in ('qmp_capabilities', 'query-status'):
                    file.write(json.dumps({'execute': command}))
                    file.flush()
                    answer = json.loads(file.readline())['return']
                equal(answer['status'], 'running', 'the state')


@suite.test
def a_cdrom_without_a_drive_takes_media(t):
    """Managers start with empty CD-ROMs and insert nodes into them, by the device's id."""
    image = t.directory / 'cd.img'
    image.write_bytes(bytes(1 << 20))
    guest = t.vmm(['-S', '-device', 'ide-cd,id=ata,bus=ide.2', '-device', 'virtio-scsi-pci', '-device', 'scsi-cd,id=scsi'],
                  name='cdrom')

    def node(device):
        drives = [drive for drive in guest.qmp.execute('query-block') if drive.get('qdev') == device]
        equal([drive['device'] for drive in drives], [''], f'what {device} is called')
        return drives[0].get('inserted', {}).get('node-name')
    for device in ('ata', 'scsi'):
        equal(node(device), None, 'the medium at first')
        guest.qmp.execute('blockdev-add', {'driver': 'raw', 'node-name': 'cd', 'read-only': True,
                                           'file': {'driver': 'file', 'filename': str(image)}})
        for step in ('open-tray', 'insert-medium', 'close-tray'):
            arguments = {'id': device, 'node-name': 'cd'} if step == 'insert-medium' else {'id': device}
            guest.qmp.execute(f'blockdev-{step}', arguments)
        equal(node(device), 'cd', 'the medium')
        guest.qmp.execute('blockdev-open-tray', {'id': device})
        guest.qmp.execute('blockdev-remove-medium', {'id': device})
        equal(node(device), None, 'the medium afterwards')
        guest.qmp.execute('blockdev-del', {'node-name': 'cd'})
    error = refusal(guest.qmp, 'device_add', {'driver': 'scsi-hd', 'id': 'disk'})
    check('drive' in str(error), error)


@suite.test
def quit_ends_it(t):
    guest = t.vmm()
    equal(guest.qmp.execute('quit'), {}, 'the answer to quit')
    data = guest.qmp.wait_event('SHUTDOWN')['data']
    equal((data['guest'], data['reason']), (False, 'host-qmp-quit'), 'who did it')
    equal(guest.wait_exit(), 0, 'the exit status')


@suite.test
def a_paused_start_runs_nothing(t):
    guest = t.vmm(paused=True)
    equal(guest.qmp.status(), 'prelaunch', 'the status')
    guest.qmp.execute('cont')
    guest.vnc().wait(lambda picture: 'SeaBIOS' in screen_text(picture), 'the BIOS')


suite.main()
