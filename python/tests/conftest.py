# SPDX-License-Identifier: BSD-2-Clause
import pytest

import netmapxx


@pytest.fixture
def pipe():
    """The two ends of a pipe."""
    with netmapxx.open("t{1") as left, netmapxx.open("t}1") as right:
        yield left, right


@pytest.fixture
def rings(pipe):
    """A tx ring, a function that moves what it was given, and the rx ring where that arrives."""
    left, right = pipe

    def move():
        left.sync_tx()
        right.sync_rx()
        left.sync_tx()

    return left.tx_rings[0], move, right.rx_rings[0]
