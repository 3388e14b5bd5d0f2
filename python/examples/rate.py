# SPDX-License-Identifier: BSD-2-Clause
"""How fast one thread of Python moves packets of 60 bytes over a pipe, both ways of either direction."""

import time

import netmapxx

DATA = bytes(60)


def send_copies(tx):
    while tx.send(DATA):
        pass


def send_in_place(tx):
    while slot := tx.reserve(60):
        slot.data[:] = DATA
        slot.commit()


def receive_copies(rx):
    while rx.receive():
        pass


def receive_in_place(rx):
    for packet in rx.packets():
        packet.data[12]
    rx.release()


def measure(send, receive, rounds=300):
    """Nanoseconds of the processor a packet, of either, syncs included."""
    sending = receiving = packets = 0
    with netmapxx.open("rate{1") as left, netmapxx.open("rate}1") as right:
        tx, rx = left.tx_rings[0], right.rx_rings[0]
        for _ in range(rounds):
            packets += tx.free
            begin = time.process_time_ns()
            send(tx)
            left.sync_tx()
            sent = time.process_time_ns()
            right.sync_rx()
            receive(rx)
            right.sync_rx()
            sending, receiving = sending + sent - begin, receiving + time.process_time_ns() - sent
            left.sync_tx()
    return sending / packets, receiving / packets


if __name__ == "__main__":
    for send, receive in (send_copies, receive_copies), (send_in_place, receive_in_place):
        for name, cost in zip((send.__name__, receive.__name__), measure(send, receive)):
            print(f"{name:17} {cost:6.0f} ns a packet, {1e3 / cost:5.2f} million a second")
