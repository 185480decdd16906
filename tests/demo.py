#!/usr/bin/python3
"""Shows what Vitrine does: boots the demo guest, and opens a window on it, or says how to look at it from elsewhere.

Without a display it prints the VNC address and the console command and saves a screenshot; with a terminal the guest then
stays until Ctrl-C, without one it ends. Without a usable /dev/kvm the VNC server shows its own test picture instead.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("VITRINE_BUILD", os.path.join(ROOT, "build"))
VITRINE = os.path.join(BUILD, "vmm", "vitrine")
VNC = os.path.join(BUILD, "vnc-server", "vitrine-vnc")
VIEWER = os.path.join(BUILD, "viewer", "vitrine-viewer")
CONSOLE = os.path.join(BUILD, "console", "vitrine-console")
IMAGE = os.path.join(BUILD, "tests", "guests", "demo", "demo.img")
KVM_GET_API_VERSION = 0xAE00
PATIENCE = 60  # seconds, for a slow host


def say(text):
    print(f"demo: {text}", flush=True)


def has_display():
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and os.path.exists(VIEWER)


def free_display():
    """A VNC display number whose port nobody listens on."""
    for number in range(1, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", 5900 + number))
                return number
            except OSError:
                continue
    sys.exit("demo: the ports 5901 to 5999 are all taken")


class Control:
    """The guest's QMP socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"demo: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        sys.exit("demo: the guest went away")


def wait_for(what, condition, process):
    """Until @condition gives something, or the program ends, or patience does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"demo: the guest ended early (exit status {process.returncode})")
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"demo: no {what} within {PATIENCE} seconds")


def read_record(directory):
    try:
        with open(os.path.join(directory, "guest.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def wait_for_scene(serial, process):
    """The guest tells on its serial line which mode it has set."""
    text = bytearray()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(serial)
        line.settimeout(0.2)

        def seen():
            try:
                text.extend(line.recv(4096))
            except TimeoutError:
                pass
            return b"vitrine> " in text

        wait_for("prompt on the serial line", seen, process)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait()


def wait_until_interrupted(process):
    say("Ctrl-C ends it")
    try:
        process.wait()
    except KeyboardInterrupt:
        print()


def show_pattern(reason):
    say(f"{reason}; showing the VNC server's own test picture instead of a guest")
    display = free_display()
    server = subprocess.Popen([VNC, "--pattern", f"--listen=localhost:{5900 + display}"])
    try:
        if has_display():
            say("closing the window ends it")
            subprocess.run([VIEWER, f"vnc://localhost:{5900 + display}"], check=False)
        else:
            say(f"look at it with a VNC client: localhost:{display} (port {5900 + display})")
            if sys.stdin.isatty():
                wait_until_interrupted(server)
            else:
                screenshot_by_vnc(display, server)
    finally:
        end(server)


def screenshot_by_vnc(display, server):
    shot = os.path.abspath("demo.png")

    def listening():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", 5900 + display)) == 0

    wait_for("VNC server", listening, server)
    if shutil.which("gvnccapture"):
        subprocess.run(["gvnccapture", "-q", f"localhost:{display}", shot], check=True)
        say(f"screenshot: {shot}")


def show_guest():
    base = os.environ.get("XDG_RUNTIME_DIR")
    temporary = None
    options = []
    if base:
        base = os.path.join(base, "vitrine")
    else:
        temporary = tempfile.mkdtemp(prefix="vitrine-")
        base = temporary
        options = ["-runtime-dir", base]
    name = f"demo-{os.getpid()}"
    directory = os.path.join(base, name)
    display = free_display()
    command = [VITRINE, "-name", name, "-m", "128", *options,
               "-drive", f"file={IMAGE},format=raw,if=virtio,readonly=on", "-vnc", f":{display}"]
    guest = subprocess.Popen(command)
    try:
        wait_for("guest", lambda: read_record(directory), guest)
        wait_for_scene(os.path.join(directory, "serial0.sock"), guest)
        say(f"the guest {name} runs")
        say(f"VNC:     localhost:{display} (port {5900 + display})")
        if temporary:
            say(f"console: {CONSOLE} attach --socket {directory}/serial0.sock")
        else:
            say(f"console: {CONSOLE} attach {name}")
        if has_display():
            say("closing the window ends it")
            subprocess.run([VIEWER, "--bus", os.path.join(directory, "display.sock")], check=False)
        else:
            shot = os.path.abspath("demo.png")
            Control(os.path.join(directory, "qmp.sock")).execute("screendump", filename=shot, format="png")
            say(f"screenshot: {shot}")
            if sys.stdin.isatty():
                wait_until_interrupted(guest)
            else:
                say("there is no terminal to wait at, so the guest ends here; start it from a terminal to look at it")
    finally:
        end(guest)
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def kvm_problem():
    """Why there is no KVM to use here, or None."""
    try:
        device = os.open("/dev/kvm", os.O_RDWR)
    except OSError as problem:
        return problem.strerror
    try:
        fcntl.ioctl(device, KVM_GET_API_VERSION)
        return None
    except OSError:
        return "it is something else"
    finally:
        os.close(device)


def main():
    problem = kvm_problem()
    if problem:
        show_pattern(f"no KVM here (/dev/kvm: {problem})")
    else:
        show_guest()


if __name__ == "__main__":
    main()
