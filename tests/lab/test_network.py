#!/usr/bin/python3
"""A stock guest on a network: virtio-net on libslirp, transfers both ways, the cable, what it receives."""

import hashlib
import http.server
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Suite, check, equal
from harness.vmm import kind_under_test
from harness.wait import wait_until
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, run

BYTES = 4 << 20
CONTENT = bytes((n * n >> 7 & 0xff) for n in range(1 << 16)) * (BYTES >> 16)
MAC = '52:54:00:12:34:56'

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


def on_a_network(context):
    port = free_port()
    guest = StockGuest(context, 'net', [
        '-netdev', f'user,id=lan,hostfwd=tcp:127.0.0.1:{port}-:7000', '-device', 'virtio-net-pci,netdev=lan,id=card',
        '-kernel', images() / 'vmlinuz', '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
    guest.port = port
    guest.wait_started()
    guest.log_in()
    guest.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2')
    return guest


def networked(t):
    return t.shared('net', on_a_network)


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
    guest = networked(t)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), OneFile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.defer(server.shutdown)
    answer = guest.run(f'wget -q -O - http://10.0.2.2:{server.server_port}/ | sha256sum')
    equal(answer.split()[-2], hashlib.sha256(CONTENT).hexdigest(), 'the sum of what came in')


@suite.test
def a_file_goes_out_whole(t):
    guest = networked(t)
    guest.run('seq 1 200000 >/tmp/out; nc -l -p 7000 </tmp/out >/tmp/in 2>&1 &')
    expected = b''.join(b'%d\n' % n for n in range(1, 200001))

    def received():
        with socket.create_connection(('127.0.0.1', guest.port), timeout=60) as connection:
            got = bytearray()
            while len(got) < len(expected):
                piece = connection.recv(65536)
                if not piece:
                    break
                got += piece
            return bytes(got)

    got = b''

    def arrived():
        nonlocal got
        got = received()
        return got
    wait_until(arrived, 'an answer from the guest')
    check(got == expected, f'{len(got)} bytes arrived of {len(expected)}, or others')


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
    if kind_under_test() == 'vitrine':
        guest.qmp.wait_event('NIC_RX_FILTER_CHANGED')


@suite.test
def it_goes_on_after_a_pause(t):
    guest = networked(t)
    guest.qmp.execute('stop')
    guest.qmp.execute('cont')
    check('1 packets received' in guest.run('ping -c 1 -W 30 10.0.2.2'), 'no answer from the gateway')


if __name__ == '__main__':
    run(suite)
