#!/usr/bin/python3
"""Every mode of a VGA: what a guest draws is shown as it always was, and as QEMU shows it.

The guest tests/guests/vga-modes sets a mode and draws a known picture in it. The head's picture has to be the stored one
in tests/guests/vga-modes/pictures, to the pixel. tests/guests/README.md says how they were looked at, and where QEMU's
differ.

    test_vga_modes.py [--store DIRECTORY] ...    write the pictures there instead of comparing them
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal, need_vmm  # noqa: E402
from harness.picture import read_picture  # noqa: E402
from harness.vmm import build_directory, kind_under_test  # noqa: E402
from harness.wait import wait_until  # noqa: E402

PICTURES = Path(__file__).resolve().parents[1] / 'guests/vga-modes/pictures'
STORE = Path(sys.argv.pop(1)) if sys.argv[1:2] == ['--store'] and sys.argv.pop(1) else None

NAMES = [
    'text-80x25', 'text-40x25', 'text-80x50', 'text-132x25', 'text-512-characters', 'text-mono', 'text-cursor',
    'text-split',
    'cga-320x200', 'cga-640x200', 'planar-320x200', 'planar-640x200', 'planar-640x350', 'planar-640x480',
    'planar-panned', 'palette-320x200', 'unchained-320x240',
    'vbe-4', 'vbe-8', 'vbe-15', 'vbe-16', 'vbe-24', 'vbe-32', 'vbe-wide-dac', 'vbe-virtual', 'vbe-registers',
]

# SeaBIOS takes the vapic ROM of QEMU for a disk of its own.
PEER_OPTIONS = ['-cpu', 'host', '-global', 'kvm-apic.vapic=off']
# Of 255. QEMU fills up components of five and six bits otherwise.
TOLERANCE = 7
# Where QEMU does not do what a VGA does; see tests/guests/README.md.
OTHERWISE_IN_QEMU = {
    'text-80x25': 'the ninth dot of characters 0xb0 to 0xbf',
    'text-80x50': 'the ninth dot of characters 0xb0 to 0xbf',
    'text-40x25': 'cells of nine dots at half the clock are 16 pixels wide',
    'text-512-characters': 'text is shown in all planes',
    'text-mono': 'nothing is underlined',
    'text-cursor': 'the cursor has no skew',
    'text-split': 'no panning and no smooth scrolling',
    'planar-panned': 'no panning',
    'vbe-4': 'writes go to no plane, or are chained',
}


class ModesGuest:
    """The guest at the point where it waits for a letter."""

    def __init__(self, context, options=(), **settings):
        image = build_directory() / 'tests/guests/vga-modes/vga-modes.img'
        if not image.exists():
            raise Skip('the guest was not built')
        self.vmm = context.vmm(['-drive', f'file={image},format=raw,if=none,id=modes,readonly=on',
                                '-device', 'virtio-blk-pci,drive=modes', *options], vnc=False, **settings)
        self.vmm.serial.expect('VGA modes')
        self.path = context.directory / f'{self.vmm.name}.png'

    def draw(self, name):
        self.vmm.serial.send(chr(ord('A') + NAMES.index(name)))
        self.vmm.serial.expect(name + r'\r?\n')

    def picture(self):
        self.vmm.qmp.screendump(self.path, 'png')
        return read_picture(self.path)


suite = Suite(__doc__)


def ours(context):
    return ModesGuest(context)


def peer(context):
    need_vmm('qemu')
    if kind_under_test() == 'qemu':
        raise Skip('it is QEMU that is tested')
    return ModesGuest(context, kind='qemu', name='peer', options=PEER_OPTIONS)


def expected(name):
    path = PICTURES / f'{name}.png'
    if not path.exists():
        raise AssertionError(f'{path} is not there')
    return read_picture(path)


def until_shown(guest, stored, tolerance, what):
    """What blinks is there at one moment and not at the next, so a picture may need several looks."""
    def look():
        shown = guest.picture()
        equal(shown.size, stored.size, f'the size of {what}')
        look.differing = shown.differing(stored, tolerance)
        return look.differing == 0

    wait_until(look, lambda: f'{what} as it is stored ({look.differing} pixels differ)', interval=0.05)


def compare(t, name):
    guest = t.shared('ours', ours)
    guest.draw(name)
    if STORE:
        STORE.mkdir(exist_ok=True)
        guest.picture().write_png(STORE / f'{name}.png')
        return
    until_shown(guest, expected(name), 0, name)


def compare_qemu(t, name):
    if name in OTHERWISE_IN_QEMU:
        raise Skip(OTHERWISE_IN_QEMU[name])
    guest = t.shared('peer', peer)
    guest.draw(name)
    if STORE:
        guest.picture().write_png(STORE / f'{name}-qemu.png')
        return
    until_shown(guest, expected(name), TOLERANCE, f'{name} of QEMU')


for number, name in enumerate(2 * NAMES):
    run = compare if number < len(NAMES) else compare_qemu

    def case(t, run=run, name=name):
        run(t, name)
    case.__name__ = name.replace('-', '_') + ('' if run is compare else '_of_qemu')
    suite.test(case)
suite.main()
