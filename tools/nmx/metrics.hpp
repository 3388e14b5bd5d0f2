// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nmx {

struct Figure {
  std::string name;  ///< a counter's ends in _total
  double value;
  std::vector<std::pair<std::string, std::string>> labels = {};
};

/// Serves figures to Prometheus, in its text format, while it is there.
class Metrics {
 public:
  /// Asked for by other threads, several at once.
  using Source = std::function<std::vector<Figure>()>;

  /// At http://ADDRESS/metrics; `address` is [HOST:]PORT, the host being 127.0.0.1 where none is
  /// given. Says on stderr where that is.
  static netmap::Result<Metrics> serve(const std::string& address, Source source);

 private:
  class Server;
  struct Stop {
    void operator()(Server* server) const;
  };
  explicit Metrics(std::unique_ptr<Server, Stop> server) : server_(std::move(server)) {}
  std::unique_ptr<Server, Stop> server_;
};

}  // namespace nmx
