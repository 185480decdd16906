#!/usr/bin/python3
"""Our bus client against QEMU's display bus (-display dbus,p2p=on).

QEMU boots to its firmware's boot menu; what bus-dump sees there must be, pixel by pixel, what QEMU's own screendump
says, before and after a key that was sent over the bus.

    test_bus_qemu.py BUS_DUMP
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = 60  # seconds, for anything that is waited for
SKIP = 77


class Qmp:
    """A QMP connection, one command at a time."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(LIMIT)
        self.socket.connect(path)
        self.file = self.socket.makefile("r")
        self.file.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments}) + "\n"
        self.socket.sendall(text.encode())
        while True:
            answer = json.loads(self.file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])


def start_qemu(folder):
    command = ["qemu-system-x86_64", "-nodefaults", "-M", "q35", "-m", "64",
               "-accel", "kvm", "-accel", "tcg", "-vga", "std", "-display", "dbus,p2p=on",
               "-boot", "menu=on,splash-time=%d" % (LIMIT * 1000),
               "-qmp", "unix:%s/ours,server=on,wait=off" % folder,
               "-qmp", "unix:%s/bus,server=on,wait=off" % folder]
    qemu = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LIMIT
    while not os.path.exists(folder + "/bus"):
        if qemu.poll() is not None:
            print("this QEMU cannot do it: " + qemu.stderr.read())
            sys.exit(SKIP)
        if time.monotonic() > deadline:
            raise TimeoutError("QEMU does not start")
        time.sleep(0.05)
    return qemu


def read(path):
    with open(path, "rb") as file:
        return file.read()


def is_text_screen(picture):
    """Whether the firmware's text mode is shown, and not QEMU's own notice before it."""
    return picture.startswith(b"P6\n720 400\n") and len(picture) - picture.count(0) > 500


def same_picture(bus_dump, qmp, folder, keys=(), want=None):
    """Waits until both ways show the same picture, one that is not @want."""
    deadline = time.monotonic() + LIMIT
    while True:
        command = [bus_dump, "--qmp", folder + "/bus", folder + "/bus.ppm", "--settle", "400",
                   "--limit", "5"]
        for key in keys:
            command += ["--key", str(key)]
        keys = ()
        seen = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
        if seen.returncode != 0:
            raise RuntimeError(seen.stderr + " ".join(command))
        qmp.execute("screendump", filename=folder + "/qemu.ppm")
        picture = read(folder + "/qemu.ppm")
        if read(folder + "/bus.ppm") == picture and picture != want and is_text_screen(picture):
            return picture, seen.stdout.split()
        if time.monotonic() > deadline:
            raise TimeoutError("the pictures differ: " + seen.stdout)


def main():
    bus_dump = sys.argv[1]
    if not shutil.which("qemu-system-x86_64"):
        print("qemu-system-x86_64 is not installed")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        qemu = start_qemu(folder)
        try:
            qmp = Qmp(folder + "/ours")
            before, numbers = same_picture(bus_dump, qmp, folder)
            print("boot screen: %s by %s, %s scanouts, %s updates" % tuple(numbers[:4]))
            after, numbers = same_picture(bus_dump, qmp, folder, keys=[1], want=before)
            print("boot menu after Escape: %s by %s, %s scanouts, %s updates" % tuple(numbers[:4]))
            if os.environ.get("KEEP"):
                shutil.copy(folder + "/bus.ppm", os.environ["KEEP"])
            assert before != after
        finally:
            qemu.kill()
            qemu.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
