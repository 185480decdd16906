#!/usr/bin/python3
"""The cost of one harvest of a 1920x1080 picture at 0, 128 and 2025 dirty pages, and of KVM's dirty log alone."""
import os
import sys

program = os.path.join(os.environ.get("VITRINE_BUILD", "build"), "tests", "bench", "bench-damage")
if not os.access(program, os.X_OK):
    sys.exit("damage: %s is not built; run ./dev build" % program)
os.execv(program, [program])
