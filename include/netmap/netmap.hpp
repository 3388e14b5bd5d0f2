// SPDX-License-Identifier: BSD-2-Clause
//
// Everything: name -> port -> ring -> packet -> sync. See port.hpp for where to begin.
#pragma once

#include <netmap/alarm.hpp>
#include <netmap/buffer.hpp>
#include <netmap/control.hpp>
#include <netmap/error.hpp>
#include <netmap/faults.hpp>
#include <netmap/forward.hpp>
#include <netmap/look_ahead.hpp>
#include <netmap/packet.hpp>
#include <netmap/port.hpp>
#include <netmap/port_name.hpp>
#include <netmap/ring.hpp>
#include <netmap/slot.hpp>
#include <netmap/sync_loop.hpp>
#include <netmap/wait_any.hpp>
#include <netmap/writer.hpp>
