#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The tests of async ports on the module: over pipes, VALE ports, host rings and the emulated adapter
# of veth interfaces; and no ring that the module had to reset.
. "$(dirname "$0")/lib.bash"
joined va vb
# The emulated adapter's timer, which holds wake-ups back, forgets one now and then: a frame that comes
# while it ends wakes nobody until the next one comes. Here there is no next one.
echo 0 >/sys/module/netmap/parameters/generic_mit
export NETMAP_DEVICE=kernel NETMAP_TEST_VETH='va vb'
"$ASIO" --gtest_brief=1 | tee "$logs/out"
check 'status' 0 "${PIPESTATUS[0]}"
check 'rings that the module reset' 0 "$(dmesg | grep -c 'reinit')"
finish
