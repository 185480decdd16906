"""A screen to look at programs with windows: an X server with a window manager, keys and a pointer.

Everything is looked at from outside, as a person would: what the screen shows, and what the windows are called.
"""

import os
import re
import shutil
import subprocess

from harness.case import Skip
from harness.picture import read_ppm
from harness.wait import Timeout, wait_until

TOOLS = ('Xvfb', 'openbox', 'xdotool', 'xprop', 'import')
WIDTH, HEIGHT = 1280, 900


class Desk:
    def __init__(self, t):
        for tool in TOOLS:
            if not shutil.which(tool):
                raise Skip(f'{tool} is not installed')
        reading, writing = os.pipe()
        self.home = t.directory / 'home'
        self.home.mkdir(exist_ok=True)
        # The directory in their command lines says to whom these processes belong.
        t.start(['Xvfb', '-displayfd', str(writing), '-screen', '0', f'{WIDTH}x{HEIGHT}x24', '-nolisten', 'tcp',
                 '-noreset', '-fbdir', t.directory], pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as number:
            self.display = f':{number.readline().strip()}'
        self.env = {
            'DISPLAY': self.display, 'HOME': str(self.home), 'XDG_CONFIG_HOME': str(self.home / '.config'),
            'XDG_RUNTIME_DIR': str(self.home), 'GDK_BACKEND': 'x11', 'GSETTINGS_BACKEND': 'memory',
            'GIO_USE_VFS': 'local', 'NO_AT_BRIDGE': '1', 'LC_ALL': 'C.UTF-8', 'GTK_THEME': 'Adwaita',
            'G_DEBUG': 'fatal-criticals', 'DBUS_SESSION_BUS_ADDRESS': 'disabled:',
        }
        t.start(['openbox', '--sm-disable', '--startup', f'true {t.directory}'], env=self.env)
        wait_until(lambda: '#' in self.call('xprop', '-root', '_NET_SUPPORTING_WM_CHECK'), 'the window manager')

    def call(self, *words):
        """Run an X tool; its output as text, empty when it fails."""
        result = subprocess.run([str(word) for word in words], env={**os.environ, **self.env}, capture_output=True,
                                check=False, timeout=60)
        return result.stdout.decode(errors='replace') if result.returncode == 0 else ''

    def xdotool(self, *words):
        return self.call('xdotool', *words)

    def picture(self):
        """What the whole screen shows."""
        data = subprocess.run(['import', '-silent', '-window', 'root', '-depth', '8', 'ppm:-'], env={**os.environ, **self.env},
                              capture_output=True, check=True, timeout=60).stdout
        return read_ppm(data)

    def windows(self):
        """Every window that has a title: number and title."""
        return [(window, self.xdotool('getwindowname', window).strip())
                for window in self.xdotool('search', '--name', '.').split()]

    def wait_title(self, pattern):
        """Wait for a window by its title; returns the window's number."""
        def find():
            return next((window for window, title in self.windows() if re.search(pattern, title)), None)
        try:
            return wait_until(find, f'a window called {pattern}', interval=0.05)
        except Timeout as error:
            raise Timeout(f'{error}; there are {self.windows()}') from None

    def geometry(self, window):
        text = self.xdotool('getwindowgeometry', '--shell', window)
        return {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', text)}

    def find(self, colour, picture=None):
        """Where the first pixel of that colour is, from the top; None when there is none."""
        picture = picture or self.picture()
        wanted, start = bytes(colour), 0
        while (at := picture.pixels.find(wanted, start)) >= 0:
            if at % 3 == 0:
                return at // 3 % picture.width, at // 3 // picture.width
            start = at + 1
        return None

    def wait_for(self, colour):
        return wait_until(lambda: self.find(colour), f'the colour {colour} on the screen', interval=0.05)
