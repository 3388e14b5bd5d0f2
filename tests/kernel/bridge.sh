#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# nmx bridge, and upstream's where there is one, between a sender and a receiver.
. "$(dirname "$0")/lib.bash"
joined va vb
joined wa wb

# start_bridge nmx|upstream PORT PORT
start_bridge() {
  case $1 in
    nmx)
      "$NMX" bridge "$2" "$3" -w 0 --json >"$logs/bridge" 2>"$logs/bridge.err" &
      bridge=$!
      until_log "$logs/bridge.err" '^nmx bridge:' "$bridge"
      ;;
    upstream)
      "$NETMAP_BRIDGE" -i "$2" -i "$3" -w 0 >"$logs/bridge" 2>&1 &
      bridge=$!
      until_log "$logs/bridge" 'Ready to go' "$bridge"
      ;;
  esac
}

# stop_bridge nmx|upstream COUNT: and what it says that it moved, if it does.
stop_bridge() {
  kill -INT "$bridge"
  wait "$bridge"
  [[ $1 == upstream ]] ||
    check 'nmx bridge' "moved $2, status 0" "moved $(packets_in "$logs/bridge"), status $?"
}

for kind in nmx ${NETMAP_BRIDGE:+upstream}; do
  echo "-- $kind"
  start_bridge "$kind" 'netmap:x}1' 'netmap:x{2'
  numbered 'netmap:x{1' 'netmap:x}2' 50000
  numbered 'netmap:x}2' 'netmap:x{1' 50000
  stop_bridge "$kind" 100000

  start_bridge "$kind" 'netmap:x}1' 'netmap:y{1'
  numbered 'netmap:x{1' 'netmap:y}1' 50000 -l 1500
  stop_bridge "$kind" 50000

  stay_on_one_cpu
  start_bridge "$kind" netmap:vb netmap:wa
  numbered netmap:va netmap:wb 10000 -R 2000
  numbered netmap:wb netmap:va 10000 -R 2000
  stop_bridge "$kind" 20000
  move_freely
done

start_bridge nmx 'netmap:x}1' 'netmap:y{1'
numbered 'netmap:x{1' 'netmap:y}1' 10000 -l 9000
stop_bridge nmx 10000

# An interface to its own host: hosts on both sides do not notice that nmx is between.
ip netns add far
ip link set vb netns far
ip -n far link set vb up
ip -n far address add 10.9.0.2/24 dev vb
ip address add 10.9.0.1/24 dev va
start_bridge nmx netmap:va netmap:va^
check 'pings through nmx bridge va' '50 packets transmitted, 50 packets received' \
  "$(busybox ping -c 50 -i 0.02 -W 10 10.9.0.2 | grep -o '^50 packets transmitted, [0-9]* packets received')"
kill -INT "$bridge"
wait "$bridge"
check 'nmx bridge, status' 0 $?
finish
