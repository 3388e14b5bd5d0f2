#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The examples with host rings, and those that forward, between cards.
. "$(dirname "$0")/lib.bash"
joined va vb
joined wa wb
mac_of() { cat "/sys/class/net/$1/address"; }
to_host=(-s 10.9.0.2:1000 -D "$(mac_of va)" -S "$(mac_of vb)" -R 100)

# start NAME [ARGUMENT…]: an example that says when it has its ports.
start() {
  timeout 60 "$EXAMPLES/example_$1" "${@:2}" >"$logs/example" 2>"$logs/example.err" &
  example=$!
  until_log "$logs/example.err" . "$example"
}

stop() {
  kill -INT "$example"
  wait "$example"
  check "$1, status" 0 $?
}

# Datagrams for the host that nobody there waited for; and until there are so many more.
refused() { awk '/^Udp:/ && $3 ~ /[0-9]/ { print $3 }' /proc/net/snmp; }
until_refused() {
  local turn
  for ((turn = 0; turn < 100 && $(refused) < $1; ++turn)); do sleep 0.05; done
}

ip address add 10.9.0.1/24 dev va
ip neighbour add 10.9.0.2 lladdr "$(mac_of vb)" dev va

start host_receive 'netmap:va*' 3
busybox ping -c 3 -i 0.1 -W 1 10.9.0.2 >"$logs/ping"
wait "$example"
check 'host_receive, status' 0 $?
check 'host_receive' "3 $(mac_of va) -> $(mac_of vb) type 0800, 98 bytes" \
  "$(sort "$logs/example" | uniq -c | xargs)"

before=$(refused)
said=$("$EXAMPLES/example_host_transmit" netmap:va^ 10.9.0.2 10.9.0.1 5000 hello)
check 'host_transmit' 'the host has it' "$said"
until_refused $((before + 1))
check 'datagrams that reached the host' 1 $(($(refused) - before))

start firewall netmap:va netmap:va^ allow:udp:5000 deny:udp
before=$(refused)
send nmx netmap:vb 10 "${to_host[@]}" -d 10.9.0.1:5001
send nmx netmap:vb 20 "${to_host[@]}" -d 10.9.0.1:5000
until_refused $((before + 20))
check 'datagrams that reached the host' 20 $(($(refused) - before))
stop firewall
check 'firewall' '20 passed, 10 denied' "$(grep -o '[0-9]* passed, [0-9]* denied' "$logs/example")"

stay_on_one_cpu
start learning_switch netmap:va netmap:wa
numbered netmap:vb netmap:wb 1000 -R 1000
numbered netmap:wb netmap:vb 1000 -R 1000
stop learning_switch
move_freely

ip netns add far
ip link set wb netns far
ip -n far link set wb up
ip -n far address add 10.8.0.2/24 dev wb
ip address add 10.8.0.1/24 dev wa
start firewall netmap:wa netmap:wa^ allow:icmp deny:any
check 'pings through the firewall' '20 packets transmitted, 20 packets received' \
  "$(busybox ping -c 20 -i 0.02 -W 10 10.8.0.2 | grep -o '^20 packets transmitted, [0-9]* packets received')"
stop firewall
finish
