#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Ports of a VALE switch. A switch drops what a slow receiver has no room for, so senders keep to a
# rate.
. "$(dirname "$0")/lib.bash"
for other in nmx $(others); do
  transfer nmx vale0:a "$other" vale0:b 20000 -R 5000
  transfer "$other" vale0:a nmx vale0:b 20000 -R 5000
done
numbered vale0:a vale0:b 20000 -R 5000 -l 1500
numbered vale0:a vale0:b 5000 -R 2000 -l 9000

# nmx switch beside upstream's vale-ctl, where there is one: what one makes the other finds.
nmx_switch() { "$NMX" switch "$@" 2>>"$logs/switch"; }
names() { nmx_switch list --json | grep -o '"name":"[^"]*"' | cut -d'"' -f4 | paste -sd' '; }
vale_ctl() { "$VALE_CTL" "$@" 2>&1; }

for kind in nmx ${VALE_CTL:+upstream}; do
  echo "-- $kind"
  if [[ $kind == nmx ]]; then
    nmx_switch create v0@conf:slots=256
    check 'create' 0 $?
    nmx_switch attach vale3:v0
  else
    vale_ctl -n v0 -C 256,256,1,1 >/dev/null
    check 'slots' 256 "$("$NMX" info v0 --json | sed -E 's/.*"tx_slots":([0-9]+).*/\1/')"
    vale_ctl -a vale3:v0 >/dev/null
  fi
  check 'list after attach' vale3:v0 "$(names)"
  [[ -z $VALE_CTL ]] || check 'vale-ctl finds it' 1 "$(vale_ctl | grep -c '^vale3:v0 ')"
  # The module would rename it there.
  nmx_switch info vale3:v0
  check 'info of an attached interface' 1 $?
  nmx_switch attach vale3:v0
  check 'attach twice' 1 $?
  nmx_switch remove v0
  check 'remove what is attached' 1 $?
  if [[ $kind == nmx ]]; then
    nmx_switch detach vale3:v0
    check 'detach' 0 $?
    nmx_switch remove v0
    check 'remove' 0 $?
  else
    vale_ctl -d vale3:v0 >/dev/null
    vale_ctl -r v0 >/dev/null
  fi
  check 'list after detach' '' "$(names)"
done

joined va vb
nmx_switch attach vale3:va
check 'attach a network card' vale3:va "$(names)"
nmx_switch detach vale3:va
check 'detach a network card' 0 $?
finish
