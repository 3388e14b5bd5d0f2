// SPDX-License-Identifier: BSD-2-Clause
//
// nmx run. The program that was written for netmap's module is nmx itself, told to use that.
#include "cli/domain.hpp"
#include "cli/process.hpp"

#include <gmock/gmock.h>

#include <elf.h>

#include <filesystem>
#include <fstream>

namespace nmx_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Arguments under_shim(const Arguments& program, const Arguments& options = {}) {
  return nmx(Arguments{"run"} + options + Arguments{"--"} + program);
}

class Run : public OnEmbedded {};

TEST_F(Run, EndsAsTheProgramDoes) {
  const Outcome done =
      run(under_shim({"sh", "-c", R"(printf '%s %s\n' "$0" "$1"; exit 7)", "-n", "--json"}));
  EXPECT_EQ(done.status, 7) << done.err;
  EXPECT_EQ(done.out, "-n --json\n");
}

TEST_F(Run, LetsProgramsMeetOthers) {
  const Arguments port{"--device", "kernel", "--seq", "--json", "-n", "20000"};
  Process in(under_shim(nmx(Arguments{"recv", "x}1"} + port)));
  in.wait_for("nmx recv: ");
  EXPECT_EQ(run(nmx({"gen", "x{1", "--seq", "-n", "20000"})).status, 0);
  const Outcome received = in.finish();
  EXPECT_EQ(received.status, 0) << received.err;
  EXPECT_EQ(received.json()["packets"], 20'000);
  EXPECT_EQ(received.json()["lost"], 0);
}

TEST_F(Run, TakesTheDomain) {
  const Directory elsewhere("/dev/shm");
  const Outcome done =
      run(under_shim(nmx({"info", "x{1", "--device", "kernel"}), {"--domain", elsewhere.path()}));
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(std::filesystem::exists(elsewhere.path() + "/domain"));
  EXPECT_FALSE(std::filesystem::exists(domain() + "/domain"));
}

TEST_F(Run, ExplainsWhatTheProgramCannotKnow) {
  const Arguments program = nmx({"recv", "x", "--device", "kernel"});
  EXPECT_THAT(run(under_shim(program, {"--explain"})).err, StartsWith("netmapxx: "));
  EXPECT_THAT(run(under_shim(program)).err, StartsWith("nmx: "));
}

TEST_F(Run, RefusesWhatItCannotRun) {
  EXPECT_THAT(run(under_shim({"/there/is/none"})).err,
              HasSubstr("cannot run '/there/is/none': No such file or directory"));
  const Outcome nothing = run(nmx({"run"}));
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.err, HasSubstr("see 'nmx run --help'"));
}

TEST_F(Run, RefusesWhatNothingCanBeLoadedInto) {
  const Directory directory("/tmp");
  const std::string path = directory.path() + "/static";
  Elf64_Ehdr header{};
  std::string_view(ELFMAG).copy(reinterpret_cast<char*>(header.e_ident), SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<char*>(&header), sizeof header);
  EXPECT_THAT(run(under_shim({path})).err, HasSubstr("'" + path + "' is linked statically"));
}

}  // namespace
}  // namespace nmx_test
