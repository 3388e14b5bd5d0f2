#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Host rings. The host's own stack is the other end: it routes what comes from the host ring of va
# out of wa, and the other way; at wb, wa's peer, sits a sender or receiver.
. "$(dirname "$0")/lib.bash"
joined va vb
joined wa wb
mac_of() { cat "/sys/class/net/$1/address"; }

ip address add 10.9.0.1/24 dev va
ip address add 10.8.0.1/24 dev wa
ip neighbour add 10.9.0.2 lladdr "$(mac_of vb)" dev va
ip neighbour add 10.8.0.2 lladdr "$(mac_of wb)" dev wa
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.va.rp_filter=0 \
  net.ipv4.conf.wa.rp_filter=0

# to_host and from_host: arguments of a sender, by where it sits.
to_host=(-s 10.9.0.2:1000 -d 10.8.0.2:2000 -D "$(mac_of va)" -S "$(mac_of vb)" -R 2000)
from_host=(-s 10.8.0.2:1000 -d 10.9.0.2:2000 -D "$(mac_of wa)" -S "$(mac_of wb)" -R 2000)
for other in nmx $(others); do
  transfer nmx netmap:va^ "$other" netmap:wb 10000 "${to_host[@]}"
  transfer "$other" netmap:va^ nmx netmap:wb 10000 "${to_host[@]}"
  transfer nmx netmap:wb "$other" 'netmap:va*' 10000 "${from_host[@]}"
  transfer "$other" netmap:wb nmx 'netmap:va*' 10000 "${from_host[@]}"
done
finish
