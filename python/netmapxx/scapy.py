# SPDX-License-Identifier: BSD-2-Clause
"""Scapy over netmap ports.

    from netmapxx.scapy import NetmapSocket

    sendp(packets, socket=NetmapSocket("x{1"))
    sniff(opened_socket=NetmapSocket("x}1"), count=3)

or, for whatever takes the name of an interface (srp1, sniff, sendp, …):

    conf.L2socket = conf.L2listen = NetmapSocket
    srp1(packet, iface="x{1")
"""

import select
import time

from scapy.config import conf
from scapy.data import MTU
from scapy.interfaces import network_name
from scapy.supersocket import SuperSocket

from . import RX, TX, Error, Port, open as open_port


class NetmapSocket(SuperSocket):
    """A port as scapy wants it: one packet at a time, which is copied.

    `iface` is the name of a port, or an open one, which is then closed with the socket. Named
    arguments that are not scapy's are options of netmapxx.open().
    """

    desc = "read/write packets through a netmap port"
    port = None
    longest_wait = 5.0  # seconds for room to send, before an error

    def __init__(self, iface=None, type=None, promisc=None, filter=None, nofilter=0, **options):
        if filter and not nofilter:
            raise ValueError(f"a netmap port has no filter ({filter!r}): use lfilter=")
        self.iface = iface if isinstance(iface, Port) else network_name(iface or conf.iface)
        self.port = iface if isinstance(iface, Port) else open_port(self.iface, **options)
        self.ins = self.outs = self.port
        self._failure = None  # of a sync, for recv()
        self._next = 0  # rx ring to look at first, so that none waits for ever

    def send(self, x):
        data = bytes(x)
        deadline = time.monotonic() + self.longest_wait
        ring = self.port.tx_rings[0]
        while not ring.send(data):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self.port!r} has had no room to send for "
                                   f"{self.longest_wait} s: does anybody receive?")
            self._wait_for_room(left)
        if hasattr(x, "sent_time"):
            x.sent_time = time.time()
        self.port.sync_tx()
        return len(data)

    def recv_raw(self, x=MTU):
        rings = self.port.rx_rings
        for n in range(len(rings)):
            data = rings[(self._next + n) % len(rings)].receive()
            if data is not None:
                self._next = (self._next + n + 1) % len(rings)
                return conf.l2types.get(1, conf.raw_layer), data[:x], time.time()
        self._raise_failure()
        return None, None, None

    def close(self):
        """Closes the port, once a network card has had a second to send what it was given."""
        if self.closed:
            return
        self.closed = True
        if self.port and not self.port.closed:
            if not set("{}") & set(self.port.info.name):  # a pipe keeps what was sent
                self.port.drain(1)
            self.port.close()

    def _wait_for_room(self, seconds):
        # Not in wait(): a thread that sniffs may use the port meanwhile.
        self.port.sync_tx()
        if self.port.arm(TX):
            select.select([self.port.fileno(TX)], [], [], seconds)
        self.port.sync_tx()

    def _sync(self):
        """Failures are for recv() to tell, which sniff() expects to fail."""
        try:
            self.port.sync_rx()
        except Error as failure:
            self._failure = failure

    def _raise_failure(self):
        failure, self._failure = self._failure, None
        if failure and failure.reason == "end_of_capture":
            raise EOFError(str(failure))
        if failure:
            raise failure

    def _look(self):
        """Whether recv() has something to say."""
        if not any(ring.waiting for ring in self.port.rx_rings):
            self._sync()
        return self._failure or any(ring.waiting for ring in self.port.rx_rings)

    @staticmethod
    def select(sockets, remain=None):
        """Those of the sockets that have something to read, after at most `remain` seconds."""
        ports = [s for s in sockets if isinstance(s, NetmapSocket)]
        others = [s for s in sockets if s not in ports]
        ready = [s for s in ports if s._look()]
        if ready:
            return ready + select.select(others, [], [], 0)[0]
        idle = all([s.port.arm(RX) for s in ports])  # each of them
        try:
            readable = select.select(sockets, [], [], remain if idle else 0)[0]
        finally:
            for s in ports:
                s._sync()
        return [s for s in ports if s._look()] + [s for s in others if s in readable]
