#!/usr/bin/python3
"""What options bring about: help, back ends of serial lines, ways to start a server, exit statuses."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm
from harness.demo import PROMPT, DemoGuest, boot_options, pattern
from harness.rfb import RfbClient
from harness.serial import Serial
from harness.sockets import free_display
from harness.terminal import Terminal
from harness.vmm import kind_under_test
from harness.wait import wait_until

suite = Suite(__doc__)


def vitrine(*options):
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine is tested')
    return processes.run([need_program('vitrine'), *options])


@suite.test
def help_lists_what_there_is(t):
    for options, words in ((['--help'], ['-machine', '-device', '-writeconfig', '-runtime-dir']),
                           (['-h'], ['-machine']),
                           (['-machine', 'help'], ['q35-1.0', 'q35 ']),
                           (['-device', 'help'], ['VGA', 'bochs-display', 'virtio-blk-pci', 'virtio-rng-pci', 'isa-debug-exit']),
                           (['-device', 'VGA,help'], ['vgamem_mb']),
                           (['--device', 'virtio-blk-pci,help'], ['drive']),
                           (['--version'], ['vitrine (Vitrine) '])):
        result = vitrine(*options)
        equal((result.returncode, result.stderr), (0, ''), f'the status and the errors of {options}')
        for word in words:
            check(word in result.stdout, f'{word!r} is not in what {options} prints: {result.stdout}')


@suite.test
def a_family_is_resolved_once(t):
    """Who asks for the bare name is told the version; what is written down names it."""
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has versions of its own')
    config = t.directory / 'guest.cfg'
    for options, told in ((['-machine', 'q35', '-writeconfig', config], True),
                          (['-writeconfig', config], False),
                          (['-readconfig', config], False)):
        guest = t.vmm(options, vnc=False)
        equal(guest.record()['machine'], 'q35-1.0', f'the type in the record with {options}')
        line = 'vitrine: machine type q35 is q35-1.0 (this guest keeps that)\n'
        equal(guest.program.err(), line if told else '', f'what {options} says')
        check('type = "q35-1.0"' in config.read_text(), f'what {options} wrote: {config.read_text()}')
        guest.qmp.execute('quit')
        guest.wait_exit()
        config.write_text('[machine]\n  type = "q35-1.0"\n')


@suite.test
def two_dashes_are_one(t):
    need_vmm()
    guest = t.vmm(['--m', '64', '--smp', '2'])
    equal(guest.qmp.status(), 'running', 'the status')


@suite.test
def the_first_serial_port_has_a_socket_of_its_own_accord(t):
    need_vmm()
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has it')
    guest = t.vmm(boot_options(), serials=0)
    line = Serial.over_socket(guest.runtime / 'guest' / guest.record()['serial'][0]['socket'])
    t.defer(line.close)
    line.send('\r')
    line.expect(PROMPT)


@suite.test
def four_serial_ports_work(t):
    guest = t.vmm(boot_options(), serials=4)
    guest.serials[0].expect(PROMPT)
    equal(len(guest.serials), 4, 'serial lines')


@suite.test
def a_serial_line_goes_to_a_file(t):
    log = t.directory / 'log'
    guest = t.vmm([*boot_options(), '-serial', f'file:{log}'], serials=0)
    wait_until(lambda: log.exists() and 'vitrine> ' in log.read_text(), 'the prompt in the file')
    guest.qmp.execute('quit')
    guest.wait_exit()


@suite.test
def a_serial_line_is_a_pseudo_terminal(t):
    guest = t.vmm([*boot_options(), '-chardev', 'pty,id=line', '-serial', 'chardev:line'], serials=0)
    chardevs = {chardev['label']: chardev['filename'] for chardev in guest.qmp.execute('query-chardev')}
    check(chardevs['line'].startswith('pty:/dev/pts/'), chardevs)
    line = Serial(os.open(chardevs['line'][4:], os.O_RDWR | os.O_NOCTTY))
    t.defer(line.close)
    line.send('\r')
    line.expect(PROMPT)
    line.send('echo through the terminal\r')
    line.expect('\nthrough the terminal')


@suite.test
def a_serial_line_is_standard_input_and_output(t):
    need_vmm()
    if kind_under_test() == 'qemu':
        raise Skip('QEMU is started otherwise')
    terminal = Terminal([need_program('vitrine'), '-runtime-dir', t.directory / 'run', '-name', 'stdio',
                         '-serial', 'stdio', *boot_options()])
    t.defer(terminal.close)
    terminal.line.expect(PROMPT)
    check(terminal.raw(), 'the terminal is not raw')
    terminal.line.send('off\r')
    equal(terminal.wait(), 0, 'the exit status')
    equal(terminal.settings(), terminal.settings_at_start, 'the settings of the terminal afterwards')


@suite.test
def a_ring_is_read_over_qmp(t):
    guest = t.vmm([*boot_options(), '-chardev', 'ringbuf,id=ring,size=64', '-serial', 'chardev:ring'], serials=0)

    pieces = []

    def at_the_prompt():
        pieces.append(guest.qmp.execute('ringbuf-read', {'device': 'ring', 'size': 64}))
        return 'vitrine> ' in ''.join(pieces)

    wait_until(at_the_prompt, 'the prompt in the ring')
    check(max(len(piece) for piece in pieces) <= 64, f'more than the ring holds: {pieces}')


@suite.test
def the_bios_speaks_to_the_debug_console(t):
    log = t.directory / 'debug'
    t.vmm(['-chardev', f'file,id=debug,path={log}', '-device', 'isa-debugcon,iobase=0x402,chardev=debug'])
    wait_until(lambda: log.exists() and 'SeaBIOS (version' in log.read_text(), "SeaBIOS's messages")


@suite.test
def a_guest_sets_the_exit_status(t):
    """A boot sector that writes 21 to port 0xf4: the status is twice that and one."""
    image = t.directory / 'exit.img'
    image.write_bytes(bytes.fromhex('b015 e6f4 fa f4').ljust(510, b'\0') + b'\x55\xaa' + bytes(1 << 20))
    guest = t.vmm(['-drive', f'file={image},format=raw,if=none,id=d', '-device', 'virtio-blk-pci,drive=d',
                   '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'])
    equal(guest.wait_exit(), 43, 'the exit status')


@suite.test
def vnc_by_display_number_is_for_this_machine_alone(t):
    display = free_display()
    guest = t.vmm(['-vnc', f':{display}'], vnc=False)
    client = RfbClient(('127.0.0.1', 5900 + display))
    t.defer(client.close)
    client.update(incremental=False)
    if kind_under_test() == 'vitrine':
        listening = Path('/proc/net/tcp').read_text().splitlines()[1:]
        local = [line.split()[1] for line in listening if line.split()[1].endswith(f':{5900 + display:04X}')]
        equal({address.split(':')[0] for address in local}, {'0100007F'}, 'the addresses listened on')
    equal(guest.qmp.status(), 'running', 'the status')


@suite.test
def a_server_is_started_by_hand(t):
    """vitrine-vnc on the bus of a guest that was started without it, killed and started again."""
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has a bus in its registry')
    guest = DemoGuest(t, vnc=False, name='byhand')
    guest.command('pattern')
    bus = guest.vmm.runtime / 'byhand' / guest.vmm.record()['display']
    expected = pattern(640, 480)
    for number in range(2):
        path = t.directory / f'vnc{number}'
        server = t.start([need_program('vitrine-vnc'), '--bus', bus, '--listen', f'unix:{path}'])
        client = RfbClient(path, alive=server.running)
        client.wait(lambda picture: picture == expected, 'the pattern')
        client.close()
        server.end()
    guest.qmp.execute('quit')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def a_server_ends_with_its_guest(t):
    if kind_under_test() == 'qemu':
        raise Skip('only vitrine has a bus in its registry')
    guest = t.vmm(vnc=False, name='ending')
    bus = guest.runtime / 'ending' / guest.record()['display']
    server = t.start([need_program('vitrine-vnc'), '--bus', bus, '--listen', f'unix:{t.directory}/vnc'])
    client = RfbClient(t.directory / 'vnc', alive=server.running)
    t.defer(client.close)
    client.update(incremental=False)
    guest.qmp.execute('quit')
    guest.wait_exit()
    server.wait()
    check(not (t.directory / 'vnc').exists(), "the server's socket is left behind")


@suite.test
def many_guests_run_side_by_side(t):
    guests = [DemoGuest(t, name=f'guest{number}') for number in range(3)]
    for number, guest in enumerate(guests):
        guest.command(f'fill {number:02x}0000')
    for number, guest in enumerate(guests):
        colour = bytes((number, 0, 0))
        guest.vmm.vnc().wait(lambda picture: picture.pixel(5, 5) == tuple(colour), f'the colour of guest {number}')


suite.main()
