#!/usr/bin/python3
"""What it costs to show a VGA's picture: vitrine and QEMU, side by side, on this host's KVM.

    vga.py [SECONDS]

The demo guest draws at native speed, in ring 3, into the linear frame buffer; bus-dump follows it over the display bus,
which both have, for SECONDS (8) each. Measured is the processor time of the VMM's threads but for the virtual processor:
of a second, of an update, of a megapixel that was published. A consumer that watches costs nothing but
its own time. "drawn" are the guest's frames a second, which tell what the dirty log costs the guest.

    fill      every pixel changes, 30 times a second
    scroll    a console scrolls by a line, 15 times a second
    scene     small changes here and there
    still     nothing changes
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.demo import demo_image
from harness.serial import Serial
from harness.vmm import build_directory, program, usable_kvm

MOTIONS = ('fill', 'scroll', 'scene', 'still')
MODE = '1280x800'
PROMPT = 'vitrine> '
TICKS = os.sysconf('SC_CLK_TCK')


def command_lines(folder):
    """The two VMMs with the same machine."""
    common = ['-m', '64', '-kernel', str(demo_image('demo.bzimage')), '-append', f'mode={MODE}',
              '-serial', f'unix:{folder}/serial,server=on,wait=off']
    return {
        'vitrine': [program('vitrine'), '-nodefaults', '-display', 'none', '-device', 'VGA',
                    '-runtime-dir', f'{folder}/run', '-name', 'bench', *common],
        'QEMU': [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-display', 'dbus,p2p=on',
                 '-machine', 'q35,accel=kvm', '-device', 'VGA', '-name', 'bench,debug-threads=on',
                 '-qmp', f'unix:{folder}/bus,server=on,wait=off',
                 '-cpu', 'host', '-global', 'kvm-apic.vapic=off', *common],
    }


class Guest:
    """The demo guest under one of the VMMs, and its command line."""

    def __init__(self, name, folder):
        self.folder = folder
        self.ours = name == 'vitrine'
        self.process = subprocess.Popen([str(word) for word in command_lines(folder)[name]],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.serial = Serial.over_socket(f'{folder}/serial', lambda: self.process.poll() is None)
        self.serial.expect(PROMPT)

    def command(self, text):
        self.serial.send(text + '\r')
        self.serial.expect(re.escape(text))
        start = self.serial.position
        match = self.serial.expect(PROMPT)
        return self.serial.log[start:match.start()]

    def frames(self):
        return int(re.search(r'frames\D*(\d+)', self.command('info'))[1])

    def bus(self):
        if not self.ours:
            return ['--qmp', f'{self.folder}/bus']
        record = json.loads(Path(f'{self.folder}/run/bench/guest.json').read_text())
        return ['--bus', f"{self.folder}/run/bench/{record['display']}"]

    def seconds_used(self):
        """Of the processor, by all threads that run no virtual processor."""
        used = 0
        for task in Path(f'/proc/{self.process.pid}/task').iterdir():
            if not re.match(r'cpu\d|CPU \d', (task / 'comm').read_text()):
                fields = (task / 'stat').read_text().rpartition(')')[2].split()
                used += int(fields[11]) + int(fields[12])
        return used / TICKS

    def measure(self, motion, seconds):
        self.command(motion)
        dump = subprocess.Popen([build_directory() / 'tests/peers/bus-dump', *self.bus(), '--settle', '600000',
                                 '--limit', str(seconds), '/dev/null'], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        dump.stderr.readline()  # "watching"
        used, began, frames = self.seconds_used(), time.monotonic(), self.frames()
        time.sleep(max(1, seconds - 1.5))
        result = {'cpu': (self.seconds_used() - used) / (time.monotonic() - began),
                  'drawn': (self.frames() - frames) / (time.monotonic() - began)}
        _, _, _, updates, pixels = (int(word) for word in dump.communicate()[0].split())
        result['updates'] = updates / seconds
        result['pixels'] = pixels / seconds / 1e6
        return result

    def end(self):
        self.serial.close()
        self.process.terminate()
        self.process.wait()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    if not usable_kvm() or not program('vitrine') or not shutil.which('qemu-system-x86_64'):
        print('skipped: this needs /dev/kvm, a built vitrine and qemu-system-x86_64')
        return 77
    results = {}
    for name in ('vitrine', 'QEMU'):
        with tempfile.TemporaryDirectory(prefix='vb-') as folder:
            guest = Guest(name, folder)
            try:
                for motion in MOTIONS:
                    results[name, motion] = guest.measure(motion, seconds)
            finally:
                guest.end()
    print(f'{MODE}, {seconds} s each\n')
    print(f"{'':8}{'':10}{'drawn/s':>9}{'updates/s':>11}{'Mpixel/s':>10}{'% CPU':>8}{'ms/update':>11}{'ms/Mpixel':>11}")
    for motion in MOTIONS:
        for name in ('vitrine', 'QEMU'):
            r = results[name, motion]
            each = [f"{r['cpu'] * 1000 / r[unit]:.2f}" if r[unit] else '-' for unit in ('updates', 'pixels')]
            print(f"{motion:8}{name:10}{r['drawn']:9.1f}{r['updates']:11.1f}{r['pixels']:10.2f}"
                  f"{r['cpu'] * 100:8.1f}{each[0]:>11}{each[1]:>11}")
    return 0


if __name__ == '__main__':
    sys.exit(main())
