#!/usr/bin/python3
"""What wrong input and a lacking host get: one line that says what, where and what to do; status 1; nothing left."""

import os
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import processes
from harness.case import Skip, Suite, check, equal, need_program, need_vmm

suite = Suite(__doc__)

# Wrong options: what is given, and what the one line has to name.
OPTIONS = {
    'an unknown option': (['-nonsense'], ['nonsense', '--help']),
    'an argument that is no option': (['stray'], ['stray']),
    'an option without its value': (['-m'], ['-m']),
    'an unknown machine type': (['-machine', 'q36'], ['-machine', 'q36', 'q35']),
    'a machine type of a later version': (['-machine', 'q35-9.0'], ['q35-9.0', 'q35-1.0']),
    'an unknown key': (['-machine', 'q35,colour=red'], ['-machine', 'colour', 'accel']),
    'an unknown accelerator': (['-accel', 'tcg'], ['-accel', 'tcg', 'kvm']),
    'an unknown processor model': (['-cpu', 'pentium'], ['-cpu', 'pentium', 'host']),
    'no memory': (['-m', '0'], ['-m', '0']),
    'too little memory': (['-m', '512K'], ['-m', '512K', '8M']),
    'negative memory': (['-m', '-128'], ['-m', '-128']),
    'a size that overflows': (['-m', '18446744073709551616'], ['-m', '18446744073709551616']),
    'a size that overflows by its unit': (['-m', '17592186044416T'], ['-m', '17592186044416T']),
    'a size with a wrong unit': (['-m', '128Q'], ['-m', '128Q']),
    'no processor': (['-smp', '0'], ['-smp', '0']),
    'too many processors': (['-smp', '9'], ['-smp', '9', '8']),
    'processors that do not add up': (['-smp', '4,sockets=3'], ['-smp', '4', '3']),
    'a uuid that is none': (['-uuid', '1234'], ['-uuid', '1234']),
    'a name that is a path': (['-name', '../guest'], ['-name', '../guest']),
    'an unknown device': (['-device', 'flux-capacitor'], ['-device', 'flux-capacitor', 'help']),
    'an unknown property': (['-device', 'VGA,colour=red'], ['VGA', 'colour', 'help']),
    'a property that is no number': (['-device', 'VGA,vgamem_mb=many'], ['vgamem_mb', 'many']),
    'a property out of its range': (['-device', 'bochs-display,vgamem=3G'], ['vgamem', '3G']),
    'video memory that no BAR can have': (['-device', 'VGA,vgamem_mb=3'], ['VGA', 'vgamem_mb=3', 'power of two']),
    'a switch that is neither on nor off': (['-drive', 'file=x,readonly=maybe'], ['readonly', 'maybe', 'on', 'off']),
    'a device without its disk': (['-device', 'virtio-blk-pci,drive=nowhere'], ['nowhere']),
    'a disk image that is not there': (['-drive', 'file=/nowhere/disk.img,format=raw'], ['/nowhere/disk.img']),
    'a disk image that is a folder': (['-drive', 'file=/,format=raw'], ['disk image /']),
    'USB where a machine has none': (['-usb'], ['-usb', 'q35', 'qemu-xhci']),
    'an image format that is not known': (['-drive', 'file=x,format=qcow3'], ['format', 'qcow3', 'raw']),
    'a kernel that is not there': (['-kernel', '/nowhere/vmlinuz'], ['/nowhere/vmlinuz']),
    'an initrd without a kernel': (['-initrd', '/etc/hostname'], ['-initrd', '-kernel']),
    'an unknown back end': (['-serial', 'telegraph'], ['-serial', 'telegraph']),
    'a chardev without an id': (['-chardev', 'null'], ['-chardev', 'id']),
    'a serial port on an unknown chardev': (['-serial', 'chardev:nowhere'], ['nowhere']),
    'a fifth serial port': (['-serial', 'null'] * 5, ['-serial', '4']),
    'a file for a serial port that cannot be made': (['-serial', 'file:/nowhere/log'], ['/nowhere/log']),
    'a QMP socket that cannot be made': (['-qmp', 'unix:/nowhere/qmp,server=on,wait=off'], ['/nowhere/qmp']),
    'a VNC display out of range': (['-vnc', ':60000'], ['-vnc', '60000']),
    'a VNC address that cannot be had': (['-vnc', '192.0.2.1:5'], ['-vnc', '192.0.2.1']),
    'a configuration file that is not there': (['-readconfig', '/nowhere/guest.cfg'], ['/nowhere/guest.cfg']),
    'firmware that is not there': (['-bios', '/nowhere/bios.bin'], ['/nowhere/bios.bin']),
    'help for an unknown device': (['-device', 'flux-capacitor,help'], ['flux-capacitor']),
}


def files_in(folder):
    return set(folder.rglob('*')) if folder.exists() else set()


def refused(t, options, named, before=(), env=None):
    """Start vitrine, which must refuse; returns its line."""
    runtime = t.directory / 'run'
    there, base_there = files_in(runtime), runtime.exists()
    result = processes.run([*before, need_program('vitrine'), '-runtime-dir', runtime, *options], env=env)
    lines = result.stderr.splitlines()
    equal(result.returncode, 1, f'the exit status (it said: {result.stderr!r})')
    check(len(lines) == 1 and lines[0].startswith('vitrine: '), f'this is not one line of ours: {result.stderr!r}')
    equal(result.stdout, '', 'what went to the standard output')
    for word in named:
        check(word in lines[0], f'{word!r} is not named in: {lines[0]}')
    left = files_in(runtime) - there
    equal(left, set(), 'what is left in the runtime directory')
    equal(runtime.exists(), base_there, 'whether there is a runtime directory')
    return lines[0]


@suite.test
def wrong_options(t):
    """All of them, so that one run shows every message that is not right."""
    need_vmm()
    wrong = []
    for name, (options, named) in OPTIONS.items():
        try:
            refused(t, options, named)
        except AssertionError as error:
            wrong.append(f'{name}: {error}')
    check(not wrong, '\n'.join([f'{len(wrong)} of {len(OPTIONS)}:', *wrong]))


@suite.test
def a_kernel_that_is_no_bzimage(t):
    need_vmm()
    text, empty, cut, elf = (t.directory / name for name in ('text', 'empty', 'cut', 'elf'))
    text.write_text('This is no kernel.\n' * 100)
    empty.touch()
    cut.write_bytes(bytes(0x1fe) + b'\x55\xaa\xeb\x66HdrS\x0f\x02')
    elf.write_bytes(b'\x7fELF\2\1\1'.ljust(16, b'\0') + b'\2\0\xb7'.ljust(100, b'\0'))
    for kernel, named in ((text, 'bzImage'), (empty, 'empty'), (cut, 'bzImage'), (elf, 'ELF file of another kind')):
        refused(t, ['-kernel', kernel], [str(kernel), named])


@suite.test
def a_configuration_file_with_a_mistake(t):
    need_vmm()
    config = t.directory / 'guest.cfg'
    config.write_text('[memory]\n  size = "128M"\n\n[machine\n')
    refused(t, ['-readconfig', config], [str(config), '4'])


@suite.test
def an_image_that_another_guest_writes(t):
    image = t.directory / 'disk.img'
    image.write_bytes(bytes(1 << 20))
    t.vmm(['-drive', f'file={image},format=raw'], vnc=False)
    refused(t, ['-name', 'second', '-drive', f'file={image},format=raw'], [str(image)])


@suite.test
def an_image_that_may_not_be_written(t):
    need_vmm()
    need_root()
    image = t.directory / 'disk.img'
    image.write_bytes(bytes(1 << 20))
    image.chmod(0o400)
    t.directory.chmod(0o777)
    need_a_tree_for_everyone()
    kvm = os.stat('/dev/kvm')
    if kvm.st_mode & 0o060 != 0o060:
        raise Skip('only the owner may use /dev/kvm here')
    nobody_with_kvm = [*NOBODY[:-1], f'--groups={kvm.st_gid}']
    refused(t, ['-drive', f'file={image},format=raw'], [str(image)], before=nobody_with_kvm)


@suite.test
def a_name_that_a_running_guest_has(t):
    guest = t.vmm(vnc=False)
    result = processes.run([need_program('vitrine'), '-runtime-dir', guest.runtime, '-name', guest.name])
    equal(result.returncode, 1, 'the exit status')
    equal(len(result.stderr.splitlines()), 1, f'lines in {result.stderr!r}')
    check(guest.name in result.stderr and str(guest.pid) in result.stderr, f'who has the name is not said: {result.stderr}')
    equal(guest.qmp.status(), 'running', 'the status of the guest that was there')


@suite.test
def a_port_in_use(t):
    need_vmm()
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        port = taken.getsockname()[1]
        taken.listen()
        if port < 5900:
            raise Skip(f'the free port {port} is no VNC display')
        refused(t, ['-vnc', f'127.0.0.1:{port - 5900}'], ['-vnc', '127.0.0.1', str(port)])


@suite.test
def a_unix_socket_in_use(t):
    guest = t.vmm()
    refused(t, ['-name', 'second', '-vnc', f'unix:{guest.vnc_path}'], ['-vnc', str(guest.vnc_path)])
    refused(t, ['-name', 'second', '-qmp', f'unix:{guest.qmp_path},server=on,wait=off'], [str(guest.qmp_path)])
    guest.vnc().update()
    equal(guest.qmp.status(), 'running', 'the status of the guest that was there')


@suite.test
def no_kvm(t):
    need_program('vitrine')
    need_root()
    hidden = hiding('mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mknod /dev/urandom c 1 9')
    refused(t, [], ['/dev/kvm'], before=hidden)


@suite.test
def something_else_in_its_place(t):
    need_vmm()
    need_root()
    refused(t, [], ['/dev/kvm'], before=hiding('mount --bind /dev/null /dev/kvm'))


@suite.test
def kvm_without_the_right_to_it(t):
    need_vmm()
    need_root()
    if os.stat('/dev/kvm').st_mode & 0o006 == 0o006:
        raise Skip('everyone may use /dev/kvm here')
    need_a_tree_for_everyone()
    t.directory.chmod(0o777)
    refused(t, [], ['/dev/kvm', 'kvm'], before=NOBODY)


@suite.test
def missing_firmware(t):
    need_vmm()
    need_root()
    folders = [folder for folder in ('/usr/share/seabios', '/usr/share/qemu') if Path(folder).exists()]
    hidden = hiding(' && '.join(f'mount -t tmpfs none {folder}' for folder in folders))
    refused(t, [], ['bios-256k.bin', 'seabios'], before=hidden)


NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']


def hiding(commands):
    """A prefix for a command line: it runs where these mounts were made, which nobody else sees."""
    if processes.run(['unshare', '--mount', 'true']).returncode:
        raise Skip('this root is no mount of its own (a bare chroot), so mounts cannot be hidden from others')
    return ['unshare', '--mount', 'sh', '-c', f'{commands} && exec "$@"', 'sh']


def need_root():
    if os.geteuid() != 0:
        raise Skip('only root can take things away from a program')


def need_a_tree_for_everyone():
    if processes.run([*NOBODY, 'test', '-x', need_program('vitrine')]).returncode:
        raise Skip('the build directory is in a folder that only its owner may enter')


suite.main()
