#!/usr/bin/python3
"""What a network card carries: vitrine and QEMU, side by side, with a stock Debian guest.

    net.py [ROUNDS]

Through a user network, a tap device and vhost-net: bytes to the guest and from it, and round trips of one
byte, ROUNDS times (3). Medians are printed, then ours as a part of QEMU's. Runs itself in the lab where this
machine's KVM cannot run stock guests; all of it is much slower there, the ratios hold.
"""

import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.case import Context, Suite, need_vmm
from harness.vmm import bed
from lab.images import ARGUMENTS, images
from lab.stock import StockGuest, enter_the_lab

BYTES = 4 << 20
ROUND_TRIPS = 200
LAB_SECONDS = 1500
# Each network: the card's address, its first three numbers, the host's name there, the options
NETWORKS = {
    'user': ('52:54:00:77:00:01', '10.0.2', '10.0.2.2', '-netdev user,id=user'),
    'tap': ('52:54:00:77:00:02', '192.168.77', '192.168.77.1', '-netdev tap,id=tap,ifname=vttap0,script=no,downscript=no'),
    'vhost': ('52:54:00:77:00:03', '192.168.78', '192.168.78.1',
              '-netdev tap,id=vhost,ifname=vttap1,script=no,downscript=no,vhost=on'),
}
UNITS = {'in': 'MB/s to the guest', 'out': 'MB/s from the guest', 'turns': 'round trips/s'}


class Guest(StockGuest):
    """The stock guest on all networks."""

    def __init__(self, context, kind):
        os.environ['VITRINE_TEST_VMM'] = kind
        options = []
        for name, (mac, _, _, network) in NETWORKS.items():
            options += [*network.split(), '-device', f'virtio-net-pci,netdev={name},mac={mac}']
        super().__init__(context, 'net', [*options, '-cpu', 'host', '-kernel', images() / 'vmlinuz',
                                          '-initrd', images() / 'initramfs', '-append', ARGUMENTS])
        self.wait_started()
        self.log_in()
        self.run('stty cols 500')
        self.run(f"printf '#!/bin/sh\\nhead -c {BYTES} >/dev/null\\necho done\\n' >/tmp/sink; chmod +x /tmp/sink")
        for name, (mac, network, host, _) in NETWORKS.items():
            if name != 'user':
                device = {'tap': 'vttap0', 'vhost': 'vttap1'}[name]
                for words in (f'addr add {host}/24 dev {device}', f'link set {device} up'):
                    subprocess.run(['busybox', 'ip', *words.split()], check=True)
            card = self.run(f'cd /sys/class/net; for n in *; do grep -qx {mac} $n/address && echo $n; done; cd').split()[-1]
            self.run(f'ip link set {card} up; ip addr add {network}.15/24 dev {card}')

    def call(self, network, command):
        """The guest runs a command on a connection to the host, which is returned."""
        _, _, host, _ = NETWORKS[network]
        with socket.socket() as server:
            server.bind(('127.0.0.1' if network == 'user' else host, 0))
            server.listen()
            server.settimeout(120)
            self.run(command.format(f'nc {host} {server.getsockname()[1]}') + ' &')
            connection, _ = server.accept()
        connection.settimeout(120)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def measure_in(guest, network):
    block = bytes(1 << 16)
    with guest.call(network, '{} -e /tmp/sink') as connection:
        began = time.perf_counter()
        for _ in range(BYTES // len(block)):
            connection.sendall(block)
        connection.recv(1)
        return BYTES / 1e6 / (time.perf_counter() - began)


def measure_out(guest, network):
    got = 0
    with guest.call(network, f'head -c {BYTES} /dev/zero | {{}} >/dev/null') as connection:
        began = time.perf_counter()
        while got < BYTES:
            part = connection.recv(1 << 16)
            if not part:
                raise SystemExit(f'net.py: {got} bytes arrived of {BYTES}')
            got += len(part)
        return BYTES / 1e6 / (time.perf_counter() - began)


def measure_turns(guest, network):
    with guest.call(network, '{} -e cat') as connection:
        for count in (20, ROUND_TRIPS):
            began = time.perf_counter()
            for _ in range(count):
                connection.sendall(b'x')
                connection.recv(1)
        return ROUND_TRIPS / (time.perf_counter() - began)


MEASURES = {'in': measure_in, 'out': measure_out, 'turns': measure_turns}


def results_of(kind, rounds):
    context = Context(Suite(__doc__))
    try:
        need_vmm(kind)
        guest = Guest(context, kind)
        results = {}
        for network in NETWORKS:
            for name, measure in MEASURES.items():
                measure(guest, network)
                results[network, name] = statistics.median(measure(guest, network) for _ in range(rounds))
                print(f'# {kind} {network}: {results[network, name]:.2f} {UNITS[name]}', flush=True)
        guest.vmm.close()
        return results
    finally:
        context.end(False)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if bed() != 'stock guests' and not os.environ.get('LAB'):
        enter_the_lab(LAB_SECONDS)
    if os.geteuid() != 0 or not os.path.exists('/dev/vhost-net'):
        print('skipped: this needs root and /dev/vhost-net')
        return 77
    results = {kind: results_of(kind, rounds) for kind in ('vitrine', 'qemu')}
    print(f'medians of {rounds} rounds\n')
    print(f"{'':28}{'vitrine':>10}{'QEMU':>10}{'ratio':>8}")
    for key in results['vitrine']:
        ours, theirs = results['vitrine'][key], results['qemu'][key]
        print(f'{key[0]:8}{UNITS[key[1]]:20}{ours:10.2f}{theirs:10.2f}{ours / theirs:8.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
