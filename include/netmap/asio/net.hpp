// SPDX-License-Identifier: BSD-2-Clause
//
// Which Asio: the standalone one, or Boost's if NETMAP_BOOST_ASIO is defined (the CMake target
// netmap::boost_asio does). The two live in namespaces of their own, so one program may hold both;
// netmap::net is the one that was chosen.
#pragma once

#if defined(NETMAP_BOOST_ASIO)

#include <boost/asio.hpp>

#define NETMAP_ASIO_NAMESPACE with_boost_asio
namespace netmap::inline with_boost_asio {
namespace net = ::boost::asio;
/// Asio's own error_code.
using AsioError = ::boost::system::error_code;
}  // namespace netmap::inline with_boost_asio

#else

#include <asio.hpp>

#define NETMAP_ASIO_NAMESPACE with_asio
namespace netmap::inline with_asio {
namespace net = ::asio;
/// Asio's own error_code.
using AsioError = ::asio::error_code;
}  // namespace netmap::inline with_asio

#endif
