"""An X screen without a monitor, for viewers that need one: seen with import, used with xdotool."""

import os

from harness.case import check, need_program
from harness.picture import read_picture
from harness.processes import run


class XScreen:
    """A screen without a monitor, and a person before it."""

    def __init__(self, t):
        reader, writer = os.pipe()
        self.folder = t.directory
        self.program = t.start([need_program('Xvfb'), '-displayfd', writer, '-screen', '0', '1024x768x24', '-nolisten',
                                'tcp'], pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as line:
            number = line.readline().strip()
        check(number, f'Xvfb did not start: {self.program.err()}')
        self.env = {'DISPLAY': f':{number}', 'HOME': str(t.directory), 'GDK_BACKEND': 'x11',
                    'DBUS_SESSION_BUS_ADDRESS': 'disabled:', 'NO_AT_BRIDGE': '1'}

    def do(self, *words):
        return run([need_program('xdotool'), *words], env=self.env)

    def picture(self):
        png = self.folder / 'screen.ppm'
        done = run([need_program('import'), '-window', 'root', '-depth', '8', png], env=self.env)
        check(done.returncode == 0, f'import failed: {done.stderr}')
        return read_picture(png)

    def find(self, row):
        """Where a row of pixels stands on the screen; None when it is not there."""
        picture = self.picture()
        for y in range(picture.height):
            at = picture.row(y).find(row)
            if at >= 0 and at % 3 == 0:
                return at // 3, y
        return None
