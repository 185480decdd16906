#!/usr/bin/python3
"""What leaving the guest costs: vitrine and QEMU, side by side, on this host's KVM.

    exits.py [ROUNDS]

The demo guest reads a port (the clock chip's data), reads a register in memory (the event timer's counter)
and notifies a virtio device (an ioeventfd), many times in a row; each is timed from outside, less the time
of a command that does none, ROUNDS times (5). Medians are printed, then ours as a part of QEMU's.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.demo import demo_image
from harness.serial import Serial
from harness.vmm import program, usable_kvm

COUNTS = {'port': 10000, 'memory': 5000, 'notify': 10000}
PROMPT = 'vitrine> '


def command_lines(folder):
    """The two VMMs with the same machine."""
    common = ['-m', '64', '-kernel', str(demo_image('demo.bzimage')), '-append', 'mode=640x480']
    line = f'unix:{folder}/serial,server=on,wait=off'
    return {
        'vitrine': [program('vitrine'), '-nodefaults', '-display', 'none', '-device', 'VGA', '-device', 'virtio-rng-pci',
                    '-serial', line, '-runtime-dir', f'{folder}/run', '-name', 'bench', *common],
        'QEMU': [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-display', 'none',
                 '-machine', 'q35,accel=kvm', '-device', 'VGA', '-device', 'virtio-rng-pci,disable-legacy=on',
                 '-serial', line, '-cpu', 'host', '-global', 'kvm-apic.vapic=off', *common],
    }


class Guest:
    """The demo guest under one of the VMMs, and its command line."""

    def __init__(self, argv, folder):
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        self.serial = Serial.over_socket(f'{folder}/serial', lambda: self.process.poll() is None)
        self.serial.expect(PROMPT)

    def seconds(self, kind, count):
        began = time.perf_counter()
        self.serial.send(f'exits {kind} {count}\r')
        answer = self.serial.expect(r'exits (done|are not to be had)')
        self.serial.expect(PROMPT)
        if answer[1] != 'done':
            raise SystemExit(f'exits.py: the guest finds no {kind} to measure')
        return time.perf_counter() - began

    def microseconds(self, kind):
        return (self.seconds(kind, COUNTS[kind]) - self.seconds(kind, 0)) / COUNTS[kind] * 1e6

    def end(self):
        self.serial.close()
        self.process.kill()
        self.process.wait()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if not usable_kvm() or not program('vitrine') or not shutil.which('qemu-system-x86_64'):
        print('skipped: this needs /dev/kvm, a built vitrine and qemu-system-x86_64')
        return 77
    results = {}
    for name in ('vitrine', 'QEMU'):
        with tempfile.TemporaryDirectory(prefix='vb-') as folder:
            guest = Guest(command_lines(folder)[name], folder)
            try:
                for kind in COUNTS:
                    guest.microseconds(kind)
                    results[name, kind] = statistics.median(guest.microseconds(kind) for _ in range(rounds))
            finally:
                guest.end()
    print(f'medians of {rounds} rounds; the way into the guest\'s kernel mode and back is part of each\n')
    print(f"{'microseconds':16}{'vitrine':>10}{'QEMU':>10}{'ratio':>8}")
    for kind in COUNTS:
        ours, theirs = results['vitrine', kind], results['QEMU', kind]
        print(f'{kind:16}{ours:10.2f}{theirs:10.2f}{ours / theirs:8.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
