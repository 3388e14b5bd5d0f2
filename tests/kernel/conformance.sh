#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The conformance suite on the module: every case has to run, none may be skipped.
. "$(dirname "$0")/lib.bash"
joined va vb
NETMAP_CONFORMANCE_TABLE=1 NETMAP_TEST_VETH='va vb' "$CONFORMANCE" --gtest_brief=1 | tee "$logs/out"
check 'status' 0 "${PIPESTATUS[0]}"
check 'kernel, refused and skipped' '0 refused, 0 skipped' \
  "$(sed -n 's/^conformance kernel: [0-9]* run, //p' "$logs/out")"
finish
