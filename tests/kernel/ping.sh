#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Pings over pipes, a VALE switch and a cable: nmx and pkt-gen at either end.
. "$(dirname "$0")/lib.bash"
joined va vb

# start_pong nmx|pkt-gen PORT
start_pong() {
  case $1 in
    nmx)
      "$NMX" pong "$2" -w 0 --json >"$logs/pong" 2>"$logs/pong.err" &
      pong=$!
      until_log "$logs/pong.err" '^nmx pong:' "$pong"
      ;;
    pkt-gen)
      "$PKT_GEN" -f pong -i "$2" -w 0 >"$logs/pong" 2>&1 &
      pong=$!
      until_log "$logs/pong" 'Wait 0 secs' "$pong"
      ;;
  esac
}

stop_pong() {
  kill -INT "$pong"
  wait "$pong"
}

# nmx_pings PONG PORT PONG'S-PORT COUNT [ARGUMENT of the ping…]
nmx_pings() {
  local status
  start_pong "$1" "$3"
  "$NMX" ping "$2" -n "$4" --timeout 60s -w 0 --json "${@:5}" >"$logs/ping" 2>"$logs/ping.err"
  status=$?
  stop_pong
  check "nmx ping $2 <-> $1 pong $3 ${*:5}" \
    "status 0 sent:$4,answered:$4,lost:0,without_room:0,duplicate:0,late:0" \
    "status $status $(grep -oE '"sent":.*"late":[0-9]+' "$logs/ping" | tr -d '"')"
  [[ $1 != nmx ]] || check 'nmx pong' "$4" "$(packets_in "$logs/pong")"
  grep '^round trip' "$logs/ping.err"
}

# pkt_gen_pings PONG PORT PONG'S-PORT COUNT: pkt-gen tells only of whole seconds.
pkt_gen_pings() {
  start_pong "$1" "$3"
  "$PKT_GEN" -f ping -i "$2" -n "$4" -w 0 >"$logs/ping" 2>&1
  stop_pong
  [[ $1 != nmx ]] ||
    check "pkt-gen ping $2 <-> $1 pong $3" "pong $4" "pong $(packets_in "$logs/pong")"
  grep -o 'count .* ns$' "$logs/ping" | tail -1
}

for other in nmx $(others); do
  nmx_pings "$other" 'netmap:x{1' 'netmap:x}1' 2000 --every 0
  nmx_pings "$other" 'netmap:x{1' 'netmap:x}1' 2000 --every 0 -l 1500 --outstanding 16
  nmx_pings "$other" 'netmap:x{1' 'netmap:x}1' 1000 --every 200us
  nmx_pings "$other" 'netmap:x{1' 'netmap:x}1' 2000 --every 0 --spin
  nmx_pings "$other" vale0:a vale0:b 1000 --every 0
  nmx_pings "$other" netmap:va netmap:vb 500 --every 1ms
done
for other in $([[ -z $(others) ]] || echo nmx pkt-gen); do
  pkt_gen_pings "$other" 'netmap:x{1' 'netmap:x}1' 2000
  pkt_gen_pings "$other" vale0:a vale0:b 1000
done

# Two answer what was asked of everybody on a switch; nobody answers an answer.
"$NMX" pong vale0:c -w 0 --json >"$logs/second" 2>"$logs/second.err" &
second=$!
until_log "$logs/second.err" '^nmx pong:' $second
start_pong nmx vale0:b
"$NMX" ping vale0:a -n 1000 --timeout 60s --json >"$logs/ping" 2>"$logs/ping.err"
status=$?
stop_pong
kill -INT $second
wait $second
check 'two pongs on a switch' 'status 0, 1000 answered, by each pong 1000 and 1000' \
  "status $status, $(sed -nE 's/.*"answered":([0-9]+).*/\1/p' "$logs/ping") answered, by each pong $(packets_in "$logs/pong") and $(packets_in "$logs/second")"

finish
