#!/usr/bin/python3
"""Makes the stock guest that the lab tests boot: the lab's Debian kernel, a busybox system, a disk.

    images.py        makes them where that was not done yet, and prints their folder

The folder holds `vmlinuz`, `initramfs`, `tools` (lspci, dmidecode and acpidump of this machine, to be put
behind the initramfs) and `disk.img`: an MBR, GRUB behind it, and one ext2 partition with the same kernel
and initramfs. It stands in the lab's cache, named by what the images are made of.

The guest speaks on ttyS0 in lines that begin with `guest:`, then asks for a login there (root, password
`console`) and runs a shell on tty1, in the characters of the VGA BIOS, which tests can read off the screen.
Its power button powers it off.
"""

import fcntl
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.screen_text import font

CACHE = Path(os.environ.get('LAB_CACHE') or
             Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'vitrine-lab')
TONE = Path(__file__).with_name('tone.c')
PASSWORD = 'console'
PSF_256_OF_16 = b'\x36\x04\x00\x10'  # head of a console font: 256 characters, 16 bytes each
SECTOR = 512
PARTITION_START = 2048  # sectors
PARTITION_MIB = 24
BOOT_CODE = 440  # bytes of the MBR that are code
MODULES = ('virtio_pci', 'virtio_blk', 'virtio_net', 'virtio-rng', 'virtio_balloon', 'virtio_console', 'virtio_input', 'ext4',
           'button', 'evdev', 'psmouse', 'bochs', 'qxl', 'virtio-gpu', 'xhci_pci', 'uhci_hcd', 'usbhid', 'hid_generic',
           'usb_storage', 'sd_mod', 'snd-hda-intel', 'snd-hda-codec-generic')
ARGUMENTS = 'console=tty0 console=ttyS0,115200 quiet'
TOOLS = ('lspci', 'dmidecode', 'acpidump')
GRUB_MODULES = ('biosdisk', 'part_msdos', 'ext2', 'normal', 'linux', 'serial', 'terminal', 'configfile', 'echo')

FILES = {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    'etc/shadow': 'root:$1$vitrine$57QFEuaMvRhasmDFYRFyI.:19000:0:99999:7:::\n',
    'etc/group': 'root:x:0:\n',
    'etc/issue': 'Stock guest on \\l\n\n',
    'etc/hostname': 'stock\n',
    'etc/inittab': '\n'.join((
        '::sysinit:/etc/start',
        'ttyS0::respawn:/bin/getty -L 115200 ttyS0 vt100',
        'tty1::respawn:/bin/login -f root',
        '::once:/etc/power-button',
        '::shutdown:/etc/stop', '')),
    'root/.profile': 'PS1="stock# "\n',
}

SCRIPTS = {
    'etc/start': '''#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
hostname -F /etc/hostname
while read -r module; do insmod /modules/$module || echo "guest: $module did not load" >/dev/ttyS0; done </modules/order
loadfont </etc/font
exec >/dev/ttyS0 2>&1
stty -F /dev/ttyS0 115200
echo "guest: kernel $(uname -r)"
echo "guest: processors $(grep -c ^processor /proc/cpuinfo)"
echo "guest: memory $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo) KiB"
for driver in /sys/class/drm/card0/device/driver; do
	[ -e $driver ] && echo "guest: display $(basename $(readlink $driver))"
done
[ -e /dev/fb0 ] && echo "guest: framebuffer $(cat /sys/class/graphics/fb0/virtual_size)"
[ -e /sys/class/misc/hw_random ] && echo "guest: entropy $(cat /sys/class/misc/hw_random/rng_current)"
echo "guest: clock $(cat /sys/class/rtc/rtc0/since_epoch)"
for disk in /sys/block/vd*; do
	[ -e $disk ] && echo "guest: disk $(basename $disk) $(cat $disk/size) sectors, read-only $(cat $disk/ro)"
done
if [ -e /dev/vda1 ] && mount -t ext2 /dev/vda1 /mnt; then
	count=$(($(cat /mnt/starts) + 1))
	echo $count >/mnt/starts
	umount /mnt
	echo "guest: start $count from this disk"
fi
echo "guest: started"
''',
    'etc/power-button': '''#!/bin/sh
for input in /sys/class/input/event*; do
	[ "$(cat $input/device/name)" = "Power Button" ] || continue
	{
		echo "guest: power button at $(basename $input)" >/dev/ttyS0
		head -c 24 >/dev/null
	} </dev/input/$(basename $input)
	echo "guest: power button pressed" >/dev/ttyS0
	poweroff
	exit
done
''',
    'etc/stop': '''#!/bin/sh
echo "guest: stopping" >/dev/ttyS0
sync
''',
}

# What a guest with these tools tells of itself: an archive on its standard output.
TELL = '''#!/bin/sh
exec 3>&1 >/dev/null 2>&1
cd /tmp
mkdir all
lspci -nn >all/lspci
lspci -vvnn >all/lspci-long
dmidecode >all/dmidecode
acpidump >all/acpidump
cp -r /sys/firmware/acpi/tables all/acpi
cp -r /sys/firmware/dmi/tables all/dmi
for cpu in /sys/devices/system/cpu/cpu[0-9]*/topology; do
	echo $(cat $cpu/physical_package_id $cpu/core_id $cpu/thread_siblings_list)
done >all/topology
for node in /sys/devices/system/node/node[0-9]*; do
	echo $(cat $node/cpulist $node/distance) $(awk '/MemTotal/ { print $4 }' $node/meminfo)
done >all/nodes
for device in /sys/bus/pci/devices/*; do
	echo $(basename $device) $(cat $device/numa_node)
done >all/pci-nodes
for input in /sys/class/input/event*; do
	cat $input/device/name
done >all/inputs
cat /sys/power/state >all/power
cat /proc/interrupts >all/interrupts
cat /proc/iomem >all/iomem
dmesg >all/log
tar c all >&3
'''

GRUB_CONFIG = f'''serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=0
set default=0
menuentry "Stock guest" {{
	echo "GRUB loads the kernel"
	linux /boot/vmlinuz {ARGUMENTS} booted_by=grub
	initrd /boot/initramfs
}}
'''


class Archive:
    """A cpio archive of the kind that Linux unpacks as its first root (newc)."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b'', device=(0, 0)):
        self.inode += 1
        path = name.encode() + b'\0'
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(path), 0)
        self.data += b'070701' + b''.join(b'%08X' % field for field in fields) + path
        self.pad()
        self.data += content
        self.pad()

    def pad(self):
        self.data += bytes(-len(self.data) % 4)

    def folder(self, name):
        self.add(name, 0o40755)

    def file(self, name, content, mode=0o644):
        self.add(name, 0o100000 | mode, content)

    def link(self, name, target):
        self.add(name, 0o120777, target.encode())

    def finish(self):
        self.add('TRAILER!!!', 0)
        return bytes(self.data)


def module_files(kernel, version):
    """The modules' files in the order of loading, each with what it depends on before it."""
    files = []
    for name in MODULES:
        lines = subprocess.run(['modprobe', '-d', kernel, '-S', version, '--show-depends', name],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        files += [Path(line.split()[1]) for line in lines if line.startswith('insmod')]
    return list(dict.fromkeys(files))


def static_program(source):
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / 'program'
        subprocess.run(['gcc', '-static', '-O2', '-s', '-o', program, source], check=True)
        return program.read_bytes()


def make_initramfs(kernel, version):
    archive = Archive()
    for folder in ('bin', 'dev', 'etc', 'mnt', 'modules', 'proc', 'root', 'sys', 'tmp'):
        archive.folder(folder)
    archive.add('dev/console', 0o20600, device=(5, 1))
    archive.file('bin/busybox', Path(shutil.which('busybox')).read_bytes(), 0o755)
    for name in subprocess.run(['busybox', '--list'], check=True, capture_output=True, text=True).stdout.split():
        if name != 'busybox':
            archive.link(f'bin/{name}', 'busybox')
    archive.link('init', 'bin/busybox')
    archive.link('sbin', 'bin')
    files = module_files(kernel, version)
    for file in files:
        archive.file(f'modules/{file.name}', file.read_bytes())
    archive.file('modules/order', ''.join(f'{file.name}\n' for file in files).encode())
    archive.file('etc/font', PSF_256_OF_16 + font())
    archive.file('bin/tone', static_program(TONE), 0o755)
    for name, content in FILES.items():
        archive.file(name, content.encode())
    for name, content in SCRIPTS.items():
        archive.file(name, content.encode(), 0o755)
    return archive.finish()


def make_tools():
    """Programs of this machine with the libraries they want, each where it stands here."""
    archive = Archive()
    files, folders = {}, set()
    for tool in TOOLS:
        program = shutil.which(tool)
        if not program:
            continue  # who wants it says so
        files[f'bin/{tool}'] = Path(program)
        for word in subprocess.run(['ldd', program], check=True, capture_output=True, text=True).stdout.split():
            if word.startswith('/'):
                files[word.lstrip('/')] = Path(word)
    for name in files:
        folders.update(str(folder) for folder in Path(name).parents if str(folder) != '.')
    for folder in sorted(folders):
        archive.folder(folder)
    for name, file in files.items():
        archive.file(name, file.read_bytes(), 0o755)
    archive.file('bin/tell', TELL.encode(), 0o755)
    return archive.finish()


def make_disk(folder):
    """An MBR with GRUB's first sector, its core in the gap behind it, and the partition."""
    tree = folder / 'tree'
    (tree / 'boot/grub').mkdir(parents=True)
    shutil.copy(folder / 'vmlinuz', tree / 'boot/vmlinuz')
    shutil.copy(folder / 'initramfs', tree / 'boot/initramfs')
    (tree / 'boot/grub/grub.cfg').write_text(GRUB_CONFIG)
    (tree / 'starts').write_text('0\n')
    partition = folder / 'partition'
    subprocess.run(['mke2fs', '-q', '-t', 'ext2', '-b', '1024', '-d', tree, partition, f'{PARTITION_MIB}M'],
                   check=True, stdout=subprocess.DEVNULL)
    core = folder / 'core'
    subprocess.run(['grub-mkimage', '-O', 'i386-pc', '-o', core, '-p', '(hd0,msdos1)/boot/grub', *GRUB_MODULES],
                   check=True)
    boot = Path('/usr/lib/grub/i386-pc/boot.img').read_bytes()
    if core.stat().st_size > (PARTITION_START - 1) * SECTOR:
        raise SystemExit(f'images: GRUB with {core.stat().st_size} bytes does not fit before the partition')
    entry = struct.pack('<B3sB3sII', 0x80, b'\xfe\xff\xff', 0x83, b'\xfe\xff\xff', PARTITION_START,
                        PARTITION_MIB * 1024 * 1024 // SECTOR)
    with open(folder / 'disk.img', 'wb') as disk:
        disk.write(boot[:BOOT_CODE].ljust(446, b'\0') + entry + bytes(48) + b'\x55\xaa')
        disk.write(core.read_bytes())
        disk.seek(PARTITION_START * SECTOR)
        disk.write(partition.read_bytes())
    shutil.rmtree(tree)
    partition.unlink()
    core.unlink()


def identity(version):
    """What the images are made of, as a name."""
    digest = hashlib.sha256(Path(__file__).read_bytes() + TONE.read_bytes() + version.encode())
    for path in (shutil.which('busybox'), '/usr/lib/grub/i386-pc/kernel.img', *filter(None, map(shutil.which, TOOLS))):
        digest.update(Path(path).read_bytes())
    digest.update(font())
    return digest.hexdigest()[:16]


def images():
    """The folder of the images; they are made when they are not there."""
    lab = Path(__file__).with_name('lab')
    if not os.environ.get('LAB'):
        subprocess.run([lab, 'build'], check=True, stdout=sys.stderr)
    version = (CACHE / 'version').read_text().strip()
    final = CACHE / 'images' / identity(version)
    if final.exists():
        return final
    final.parent.mkdir(exist_ok=True)
    with open(CACHE / 'images.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.exists():
            return final
        folder = final.with_suffix('.new')
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(CACHE / f'kernel/boot/vmlinuz-{version}', folder / 'vmlinuz')
        (folder / 'initramfs').write_bytes(make_initramfs(CACHE / 'kernel', version))
        (folder / 'tools').write_bytes(make_tools())
        make_disk(folder)
        for old in final.parent.iterdir():
            if old != folder:
                shutil.rmtree(old)
        folder.rename(final)
    return final


if __name__ == '__main__':
    print(images())
