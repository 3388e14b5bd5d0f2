# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scenarios share. They run inside the guest, as root, with NMX, CONFORMANCE, ASIO, XDP,
# EXAMPLES, PKT_GEN, NETMAP_BRIDGE and VALE_CTL as tests/kernel/run sets them. A scenario includes
# this file, checks, and ends with `finish`.
set -u
export PATH=$PATH:/usr/sbin:/sbin
logs=$(mktemp -d)
checks=0
failures=0

# Nothing but our own frames may count.
sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1

# check WHAT WANTED GOT
check() {
  checks=$((checks + 1))
  if [[ $2 == "$3" ]]; then
    printf 'ok    %s: %s\n' "$1" "$3"
  else
    printf 'FAIL  %s: wanted %s, got %s\n' "$1" "$2" "${3:-nothing}"
    failures=$((failures + 1))
  fi
}

finish() {
  check 'complaints of the kernel' 0 "$(dmesg | grep -cE 'BUG:|Oops|WARNING:')"
  printf '%d checks, %d failed\n' "$checks" "$failures"
  ((failures == 0))
  exit
}

# joined NAME PEER [QUEUES]: two interfaces that are each other's wire.
joined() {
  local queues=()
  (($# < 3)) || queues=(numtxqueues "$3" numrxqueues "$3")
  modprobe veth
  ip link add "$1" "${queues[@]}" type veth peer name "$2" "${queues[@]}"
  ip link set "$1" up
  ip link set "$2" up
}

# veth keeps a frame on the CPU of whoever sends it, so a sender that the scheduler moves reorders
# its own frames. Where order is checked on veth, nobody is moved.
stay_on_one_cpu() { taskset -pc 0 $$ >/dev/null; }
move_freely() { taskset -pc "0-$(($(nproc --all) - 1))" $$ >/dev/null; }

# The other ends there are, apart from nmx.
others() { [[ -z $PKT_GEN ]] || echo pkt-gen; }

# until_log LOG TEXT PID: waits until a program has said something, or has ended.
until_log() {
  until grep -q "$2" "$1" 2>/dev/null; do
    kill -0 "$3" 2>/dev/null || break
    sleep 0.02
  done
}

# start_receiver nmx|pkt-gen PORT [ARGUMENT…]: a receiver that has the port open when this returns,
# and ends when nothing comes any more.
start_receiver() {
  local program=$1 port=$2
  shift 2
  case $program in
    nmx)
      "$NMX" recv "$port" --silence=2 -w 0 --json "$@" >"$logs/rx" 2>"$logs/rx.err" &
      receiver=$!
      until_log "$logs/rx.err" '^nmx recv:' $receiver
      ;;
    pkt-gen)
      "$PKT_GEN" -f rx -i "$port" -W -w 0 "$@" >"$logs/rx" 2>&1 &
      receiver=$!
      until_log "$logs/rx" 'reading from' $receiver
      ;;
  esac
}

# send nmx|pkt-gen PORT COUNT [ARGUMENT…]
send() {
  local program=$1 port=$2 count=$3
  shift 3
  case $program in
    nmx) "$NMX" gen "$port" -n "$count" -w 0 --json "$@" >"$logs/tx" 2>"$logs/tx.err" ;;
    pkt-gen) "$PKT_GEN" -f tx -i "$port" -n "$count" -w 0 "$@" >"$logs/tx" 2>&1 ;;
  esac
}

# packets_in LOG: how many a program says that it moved.
packets_in() {
  sed -nE 's/.*"packets":([0-9]+).*/\1/p; s/^(Sent|Received) ([0-9]+) packets .*/\2/p' "$1" | tail -1
}

# transfer SENDER PORT RECEIVER PORT COUNT [ARGUMENT of the sender…]: all of it has to arrive.
transfer() {
  local sent=$5 status
  start_receiver "$3" "$4"
  send "$1" "$2" "$sent" "${@:6}"
  status=$?
  wait "$receiver"
  check "$1 $2 -> $3 $4 ${*:6}" "sent $sent, received $sent, status 0 and 0" \
    "sent $(packets_in "$logs/tx"), received $(packets_in "$logs/rx"), status $status and $?"
}

# numbered SENDER'S-PORT RECEIVER'S-PORT COUNT [ARGUMENT of the sender…]: all of it has to arrive,
# once, in order, undamaged.
numbered() {
  local sent=$3 status
  start_receiver nmx "$2" --seq
  send nmx "$1" "$sent" --seq "${@:4}"
  status=$?
  wait "$receiver"
  check "numbered $1 -> $2 ${*:4}" \
    "received $sent, status 0 and 0, lost 0, duplicated 0, reordered 0, corrupt 0" \
    "received $(packets_in "$logs/rx"), status $status and $?, $(faults_in "$logs/rx")"
}

# faults_in LOG: what recv --seq counted, as "lost 0, duplicated 0, reordered 0, corrupt 0".
faults_in() {
  grep -oE '"lost":.*"corrupt":[0-9]+' "$1" | tr -d '"' | sed 's/:/ /g; s/,/, /g'
}
