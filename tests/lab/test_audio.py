#!/usr/bin/python3
"""A stock guest with sound: Intel's HD Audio with a codec that plays and records, heard and spoken to over the display bus.

Runs itself in the lab where this machine's KVM cannot run stock guests.
"""

import array
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check
from harness.vmm import program
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

SECONDS = 1
RATE = 48000
HALF_WAVE = 24  # frames of the tone that the guest plays, as in tone.c
LOUDNESS = 0x2000
SPOKEN = 0x1234  # by audio-listener

suite = Suite(__doc__)


def booted(context):
    guest = StockGuest(context, 'audio', [
        '-audiodev', 'dbus,id=sound', '-device', 'intel-hda', '-device', 'hda-duplex,audiodev=sound',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.wait_started()
    guest.log_in()
    return guest


def with_sound(t):
    return t.shared('audio', booted)


def listener(t, guest, *arguments):
    """A client of the display bus of its own; what it says is in the file that is returned."""
    said = guest.vmm.directory / f'listener-{arguments[0]}'
    with open(said, 'wb') as output:
        process = subprocess.Popen([program('audio-listener'), guest.vmm.runtime / guest.vmm.name / 'display.sock',
                                    *arguments], stdout=output)
    t.defer(process.wait)
    t.defer(process.kill)
    wait_until(lambda: 'Init' in said.read_text(), 'a stream that the listener is told of')
    return said


def longest_tone(samples):
    """Frames of the longest stretch of left samples that is the tone: half waves of the right length one after another."""
    longest = start = 0
    changed = []
    for i in range(1, len(samples)):
        if samples[i] != samples[i - 1]:
            changed.append(i)
    for before, after in zip(changed, changed[1:]):
        if after - before == HALF_WAVE and abs(samples[before]) == LOUDNESS:
            longest = max(longest, after - start)
        else:
            start = after
    return longest


@suite.test
def the_card_binds(t):
    guest = with_sound(t)
    cards = guest.run('cat /proc/asound/cards')
    check('HDA-Intel' in cards, cards)
    codec = guest.run('head -20 /proc/asound/card0/codec#0')
    check('0x1af40022' in codec, codec)
    check('error' not in guest.run('dmesg | grep -i "snd\\|hda\\|azx"').lower(), guest.run('dmesg | grep -i "snd\\|hda"'))


@suite.test
def a_tone_arrives(t):
    guest = with_sound(t)
    file = guest.vmm.directory / 'tone'
    said = listener(t, guest, 'out', file)
    played = guest.run(f'tone play 0 {SECONDS}')
    check('played' in played, played)
    samples = array.array('h', file.read_bytes()[:len(file.read_bytes()) // 4 * 4])[::2]
    tone = longest_tone(samples)
    check(tone >= RATE * SECONDS * 3 // 10, f'{tone} frames of the tone one after another, in {len(samples)}: {played}')
    check('SetEnabled(' in said.read_text(), said.read_text())


@suite.test
def what_is_spoken_is_recorded(t):
    guest = with_sound(t)
    listener(t, guest, 'in')
    recorded = guest.run(f'tone record 0 {SECONDS}')
    check(f'largest sample {SPOKEN}' in recorded, recorded)


if __name__ == '__main__':
    run(suite)
