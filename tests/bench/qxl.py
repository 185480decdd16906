#!/usr/bin/python3
"""How fast a QXL draws: vitrine and QEMU, side by side, on this host's KVM.

    qxl.py [ROUNDS]

The demo guest draws with the device's commands, many times in a row, 16 at a time, and waits until all are drawn; what its
command costs without a drawing is taken off. Nobody looks. CPU is what the VMM's threads took, the virtual processor
included, as it is there that vitrine draws. Medians of ROUNDS (5).

    fill      64x64 pixels in one colour
    copy      64x64 pixels of an image
    scroll    640x464 pixels moved by 16 rows

QEMU (with libspice-server) leaves out what a later command covers before anybody asks for the picture; we draw all.
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

COUNTS = {'fill': 4000, 'copy': 4000, 'scroll': 500}
PROMPT = 'vitrine> '


def command_lines(folder):
    """The two VMMs with the same machine."""
    common = ['-m', '64', '-kernel', str(demo_image('demo.bzimage')), '-append', 'mode=640x480', '-device', 'qxl-vga',
              '-serial', f'unix:{folder}/serial,server=on,wait=off', '-display', 'none']
    return {
        'vitrine': [program('vitrine'), '-nodefaults', '-runtime-dir', f'{folder}/run', '-name', 'bench', *common],
        'QEMU': [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-machine', 'q35,accel=kvm',
                 '-cpu', 'host', '-global', 'kvm-apic.vapic=off', *common],
    }


class Guest:
    """The demo guest under one of the VMMs, and its command line."""

    def __init__(self, argv, folder):
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.serial = Serial.over_socket(f'{folder}/serial', lambda: self.process.poll() is None)
        self.serial.expect(PROMPT)
        self.serial.send('still\r')
        self.serial.expect(PROMPT)

    def cpu_seconds(self):
        return sum(int((task / 'schedstat').read_text().split()[0]) / 1e9
                   for task in Path(f'/proc/{self.process.pid}/task').iterdir())

    def draw(self, kind, count):
        """Seconds that passed, and of CPU."""
        cpu, began = self.cpu_seconds(), time.perf_counter()
        self.serial.send(f'qxl {kind} {count}\r')
        answer = self.serial.expect(r'drawings (done|are not to be had)')
        self.serial.expect(PROMPT)
        if answer[1] != 'done':
            raise SystemExit('qxl.py: the guest finds no QXL')
        return time.perf_counter() - began, self.cpu_seconds() - cpu

    def measure(self, kind, rounds):
        """Commands a second, and microseconds of CPU for one."""
        self.draw(kind, COUNTS[kind] // 4)
        nothing = [statistics.median(values) for values in zip(*(self.draw(kind, 0) for _ in range(rounds)))]
        drawn = [statistics.median(values) for values in zip(*(self.draw(kind, COUNTS[kind]) for _ in range(rounds)))]
        seconds, cpu = (max(a - b, 1e-9) for a, b in zip(drawn, nothing))
        return COUNTS[kind] / seconds, cpu / COUNTS[kind] * 1e6

    def end(self):
        self.serial.close()
        self.process.terminate()
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
                results[name] = {kind: guest.measure(kind, rounds) for kind in COUNTS}
            finally:
                guest.end()
    print(f'{"":10}{"commands/s":>26}{"":10}{"CPU, us a command":>26}')
    print(f'{"":10}{"vitrine":>10}{"QEMU":>10}{"ratio":>8}{"":8}{"vitrine":>10}{"QEMU":>10}{"ratio":>8}')
    for kind in COUNTS:
        (ours, our_cpu), (theirs, their_cpu) = results['vitrine'][kind], results['QEMU'][kind]
        print(f'{kind:10}{ours:10.0f}{theirs:10.0f}{ours / theirs:8.2f}{"":8}{our_cpu:10.1f}{their_cpu:10.1f}{our_cpu / their_cpu:8.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
