#!/usr/bin/python3
"""The demo guest, driven over VNC and its serial line: pictures, keys, pointer, pause, reset, power-off."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.demo import DemoGuest, pattern, plain
from harness.rfb import HEXTILE, QEMU_EXTENDED_KEY, RAW, ZRLE
from harness.screen_text import screen_text
from harness.wait import wait_until

suite = Suite(__doc__)

ENCODINGS = {'raw': RAW, 'hextile': HEXTILE, 'zrle': ZRLE}


def running(t):
    return t.shared('demo', lambda context: DemoGuest(context, name='demo'))


@suite.test
def it_starts_and_says_what_it_found(t):
    facts = running(t).facts
    for fact in ('command line: mode=640x480', 'processors: 1', 'display: VGA, 16384 KiB', 'keyboard: yes', 'mode 640x480'):
        check(fact in facts, f'{fact!r} is not among: {facts}')


@suite.test
def pictures_arrive_to_the_pixel(t):
    guest = running(t)
    guest.command('pattern')
    expected = pattern(640, 480)
    for name, encoding in ENCODINGS.items():
        client = guest.vmm.vnc(encodings=(encoding, ))
        client.wait(lambda picture: picture == expected, f'the pattern with {name}')
        used = {rectangle[4] for rectangle in client.rectangles}
        equal(used, {encoding}, 'the encodings used')


@suite.test
def changes_arrive_to_the_pixel(t):
    guest = running(t)
    client = guest.vmm.vnc()
    for colour in ('ff0000', '00ff00', '0000ff', '123456'):
        guest.command(f'fill {colour}')
        expected = plain(640, 480, bytes.fromhex(colour))
        client.wait(lambda picture: picture == expected, f'a screen in {colour}')


@suite.test
def motion_is_followed(t):
    guest = running(t)
    guest.command('scroll')
    client = guest.vmm.vnc()
    seen = [client.wait(lambda picture: True)]
    for _ in range(5):
        last = seen[-1]
        seen.append(client.wait(lambda picture: picture != last, 'the next picture'))
    frames = int(guest.info()['frames'])
    wait_until(lambda: int(guest.info()['frames']) > frames, 'more frames')


@suite.test
def the_mode_changes(t):
    guest = running(t)
    client = guest.vmm.vnc()
    guest.command('pattern')
    for width, height in ((800, 600), (1024, 768), (320, 200), (640, 480)):
        check(f'mode {width}x{height}' in guest.command(f'mode {width}x{height}'), 'the answer to mode')
        guest.command('pattern')
        expected = pattern(width, height)
        client.wait(lambda picture: picture == expected, f'the pattern in {width}x{height}')


@suite.test
def a_client_without_desktop_size_survives_a_change(t):
    guest = running(t)
    client = guest.vmm.vnc(pseudo=())
    client.update(incremental=False)
    guest.command('mode 320x200')
    guest.command('mode 640x480')
    guest.command('pattern')
    expected = pattern(640, 480)
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern for another client')


@suite.test
def text_mode_is_readable(t):
    guest = running(t)
    guest.command('text')
    client = guest.vmm.vnc()
    picture = client.wait(lambda picture: picture.height == 400 and 'itrine' in screen_text(picture), 'text')
    check(picture.width in (640, 720), f'a text mode of {picture.size}')
    guest.command('still')
    client.wait(lambda picture: picture.size == (640, 480), 'the graphics mode')


@suite.test
def typed_keys_arrive(t):
    guest = running(t)
    client = guest.vmm.vnc()
    client.press(0xff1b)
    wait_until(lambda: guest.info()['typed'] == '""', 'the line emptied by Escape')
    text = 'Hello, World! #1 (a-z) <A-Z> {x} ~^|'
    client.type(text)
    wait_until(lambda: guest.info()['typed'] == f'"{text}"', lambda: f'{text!r} typed (it has {guest.info()["typed"]})')


@suite.test
def extended_keys_arrive_by_their_scancode(t):
    guest = running(t)
    client = guest.vmm.vnc(pseudo=(QEMU_EXTENDED_KEY, ))
    client.update(incremental=False)
    if not client.extended_keys:
        client.update(incremental=False)
    check(client.extended_keys, 'the server does not take extended keys')
    guest.command('watch on')
    # The keysym is that of a French keyboard, where the key's letter is another one: the scancode counts.
    for down in (True, False):
        client.extended_key(ord('a'), 0x10, down)
    guest.serial.expect('key 0x10 down')
    guest.serial.expect('key 0x10 up')
    for down in (True, False):
        client.extended_key(0xff53, 0xcd, down)
    guest.serial.expect(r'key 0x(e0)?(cd|4d) down')
    guest.serial.expect(r'key 0x(e0)?(cd|4d) up')
    guest.command('watch off')


@suite.test
def keys_held_by_a_client_that_leaves_are_released(t):
    guest = running(t)
    client = guest.vmm.vnc()
    client.update(incremental=False)
    guest.command('watch on')
    client.key(ord('k'), True)
    guest.serial.expect('key 0x25 down')
    client.close()
    guest.serial.expect('key 0x25 up')
    guest.command('watch off')


@suite.test
def the_pointer_moves_and_clicks(t):
    guest = running(t)
    client = guest.vmm.vnc()
    client.update(incremental=False)

    def mouse():
        words = guest.info()['mouse'].split()
        x, y = words[0].split(',')
        return int(x), int(y), int(words[2]), int(words[4])

    for x, y in ((0, 0), (639, 479), (300, 200)):
        client.pointer(x, y)
    # A click comes behind all motion: once it is there, nothing is on its way any more.
    client.pointer(300, 200, 1)
    wait_until(lambda: mouse()[2] == 1, 'a click behind the motion')
    client.pointer(300, 200)
    wait_until(lambda: mouse()[2] == 0, 'its end')
    before = mouse()
    client.pointer(340, 230)
    wait_until(lambda: mouse()[0] > before[0] and mouse()[1] > before[1], 'a move to the right and down')
    client.pointer(340, 230, 1)
    wait_until(lambda: mouse()[2] == 1, 'the left button')
    client.pointer(340, 230, 0)
    wait_until(lambda: mouse()[2] == 0, 'the button up again')
    client.pointer(340, 230, 4)
    wait_until(lambda: mouse()[2] == 2, 'the right button')
    client.pointer(340, 230, 0)
    wheel = mouse()[3]
    client.pointer(340, 230, 8)
    client.pointer(340, 230, 0)
    wait_until(lambda: mouse()[3] != wheel, 'the wheel')


@suite.test
def several_clients_see_the_same(t):
    guest = running(t)
    clients = [guest.vmm.vnc(encodings=(encoding, )) for encoding in ENCODINGS.values()] * 2
    guest.command('pattern')
    expected = pattern(640, 480)
    for client in clients:
        client.wait(lambda picture: picture == expected, 'the pattern for each of several clients')


@suite.test
def pause_holds_it_twice(t):
    guest = running(t)
    for _ in range(2):
        guest.qmp.execute('stop')
        guest.qmp.wait_event('STOP')
        guest.serial.drain()
        guest.serial.send('echo still here\r')
        check(guest.serial.quiet(1), 'a paused guest speaks')
        guest.qmp.execute('cont')
        guest.serial.expect('\nstill here')
        guest.serial.expect('vitrine> ')


@suite.test
def an_nmi_reaches_it(t):
    guest = running(t)
    before = int(guest.info()['nmi'])
    guest.qmp.execute('inject-nmi')
    wait_until(lambda: int(guest.info()['nmi']) > before, 'the NMI')


@suite.test
def keys_sent_over_qmp_arrive(t):
    guest = running(t)
    guest.vmm.vnc().press(0xff1b)
    wait_until(lambda: guest.info()['typed'] == '""', 'the line emptied by Escape')
    guest.qmp.execute('send-key', {'keys': [{'type': 'qcode', 'data': 'shift'}, {'type': 'qcode', 'data': 'v'}]})
    wait_until(lambda: guest.info()['typed'] == '"V"', 'V typed')


@suite.test
def it_is_reset_twice_from_outside(t):
    guest = running(t)
    for _ in range(2):
        guest.qmp.execute('system_reset')
        guest.qmp.wait_event('RESET')
        guest.wait_started()


@suite.test
def it_reboots_itself_twice(t):
    guest = running(t)
    for _ in range(2):
        guest.qmp.events.clear()
        guest.serial.send('reboot\r')
        check(guest.qmp.wait_event('RESET')['data']['guest'], 'RESET does not say that the guest did it')
        guest.wait_started()
    guest.command('pattern')
    expected = pattern(640, 480)
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern after the reboots')


@suite.test
def the_power_button_switches_it_off(t):
    guest = running(t)
    guest.qmp.execute('system_powerdown')
    guest.serial.expect('power button')
    data = guest.qmp.wait_event('SHUTDOWN')['data']
    equal((data['guest'], data['reason']), (True, 'guest-shutdown'), 'who did it')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def it_boots_from_a_disk_and_powers_off(t):
    guest = DemoGuest(t, ['-smp', '3'], image='demo.img')
    check('processors: 3' in guest.facts, guest.facts)
    guest.command('pattern')
    size = guest.info()['picture'].split('mode ')[1]
    expected = pattern(*map(int, size.split('x')))
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern')
    guest.serial.send('off\r')
    check(guest.qmp.wait_event('SHUTDOWN')['data']['guest'], 'SHUTDOWN does not say that the guest did it')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def it_runs_on_bochs_display(t):
    guest = DemoGuest(t, ['-device', 'bochs-display'])
    check('display: bochs-display' in guest.facts, guest.facts)
    guest.command('pattern')
    expected = pattern(640, 480)
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern')
    guest.qmp.execute('quit')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def no_reboot_ends_it_instead(t):
    guest = DemoGuest(t, ['-no-reboot'])
    guest.serial.send('reboot\r')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


suite.main()
