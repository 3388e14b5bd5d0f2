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
finish
