#!/usr/bin/python3
"""What updates of a virtio-gpu's picture cost: vitrine and QEMU, side by side, on this host's KVM.

    virtio-gpu.py [ROUNDS]

The demo guest changes a part of its picture again and again, each time with one transfer and one flush, and
waits for both. CPU is what the VMM's threads took, those of the processors excepted, by the kernel's
accounting; medians of ROUNDS (3) are printed. First nobody looks, and the guest does as much as it can; then
it makes 30 updates a second, alone and with a VNC client that takes each: our VNC server, a process of its
own, counts as well. At the end, how fast transfers copy, beside memcpy.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.demo import demo_image
from harness.rfb import RAW, RfbClient
from harness.serial import Serial
from harness.vmm import build_directory, program, usable_kvm

SIZES = {(1280, 800): 200, (640, 400): 400, (64, 64): 2000}
PACED = 45  # updates
PROMPT = 'vitrine> '


def command_lines(folder):
    """The two VMMs with the same machine."""
    common = ['-m', '64', '-kernel', str(demo_image('demo.bzimage')), '-append', 'mode=640x480',
              '-device', 'virtio-vga', '-vnc', f'unix:{folder}/vnc', '-serial', f'unix:{folder}/serial,server=on,wait=off']
    return {
        'vitrine': [program('vitrine'), '-nodefaults', '-runtime-dir', f'{folder}/run', '-name', 'bench', *common],
        'QEMU': [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-display', 'none',
                 '-machine', 'q35,accel=kvm', '-cpu', 'host', '-global', 'kvm-apic.vapic=off', *common],
    }


def run_nanoseconds(task):
    try:
        return int((task / 'schedstat').read_text().split()[0])
    except OSError:
        return 0



class Guest:
    """The demo guest under one of the VMMs, and its command line."""

    def __init__(self, argv, folder):
        self.folder = folder
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.serial = Serial.over_socket(f'{folder}/serial', self.alive)
        self.serial.expect(PROMPT)
        self.serial.send('still\r')
        self.serial.expect(PROMPT)
        self.processors = self.busiest()

    def alive(self):
        return self.process.poll() is None

    def tasks(self):
        pids = [self.process.pid]
        pids += map(int, Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split())
        return [task for pid in pids for task in Path(f'/proc/{pid}/task').iterdir()]

    def busiest(self):
        """The thread of the processor: it draws while the others have nothing to do."""
        before = {task: run_nanoseconds(task) for task in self.tasks()}
        self.update((640, 400), 200)
        threads = [task for task in before if task.name != str(self.process.pid)]
        return max(threads, key=lambda task: run_nanoseconds(task) - before[task])

    def spent(self):
        return sum(run_nanoseconds(task) for task in self.tasks() if task != self.processors)

    def update(self, size, count, how=''):
        self.serial.send(f'gpu {size[0]}x{size[1]} {count}{how}\r')
        if self.serial.expect(r'gpu (done|is not)')[1] != 'done':
            raise SystemExit('virtio-gpu.py: the guest finds no virtio-gpu that answers')
        self.serial.expect(PROMPT)

    def measure(self, size, paced):
        """Microseconds of CPU for an update, and updates a second."""
        count = PACED if paced else SIZES[size]
        cpu, began = self.spent(), time.perf_counter()
        self.update(size, count, ' paced' if paced else '')
        seconds = time.perf_counter() - began
        return (self.spent() - cpu) / count / 1000, count / seconds

    def end(self):
        self.serial.close()
        self.process.terminate()
        self.process.wait()


class Viewer(threading.Thread):
    """A VNC client that takes each update as soon as there is one."""

    def __init__(self, guest):
        super().__init__(daemon=True)
        self.client = RfbClient(Path(guest.folder) / 'vnc', encodings=(RAW, ), alive=guest.alive)
        self.client.update(incremental=False)
        self.ended = False

    def run(self):
        while not self.ended:
            try:
                self.client.update(seconds=1)
            except Exception:  # pylint: disable=broad-except
                continue

    def end(self):
        self.ended = True
        self.join()
        self.client.close()


def measure_all(guest, rounds, paced):
    results = {}
    for size in SIZES:
        measured = [guest.measure(size, paced) for _ in range(rounds)]
        results[size] = [statistics.median(values) for values in zip(*measured)]
    return results


def report(title, results):
    print(f'\n{title}')
    print(f"{'':12}{'CPU, us an update':>30}{'':8}{'CPU, us a Mpixel':>24}{'updates/s':>24}")
    print(f"{'pixels':12}{'vitrine':>12}{'QEMU':>10}{'ratio':>8}{'':8}{'vitrine':>12}{'QEMU':>12}{'vitrine':>14}{'QEMU':>10}")
    for size in SIZES:
        (ours, our_rate), (theirs, their_rate) = results['vitrine'][size], results['QEMU'][size]
        mega = size[0] * size[1] / 1e6
        print(f'{size[0]}x{size[1]:<8}{ours:12.1f}{theirs:10.1f}{ours / theirs:8.2f}{"":8}{ours / mega:12.0f}'
              f'{theirs / mega:12.0f}{our_rate:14.0f}{their_rate:10.0f}')


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    copier = build_directory() / 'tests/bench/bench-virtio-gpu'
    if not usable_kvm() or not program('vitrine') or not shutil.which('qemu-system-x86_64'):
        print('skipped: this needs /dev/kvm, a built vitrine and qemu-system-x86_64')
        return 77
    busy, unseen, seen = {}, {}, {}
    for name in ('vitrine', 'QEMU'):
        with tempfile.TemporaryDirectory(prefix='vb-') as folder:
            guest = Guest(command_lines(folder)[name], folder)
            try:
                # Ticks that the guest has missed so far come first, faster.
                guest.update((64, 64), PACED, ' paced')
                unseen[name] = measure_all(guest, rounds, True)
                viewer = Viewer(guest)
                viewer.start()
                seen[name] = measure_all(guest, rounds, True)
                viewer.end()
                busy[name] = measure_all(guest, rounds, False)
            finally:
                guest.end()
    report(f'as fast as can be, nobody looks; medians of {rounds} rounds', busy)
    report('30 a second, nobody looks', unseen)
    report('30 a second, a VNC client looks', seen)
    if os.access(copier, os.X_OK):
        print(flush=True)
        subprocess.run([copier], check=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
