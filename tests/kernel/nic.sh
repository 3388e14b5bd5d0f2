#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# NIC rings of the emulated adapter, on a pair of veth interfaces.
. "$(dirname "$0")/lib.bash"
joined va vb
for other in nmx $(others); do
  transfer nmx netmap:va "$other" netmap:vb 20000 -R 5000
  transfer "$other" netmap:va nmx netmap:vb 20000 -R 5000
done
stay_on_one_cpu
numbered va vb 20000 -R 5000 -l 1500
finish
