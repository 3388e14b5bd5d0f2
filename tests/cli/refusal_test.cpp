// SPDX-License-Identifier: BSD-2-Clause
//
// What cannot work ends with one sentence on stderr and a status: 1, or 2 if the command line was
// wrong.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include "device/embedded/state.hpp"

#include <netmap/netmap.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace nmx_test {
namespace {

using netmap::embedded::FileHeader;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int failure = 1;
constexpr int usage = 2;

/// The last line, which says what went wrong; before it nmx may have said what it opened.
std::string sentence(const Outcome& outcome) {
  const std::string& err = outcome.err;
  const auto start = err.rfind("nmx: ");
  return start == std::string::npos ? err : err.substr(start);
}

void expect_refused(const Outcome& outcome, int status, const std::string& because) {
  EXPECT_EQ(outcome.status, status) << outcome.err;
  const std::string said = sentence(outcome);
  EXPECT_THAT(said, StartsWith("nmx: "));
  EXPECT_THAT(said, HasSubstr(because));
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
}

struct Mistake {
  Arguments arguments;
  int status;
  std::string because;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  for (const std::string& argument : mistake.arguments) *out << argument << ' ';
}

class Refusal : public OnEmbedded, public testing::WithParamInterface<Mistake> {};

TEST_P(Refusal, SaysWhy) {
  expect_refused(run(nmx(GetParam().arguments)), GetParam().status, GetParam().because);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, Refusal,
    testing::Values(Mistake{{}, usage, "A subcommand is required; see 'nmx --help'"},
                    Mistake{{"frobnicate"}, usage, "'frobnicate' is no subcommand"},
                    Mistake{{"gen"}, usage, "port is required; see 'nmx gen --help'"},
                    Mistake{{"gen", "x{1", "--colour"}, usage, "--colour"},
                    Mistake{{"gen", "x{1", "y{1"}, usage, "y{1"},
                    Mistake{{"gen", "x{1", "-l", "15"}, usage, "15"},
                    Mistake{{"gen", "x{1", "-l", "65536"}, usage, "65536"},
                    Mistake{{"gen", "x{1", "-l", "long"}, usage, "long"},
                    Mistake{{"gen", "x{1", "--seq", "-l", "57"}, usage, "at least 58 bytes"},
                    Mistake{{"gen", "x{1", "-F", "64"}, usage, "64"},
                    Mistake{{"gen", "x{1", "-F", "20", "-l", "16"}, usage, "20 fragments"},
                    Mistake{{"gen", "x{1", "-n", "-1"}, usage, "-1"},
                    Mistake{{"gen", "x{1", "-b", "0"}, usage, "0"},
                    Mistake{{"gen", "x{1", "-R", "0"}, usage, "0"},
                    Mistake{
                        {"gen", "x{1", "-s", "10.0.0"}, usage, "'10.0.0' is no range of addresses"},
                    Mistake{{"gen", "x{1", "-s", "10.0.0.1", "-d", "fd00::1"}, usage, "both IPv4"},
                    Mistake{{"gen", "x{1", "-6", "--seq"}, usage, "without a VLAN tag"},
                    Mistake{{"gen", "x{1", "--vlan", "1", "--seq"}, usage, "without a VLAN tag"},
                    Mistake{{"gen", "x{1", "--vlan", "4095"}, usage, "'4095' is no VLAN"},
                    Mistake{{"gen", "x{1", "--vlan", "5:8"}, usage, "'5:8' is no VLAN"},
                    Mistake{{"gen", "x{1", "--imix", "-l", "60"}, usage, "--imix"},
                    Mistake{{"gen", "x{1", "-P", "/nowhere"}, failure, "/nowhere"},
                    Mistake{{"gen", "x{1", "--metrics", "99999"}, failure, "[HOST:]PORT"},
                    Mistake{{"bridge", "x{1", "y{1", "-L"}, usage, "--loop is for one port"},
                    Mistake{{"gen", "x{1", "-D", "me"}, usage, "'me' is no MAC address"},
                    Mistake{{"gen", "x{1", "-a", "100000", "-n", "1"}, failure, "CPU 100000"},
                    Mistake{{"recv", "x{1", "--json=xml"}, usage, "xml"},
                    Mistake{{"recv", "x{1", "--device", "abacus"}, usage, "'abacus' is no device"},
                    Mistake{{"ping"}, usage, "port is required; see 'nmx ping --help'"},
                    Mistake{{"pong"}, usage, "port is required; see 'nmx pong --help'"},
                    Mistake{{"ping", "x{1", "-l", "53"}, usage, "53"},
                    Mistake{{"ping", "x{1", "--every", "5"}, usage, "'5' is no duration"},
                    Mistake{{"ping", "x{1", "--every", "-1us"}, usage, "'-1us' is no duration"},
                    Mistake{{"ping", "x{1", "--timeout", "0"}, usage, "0 is too short"},
                    Mistake{{"ping", "x{1", "--outstanding", "0"}, usage, "0"},
                    Mistake{{"ping", "x{1", "--spin=fast"}, usage, "'fast' is no duration"},
                    Mistake{{"ping", "x{1", "-p", "2"}, usage, "-p"},
                    Mistake{{"pong", "x{1", "-p", "2"}, usage, "-p"},
                    Mistake{{"bridge"}, usage, "required"},
                    Mistake{{"emulate", "x{1"}, usage, "required"},
                    Mistake{{"emulate", "x{1", "y{1", "--delay", "5"}, usage, "'5' is no duration"},
                    Mistake{{"emulate", "x{1", "y{1", "--back", "los=1"}, usage, "no 'los', but"},
                    Mistake{{"emulate", "x{1", "x{1"}, failure, "both ends of the link"},
                    Mistake{{"rfc2544", "x{1"}, usage, "required"},
                    Mistake{{"rfc2544", "x{1", "y{1", "--trial", "0"}, usage, "0 is too short"},
                    Mistake{{"rfc2544", "x{1", "y{1", "-l", "57"}, usage, "57"},
                    Mistake{{"rfc2544", "x{1/R", "y{1"}, failure, "without tx rings"},
                    Mistake{{"rfc2544", "x{1", "y{1/T"}, failure, "without rx rings"},
                    Mistake{{"switch"}, usage, "required; see 'nmx switch --help'"},
                    Mistake{{"switch", "juggle"}, usage, "juggle"},
                    Mistake{{"switch", "create"}, usage, "see 'nmx switch create --help'"},
                    Mistake{{"switch", "run", "vale0"}, usage, "port is required"},
                    Mistake{{"switch", "watch", "-n", "0"}, usage, "0"},
                    Mistake{{"switch", "list", "vale0", "vale1"}, usage, "vale1"},
                    Mistake{{"bridge", "x{1", "y{1", "z{1"}, usage, "At Most 2"}));

INSTANTIATE_TEST_SUITE_P(
    Ports, Refusal,
    testing::Values(
        Mistake{{"recv", "netmap:"}, failure, "column"},
        Mistake{{"recv", "netmap:eth0-"}, failure, "column 13"},
        Mistake{{"recv", "netmap:x{1}2"}, failure, "column"},
        Mistake{{"recv", "netmap:x{1/q"}, failure, "column 12"},
        Mistake{{"recv", "eth77"}, failure, "there is no interface 'eth77'"},
        Mistake{{"recv", "x{1-9"}, failure, "no ring 9"},
        Mistake{{"recv", "x{1^"}, failure, "host rings"},
        Mistake{{"recv", "x{1/T"}, failure, "without rx rings"},
        Mistake{{"gen", "x{1/R"}, failure, "without tx rings"},
        Mistake{{"ping", "x{1/T"}, failure, "without rx rings"},
        Mistake{{"pong", "x{1/R"}, failure, "without tx rings"},
        Mistake{{"ping", "x{1@conf:slots=16", "-l", "65535"}, failure, "too large"},
        Mistake{{"recv", "x{1", "-p", "4"}, failure, "4 threads need 4 rings, but 'x{1' has 1"},
        Mistake{{"recv", "x{1-0", "-p", "2"}, failure, "selects rings"},
        Mistake{{"gen", "x{1@conf:slots=16", "-l", "65535"}, failure, "too large"},
        Mistake{{"bridge", "x{1/T", "y{1/T"}, failure, "neither"},
        Mistake{{"bridge", "x{1-0"}, failure, "second port"},
        Mistake{{"bridge", "x{1", "x{1"}, failure, "taken"},
        Mistake{{"info", "eth77"}, failure, "there is no interface 'eth77'"}));

using Domain = OnEmbedded;

Outcome receive() {
  return run(nmx({"recv", "x{1"}));
}

TEST_F(Domain, APipeEndHasOneUser) {
  const auto held = netmap::open("x{1");
  ASSERT_TRUE(held);
  expect_refused(receive(), failure, "taken by process " + std::to_string(getpid()));
}

TEST_F(Domain, HasToExistOrBePossibleToMake) {
  expect_refused(run(nmx({"recv", "x{1", "--domain", domain() + "/a/b"})), failure,
                 "parent directory does not exist");
}

TEST_F(Domain, HasToBeADirectory) {
  std::ofstream(domain() + "/file") << "not a directory";
  expect_refused(run(nmx({"recv", "x{1", "--domain", domain() + "/file"})), failure, "/file'");
}

TEST_F(Domain, IsNotReachedThroughALink) {
  std::filesystem::create_directory_symlink(domain(), domain() + "/link");
  expect_refused(run(nmx({"recv", "x{1", "--domain", domain() + "/link"})), failure, "/link'");
}

TEST_F(Domain, IsForItsOwnerAlone) {
  ASSERT_EQ(chmod(domain().c_str(), 0755), 0);
  expect_refused(receive(), failure, "chmod 700");
}

TEST_F(Domain, HasToBeOurs) {
  if (geteuid() == 0) {
    ASSERT_EQ(chown(domain().c_str(), 12345, 12345), 0);
    expect_refused(receive(), failure, "belongs to user 12345");
  } else {
    expect_refused(run(nmx({"recv", "x{1", "--domain", "/dev"})), failure, "belongs to user 0");
  }
}

TEST_F(Domain, IsNotWhereEverybodyHasFiles) {
  expect_refused(run(nmx({"recv", "x{1", "--domain", "/dev/shm"})), failure,
                 "name a directory in it");
}

TEST_F(Domain, HasToBeInMemory) {
  constexpr long tmpfs = 0x01021994;
  struct statfs here{};
  ASSERT_EQ(statfs(".", &here), 0);
  if (here.f_type == tmpfs) GTEST_SKIP() << "the tests themselves run on tmpfs";
  const Directory elsewhere(std::filesystem::current_path());
  expect_refused(run(nmx({"recv", "x{1", "--domain", elsewhere.path()})), failure, "not on tmpfs");
  const std::string fresh = elsewhere.path() + "/fresh";
  expect_refused(run(nmx({"recv", "x{1", "--domain", fresh})), failure, "not on tmpfs");
  EXPECT_FALSE(std::filesystem::exists(fresh)) << "it was made only to be refused";
}

void overwrite(const std::string& file, std::streamoff at, std::uint32_t word) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(stream) << file;
  stream.seekp(at);
  stream.write(reinterpret_cast<const char*>(&word), sizeof word);
}

/// A file of the domain, and where in it stands what it is and which version of it.
struct Stamped {
  std::string file;
  std::streamoff header;
};

void PrintTo(const Stamped& stamped, std::ostream* out) {
  *out << stamped.file;
}

class Damaged : public OnEmbedded, public testing::WithParamInterface<Stamped> {
 protected:
  /// Overwrites a word of the header while a port is open, and then opens another.
  Outcome receive_after(std::streamoff at, std::uint32_t word) {
    const auto held = netmap::open("x{1");
    EXPECT_TRUE(held);
    overwrite(domain() + "/" + GetParam().file, GetParam().header + at, word);
    return run(nmx({"recv", "x}1", "-W"}));
  }
};

TEST_P(Damaged, IsNoticedBeforeUse) {
  expect_refused(receive_after(offsetof(FileHeader, magic), 0x6b6e756a), failure, "damaged");
}

TEST_P(Damaged, AnotherVersionIsNotMistakenForOurs) {
  expect_refused(receive_after(offsetof(FileHeader, version), 99), failure, "layout 99");
}

INSTANTIATE_TEST_SUITE_P(, Damaged,
                         testing::Values(Stamped{"domain", 0},
                                         Stamped{"mem2", netmap::embedded::region_bytes}));

/// Runs `script` with the domain on a file system of its own, of this size or with this option.
/// Yields nothing where the system does not let us mount.
std::optional<Outcome> on_mounted(const std::string& domain, const std::string& option,
                                  const std::string& script) {
  const Arguments unshare =
      geteuid() == 0 ? Arguments{"unshare", "-m"} : Arguments{"unshare", "-rm"};
  auto command = unshare;
  command.insert(command.end(), {"sh", "-c"});
  const std::string mount = "mount -t tmpfs -o mode=700," + option + " none " + domain;
  auto trial = command;
  trial.push_back(mount);
  if (run(trial).status != 0) return {};
  command.push_back(mount + " && exec " NMX_PATH " " + script);
  return run(command);
}

#define MOUNT_OR_SKIP(outcome, ...)                       \
  const auto outcome = on_mounted(domain(), __VA_ARGS__); \
  if (!outcome) GTEST_SKIP() << "mounting is not permitted here"

TEST_F(Domain, AFullFileSystemIsAnErrorAtOpen) {
  MOUNT_OR_SKIP(outcome, "size=256k", "recv 'x{1'");
  expect_refused(*outcome, failure, "No space left on device");
}

TEST_F(Domain, AReadOnlyFileSystemIsAnErrorAtOpen) {
  MOUNT_OR_SKIP(outcome, "ro", "recv 'x{1'");
  expect_refused(*outcome, failure, "Read-only file system");
}

TEST_F(Domain, SixtyFourMegabytesAreEnough) {
  MOUNT_OR_SKIP(outcome, "size=64m", "demo");
  EXPECT_EQ(outcome->status, 0) << outcome->err;
}

TEST_F(Domain, InfoWarnsOfASmallOne) {
  MOUNT_OR_SKIP(outcome, "size=8m", "info");
  EXPECT_EQ(outcome->status, 0) << outcome->err;
  EXPECT_THAT(outcome->out, HasSubstr("MiB are free on the file system of " + domain()));
  EXPECT_THAT(outcome->out, HasSubstr("remedy   "));
}

TEST(Sentences, ThatNobodyCanHearEndNoWork) {
  for (const char* deaf : {"2>/dev/full", "2>&-"}) {
    const std::string nmx = NMX_PATH " ";
    EXPECT_EQ(run({"sh", "-c", nmx + "gen 'x y' " + deaf}).status, failure) << deaf;
    EXPECT_EQ(run({"sh", "-c", nmx + "gen pcap:tx=/dev/null -n 9 " + deaf}).status, 0) << deaf;
  }
}

/// As on a machine whose module is loaded but whose device file is somebody else's: a /dev of our
/// own, and a root who may not override its rights.
TEST(KernelDevice, WithoutRightsIsAnErrorThatNamesTheRemedy) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make a device file that others may not open";
  const std::string script =
      "mount -t tmpfs none /dev && touch /dev/netmap && chmod 600 /dev/netmap && "
      "chown 65534 /dev/netmap && exec setpriv --bounding-set=-dac_override,-dac_read_search "
      "env -u NETMAP_DEVICE " NMX_PATH " ";
  if (run({"unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev"}).status != 0) {
    GTEST_SKIP() << "mounting is not permitted here";
  }
  expect_refused(run({"unshare", "-m", "sh", "-c", script + "recv eth0"}), failure, "/dev/netmap");
  const Outcome told = run({"unshare", "-m", "sh", "-c", script + "info"});
  EXPECT_EQ(told.status, failure);
  EXPECT_THAT(told.out, HasSubstr("you have no rights on /dev/netmap"));
}

TEST(KernelDevice, ThatIsNotThereIsAnErrorThatNamesTheRemedy) {
  if (std::filesystem::exists("/dev/netmap")) GTEST_SKIP() << "the module is loaded here";
  expect_refused(run(nmx({"recv", "eth0", "--device", "kernel"})), failure, "/dev/netmap");
}

TEST_F(Domain, AResultThatCannotBeWrittenIsAFailure) {
  const Outcome outcome = run({"sh", "-c", NMX_PATH " info --json >/dev/full"});
  expect_refused(outcome, failure, "stdout");
}

TEST_F(Domain, AnUnknownDeviceInTheEnvironmentIsAnError) {
  setenv("NETMAP_DEVICE", "abacus", 1);
  expect_refused(receive(), failure, "NETMAP_DEVICE is 'abacus'");
}

}  // namespace
}  // namespace nmx_test
