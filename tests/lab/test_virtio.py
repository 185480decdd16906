#!/usr/bin/python3
"""Stock guests with virtio devices of every kind, on both boards: split rings on one, packed rings on the other.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right; what QEMU 7.2 does not have is left out then.
"""

import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal
from harness.vmm import kind_under_test
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

MIB = 1 << 20
MEMORY = 192 * MIB
LEFT = 160 * MIB
VERSION_1, PACKED = 32, 34  # bits of the features
BOARDS = {'q35': 'off', 'pc': 'on'}  # and whether rings are packed there
DRIVERS = {'virtio_net': 1, 'virtio_balloon': 1, 'virtio_console': 1, 'virtio_rng': 1}
KEYBOARD, MOUSE, TABLET, TOUCH = ('QEMU Virtio Keyboard', 'QEMU Virtio Mouse', 'QEMU Virtio Tablet', 'QEMU Virtio MultiTouch')
LINES = ('one', 'two', 'late')
# linux/input-event-codes.h
EV_KEY, EV_REL, EV_ABS = 1, 2, 3
KEY_B, KEY_C, BTN_LEFT, BTN_TOUCH = 48, 46, 0x110, 0x14a
REL_X, REL_WHEEL = 0, 8
ABS_X, ABS_Y, ABS_MT_SLOT, ABS_MT_X, ABS_MT_Y, ABS_MT_TRACKING = 0, 1, 0x2f, 0x35, 0x36, 0x39
AXIS = 0x7fff

suite = Suite(__doc__)
tests = []


def test(function):
    """A test of each board; all of one come before those of the next, so that only one guest runs at a time."""
    tests.append(function)
    return function


def matches(event, wanted):
    """Type and code are the same, and the value is or is among what is wanted."""
    value = wanted[2]
    return event[:2] == wanted[:2] and (event[2] in value if isinstance(value, range) else event[2] == value)


def near(at, size):
    """Where a pixel may lie on the axis: at its left or its right edge."""
    return range(at * AXIS // size - 1, (at + 1) * AXIS // size + 2)


class Guest(StockGuest):
    """A guest with one of everything, and what it sees of its input devices."""

    def __init__(self, context, board):
        self.directory = context.directory
        self.packed = BOARDS[board]
        self.nodes = {}
        chardevs = [f'socket,id={name},path={context.directory}/{board}-{name},server=on,wait=off' for name in ('hvc', *LINES)]
        self.chardev = {name: context.directory / f'{board}-{name}' for name in ('hvc', *LINES)}
        super().__init__(context, board, [
            '-machine', board, *(word for chardev in chardevs for word in ('-chardev', chardev)),
            '-netdev', 'user,id=lan', *self.device('virtio-net-pci,netdev=lan'),
            *self.device('virtio-balloon-pci,id=balloon'), *self.device('virtio-rng-pci'),
            *self.device('virtio-serial-pci'), '-device', 'virtconsole,chardev=hvc,id=hvc',
            '-device', 'virtserialport,chardev=one,name=org.test.one,id=one',
            '-device', 'virtserialport,chardev=two,name=org.test.two,id=two',
            *(word for kind in self.inputs() for word in self.device(f'virtio-{kind}-pci')),
            '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
        self.wait_started()
        self.log_in()
        # No command is broken into lines.
        self.run('stty cols 500')

    def device(self, text):
        return ['-device', f'{text},packed={self.packed}' + (',disable-legacy=on' if kind_under_test() == 'qemu' else '')]

    @staticmethod
    def inputs():
        return ['keyboard', 'mouse', 'tablet'] + (['multitouch'] if kind_under_test() != 'qemu' else [])

    def ask(self, command):
        """The last line that a command prints."""
        return (self.run(command).splitlines() or [''])[-1].strip()

    def until(self, condition):
        self.run(f'until {condition}; do usleep 50000; done')

    def record(self, name):
        """Write down from now on what an input device of that name tells."""
        node = self.ask(f'for e in /sys/class/input/event*; do grep -q "{name}" $e/device/name && basename $e; done')
        check(node.startswith('event'), f'there is no {name} in the guest')
        self.run(f'cat /dev/input/{node} >/tmp/{node} &')
        self.nodes[name] = node

    def events(self, name):
        lines = self.run(f"hexdump -v -e '24/1 \"%02x\" \"\\n\"' /tmp/{self.nodes[name]}").split()
        return [struct.unpack('<HHi', bytes.fromhex(line)[16:]) for line in lines if len(line) == 48]

    def sees(self, name, wanted, act):
        """The guest is told all of `wanted` in this order, by what act() does once or more often."""
        if name not in self.nodes:
            self.record(name)
        found = []

        def told():
            nonlocal found
            act()
            found = self.events(name)
            rest = iter(found)
            return all(any(matches(event, one) for event in rest) for one in wanted)
        try:
            wait_until(told, f'{wanted}')
        except Exception as error:
            raise AssertionError(f'{name} told {found[-20:]}, expected {wanted} ({error})') from None

    def send_input(self, *events):
        self.qmp.execute('input-send-event', {'events': [{'type': kind, 'data': data} for kind, data in events]})


@test
def every_driver_binds(guest):
    bound = guest.run('for d in /sys/bus/virtio/devices/*; do basename $(readlink $d/driver); done').split()
    expected = {**DRIVERS, 'virtio_input': len(guest.inputs()), 'virtio_blk': 1}
    equal({name: bound.count(name) for name in expected}, expected, 'drivers and how many devices each has')
    for line in guest.run('for d in /sys/bus/virtio/devices/*; do echo $(basename $(readlink $d/driver)) $(cat $d/features $d/status); '
                          'done').splitlines():
        driver, features, status = line.split()
        if driver == 'virtio_blk':
            continue
        equal(features[VERSION_1], '1', f'version 1 of {driver}')
        equal(features[PACKED], '1' if guest.packed == 'on' else '0', f'packed rings of {driver}')
        equal(int(status, 16), 0xf, f'status of {driver}')


@test
def the_source_of_random_numbers_gives_some(guest):
    check('virtio_rng' in guest.ask('cat /sys/class/misc/hw_random/rng_current'), 'another source is used')
    equal(guest.ask('head -c 4096 /dev/hwrng | wc -c'), '4096', 'bytes of random numbers')
    check(guest.ask('head -c 64 /dev/hwrng | sha1sum') != guest.ask('head -c 64 /dev/hwrng | sha1sum'), 'always the same')


@test
def the_balloon_takes_and_gives(guest):
    def total():
        return int(guest.ask("awk '$1 == \"MemFree:\" { print $2 }' /proc/meminfo"))
    before = total()
    for wanted in (LEFT, MEMORY):
        guest.qmp.execute('balloon', {'value': wanted})
        wait_until(lambda: guest.qmp.execute('query-balloon')['actual'] == wanted, f'{wanted} bytes being left to the guest')
        while guest.qmp.wait_event('BALLOON_CHANGE')['data']['actual'] != wanted:
            pass
        if wanted == LEFT:
            check(total() < before - 16 * 1024, f'{before} KiB were free, and {total()} when 32 MiB were taken')
    check(total() > before - 16 * 1024, f'{before} KiB were free, and {total()} when all was back')


@test
def the_balloon_tells_of_the_guests_memory(guest):
    balloon = {'path': '/machine/peripheral/balloon'}
    first = guest.qmp.execute('qom-get', {**balloon, 'property': 'guest-stats'})['last-update']
    guest.qmp.execute('qom-set', {**balloon, 'property': 'guest-stats-polling-interval', 'value': 1})

    def told():
        found = guest.qmp.execute('qom-get', {**balloon, 'property': 'guest-stats'})
        return found['stats'] if found['last-update'] > first else None
    stats = wait_until(told, 'statistics')
    check(MEMORY // 2 < stats['stat-total-memory'] < MEMORY, stats)
    check(0 < stats['stat-free-memory'] < stats['stat-total-memory'], stats)
    check(stats['stat-available-memory'] > 0, stats)
    guest.qmp.execute('qom-set', {**balloon, 'property': 'guest-stats-polling-interval', 'value': 0})


def port(guest, name):
    return guest.ask(f'cd /sys/class/virtio-ports; for p in *; do grep -qsx org.test.{name} $p/name && echo $p; done; cd')


def both_ways(guest, node, chardev):
    """A line to the guest, and one from it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(chardev))
        client.sendall(b'to the guest\n')
        # A port that the host has just connected to may still be at its end.
        equal(guest.ask(f'l=; until [ "$l" ]; do read -r l </dev/{node}; done; echo "$l"'), 'to the guest', 'the line in the guest')
        guest.run(f'echo to the host >/dev/{node}')
        got = b''
        while not got.endswith(b'\n'):
            got += client.recv(100)
        equal(got, b'to the host\n', 'the line on the host')


def wait_port_change(guest, identity, is_open):
    while True:
        data = guest.qmp.wait_event('VSERPORT_CHANGE')['data']
        if data == {'id': identity, 'open': is_open}:
            return


@test
def ports_carry_lines_both_ways(guest):
    for name in ('one', 'two'):
        both_ways(guest, port(guest, name), guest.chardev[name])


@test
def much_goes_through_a_port(guest):
    node = port(guest, 'one')
    sent = bytes(n * 7 & 0xff for n in range(1 << 18))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(guest.chardev['one']))
        # One descriptor for all: what has arrived is lost when a port is closed.
        guest.run(f'(exec 7<>/dev/{node}; until read -r l <&7; do :; done; head -c {len(sent)} <&7 >/tmp/much; '
                  'cat /tmp/much >&7; rm /tmp/much) &')
        client.sendall(b'begin\n' + sent)
        got = bytearray()
        while len(got) < len(sent):
            part = client.recv(65536)
            check(part, f'the line ended after {len(got)} bytes')
            got += part
        check(bytes(got) == sent, 'other bytes came back')


@test
def the_host_hears_of_ports_being_opened(guest):
    node = port(guest, 'two')
    guest.qmp.events.clear()
    guest.run(f'exec 8<>/dev/{node}')
    wait_port_change(guest, 'two', True)
    guest.run('exec 8>&-')
    wait_port_change(guest, 'two', False)


@test
def the_guest_hears_of_the_host_coming_and_going(guest):
    node = port(guest, 'two')
    equal(guest.ask(f'head -c 1 /dev/{node} | wc -c'), '0', 'bytes of a port that nobody is at')
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(guest.chardev['two']))
        # Now a reader waits for more instead of being at the end.
        guest.run(f'(until head -c 1 /dev/{node} | grep -q x; do :; done; echo read >/tmp/came) &')
        client.sendall(b'x')
        guest.until('[ -s /tmp/came ]')
    wait_until(lambda: guest.ask(f'head -c 1 /dev/{node} | wc -c') == '0', 'the end of the line')


@test
def a_port_comes_and_goes(guest):
    for _ in range(2):
        guest.qmp.execute('device_add', {'driver': 'virtserialport', 'id': 'late', 'chardev': 'late', 'name': 'org.test.late'})
        wait_until(lambda: port(guest, 'late'), 'the port appearing')
        both_ways(guest, port(guest, 'late'), guest.chardev['late'])
        guest.qmp.execute('device_del', {'id': 'late'})
        while guest.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'late':
            pass
        wait_until(lambda: not port(guest, 'late'), 'the port going away')


@test
def a_console_carries_lines_both_ways(guest):
    # Something holds it open, so that its settings stay.
    guest.run('exec 9<>/dev/hvc0; stty -F /dev/hvc0 -echo -opost')
    both_ways(guest, 'hvc0', guest.chardev['hvc'])
    guest.run('exec 9>&-')


@test
def keys_arrive(guest):
    guest.sees(KEYBOARD, [(EV_KEY, KEY_B, 1), (EV_KEY, KEY_B, 0)],
               lambda: guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'b'}]}))
    client = guest.vmm.vnc()
    guest.sees(KEYBOARD, [(EV_KEY, KEY_C, 1), (EV_KEY, KEY_C, 0)], lambda: client.press(ord('c')))
    client.close()
    key = {'type': 'qcode', 'data': 'b'}
    guest.run(f'true >/tmp/{guest.nodes[KEYBOARD]}')
    guest.sees(KEYBOARD, [(EV_KEY, KEY_B, 1), (EV_KEY, KEY_B, 0)],
               lambda: guest.send_input(('key', {'key': key, 'down': True}), ('key', {'key': key, 'down': False})))


@test
def the_tablet_tells_places(guest):
    client = guest.vmm.vnc()
    places = [(client.width // 4, client.height // 2), (client.width - 1, client.height - 1)]

    def move():
        for x, y in places:
            client.pointer(x, y)
            client.pointer(x, y, 1)
            client.pointer(x, y)
    wanted = []
    for x, y in places:
        wanted += [(EV_ABS, ABS_X, near(x, client.width)), (EV_ABS, ABS_Y, near(y, client.height)), (EV_KEY, BTN_LEFT, 0)]
    guest.sees(TABLET, wanted, move)
    client.close()
    guest.sees(TABLET, [(EV_ABS, ABS_X, 0), (EV_REL, REL_WHEEL, 1)],
               lambda: guest.send_input(('abs', {'axis': 'x', 'value': 0}), ('abs', {'axis': 'y', 'value': 0}),
                                        ('btn', {'button': 'wheel-up', 'down': True}),
                                        ('btn', {'button': 'wheel-up', 'down': False})))


@test
def the_mouse_tells_motions_when_there_is_no_tablet(guest):
    """The tablet's driver lets it go, and takes it back afterwards: a reset, and a start like the first."""
    tablet = guest.ask('cd /sys/bus/virtio/devices; for d in *; do grep -qs Tablet $d/input/*/name && echo $d; done; cd')
    guest.run(f'echo {tablet} >/sys/bus/virtio/drivers/virtio_input/unbind')
    guest.sees(MOUSE, [(EV_REL, REL_X, 5), (EV_KEY, BTN_LEFT, 1), (EV_KEY, BTN_LEFT, 0)],
               lambda: guest.send_input(('rel', {'axis': 'x', 'value': 5}), ('btn', {'button': 'left', 'down': True}),
                                        ('btn', {'button': 'left', 'down': False})))
    guest.run(f'echo {tablet} >/sys/bus/virtio/drivers/virtio_input/bind')
    guest.nodes.pop(TABLET, None)
    guest.sees(TABLET, [(EV_ABS, ABS_X, AXIS), (EV_ABS, ABS_X, 0)],
               lambda: [guest.send_input(('abs', {'axis': 'x', 'value': at}), ('abs', {'axis': 'y', 'value': at}))
                        for at in (AXIS, 0)])


@test
def fingers_arrive(guest):
    if 'multitouch' not in guest.inputs():
        raise Skip('QEMU 7.2 has no touch screen')

    def finger(kind, slot, **more):
        return 'mtt', {'type': kind, 'slot': slot, 'tracking-id': slot, 'axis': 'x', 'value': 0, **more}

    def touch():
        guest.send_input(finger('begin', 0), finger('data', 0, value=AXIS), finger('data', 0, axis='y', value=AXIS))
        guest.send_input(finger('begin', 1), finger('data', 1, value=0), finger('data', 1, axis='y', value=0))
        # Back again, as the kernel leaves out places that are no news.
        guest.send_input(finger('update', 0), finger('data', 0, value=0), finger('data', 0, axis='y', value=0))
        guest.send_input(finger('end', 0))
        guest.send_input(finger('end', 1))
    guest.sees(TOUCH, [(EV_ABS, ABS_MT_TRACKING, 0), (EV_ABS, ABS_MT_X, AXIS), (EV_ABS, ABS_MT_Y, AXIS), (EV_KEY, BTN_TOUCH, 1),
                       (EV_ABS, ABS_MT_SLOT, 1), (EV_ABS, ABS_MT_TRACKING, 1), (EV_ABS, ABS_MT_SLOT, 0),
                       (EV_ABS, ABS_MT_TRACKING, -1), (EV_ABS, ABS_MT_SLOT, 1), (EV_ABS, ABS_MT_TRACKING, -1),
                       (EV_KEY, BTN_TOUCH, 0)], touch)


@test
def all_goes_on_after_a_pause(guest):
    guest.qmp.execute('stop')
    guest.qmp.execute('cont')
    both_ways(guest, port(guest, 'one'), guest.chardev['one'])
    equal(guest.ask('head -c 64 /dev/hwrng | wc -c'), '64', 'bytes of random numbers')


@test
def the_kernel_complains_of_nothing(guest):
    equal(guest.run('dmesg | grep -iE "virtio|vring|balloon|hvc|input" | grep -iE "error|warn|fail|timeout|unsupported"'), '',
          'complaints of drivers')
    equal(guest.run('dmesg | grep -E "WARNING: .*drivers/|BUG:|hung task|is not a head"'), '', 'complaints of the kernel')
    guest.vmm.close()


def on_board(function, board):
    def checked(t):
        function(t.shared(board, lambda context: Guest(context, board)))
    checked.__name__ = f'{function.__name__}_on_{board}'
    return suite.test(checked)


for each_board in BOARDS:
    for each in tests:
        on_board(each, each_board)

if __name__ == '__main__':
    run(suite)
