#!/usr/bin/python3
"""virtio-gpu in a whole machine: the demo guest drives it, VNC and screendump show what it made."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.demo import DemoGuest, pattern
from harness.picture import Picture, read_picture
from harness.screen_text import screen_text

WIDTH, HEIGHT = 1280, 800
STEP = 0x010305

suite = Suite(__doc__)


def made(width, height, count):
    """What the guest's command `gpu` leaves: pixels counted up, and the last colour in the corner that it changed."""
    pixels = bytearray(b''.join((y * WIDTH + x).to_bytes(3, 'big') for y in range(HEIGHT) for x in range(WIDTH)))
    for y in range(height):
        start = y * WIDTH * 3
        pixels[start:start + width * 3] = (count * STEP & 0xffffff).to_bytes(3, 'big') * width
    return Picture(WIDTH, HEIGHT, pixels)


def dumped(t, guest, device):
    path = t.directory / 'dump.ppm'
    guest.qmp.execute('screendump', {'filename': str(path), 'device': device})
    return read_picture(path)


@suite.test
def virtio_vga_is_a_vga_until_a_driver_comes(t):
    guest = DemoGuest(t, ['-vga', 'virtio'])
    client = guest.vmm.vnc()
    check('display: VGA, 8192 KiB' in guest.facts, guest.facts)
    guest.command('pattern')
    expected = pattern(640, 480)
    client.wait(lambda picture: picture == expected, 'the pattern, drawn by the VGA')
    equal(guest.command('gpu 64x64 3'), 'gpu done', 'the answer to gpu')
    shown = made(64, 64, 3)
    client.wait(lambda picture: picture == shown, 'what the driver shows')
    equal(guest.command('gpu 200x100 50'), 'gpu done', 'the answer to gpu')
    shown = made(200, 100, 50)
    client.wait(lambda picture: picture == shown, 'what the driver changed')
    guest.command('fill 102030')
    equal(dumped(t, guest, 'virtio-vga').differing(shown), 0, 'pixels that the VGA changed')
    guest.qmp.execute('system_reset')
    client.wait(lambda picture: picture.size != (WIDTH, HEIGHT), 'the VGA after a reset')
    guest.wait_started()
    guest.command('text')
    client.wait(lambda picture: 'itrine' in screen_text(picture), 'text')
    equal(guest.command('gpu 1x1 1'), 'gpu done', 'the answer to gpu after a reset')
    shown = made(1, 1, 1)
    client.wait(lambda picture: picture == shown, 'what the driver shows')


@suite.test
def virtio_gpu_is_a_head_beside_a_vga(t):
    guest = DemoGuest(t, ['-device', 'VGA', '-device', 'virtio-gpu-pci,id=gpu,max_outputs=3'])
    guest.command('pattern')
    equal(guest.command('gpu 640x400 7'), 'gpu done', 'the answer to gpu')
    equal(dumped(t, guest, 'gpu').differing(made(640, 400, 7)), 0, 'pixels that differ')
    expected = pattern(640, 480)
    guest.vmm.vnc().wait(lambda picture: picture == expected, 'the pattern on the VGA')
    guest.qmp.execute('quit')
    equal(guest.vmm.wait_exit(), 0, 'the exit status')


@suite.test
def it_is_refused_what_it_cannot_be(t):
    guest = DemoGuest(t, ['-device', 'virtio-gpu-pci,id=gpu,max_hostmem=1M', '-device', 'VGA'])
    equal(guest.command('gpu 64x64 1'), 'gpu is not to be had, or does not answer', 'the answer without memory')
    equal(guest.command('echo still here'), 'still here', 'the guest afterwards')


suite.main()
