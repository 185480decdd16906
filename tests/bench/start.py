#!/usr/bin/python3
"""Time from exec to a QMP answer and memory beyond guest RAM: vitrine and QEMU, side by side.

    start.py [RUNS]

Each is started RUNS times (15), in turns, paused and with the same machine: q35, 128 MiB, a VGA, VNC on a
UNIX socket. Time is that until the answer to a command. Memory is what all processes of the VMM hold, taken
from smaps: resident without the guest's RAM; and proportionally, where shared pages count in parts.
Medians are printed, then ours as a part of QEMU's. The aim is a fifth.
"""

import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.qmp import Qmp
from harness.vmm import program, usable_kvm

RAM_MIB = 128
AIM = 1 / 5
MEASURES = {'exec to QMP answer': 'ms', 'resident beyond RAM': 'MiB', 'proportional beyond RAM': 'MiB'}


def command_lines(folder):
    """The two VMMs with the same machine."""
    common = ['-S', '-m', str(RAM_MIB), '-qmp', f'unix:{folder}/qmp,server=on,wait=off', '-vnc', f'unix:{folder}/vnc']
    return {
        'vitrine': [program('vitrine'), '-nodefaults', '-device', 'VGA', '-runtime-dir', f'{folder}/run',
                    '-name', 'bench', *common],
        'QEMU': [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-display', 'none',
                 '-machine', 'q35,accel=kvm', '-vga', 'std', *common],
    }


def answer(path):
    """Wait for the socket and for an answer on it."""
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as attempt:
                attempt.connect(path)
            break
        except OSError:
            time.sleep(0.0002)
    qmp = Qmp(path)
    qmp.execute('query-status')
    return qmp


def mappings(pid):
    """The mappings of a process: size, resident and proportional share, in KiB."""
    for block in re.split(r'^(?=[0-9a-f]+-[0-9a-f]+ )', Path(f'/proc/{pid}/smaps').read_text(), flags=re.M)[1:]:
        yield tuple(int(re.search(rf'^{name}:\s+(\d+)', block, re.M)[1]) for name in ('Size', 'Rss', 'Pss'))


def memory(pid):
    """Resident and proportional MiB of a VMM and its servers without the guest's RAM."""
    resident = proportional = 0
    for process in [pid, *processes.descendants(pid)]:
        for size, rss, pss in mappings(process):
            if size != RAM_MIB << 10:
                resident, proportional = resident + rss, proportional + pss
    return resident / 1024, proportional / 1024


def measure(argv, folder):
    """One start: the three measures."""
    began = time.perf_counter()
    with subprocess.Popen([str(argument) for argument in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as vmm:
        qmp = answer(f'{folder}/qmp')
        milliseconds = (time.perf_counter() - began) * 1000
        # The server may still be starting; a picture over VNC says that it is there.
        wait_for_vnc(f'{folder}/vnc')
        resident, proportional = memory(vmm.pid)
        qmp.execute('quit')
        qmp.close()
    return milliseconds, resident, proportional


def wait_for_vnc(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.recv(12)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    if not usable_kvm() or not program('vitrine') or not shutil.which('qemu-system-x86_64'):
        print('skipped: this needs /dev/kvm, a built vitrine and qemu-system-x86_64')
        return 77
    results = {}
    for number in range(runs + 1):
        with tempfile.TemporaryDirectory(prefix='vb-') as folder:
            for name, argv in command_lines(folder).items():
                result = measure(argv, folder)
                # The first round only fills the caches.
                if number:
                    results.setdefault(name, []).append(result)
                shutil.rmtree(f'{folder}/run', ignore_errors=True)
                for socket_file in ('qmp', 'vnc'):
                    Path(folder, socket_file).unlink(missing_ok=True)
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in results.items()}
    print(f'medians of {runs} starts; q35, {RAM_MIB} MiB, VGA, VNC\n')
    print(f"{'':24}{'vitrine':>12}{'QEMU':>12}{'':>5}{'ratio':>8}{'aim':>8}")
    for index, (name, unit) in enumerate(MEASURES.items()):
        ours, theirs = medians['vitrine'][index], medians['QEMU'][index]
        print(f'{name:24}{ours:12.1f}{theirs:12.1f} {unit:4}{ours / theirs:8.2f}{AIM:8.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
