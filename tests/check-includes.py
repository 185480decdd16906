#!/usr/bin/python3
"""Includes point downwards only: each folder may use the ones named for it, and no others."""

import re
import subprocess
import sys

ALLOWED = {
    "base": {"base"},
    "display": {"base", "display"},
    "vgpu": {"base", "display", "vgpu"},
    "vmm": {"base", "display", "vgpu", "vmm"},
    "vnc-server": {"base", "display", "vnc-server"},
    "spice": {"base", "display", "spice"},
    "viewer": {"base", "display", "viewer"},
    "console": {"base", "console"},
}
# The machine types are a small library of its own, for whoever names them.
EVERYWHERE = {"vmm/machine/machine-types.h"}


def main():
    files = subprocess.run(["git", "ls-files", "*.c", "*.h"], capture_output=True, text=True, check=True)
    wrong = 0
    for path in files.stdout.split():
        folder = path.split("/")[0]
        if folder not in ALLOWED:
            continue
        with open(path, encoding="utf-8") as source:
            for number, line in enumerate(source, 1):
                found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not found or "/" not in found.group(1) or found.group(1) in EVERYWHERE:
                    continue
                if found.group(1).split("/")[0] not in ALLOWED[folder]:
                    print(f"{path}:{number}: {folder}/ may not include {found.group(1)}")
                    wrong += 1
    return 1 if wrong else 0


sys.exit(main())
