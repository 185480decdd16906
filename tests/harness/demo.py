"""The demo guest: its images, its command line on ttyS0, the pictures that it can be told to show."""

import re

from harness.case import Skip
from harness.picture import Picture
from harness.vmm import build_directory

PROMPT = r'vitrine> '


def demo_image(name):
    """demo.bzimage or demo.img of the build; tests are left out where it was not built."""
    path = build_directory() / 'tests/guests/demo' / name
    if not path.exists():
        raise Skip('the demo guest was not built')
    return path


def boot_options(image='demo.bzimage', append='mode=640x480'):
    if image == 'demo.bzimage':
        return ['-kernel', demo_image(image), '-append', append]
    return ['-drive', f'file={demo_image(image)},format=raw,if=none,id=demo,readonly=on',
            '-device', 'virtio-blk-pci,drive=demo']


class DemoGuest:
    """A VMM with the demo guest at its prompt."""

    def __init__(self, context, options=(), image='demo.bzimage', append='mode=640x480', **settings):
        self.vmm = context.vmm([*boot_options(image, append), *options], **settings)
        self.serial, self.qmp = self.vmm.serial, self.vmm.qmp
        self.wait_started()

    def wait_started(self):
        """Follow a start to the prompt; what the guest says about itself is in `facts` then."""
        self.serial.expect('Vitrine demo guest')
        start = self.serial.position
        match = self.serial.expect(PROMPT)
        self.facts = self.serial.log[start:match.start()].replace('\r', '')

    def command(self, text):
        """Give a command; returns what it says."""
        self.serial.send(f'{text}\r')
        # Events that are told meanwhile write the prompt again, but only the command's own line ends like this.
        start = self.serial.expect(re.escape(text) + r'\s*\n').end()
        match = self.serial.expect(PROMPT)
        return self.serial.log[start:match.start()].replace('\r', '').strip()

    def info(self):
        """What `info` says, as a dictionary by the first word of each line."""
        lines = (line.split(' ', 1) for line in self.command('info').splitlines())
        return {line[0]: line[1] for line in lines if len(line) == 2}


def pattern(width, height):
    """What the guest's command `pattern` draws: red x, green y, blue x xor y, each in its low 8 bits."""
    pixels = bytearray(width * height * 3)
    pixels[0::3] = bytes(x & 255 for x in range(width)) * height
    pixels[1::3] = b''.join(bytes([y & 255]) * width for y in range(height))
    pixels[2::3] = b''.join(bytes((x ^ y) & 255 for x in range(width)) for y in range(height))
    return Picture(width, height, pixels)


def plain(width, height, colour):
    return Picture(width, height, bytes(colour) * (width * height))
