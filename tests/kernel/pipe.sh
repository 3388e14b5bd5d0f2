#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Pipes: nmx and pkt-gen at either end.
. "$(dirname "$0")/lib.bash"
for other in nmx $(others); do
  for length in 60 1500; do
    transfer nmx 'netmap:x{1' "$other" 'netmap:x}1' 100003 -l "$length"
    transfer "$other" 'netmap:x}1' nmx 'netmap:x{1' 100003 -l "$length"
  done
  transfer nmx 'netmap:x{1' "$other" 'netmap:x}1' 1
  transfer nmx 'netmap:x{1' "$other" 'netmap:x}1' 100000 -b 1
  transfer "$other" 'netmap:x{1' nmx 'netmap:x}1' 100000 -b 1
done

numbered 'x{1' 'x}1' 200000 -l 60
numbered 'x{1' 'x}1' 50000 -l 1500
numbered 'x}1' 'x{1' 10000 -l 9000
numbered 'x{1' 'x}1' 20000 -l 9000 -l 60
numbered 'x{1@conf:rings=4,slots=256' 'x}1@conf:rings=4,slots=256' 100000 -p 4

# The sender first: it waits for room, and nothing is lost.
"$NMX" gen 'x{1' -n 50000 --seq --json >"$logs/tx" 2>"$logs/tx.err" &
sender=$!
until_log "$logs/tx.err" '^nmx gen:' $sender
"$NMX" recv 'x}1' -n 50000 --seq --json >"$logs/rx" 2>"$logs/rx.err"
status=$?
wait $sender
check 'sender first' 'received 50000, status 0 and 0' \
  "received $(packets_in "$logs/rx"), status $? and $status"
finish
