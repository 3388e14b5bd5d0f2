// SPDX-License-Identifier: BSD-2-Clause
//
// What others are told of running programs: Prometheus by --metrics, and nmx top.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nmx_test {
namespace {

using testing::HasSubstr;

/// What http://127.0.0.1:PORT/metrics answers.
std::string get(const std::string& port) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoul(port)));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ::close(connection);
    throw std::runtime_error("nobody serves metrics at port " + port);
  }
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(::send(connection, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char part[4096];
  for (ssize_t bytes; (bytes = ::recv(connection, part, sizeof part, 0)) > 0;) {
    answer.append(part, static_cast<std::size_t>(bytes));
  }
  ::close(connection);
  return answer;
}

/// Where a program said that it serves them; it chose a port itself.
std::string port_in(const std::string& text) {
  const std::string before = "metrics at http://127.0.0.1:";
  const auto begin = text.find(before) + before.size();
  return text.substr(begin, text.find('/', begin) - begin);
}

/// The value of a line that begins like this.
double value_of(const std::string& answer, const std::string& line) {
  const auto at = answer.find("\n" + line);
  if (at == std::string::npos) throw std::runtime_error("no " + line + " in " + answer);
  const auto space = answer.find("} ", at);
  return std::stod(answer.substr(space + 2));
}

class Told : public OnEmbedded {};

TEST_F(Told, MetricsSayWhatHasMoved) {
  Process receiver(nmx({"recv", "x}1", "--seq", "--metrics", "0", "-T", "10"}));
  receiver.wait_for("/metrics");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "1000", "--seq"})).status, 0);
  const std::string answer = get(port_in(receiver.err()));
  EXPECT_THAT(answer, HasSubstr("# TYPE nmx_packets_total counter"));
  EXPECT_THAT(answer, HasSubstr(R"(nmx_packets_total{command="recv",port="x}1")"));
  EXPECT_EQ(value_of(answer, "nmx_packets_total{"), 1000);
  EXPECT_EQ(value_of(answer, "nmx_bytes_total{"), 60'000);
  EXPECT_EQ(value_of(answer, "nmx_lost{"), 0);
}

TEST_F(Told, MetricsOfALinkAndOfPingsSayWhatTheyReport) {
  Process emulating(nmx({"emulate", "x}1", "y}1", "--metrics", "0", "-T", "10"}));
  emulating.wait_for("nmx emulate: ");
  Process pong(nmx({"pong", "y{1"}));
  pong.wait_for("nmx pong: ");
  Process ping(nmx({"ping", "x{1", "--timeout", "60s", "--metrics", "0", "-T", "10"}));
  ping.wait_for("answers  ");
  const std::string pings = get(port_in(ping.err()));
  EXPECT_GT(value_of(pings, R"(nmx_sent{command="ping",port="x{1")"), 0);
  EXPECT_EQ(value_of(pings, "nmx_lost{"), 0);
  emulating.wait_for("y}1 → x}1: ");
  const std::string link = get(port_in(emulating.err()));
  EXPECT_GT(value_of(link, "nmx_packets_total{"), 0);
  EXPECT_GT(value_of(link, "nmx_forward_in{"), 0);
  EXPECT_GT(value_of(link, "nmx_backward_in{"), 0);
  EXPECT_EQ(value_of(link, "nmx_backward_lost{"), 0);
}

TEST_F(Told, TopShowsWhatPipesMove) {
  Process receiver(nmx({"recv", "x}1"}));
  receiver.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "5000"})).status, 0);
  const Outcome table = run(nmx({"top", "-n", "1", "-T", "10"}));
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, HasSubstr("x}1"));
  EXPECT_THAT(table.out, HasSubstr(" nmx "));
  const Outcome idle = run(nmx({"top", "-n", "1", "-T", "10", "--json"}));
  ASSERT_EQ(idle.json()["ports"].size(), 1);
  EXPECT_EQ(idle.json()["ports"][0]["rx"]["packets"], 0);
  Process top(nmx({"top", "--metrics", "0", "-T", "10"}));
  top.wait_for("/metrics");
  const std::string answer = get(port_in(top.err()));
  EXPECT_EQ(value_of(answer, R"(nmx_port_received_packets_total{port="x}1")"), 5000);
  EXPECT_EQ(value_of(answer, R"(nmx_port_sent_packets_total{port="x}1")"), 0);
}

TEST_F(Told, TopShowsThePortOfAProcessOnceHoweverManyRingsItOpenedAlone) {
  Process receiver(nmx({"recv", "x}1@conf:rings=2", "-p", "2"}));
  receiver.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "-n", "3000"})).status, 0);
  const Outcome idle = run(nmx({"top", "-n", "1", "-T", "10", "--json"}));
  ASSERT_EQ(idle.json()["ports"].size(), 1);
  EXPECT_EQ(idle.json()["ports"][0]["rx"]["packets"], 0);
}

TEST_F(Told, TopOfAnEmptyDomainIsATitle) {
  const Outcome json = run(nmx({"top", "-n", "1", "-T", "10", "--json"}));
  EXPECT_EQ(json.status, 0);
  EXPECT_EQ(json.json()["ports"].size(), 0);
}

}  // namespace
}  // namespace nmx_test
