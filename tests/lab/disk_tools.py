#!/usr/bin/python3
"""Drivers of disk controllers, fio, and what moves trays, for the stock guest: an archive that is unpacked behind its initramfs.

    disk_tools.py    makes the initramfs with them where that was not done yet, and prints its path

It stands in the lab's cache, named by what it is made of. fio is this machine's own; the libraries of engines that
no guest here has a use for (Ceph, RDMA and the like, 80 MB) are replaced by empty ones.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import images as made
from lab.images import Archive, images, static_program

TRAY = Path(__file__).with_name('tray.c')
DRIVERS = ('ahci', 'ata_piix', 'virtio_scsi', 'sr_mod', 'sg')
# What fio cannot do without; the loader looks for them in LIBRARIES.
KEPT = ('libc.so', 'libm.so', 'libz.so', 'libaio.so', 'libnuma.so')
LIBRARIES = 'lib/x86_64-linux-gnu'
LOADER = 'lib64/ld-linux-x86-64.so.2'


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def driver_files():
    """The modules of the drivers that the images do not have, each after what it depends on."""
    version = (made.CACHE / 'version').read_text().strip()
    kernel = made.CACHE / 'kernel'
    have = {file.name for file in made.module_files(kernel, version)}
    files = []
    for name in DRIVERS:
        lines = output_of('modprobe', '-d', kernel, '-S', version, '--show-depends', name).splitlines()
        files += [Path(line.split()[1]) for line in lines if line.startswith('insmod')]
    return [file for file in dict.fromkeys(files) if file.name not in have]


def symbols(path, which):
    """(name, version) of functions and data that a program or library has (--defined-only) or wants (--undefined-only)."""
    lines = (line.split() for line in output_of('nm', '-D', '--with-symbol-versions', which, path).splitlines())
    return {tuple(f'{words[-1]}@'.replace('@@', '@').split('@')[:2]) for words in lines if 'w' not in words}


def versions_wanted(path):
    """The library that each version of symbols belongs to."""
    of = {}
    for word, name in re.findall(r'(File|Name): (\S+)', output_of('readelf', '-V', path)):
        library = name if word == 'File' else library
        of[name] = library
    return of


def empty_library(wanted, folder):
    """A library with the wanted symbols, none of which is called."""
    source, script, library = folder / 'empty.c', folder / 'empty.map', folder / 'empty.so'
    source.write_text(''.join(f'int {name}(void)\n{{\n\treturn -1;\n}}\n' for name, _ in sorted(wanted)))
    script.write_text(''.join(f'{version} {{ {"; ".join(name for name, of in wanted if of == version)}; }};\n'
                              for version in sorted({version for _, version in wanted if version})))
    options = [f'-Wl,--version-script={script}'] if script.stat().st_size else []
    subprocess.run(['gcc', '-shared', '-fPIC', '-nostdlib', '-fno-builtin', '-s', *options, '-o', library, source], check=True)
    return library.read_bytes()


def add_fio(archive):
    fio = shutil.which('fio')
    libraries = re.findall(r'NEEDED.*\[(.*)\]', output_of('readelf', '-d', fio))
    found = dict(re.findall(r'(\S+) => (/\S+)', output_of('ldd', fio)))
    kept = [name for name in libraries if name.startswith(KEPT)]
    missing = symbols(fio, '--undefined-only')
    for name in kept:
        there = {name for name, _ in symbols(found[name], '--defined-only')}
        missing = {symbol for symbol in missing if symbol[0] not in there}
    owner = versions_wanted(fio)
    for folder in ('lib', 'lib64', LIBRARIES):
        archive.folder(folder)
    for name in libraries:
        if name in kept:
            content = Path(found[name]).read_bytes()
        else:
            with tempfile.TemporaryDirectory() as folder:
                content = empty_library({symbol for symbol in missing if owner.get(symbol[1], name) == name}, Path(folder))
        archive.file(f'{LIBRARIES}/{name}', content, 0o755)
    archive.file(LOADER, Path(f'/{LOADER}').read_bytes(), 0o755)
    archive.file('bin/fio', Path(fio).read_bytes(), 0o755)


def make(scripts):
    archive = Archive()
    files = driver_files()
    for file in files:
        archive.file(f'modules/{file.name}', file.read_bytes())
    archive.file('modules/order-of-disks', ''.join(f'{file.name}\n' for file in files).encode())
    add_fio(archive)
    archive.file('bin/tray', static_program(TRAY), 0o755)
    for name, text in scripts.items():
        archive.file(f'bin/{name}', f'#!/bin/sh{text}'.encode(), 0o755)
    return archive.finish()


def initramfs_with_disk_tools(scripts):
    """The path of an initramfs that has all this and `scripts` (names and texts) in /bin."""
    first = (images() / 'initramfs').read_bytes()
    digest = hashlib.sha256(Path(__file__).read_bytes() + TRAY.read_bytes() + repr(sorted(scripts.items())).encode())
    digest.update(Path(shutil.which('fio')).read_bytes() + first)
    final = made.CACHE / f'disk-tools-{digest.hexdigest()[:16]}'
    if final.exists():
        return final
    with open(made.CACHE / 'images.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            new = final.with_suffix('.new')
            # The kernel unpacks one archive after the other; each begins at a multiple of four.
            new.write_bytes(first + bytes(-len(first) % 4) + make(scripts))
            os.replace(new, final)
    return final


if __name__ == '__main__':
    print(initramfs_with_disk_tools({}))
