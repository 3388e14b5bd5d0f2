# SPDX-License-Identifier: BSD-2-Clause
"""Opening, waiting, event loops and failures."""

import asyncio
import contextlib
import errno
import os
import pathlib
import select
import signal
import sys
import threading

import pytest

import netmapxx
from netmapxx import RX, TX

LIMIT = 60  # seconds, for what is not expected to take any
EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def test_ports_say_what_they_are():
    with netmapxx.open("a{1", tx_slots=64, rx_slots=64, device="embedded") as port:
        assert (port.info.name, port.info.device, port.info.tx_slots) == ("a{1", "embedded", 64)
        assert port.info.domain == os.environ["NETMAP_DOMAIN"]
        assert len(port.tx_rings) == len(port.rx_rings) == 1 and port.rx_rings[0].slots == 64
        assert "a{1" in repr(port) and "closed" not in repr(port)
    assert "closed" in repr(port) and port.closed
    port.close()  # once more does no harm


def test_ports_of_several_rings():
    with netmapxx.open("vale1:a", tx_rings=2, rx_rings=2) as port:
        for rings in port.tx_rings, port.rx_rings:
            assert [(ring.index, ring.is_host) for ring in rings] == [(0, False), (1, False)]


def test_failures_say_what_was_asked():
    with pytest.raises(netmapxx.Error, match="column 3") as failure:
        netmapxx.open("x{")
    assert isinstance(failure.value, OSError)
    assert failure.value.reason == "bad_name" and failure.value.errno is None
    with netmapxx.open("x{1"), pytest.raises(netmapxx.Error, match="x{1") as failure:
        netmapxx.open("x{1")
    assert failure.value.errno == errno.EBUSY and failure.value.reason is None


@pytest.mark.parametrize("options, failure, what", [
    ({"slots": 3}, TypeError, "slots"), ({"tx_slots": -1}, ValueError, "tx_slots"),
    ({"device": "disk"}, ValueError, "disk"), ({"xdp": "fast"}, ValueError, "fast"),
    ({"memory_id": "one"}, ValueError, "one"),
])
def test_options_that_cannot_be(options, failure, what):
    with pytest.raises(failure, match=what):
        netmapxx.open("x{1", **options)


def test_domains_are_apart():
    domain = pathlib.Path(os.environ["NETMAP_DOMAIN"]) / "another"
    domain.mkdir(mode=0o700)
    with netmapxx.open("x{1"), netmapxx.open("x{1", domain=str(domain)) as other:
        assert other.info.domain == str(domain)


def test_a_closed_port_does_nothing(pipe):
    left = pipe[0]
    left.close()
    for use in (left.sync_tx, left.sync_rx, left.stats, left.fileno, left.arm,
                lambda: left.wait(RX, 0), lambda: left.tx_rings[0].send(b"x"),
                lambda: left.rx_rings[0].receive()):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_waiting(pipe):
    left, right = pipe
    assert right.wait(RX, 0) == netmapxx.Direction(0)
    assert right.wait(RX, timeout=0.01) == netmapxx.Direction(0)
    left.tx_rings[0].send(b"x")
    left.sync_tx()
    assert right.wait(RX) == RX
    assert right.wait(RX | TX) == RX | TX
    for nonsense in (0, 4, "rx"):
        with pytest.raises((ValueError, TypeError)):
            right.wait(nonsense)
    with pytest.raises(ValueError):
        right.wait(RX, float("nan"))


def test_the_end_of_a_peer():
    left = netmapxx.open("p{1")
    right = netmapxx.open("p}1", ends_with_peer=True)
    left.close()
    with pytest.raises(netmapxx.Error) as failure:
        right.wait(RX)
    assert failure.value.reason == "peer_gone"
    right.close()


def test_draining(pipe):
    left, right = pipe
    left.tx_rings[0].send(b"x")
    assert left.drain(0) == 1
    right.sync_rx()
    assert right.rx_rings[0].receive() == b"x"
    right.sync_rx()
    assert left.drain(None) == 0


def test_others_run_while_one_waits(pipe):
    left, right = pipe

    def send():
        with contextlib.suppress(netmapxx.Error):
            while not right.closed:
                right.stats()  # until it is in use
        left.tx_rings[0].send(b"from another thread")
        left.sync_tx()

    threading.Thread(target=send, daemon=True).start()
    assert right.wait(RX, LIMIT) == RX
    assert right.rx_rings[0].receive() == b"from another thread"


def test_a_port_has_one_user(pipe):
    left, right = pipe
    waiter = threading.Thread(target=lambda: right.wait(RX, LIMIT))
    waiter.start()
    with pytest.raises(netmapxx.Error, match="another thread") as failure:
        while waiter.is_alive():  # until it has come to wait
            right.stats()
    assert failure.value.errno == errno.EBUSY
    with pytest.raises(netmapxx.Error):
        right.close()
    left.tx_rings[0].send(b"x")
    left.sync_tx()
    waiter.join()
    assert right.rx_rings[0].receive() == b"x"


def interrupt_once_in_use(port):
    """Ctrl-C, from a thread of its own, as soon as somebody is in the port."""
    def run():
        with contextlib.suppress(netmapxx.Error):
            while True:
                port.stats()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=run).start()


@pytest.mark.parametrize("block", [lambda port: port.wait(RX), lambda port: port.wait(RX, 1e6),
                                   lambda port: port.drain(None)])
def test_ctrl_c_ends_a_wait(pipe, block):
    pipe[0].tx_rings[0].send(b"nobody takes this")
    interrupt_once_in_use(pipe[0])
    with pytest.raises(KeyboardInterrupt):
        block(pipe[0])
    pipe[0].sync_rx()  # and it can be used again


def test_a_signal_handler_that_returns_ends_nothing(pipe):
    left, right = pipe
    calls = []

    def on_signal(number, frame):
        calls.append(number)
        left.tx_rings[0].send(b"x")
        left.sync_tx()

    before = signal.signal(signal.SIGALRM, on_signal)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert right.wait(RX) == RX
    finally:
        signal.signal(signal.SIGALRM, before)
    assert calls == [signal.SIGALRM]


def test_select(pipe):
    left, right = pipe
    assert right.arm()
    assert select.select([right], [], [], 0)[0] == []
    with pytest.raises(netmapxx.Error, match="armed"):
        right.rx_rings[0].receive()
    left.tx_rings[0].send(b"x")
    left.sync_tx()
    assert select.select([right], [], [])[0] == [right]
    right.sync_rx()
    assert select.select([right], [], [], 0)[0] == []  # that wake-up is used up
    assert not right.arm()  # there is one already
    assert right.rx_rings[0].receive() == b"x"


def test_select_for_room(pipe):
    left, right = pipe
    tx, rx = left.tx_rings[0], right.rx_rings[0]
    while tx.send(b"x"):
        pass
    left.sync_tx()
    assert left.arm(TX)
    right.sync_rx()
    while rx.receive():
        pass
    right.sync_rx()
    assert select.select([left.fileno(TX)], [], [])[0]
    left.sync_tx()
    assert tx.send(b"x")


def test_asyncio(pipe):
    left, right = pipe
    sys.path.insert(0, str(EXAMPLES))
    from asyncio_receive import receive

    async def send():
        for n in range(100):
            left.tx_rings[0].send(b"%d" % n)
            left.sync_tx()
            await asyncio.sleep(0)

    async def both():
        receiver = asyncio.create_task(receive(right, 100))
        await send()
        return await receiver

    assert asyncio.run(both()) == [b"%d" % n for n in range(100)]


def test_counts(pipe):
    left, right = pipe
    left.tx_rings[0].send(bytes(60))
    left.sync_tx()
    right.sync_rx()
    right.rx_rings[0].receive()
    right.sync_rx()
    assert (left.stats().tx_packets, left.stats().tx_bytes) == (1, 60)
    assert (right.stats().rx_packets, right.stats().rx_syncs) == (1, 2)
