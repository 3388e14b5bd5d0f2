# SPDX-License-Identifier: BSD-2-Clause
"""Scapy's own functions, over netmap ports."""

import subprocess
import sys
import threading

import pytest

scapy = pytest.importorskip("scapy", reason="scapy is not installed")
from scapy.config import conf
from scapy.layers.l2 import ARP, Ether
from scapy.layers.inet import IP, UDP
from scapy.sendrecv import AsyncSniffer, sendp, sniff, srp1

from netmapxx.scapy import NetmapSocket

TIMEOUT = 60  # for what is not expected to take any time


@pytest.fixture
def sockets():
    left, right = NetmapSocket("s{1"), NetmapSocket("s}1")
    yield left, right
    left.close()
    right.close()


@pytest.fixture
def by_name(monkeypatch):
    monkeypatch.setattr(conf, "L2socket", NetmapSocket)
    monkeypatch.setattr(conf, "L2listen", NetmapSocket)


def datagrams(ports):
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(
        src="192.0.2.1", dst="192.0.2.2") / UDP(dport=ports)


def test_sendp_to_sniff(sockets):
    sendp(datagrams([1, 2, 3]), socket=sockets[0], verbose=False)
    seen = sniff(opened_socket=sockets[1], count=3, timeout=TIMEOUT)
    assert [packet[UDP].dport for packet in seen] == [1, 2, 3]


def test_sniff_is_woken(sockets):
    sniffer = AsyncSniffer(opened_socket=sockets[1], count=5, timeout=TIMEOUT)
    sniffer.start()
    sendp(datagrams([1, 2, 3, 4, 5]), socket=sockets[0], inter=0.01, verbose=False)
    sniffer.join()
    assert [packet[UDP].dport for packet in sniffer.results] == [1, 2, 3, 4, 5]


def test_a_sniffer_can_be_stopped(sockets):
    sniffer = AsyncSniffer(opened_socket=list(sockets), timeout=TIMEOUT,
                           started_callback=(started := threading.Event()).set)
    sniffer.start()
    assert started.wait(TIMEOUT)
    while not getattr(sniffer, "continue_sniff", False):
        pass  # scapy does not stop what has not quite started
    sniffer.stop()
    assert list(sniffer.results) == []


def test_sending_waits_for_room(sockets):
    left, right = sockets
    count = left.port.tx_rings[0].slots + 500
    sniffer = AsyncSniffer(opened_socket=right, count=count, timeout=TIMEOUT)
    sniffer.start()
    for _ in range(count):
        left.send(b"\xff" * 60)
    sniffer.join()
    assert len(sniffer.results) == count


def test_sending_without_a_receiver_ends(sockets):
    left = sockets[0]
    left.longest_wait = 0
    with pytest.raises(TimeoutError, match="receive"):
        while True:
            left.send(b"x")


def test_names_are_enough(by_name):
    sniffer = AsyncSniffer(iface="n}1", count=1, timeout=TIMEOUT,
                           started_callback=(started := threading.Event()).set)
    sniffer.start()
    assert started.wait(TIMEOUT)
    sendp(datagrams(7), iface="n{1", verbose=False)
    sniffer.join()
    assert [packet[UDP].dport for packet in sniffer.results] == [7]


def test_captures(by_name, tmp_path):
    sendp(datagrams([1, 2]), iface=f"pcap:tx={tmp_path}/capture", verbose=False)
    assert len(sniff(iface=f"pcap:{tmp_path}/capture", timeout=TIMEOUT)) == 2


def test_filters_are_refused():
    with pytest.raises(ValueError, match="lfilter"):
        NetmapSocket("s{1", filter="arp")


ANSWERING_MACHINE = """
from scapy.layers.l2 import ARP_am
from netmapxx.scapy import NetmapSocket
socket = NetmapSocket("am}1")
print("answers", flush=True)
ARP_am(IP_addr="192.0.2.1", ARP_addr="02:00:00:00:00:01",
       opened_socket=socket, socket=socket, verbose=False)()
"""


def test_srp1_with_an_answering_machine_in_another_process(by_name):
    with subprocess.Popen([sys.executable, "-c", ANSWERING_MACHINE], stdout=subprocess.PIPE,
                          text=True) as machine:
        try:
            assert machine.stdout.readline() == "answers\n"
            mine = "02:00:00:00:00:02"
            answer = srp1(Ether(src=mine, dst="ff:ff:ff:ff:ff:ff") /
                          ARP(hwsrc=mine, psrc="192.0.2.2", pdst="192.0.2.1"),
                          iface="am{1", timeout=TIMEOUT, verbose=False)
        finally:
            machine.terminate()
    assert answer[ARP].hwsrc == "02:00:00:00:00:01"
