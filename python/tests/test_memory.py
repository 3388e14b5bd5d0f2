# SPDX-License-Identifier: BSD-2-Clause
"""Packets in place, and that nobody looks at memory that is not his any more."""

import gc
import glob
import mmap
import os
import struct

import pytest

import netmapxx


def sent(rings, *packets):
    tx, move, rx = rings
    for packet in packets:
        assert tx.send(packet)
    move()
    return list(rx.packets())


def write_into_region(old, new):
    """Writes to the memory that ports share, past all of netmapxx."""
    (path,) = glob.glob(os.path.join(os.environ["NETMAP_DOMAIN"], "mem*"))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as region:
        place = region.find(old)
        assert place >= 0
        region[place:place + len(new)] = new


def test_packets_are_looked_at_where_they_lie(rings):
    (packet,) = sent(rings, b"find this packet in memory" * 2)
    data = packet.data
    write_into_region(b"find this packet in memory", b"FOUND")
    assert bytes(data[:9]) == b"FOUNDthis"


def test_slots_are_filled_where_they_lie(rings):
    tx, move, rx = rings
    slot = tx.reserve(40)
    slot.data[:] = b"fill this slot in memory".ljust(40)
    write_into_region(b"fill this slot", b"FILL")
    slot.commit()
    move()
    assert rx.receive() == b"FILL this slot in memory".ljust(40)


def test_received_memory_is_read_only(rings):
    (packet,) = sent(rings, bytes(60))
    with pytest.raises(TypeError):
        packet.data[0] = 1


def test_a_released_packet_is_out_of_reach(rings):
    one, two = sent(rings, b"one", b"two")
    data = one.data
    rings[2].release(one)
    for look in (lambda: data[0], lambda: one.data, lambda: bytes(one), lambda: len(one),
                 lambda: one.fragments, lambda: rings[2].release(one)):
        with pytest.raises(ValueError):
            look()
    assert two.data == b"two"


@pytest.mark.parametrize("keep", [
    lambda data: data[1:], memoryview, lambda data: memoryview(data.obj), lambda data: data.cast("b"),
    lambda data: struct.iter_unpack("3s", data),
])
def test_what_is_still_looked_at_is_not_given_away(rings, keep):
    one, two = sent(rings, b"one", b"two")
    kept = keep(two.data)
    rings[2].release(one)
    with pytest.raises(BufferError, match="slices"):
        rings[2].release(two)
    assert bytes(two) == b"two"
    del kept
    rings[2].release(two)
    assert rings[2].waiting == 0


def test_memory_that_is_looked_at_holds_the_port_open(pipe, rings):
    (packet,) = sent(rings, b"packet")
    kept = packet.data[2:]
    with pytest.raises(BufferError):
        pipe[1].close()
    assert bytes(kept) == b"cket" and not pipe[1].closed
    del kept
    pipe[1].close()
    with pytest.raises(ValueError, match="closed"):
        packet.data


def test_a_closed_port_has_taken_its_memoryviews_along(pipe, rings):
    (packet,) = sent(rings, b"packet")
    data, fragments = packet.data, packet.fragments
    pipe[1].close()
    for view in (data, *fragments):
        with pytest.raises(ValueError):
            view[0]


def test_memory_outlives_a_port_that_nobody_closed():
    left, right = netmapxx.open("lost{1"), netmapxx.open("lost}1")
    left.tx_rings[0].send(b"packet")
    left.sync_tx()
    right.sync_rx()
    data = next(right.rx_rings[0].packets()).data[:]
    del left, right
    gc.collect()
    assert bytes(data) == b"packet"
    del data  # and now the port is closed
    netmapxx.open("lost}1").close()


def test_packets_of_several_slots(rings):
    body = bytes(range(256)) * 20
    (packet,) = sent(rings, body)
    assert len(packet) == 5120 and len(packet.fragments) == 3
    assert b"".join(packet.fragments) == packet.data == bytes(packet) == body
    view = packet.fragments[2][1:]
    with pytest.raises(BufferError):
        rings[2].release()
    del view
    rings[2].release()


def test_a_packet_of_no_bytes(rings):
    (packet,) = sent(rings, b"")
    assert packet.data == b"" and len(packet) == 0


def test_release_gives_back_what_was_shown(rings):
    sent(rings, b"1", b"2", b"3", b"4")
    tx, move, rx = rings
    rx.release()
    sent(rings, b"5", b"6", b"7")[:0]
    rx.release()
    tx.send(b"8"), tx.send(b"9"), move()
    next(rx.packets())
    rx.release()
    assert [bytes(packet) for packet in rx.packets()] == [b"9"]


def test_a_ring_releases_its_own_packets_only(pipe, rings):
    (packet,) = sent(rings, b"packet")
    with pytest.raises(ValueError, match="another ring"):
        pipe[0].rx_rings[0].release(packet)


def test_packets_can_be_released_while_they_are_gone_over(rings):
    tx, move, rx = rings
    seen = []
    for n in range(3000):  # more than once around
        if not tx.send(n.to_bytes(4, "big")):
            move()
            for packet in rx.packets():
                seen.append(int.from_bytes(packet.data, "big"))
                rx.release(packet)
            move()
            assert tx.send(n.to_bytes(4, "big"))
    assert seen == list(range(len(seen))) and len(seen) >= 2000


def test_reservations(rings):
    tx, move, rx = rings
    first, second = tx.reserve(8), tx.reserve()
    assert len(first.data) == 8 and len(second.data) == tx.buffer_size
    data = first.data
    data[:3] = b"abc"
    first.commit(3)
    for late in (lambda: data[0], lambda: second.data, second.commit):
        with pytest.raises(ValueError):
            late()
    tx.reserve(5).data[:] = b"never"  # dropped
    tx.send(b"def")
    move()
    assert [rx.receive(), rx.receive(), rx.receive()] == [b"abc", b"def", None]


def test_a_slot_that_is_looked_at_is_not_sent(rings):
    tx, move, rx = rings
    slot = tx.reserve(4)
    part = slot.data[1:]
    for send in (slot.commit, lambda: tx.send(b"other")):
        with pytest.raises(BufferError):
            send()
    part[:] = b"bcd"
    del part
    slot.data[0] = ord("a")
    slot.commit()
    move()
    assert rx.receive() == b"abcd"


def test_full_rings_and_packets_that_are_too_large(rings):
    tx = rings[0]
    with pytest.raises(netmapxx.Error) as failure:
        tx.send(bytes(64 * tx.buffer_size + 1))
    assert failure.value.reason == "packet_too_large"
    with pytest.raises(netmapxx.Error):
        tx.reserve(tx.buffer_size + 1)
    while tx.send(b"x"):
        pass
    assert tx.free == 0 and tx.reserve() is None and tx.pending == tx.slots - 1


@pytest.mark.parametrize("packet", [b"bytes", bytearray(b"array"), memoryview(b"views")])
def test_whatever_has_bytes_can_be_sent(rings, packet):
    assert bytes(sent(rings, packet)[0]) == bytes(packet)
