# SPDX-License-Identifier: BSD-2-Clause
"""Netmap ports: rings of packets in shared memory, looked at in place.

    with netmapxx.open("x{1") as port:
        port.tx_rings[0].send(bytes(60))
        port.sync_tx()
"""

from ._netmapxx import (
    Direction,
    Error,
    Packet,
    Port,
    Reservation,
    RxRing,
    TxRing,
    open,
)

RX = Direction.RX
TX = Direction.TX

__all__ = [
    "RX", "TX", "Direction", "Error", "Packet", "Port", "Reservation", "RxRing", "TxRing", "open",
]
