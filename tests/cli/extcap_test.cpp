// SPDX-License-Identifier: BSD-2-Clause
//
// nmx extcap as Wireshark calls it: played here, and by tshark itself where it is installed.
#include "cli/domain.hpp"
#include "cli/process.hpp"
#include "nmx/capture_file.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace nmx_test {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Packets go from x{1 to x}1, without end.
class Extcap : public OnEmbedded {
 protected:
  Extcap() {
    receiver_.wait_for("nmx recv: ");
    sender_.wait_for("nmx gen: ");
  }
  [[nodiscard]] static Outcome extcap(const Arguments& arguments) {
    return run(nmx(Arguments{"extcap"} + arguments));
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }

 private:
  Directory directory_{"/dev/shm"};
  Process receiver_{nmx({"recv", "x}1"})};
  Process sender_{nmx({"gen", "x{1", "-R", "5000"})};
};

TEST_F(Extcap, ListsTheOpenPortsAndOneForAnyOther) {
  const Outcome listed = extcap({"--extcap-interfaces", "--extcap-version=4.0"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_THAT(listed.out, HasSubstr("extcap {version="));
  EXPECT_THAT(listed.out, HasSubstr("interface {value=netmap}"));
  EXPECT_THAT(listed.out, HasSubstr("interface {value=x(1}"));
  EXPECT_THAT(listed.out, HasSubstr("interface {value=x)1}"));
}

TEST_F(Extcap, TellsLinkTypeAndOptions) {
  EXPECT_EQ(extcap({"--extcap-interface", "x(1", "--extcap-dlts"}).out,
            "dlt {number=1}{name=EN10MB}{display=Ethernet}\n");
  EXPECT_EQ(extcap({"--extcap-interface", "x(1", "--extcap-config"}).out, "");
  EXPECT_THAT(extcap({"--extcap-interface", "netmap", "--extcap-config"}).out,
              HasSubstr("{call=--port}"));
}

TEST_F(Extcap, JudgesAFilter) {
  EXPECT_EQ(extcap({"--extcap-interface", "netmap", "--extcap-capture-filter", "udp"}).out, "");
  EXPECT_THAT(extcap({"--extcap-interface", "netmap", "--extcap-capture-filter", "so what"}).out,
              HasSubstr("is no filter"));
}

TEST_F(Extcap, CapturesIntoAFifoUntilItsReaderGoes) {
  for (const Arguments& which : {Arguments{"--extcap-interface", "x(1"},
                                 Arguments{"--extcap-interface", "netmap", "--port", "x}1/rt"}}) {
    const std::string fifo = path("fifo");
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    Process capture(nmx(Arguments{"extcap", "--capture", "--fifo", fifo} + which));
    {
      auto reader = nmx::CaptureFile::open(fifo);
      ASSERT_TRUE(reader) << reader.error().message();
      for (int i = 0; i < 20; ++i) {
        const auto packet = reader->next();
        ASSERT_TRUE(packet && *packet);
        EXPECT_EQ((*packet)->size, 60U);
      }
    }
    const Outcome outcome = capture.finish();
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    unlink(fifo.c_str());
  }
}

TEST_F(Extcap, TheInterfaceForAnyPortNeedsOne) {
  const Outcome outcome =
      extcap({"--capture", "--extcap-interface", "netmap", "--fifo", path("none")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("needs a port"));
}

/// Wireshark takes programs only from the system's folder when root starts it. Root in a user
/// namespace where nobody has a name is not root to it.
TEST_F(Extcap, TsharkListsAndReadsIt) {
  if (run({"sh", "-c", "command -v tshark"}).status != 0) GTEST_SKIP() << "there is no tshark here";
  const Arguments unshare = geteuid() == 0 ? Arguments{"unshare", "-U"} : Arguments{};
  if (run(unshare + Arguments{"true"}).status != 0) {
    GTEST_SKIP() << "user namespaces are not permitted here, and root's tshark needs one";
  }
  std::ofstream(path("netmap-extcap")) << "#!/bin/sh\nexec " NMX_PATH " extcap \"$@\"\n";
  ASSERT_EQ(chmod(path("netmap-extcap").c_str(), 0700), 0);
  const std::string folder = path("netmap-extcap").substr(0, path("netmap-extcap").rfind('/'));
  const Arguments tshark =
      unshare + Arguments{"env", "WIRESHARK_EXTCAP_DIR=" + folder, "HOME=" + folder, "tshark"};
  EXPECT_THAT(run(tshark + Arguments{"-D"}).out, HasSubstr("x(1 (netmap: monitor of x(1)"));
  const Outcome read =
      run(tshark + Arguments{"-i", "x(1", "-f", "udp", "-c", "5", "-T", "fields", "-e", "ip.src"});
  EXPECT_EQ(read.status, 0) << read.err;
  EXPECT_EQ(read.out, "10.0.0.1\n10.0.0.1\n10.0.0.1\n10.0.0.1\n10.0.0.1\n");
}

}  // namespace
}  // namespace nmx_test
