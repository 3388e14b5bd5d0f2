// SPDX-License-Identifier: BSD-2-Clause
//
// nmx rfc2544 through an emulated link, and through nothing but a pipe.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace nmx_test {
namespace {

using testing::HasSubstr;

using Rfc2544 = OnEmbedded;

TEST_F(Rfc2544, FindsNoMoreThanTheLinkTakes) {
  // 84 bytes a packet on the wire: 20,000 a second, and what the queue takes of a trial, 1190 more.
  Process emulating(
      nmx({"emulate", "x}1", "y}1", "--bandwidth", "13.44M", "--framing", "--queue", "10k"}));
  emulating.wait_for("nmx emulate: ");
  const Outcome measured =
      run(nmx({"rfc2544", "x{1", "y{1", "-l", "60", "--rate", "60000", "--resolution", "0.1",
               "--trial", "100ms", "--settle", "50ms", "--json"}));
  EXPECT_EQ(measured.status, 0) << measured.err;
  const auto json = measured.json();
  ASSERT_EQ(json["results"].size(), 1);
  const auto result = json["results"][0];
  EXPECT_LE(result["pps"], 21'500);
  // How much less is up to the machine: what a sender that slept catches up with may exceed the
  // queue at once.
  EXPECT_GT(result["pps"], 0);
  EXPECT_DOUBLE_EQ(result["bps_with_framing"], result["pps"].get<double>() * 672);
  EXPECT_GT(result["latency_packets"], 0);
  EXPECT_GT(result["latency_ns"]["min"], 0);
  EXPECT_THAT(measured.err, HasSubstr("60 bytes, trial 1: 60.000 kpps asked for, "));
}

TEST_F(Rfc2544, SaysThatTheSenderIsTheBoundOfALinkThatLosesNothing) {
  const Outcome measured = run(nmx({"rfc2544", "x{1", "x}1", "-l", "60,1514", "--trial", "50ms"}));
  EXPECT_EQ(measured.status, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("length     throughput"));
  EXPECT_THAT(measured.out, testing::ContainsRegex("\n    60 .*sender"));
  EXPECT_THAT(measured.out, testing::ContainsRegex("\n  1514 .*sender"));
  EXPECT_THAT(measured.err, HasSubstr("1514 bytes, trial 1: as many as go asked for, "));
}

TEST_F(Rfc2544, FindsNothingWhereNothingComesThrough) {
  Process emulating(nmx({"emulate", "x}1", "y}1", "--loss", "1"}));
  emulating.wait_for("nmx emulate: ");
  const Outcome measured = run(nmx({"rfc2544", "x{1", "y{1", "-l", "60", "--rate", "10", "--trial",
                                    "1ms", "--settle", "1ms", "--json"}));
  EXPECT_EQ(measured.status, 0) << measured.err;
  const auto result = measured.json()["results"][0];
  EXPECT_EQ(result["pps"], 0);
  EXPECT_TRUE(result["latency_ns"].is_null());
}

TEST_F(Rfc2544, FailsIfNobodyTakesWhatItSends) {
  const Outcome measured = run(nmx({"rfc2544", "x{1", "y{1", "-l", "60", "--rate", "1000",
                                    "--trial", "50ms", "--settle", "1ms"}));
  EXPECT_EQ(measured.status, 1);
  EXPECT_THAT(measured.err, HasSubstr("nobody takes what is sent through 'x{1'"));
}

TEST_F(Rfc2544, CtrlCEndsItWithoutATable) {
  Process measuring(nmx({"rfc2544", "x{1", "x}1", "--trial", "3600s"}));
  measuring.wait_for("nmx rfc2544: ");
  measuring.signal(SIGINT);
  const Outcome measured = measuring.finish();
  EXPECT_EQ(measured.status, 1);
  EXPECT_THAT(measured.err, HasSubstr("nmx: stopped in trial 1 with 60 bytes\n"));
  EXPECT_EQ(measured.out, "");
}

}  // namespace
}  // namespace nmx_test
