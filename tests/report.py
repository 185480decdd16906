#!/usr/bin/python3
"""Adds up what meson's test logs say: failures by name, skips with their reason, then one line of counts."""

import json
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def reason(entry):
    """Why a test was skipped: the first line in which it says so."""
    text = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    for line in text.splitlines():
        found = re.search(r"skip(?:ped)?:?\s*(.*)", line, re.IGNORECASE)
        if found and found.group(1):
            return found.group(1).strip()
    return "it did not say why"


def main():
    passed = failed = skipped = 0
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            entry = json.loads(line)
            if entry["result"] in PASSED:
                passed += 1
            elif entry["result"] in SKIPPED:
                skipped += 1
                print(f"skipped: {entry['name']}: {reason(entry)}")
            else:
                failed += 1
                print(f"failed: {entry['name']} ({entry['result']})")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
