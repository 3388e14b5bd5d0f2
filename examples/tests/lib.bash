# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of programs that forward have in common. Pipes lose nothing and keep what was sent,
# so senders and receivers run one after the other.
# What includes this sets nmx.
# shellcheck disable=SC2154
set -euo pipefail
logs=$(mktemp -d)

# start COMMAND…: and waits for its first word, which it says when it has its ports.
start() {
  mkfifo "$logs/said"
  "$@" >"$logs/out" 2>"$logs/said" &
  forwarder=$!
  trap 'kill "$forwarder"; rm -r "$logs"' EXIT
  exec 3<"$logs/said"
  read -r said <&3 || { echo "nothing was said" >&2; exit 1; }
  echo "$said"
}

# stop EXPECTED: and what it then says that it did.
stop() {
  kill -INT "$forwarder"
  wait "$forwarder"
  trap 'rm -r "$logs"' EXIT
  check 'in the end' "$1" "$(<"$logs/out")"
}

# check WHAT EXPECTED GOT
check() {
  printf '%s: %s\n' "$1" "$3"
  [[ $2 == "$3" ]] || { echo "expected: $2" >&2; exit 1; }
}

# send PORT COUNT [ARGUMENT of nmx gen…]
send() { "$nmx" gen "$1" -n "$2" "${@:3}" >/dev/null 2>&1; }

# receive PORT COUNT: so many arrive there.
receive() {
  timeout 20 "$nmx" recv "$1" -n "$2" >/dev/null 2>&1 || {
    echo "$2 packets did not arrive at $1" >&2
    exit 1
  }
}
