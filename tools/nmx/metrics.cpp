// SPDX-License-Identifier: BSD-2-Clause
#include "metrics.hpp"

#include "tell.hpp"

#include <fmt/format.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <cstdio>
#include <exception>
#include <map>
#include <system_error>

namespace nmx {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily& family_of(const Figure& figure, std::map<std::string, MetricFamily>& families) {
  MetricFamily& family = families[figure.name];
  family.name = figure.name;
  family.type = figure.name.ends_with("_total") ? MetricType::Counter : MetricType::Untyped;
  return family;
}

ClientMetric metric_of(const Figure& figure, MetricType type) {
  ClientMetric metric;
  for (const auto& [name, value] : figure.labels) metric.label.push_back({name, value});
  (type == MetricType::Counter ? metric.counter.value : metric.untyped.value) = figure.value;
  return metric;
}

class Collected : public prometheus::Collectable {
 public:
  explicit Collected(Metrics::Source source) : source_(std::move(source)) {}

  std::vector<MetricFamily> Collect() const override {
    std::map<std::string, MetricFamily> families;
    for (const Figure& figure : source_()) {
      MetricFamily& family = family_of(figure, families);
      family.metric.push_back(metric_of(figure, family.type));
    }
    std::vector<MetricFamily> all;
    all.reserve(families.size());
    for (auto& [name, family] : families) all.push_back(std::move(family));
    return all;
  }

 private:
  Metrics::Source source_;
};

std::string with_host(const std::string& address) {
  return address.find(':') == std::string::npos ? "127.0.0.1:" + address : address;
}

}  // namespace

class Metrics::Server {
 public:
  Server(const std::string& address, Source source)
      : figures_(std::make_shared<Collected>(std::move(source))), exposer_(address) {
    exposer_.RegisterCollectable(figures_);
  }
  [[nodiscard]] int port() const { return exposer_.GetListeningPorts().at(0); }

 private:
  std::shared_ptr<prometheus::Collectable> figures_;
  prometheus::Exposer exposer_;  // gone first, and its threads with it
};

void Metrics::Stop::operator()(Server* server) const {
  delete server;
}

netmap::Result<Metrics> Metrics::serve(const std::string& address, Source source) try {
  const std::string whole = with_host(address);
  std::unique_ptr<Server, Stop> server(new Server(whole, std::move(source)));
  tell("metrics at http://{}:{}/metrics\n", whole.substr(0, whole.rfind(':')), server->port());
  return Metrics(std::move(server));
} catch (const std::exception&) {  // which says nothing of use
  return std::unexpected(netmap::Error(
      std::make_error_code(std::errc::address_not_available),
      fmt::format("cannot serve metrics at '{}': the port is taken, or the address not this "
                  "machine's; it is [HOST:]PORT, like 9100 or 0.0.0.0:9100",
                  address)));
}

}  // namespace nmx
