#!/usr/bin/python3
"""ramfb: SeaBIOS writes its text into guest memory, and that is what is shown."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes  # noqa: E402
from harness.case import Skip, Suite, check, equal, need_vmm  # noqa: E402
from harness.picture import read_picture  # noqa: E402
from harness.qmp import QmpError  # noqa: E402
from harness.vmm import kind_under_test, program  # noqa: E402
from harness.wait import wait_until  # noqa: E402

suite = Suite(__doc__)
OPTIONS = ['-vga', 'none', '-device', 'ramfb']
# SeaBIOS takes the vapic ROM of QEMU for a disk of its own.
PEER_OPTIONS = ['-cpu', 'host', '-global', 'kvm-apic.vapic=off']


def picture(guest, path):
    guest.qmp.screendump(path, 'png')
    return read_picture(path)


@suite.test
def the_bios_is_shown_as_by_qemu(t):
    need_vmm('qemu')
    if kind_under_test() == 'qemu':
        raise Skip('it is QEMU that is tested')
    ours = t.vmm(OPTIONS)
    peer = t.vmm([*OPTIONS, *PEER_OPTIONS], kind='qemu', name='peer')

    def alike():
        mine = t.directory / 'ours.png'
        try:
            shown = picture(ours, mine)
        except QmpError:
            return False  # no picture yet
        if shown.size != (1024, 768) or shown.blank():
            return False
        theirs = picture(peer, t.directory / 'theirs.png')
        # The BIOS is through when the last of its lines stands; the memory of both is the same then.
        return theirs.size == shown.size and shown.differing(theirs) == 0 and lines(shown) >= 6

    wait_until(alike, 'the same six lines of text here and in QEMU', interval=0.5)


def lines(shown):
    """Rows of characters that are not empty."""
    return sum(any(shown.row(y) != bytes(3 * shown.width) for y in range(top, top + 16))
               for top in range(0, shown.height, 16))


@suite.test
def there_is_room_for_one(t):
    result = processes.run([program('vitrine'), '-runtime-dir', t.directory, '-vga', 'none', '-device', 'ramfb',
                            '-device', 'ramfb'])
    equal(result.returncode != 0, True, 'a second ramfb is refused')
    check('there is a ramfb already' in result.stderr, f'it said {result.stderr!r}')


suite.main()
