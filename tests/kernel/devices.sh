#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The same commands on the same interfaces, by the module and by AF_XDP. Counts stay below a ring's
# slots: neither waits for a receiver that is slow. Needs ethtool, ping, tcpreplay and iperf3.
. "$(dirname "$0")/lib.bash"

joined va vb 4
for side in left right; do
  joined "$side" "to_$side"
  ip netns add "$side"
  ip link set "$side" netns "$side"
  ip -n "$side" link set "$side" up
  ip netns exec "$side" ethtool -K "$side" tx off >/dev/null 2>&1 # who is between sees whole packets
done
"$NMX" gen "pcap:tx=$logs/capture" -n 500 -l 300 >/dev/null 2>&1

in_left() { timeout 60 ip netns exec left "$@"; }
arrived() {
  ip -n right -j -s link show dev right | sed -nE 's/.*"rx":\{"bytes":[0-9]+,"packets":([0-9]+).*/\1/p'
}

for device in kernel embedded; do
  echo "-- $device"
  export NETMAP_DEVICE=$device

  stay_on_one_cpu
  for bytes in 60 512 1514; do numbered netmap:va netmap:vb 1000 -R 5000 -l "$bytes"; done
  for queue in 0 1 2 3; do numbered "netmap:va-$queue" netmap:vb 1000 -R 5000; done
  move_freely

  "$NMX" bridge netmap:to_left netmap:to_right -w 0 --json >"$logs/bridge" 2>"$logs/bridge.err" &
  bridge=$!
  until_log "$logs/bridge.err" '^nmx bridge:' "$bridge"
  before=$(arrived)
  in_left tcpreplay --quiet --intf1=left --pps=1000 "$logs/capture" >"$logs/tcpreplay" 2>&1
  for ((turn = 0; turn < 100 && $(arrived) < before + 500; ++turn)); do sleep 0.05; done
  check 'tcpreplay through nmx bridge' 500 $(($(arrived) - before))
  ip -n left address add 10.9.0.1/24 dev left
  ip -n right address add 10.9.0.2/24 dev right
  for bytes in 56 1472; do
    check "pings of $bytes bytes through nmx bridge" '20 packets transmitted, 20 received' \
      "$(in_left ping -c 20 -i 0.02 -W 10 -s "$bytes" 10.9.0.2 | grep -o '^20 packets transmitted, [0-9]* received')"
  done
  timeout 90 ip netns exec right iperf3 --server --one-off --forceflush >"$logs/server" 2>&1 &
  server=$!
  until_log "$logs/server" 'listening' "$server"
  in_left iperf3 --client 10.9.0.2 --time 3 >"$logs/client" 2>&1
  check 'iperf3 through nmx bridge, status' 0 $?
  wait "$server"
  check 'iperf3, status of the server' 0 $?
  grep receiver "$logs/client"
  kill -INT "$bridge"
  wait "$bridge"
  check 'nmx bridge, status' 0 $?
  ip -n left address flush dev left
  ip -n right address flush dev right
done
finish
