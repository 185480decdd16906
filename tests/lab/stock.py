"""What the lab tests share: a stock guest with its serial line, and the way into the lab."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.case import SKIPPED
from harness.vmm import bed, kind_under_test
from lab.images import PASSWORD, images

LAB_SECONDS = 600
# The lab's emulation fails by itself in about one of ten programs: its processors spin, or its kernel's stack overflows
# in KVM. Another start tells that from a flaw that is always there.
TRIES = 4
# The lab ended or stood still.
LAB_FAILED = 125
# Seen twice in about thirty programs: the guest's processor is busy for ever and serves no device, while the lab itself goes on.
OUT_OF_TIME = 124
# Seen about once in five runs, always with two processors, at different places: the emulated SVM of the lab or we. The guest
# is stopped and reported as it should be; a second run tells a flaw of the emulation from one that is always there.
TRIPLE_FAULT = 'the guest met a triple fault'
PROMPT = r'stock# (\x1b\[6n)?$'


class StockGuest:
    """A guest with its disk; what it says on ttyS0 is followed."""

    def __init__(self, context, name, options):
        self.disk = context.directory / f'{name}.img'
        shutil.copy(images() / 'disk.img', self.disk)
        self.vmm = context.vmm(['-m', '192', '-drive', f'file={self.disk},format=raw,if=none,id=disk',
                                '-device', 'virtio-blk-pci,drive=disk', *options], name=name)
        self.serial = self.vmm.serial
        self.qmp = self.vmm.qmp
        self.facts = ''

    def wait_started(self):
        """Follow a start to its end; what the guest found is in `facts` then."""
        self.serial.expect('guest: kernel')
        start = self.serial.position
        self.serial.expect('guest: started')
        self.facts = self.serial.log[start:self.serial.position]

    def found(self, what):
        return what in self.facts

    def log_in(self, line=None):
        line = line or self.serial
        line.expect('stock login: ')
        line.send('root\n')
        line.expect('Password: ')
        line.send(f'{PASSWORD}\n')
        line.expect(PROMPT)
        # Without it the shell says at any later prompt how its background jobs ended.
        self.run('set +m', line)

    def run(self, command, line=None):
        """Run a command in the shell on ttyS0; returns what it printed."""
        line = line or self.serial
        line.send(f'{command}\n')
        line.expect(r'\n')
        start = line.position
        match = line.expect(PROMPT)
        return line.log[start:match.start()].replace('\r', '').strip()


def keep(picture, name):
    """Leave a picture for people to look at."""
    folder = os.environ.get('LAB_OUT')
    if folder:
        picture.write_png(Path(folder) / f'{kind_under_test()}-{name}.png')


def enter_the_lab(seconds):
    """Run this program again where stock guests run; does not return."""
    lab = Path(__file__).with_name('lab')
    try:
        images()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f'1..0 # SKIP the lab cannot be made here: {error}')
        sys.exit(SKIPPED)
    # A guest that hangs is to be the lab's hang, which is tried again.
    os.environ.setdefault('VITRINE_TEST_LIMIT', str(seconds))
    command = [lab, 'run', '-t', str(seconds), '--', sys.executable, *sys.argv]
    for _ in range(TRIES):
        status, output = relay(command)
        if status not in (LAB_FAILED, OUT_OF_TIME) and not (status and TRIPLE_FAULT in output):
            break
        print('# the lab, or a processor in it, failed by itself', flush=True)
    sys.exit(status)


def relay(command):
    """Run a command and pass on what it prints; returns its status and all that it printed."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors='replace') as process:
        for line in process.stdout:
            print(line, end='', flush=True)
            lines.append(line)
    return process.returncode, ''.join(lines)


def run(suite, seconds=LAB_SECONDS):
    """Run the suite, in the lab where this machine's KVM cannot run stock guests."""
    if bed() != 'stock guests' and not os.environ.get('LAB'):
        sys.stdout.flush()
        enter_the_lab(seconds)
    suite.main()
