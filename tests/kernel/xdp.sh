#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Interfaces of the embedded device, on the guest's kernel instead of this machine's.
. "$(dirname "$0")/lib.bash"
modprobe veth
"$(dirname "$0")/../with_veth" "$XDP" --gtest_brief=1
check 'status' 0 $?
finish
