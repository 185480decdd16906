#!/usr/bin/python3
"""Stock guests on networks: virtio-net on libslirp, tap and vhost-net, both kinds of rings, transfers both ways, cards that come
and go, the cable, what a card receives.

Runs itself in the lab where this machine's KVM cannot run stock guests. With `--vmm qemu` QEMU stands in
for vitrine, which shows that the tests are right.
"""

import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Skip, Suite, check, equal
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

BYTES = 4 << 20
CONTENT = bytes((n * n >> 7 & 0xff) for n in range(1 << 16)) * (BYTES >> 16)
MAC = '52:54:00:12:34:56'
LATE_MAC = '52:54:00:77:00:01'
PACKED = 34  # bit of the features
# Each tap device: the card's address, the network's first numbers, how it is served, whether its rings are packed
TAPS = {'tap': ('52:54:00:77:00:02', '192.168.77', 'off', 'on'), 'vhost': ('52:54:00:77:00:03', '192.168.78', 'on', 'off')}

suite = Suite(__doc__)


class OneFile(http.server.BaseHTTPRequestHandler):
    """Whatever is asked for is the same file."""

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


def can_have(name):
    """Whether this tap device can be made here."""
    needed = ['/dev/net/tun'] + (['/dev/vhost-net'] if name == 'vhost' else [])
    return os.geteuid() == 0 and all(os.path.exists(path) for path in needed)


def interface(name):
    """The tap device's name on the host."""
    return f'vt{name}{os.getpid()}'


def tap_options():
    for name, (mac, _, vhost, packed) in TAPS.items():
        if can_have(name):
            yield from ('-netdev', f'tap,id={name},ifname={interface(name)},script=no,downscript=no,vhost={vhost}',
                        '-device', f'virtio-net-pci,netdev={name},id={name}-card,mac={mac},packed={packed}')


class NetworkGuest(StockGuest):
    """A guest with a card on a user network, whose port 7000 leads to the guest."""

    def __init__(self, context, name, packed, *options):
        self.port = free_port()
        super().__init__(context, name, [
            '-netdev', f'user,id=lan,hostfwd=tcp:127.0.0.1:{self.port}-:7000',
            '-device', f'virtio-net-pci,netdev=lan,id=card,packed={packed}', *options,
            '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
        self.wait_started()
        self.log_in()
        # No command is broken into lines.
        self.run('stty cols 500')
        self.bring_up(MAC, '10.0.2.15')
        self.run('ip route add default via 10.0.2.2')

    def ask(self, command):
        """The last line that a command prints."""
        return (self.run(command).splitlines() or [''])[-1].strip()

    def interface(self, mac):
        """The name of the card with this address; none when there is no such card."""
        return self.ask(f'cd /sys/class/net; for n in *; do grep -qx {mac} $n/address && echo $n; done; cd')

    def bring_up(self, mac, address):
        name = wait_until(lambda: self.interface(mac), f'a card {mac}')
        self.run(f'ip link set {name} up; ip addr add {address}/24 dev {name}')

    def reaches(self, address):
        return '1 packets received' in self.run(f'ping -c 1 -W 30 {address}')

    def is_packed(self, mac):
        return self.ask(f'cat /sys/class/net/{self.interface(mac)}/device/features')[PACKED] == '1'

    def takes_in(self, t, address, listen='127.0.0.1'):
        """What it fetches from the host, which it knows by that address, is whole."""
        server = http.server.ThreadingHTTPServer((listen, 0), OneFile)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        t.defer(server.server_close)
        t.defer(server.shutdown)
        answer = self.run(f'wget -q -O - http://{address}:{server.server_port}/ | sha256sum')
        equal(answer.split()[-2], hashlib.sha256(CONTENT).hexdigest(), 'the sum of what came in')

    def gives_out(self, address, port):
        """What the host fetches from it is whole."""
        self.run('seq 1 200000 >/tmp/out; nc -l -p 7000 </tmp/out >/tmp/in 2>&1 &')
        expected = b''.join(b'%d\n' % n for n in range(1, 200001))
        got = wait_until(lambda: receive(address, port, len(expected)), 'an answer from the guest')
        check(got == expected, f'{len(got)} bytes arrived of {len(expected)}, or others')


def receive(address, port, length):
    """So much of what is sent there; less when it ends before, nothing when nobody listens."""
    got = bytearray()
    try:
        with socket.create_connection((address, port), timeout=60) as connection:
            while len(got) < length:
                piece = connection.recv(65536)
                if not piece:
                    break
                got += piece
    except ConnectionError:
        pass
    return bytes(got)


def networked(t):
    return t.shared('net', lambda context: NetworkGuest(
        context, 'net', 'off', '-device', 'pcie-root-port,id=slot1,chassis=1,slot=1', *tap_options()))


def on_pc(t):
    return t.shared('pc', lambda context: NetworkGuest(context, 'pc', 'on', '-machine', 'pc'))


@suite.test
def the_card_binds(t):
    guest = networked(t)
    check('virtio_net' in guest.run('readlink /sys/class/net/eth0/device/driver'), 'no virtio_net on eth0')
    equal(guest.run('cat /sys/class/net/eth0/address'), MAC, 'the address of the first card')
    equal(guest.run('cat /sys/class/net/eth0/carrier'), '1', 'the cable')


@suite.test
def it_gets_an_address_by_dhcp(t):
    guest = networked(t)
    check('10.0.2.15' in guest.run('udhcpc -i eth0 -n -q -s /bin/true 2>&1'), 'no lease of 10.0.2.15')


@suite.test
def a_file_comes_in_whole(t):
    networked(t).takes_in(t, '10.0.2.2')


@suite.test
def a_file_goes_out_whole(t):
    guest = networked(t)
    guest.gives_out('127.0.0.1', guest.port)


@suite.test
def the_cable_can_be_pulled(t):
    guest = networked(t)
    for name in ('card', 'lan'):
        guest.qmp.execute('set_link', {'name': name, 'up': False})
        guest.run('until [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do :; done')
        guest.qmp.execute('set_link', {'name': name, 'up': True})
        guest.run('until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do :; done')


@suite.test
def what_it_receives_is_known(t):
    guest = networked(t)
    guest.run('ip link set eth0 promisc on')
    found = guest.qmp.execute('query-rx-filter', {'name': 'card'})[0]
    equal((found['promiscuous'], found['main-mac']), (True, MAC), 'promiscuous mode and address')
    check('01:00:5e:00:00:01' in found['multicast-table'], found)
    guest.run('ip link set eth0 promisc off')
    check(not guest.qmp.execute('query-rx-filter')[0]['promiscuous'], 'still promiscuous')
    changes = [guest.qmp.wait_event('NIC_RX_FILTER_CHANGED')['data'] for _ in range(2)]
    check({'name': 'card', 'path': '/machine/peripheral/card/virtio-backend'} in changes, changes)


def comes_and_goes(guest, **where):
    for _ in range(2):
        guest.qmp.execute('netdev_add', {'type': 'user', 'id': 'late', 'net': '10.0.3.0/24'})
        guest.qmp.execute('device_add', {'driver': 'virtio-net-pci', 'id': 'late', 'netdev': 'late', 'mac': LATE_MAC, **where})
        guest.bring_up(LATE_MAC, '10.0.3.15')
        check(guest.reaches('10.0.3.2'), 'no answer through the new card')
        guest.qmp.execute('device_del', {'id': 'late'})
        while guest.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'late':
            pass
        wait_until(lambda: not guest.interface(LATE_MAC), 'the card going away')
        guest.qmp.execute('netdev_del', {'id': 'late'})
    check(guest.reaches('10.0.2.2'), 'no answer through the other card')


@suite.test
def a_card_comes_and_goes_at_a_root_port(t):
    comes_and_goes(networked(t), bus='slot1')


def with_tap(t, name):
    """The guest, the host's address and the guest's on that network."""
    if not can_have(name):
        raise Skip('this takes root, /dev/net/tun and for vhost /dev/vhost-net')
    guest = networked(t)
    mac, network, _, _ = TAPS[name]
    if not guest.run(f'ip addr | grep {network}'):
        for words in (f'addr add {network}.1/24 dev {interface(name)}', f'link set {interface(name)} up'):
            subprocess.run(['busybox', 'ip', *words.split()], check=True)
        guest.bring_up(mac, f'{network}.2')
    return guest, f'{network}.1', f'{network}.2'


def kernel_serves(guest):
    """Whether there is a thread of the kernel's that works for this VMM."""
    for path in Path('/proc').glob('[0-9]*/comm'):
        try:
            if path.read_text().strip() == f'vhost-{guest.vmm.pid}':
                return True
        except OSError:
            continue
    return False


def checked_transfers(t, name):
    guest, host, own = with_tap(t, name)
    guest.takes_in(t, host, host)
    guest.gives_out(own, 7000)
    return guest, host


@suite.test
def a_tap_device_carries_files_both_ways_through_packed_rings(t):
    guest, _ = checked_transfers(t, 'tap')
    check(guest.is_packed(TAPS['tap'][0]), 'the rings are not packed')


@suite.test
def the_kernel_carries_files_both_ways(t):
    guest, _ = checked_transfers(t, 'vhost')
    check(kernel_serves(guest), 'the kernel does not serve the card')


@suite.test
def the_kernel_goes_on_after_cable_and_pause(t):
    guest, host, own = with_tap(t, 'vhost')
    name = guest.interface(TAPS['vhost'][0])
    for up, carrier in ((False, '0'), (True, '1')):
        guest.qmp.execute('set_link', {'name': 'vhost-card', 'up': up})
        guest.run(f'until [ $(cat /sys/class/net/{name}/carrier) = {carrier} ]; do :; done')
    check(guest.reaches(host), 'no answer after the cable was put back')
    guest.qmp.execute('stop')
    guest.qmp.execute('cont')
    checked_transfers(t, 'vhost')


@suite.test
def it_goes_on_after_a_pause(t):
    guest = networked(t)
    guest.qmp.execute('stop')
    guest.qmp.execute('cont')
    check(guest.reaches('10.0.2.2'), 'no answer from the gateway')


@suite.test
def the_kernel_complains_of_nothing(t):
    guest = networked(t)
    equal(guest.run('dmesg | grep -iE "virtio|eth[0-9]" | grep -iE "error|warn|fail|timeout|timed out"'), '', 'complaints of drivers')
    equal(guest.run('dmesg | grep -E "WARNING: .*drivers/|BUG:|hung task|is not a head"'), '', 'complaints of the kernel')
    guest.vmm.close()


@suite.test
def packed_rings_carry_files_both_ways_on_a_pc(t):
    guest = on_pc(t)
    check(guest.is_packed(MAC), 'the rings are not packed')
    guest.takes_in(t, '10.0.2.2')
    guest.gives_out('127.0.0.1', guest.port)


@suite.test
def a_card_comes_and_goes_by_acpi_on_a_pc(t):
    comes_and_goes(on_pc(t))


if __name__ == '__main__':
    run(suite)
