"""A running VMM: ours, or QEMU as the peer that shows that a test is right.

Both take the same options. The guest is made but held (-S) until its serial lines are connected, so
that nothing of what it says is lost.
"""

import json
import os
import shutil
from pathlib import Path

from harness.processes import Program
from harness.qmp import Qmp
from harness.rfb import RfbClient
from harness.serial import Serial
from harness.wait import Timeout, wait_until

# Where each program stands in the build directory.
PROGRAMS = {
    'vitrine': 'vmm/vitrine',
    'vitrine-vnc': 'vnc-server/vitrine-vnc',
    'vitrine-viewer': 'viewer/vitrine-viewer',
    'vitrine-console': 'console/vitrine-console',
    'audio-listener': 'tests/lab/audio-listener',
}
DISPLAYS = {'VGA', 'bochs-display', 'ramfb', 'virtio-gpu-pci', 'virtio-vga'}


def build_directory():
    """The build under test: $VITRINE_BUILD, else the build directory of this tree."""
    return Path(os.environ.get('VITRINE_BUILD') or Path(__file__).resolve().parents[2] / 'build')


def program(name):
    """The path of one of our programs; None when it was not built."""
    path = build_directory() / PROGRAMS[name]
    return path if path.exists() else None


def kind_under_test():
    return os.environ.get('VITRINE_TEST_VMM', 'vitrine')


def accelerator():
    """What QEMU is to run guests with, when it is the one under test."""
    return os.environ.get('VITRINE_TEST_ACCEL', 'kvm')


def usable_kvm():
    try:
        os.close(os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC))
        return True
    except OSError:
        return False


def bed():
    """Which kind of KVM is at hand: 'none', 'small guests' or 'stock guests'.

    Without VMX or SVM, KVM emulates the guest's kernel-mode code, which stock kernels are too much for.
    """
    if not usable_kvm():
        return 'none'
    flags = next((line for line in Path('/proc/cpuinfo').read_text().splitlines() if line.startswith('flags')), '')
    return 'stock guests' if {'vmx', 'svm'} & set(flags.split()) else 'small guests'


class Vmm:
    """A VMM with one guest, its control socket and its serial lines."""

    def __init__(self, directory, options=(), kind=None, name='guest', serials=1, vnc=True, paused=False,
                 defaults=True, env=None, seconds=None):
        self.directory = Path(directory)
        self.kind = kind or kind_under_test()
        self.name = name
        self.runtime = self.directory / 'run'
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.vnc_path = self.directory / f'{name}.vnc' if vnc else None
        self.serial_paths = [self.directory / f'{name}.serial{port}' for port in range(serials)]
        self.qmp_path = self.directory / f'{name}.qmp'
        self.argv = self.command(options, defaults)
        self.program = Program(self.argv, self.directory, name=name, env=env)
        self.serials = []
        self.clients = []
        self.qmp = None
        try:
            self.qmp = Qmp(self.qmp_path, self.program.running, seconds=seconds)
            self.serials = [self.connect_serial(port) for port in range(serials)]
            if not paused:
                self.qmp.execute('cont')
        except (ConnectionError, Timeout) as error:
            self.close()
            raise AssertionError(f'{self.argv[0]} did not start: {error}; it said: {self.program.err()}') from error

    def command(self, options, defaults):
        if self.kind == 'qemu':
            argv = [shutil.which('qemu-system-x86_64'), '-nodefaults', '-no-user-config', '-display', 'none']
            argv += ['-machine', f'q35,accel={accelerator()}', '-name', self.name] if defaults else []
            # Ours has a display of its own accord.
            argv += [] if DISPLAYS.intersection(str(option).split(',')[0] for option in options) else ['-device', 'VGA']
        else:
            argv = [program('vitrine'), '-runtime-dir', self.runtime]
            argv += ['-name', self.name] if defaults else []
        argv += ['-S', '-qmp', f'unix:{self.qmp_path},server=on,wait=off']
        for path in self.serial_paths:
            argv += ['-serial', f'unix:{path},server=on,wait=off']
        argv += ['-vnc', f'unix:{self.vnc_path}'] if self.vnc_path else []
        return [str(argument) for argument in [*argv, *options]]

    @property
    def pid(self):
        return self.program.pid

    @property
    def serial(self):
        return self.serials[0]

    def connect_serial(self, port):
        """A new connection to a serial line; one that was there before has to be closed first."""
        return Serial.over_socket(self.serial_paths[port], self.program.running)

    def record(self):
        """What guest.json says (ours only)."""
        path = self.runtime / self.name / 'guest.json'
        wait_until(path.exists, f'{path} appearing')
        return json.loads(path.read_text())

    def vnc(self, **options):
        client = RfbClient(self.vnc_path, alive=self.program.running, **options)
        self.clients.append(client)
        return client

    def wait_exit(self, seconds=None):
        return self.program.wait(seconds)

    def close(self):
        """End the VMM, kindly at first; what it leaves behind is for the caller to look at."""
        for client in self.clients:
            client.close()
        for line in self.serials:
            line.close()
        if self.qmp:
            self.qmp.close()
        self.program.end()
