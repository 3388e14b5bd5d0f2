# SPDX-License-Identifier: BSD-2-Clause
"""Receives ten packets from a port in asyncio's loop: asyncio_receive.py x}1"""

import asyncio
import sys

import netmapxx


async def receive(port, count):
    loop, received, done = asyncio.get_running_loop(), [], asyncio.Event()

    def look():
        while True:
            port.sync_rx()  # first: it ends arm()
            for ring in port.rx_rings:
                received.extend(bytes(packet) for packet in ring.packets())
                ring.release()
            if len(received) >= count:
                done.set()
                return
            if port.arm():  # else something has come meanwhile
                return

    loop.add_reader(port, look)
    try:
        look()
        await done.wait()
    finally:
        loop.remove_reader(port)
    return received


if __name__ == "__main__":
    with netmapxx.open(sys.argv[1]) as opened:
        for data in asyncio.run(receive(opened, 10)):
            print(data.hex())
