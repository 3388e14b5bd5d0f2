// SPDX-License-Identifier: BSD-2-Clause
//
// External memory: the region is the program's own, and everything that a port does it does there.
#include "conformance/device.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <sys/mman.h>
#include <unistd.h>

namespace netmap::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page = 4096;
constexpr std::size_t region_bytes = std::size_t{2} << 20;
/// Rings of a page each: the module needs no pages that are neighbours for them.
constexpr PoolConf pools{.if_num = 8, .ring_num = 24, .ring_size = page, .buf_num = 600};
constexpr PortConf small_rings{.tx_slots = 64, .rx_slots = 64};

/// Memory of this process.
class Memory {
 public:
  explicit Memory(std::size_t bytes = region_bytes, int sharing = MAP_PRIVATE) : size_(bytes) {
    base_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw std::bad_alloc();
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::munmap(base_, size_); }
  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(base_), size_};
  }
  [[nodiscard]] PortOptions options() const {
    return {.conf = small_rings, .extmem = ExternalRange{bytes(), pools}};
  }

 private:
  void* base_;
  std::size_t size_;
};

/// A file of zeros, gone at the end.
class ScratchFile {
 public:
  explicit ScratchFile(std::size_t bytes = region_bytes)
      : path_(fs::exists("/dev/shm") ? "/dev/shm/netmapxx-test-XXXXXX"
                                     : "/tmp/netmapxx-test-XXXXXX") {
    const int file = ::mkstemp(path_.data());
    if (file < 0) throw std::runtime_error("cannot make " + path_);
    ::close(file);
    fs::resize_file(path_, bytes);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { ::unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// What names it in a port's name.
  [[nodiscard]] std::string option() const {
    return "@extmem:file=" + path_ + ",if-num=8,ring-num=24,ring-size=4096,buf-num=600";
  }

 private:
  std::string path_;
};

bool is_inside(std::span<const std::byte> part, std::span<std::byte> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

/// Whether a port's rings, and every buffer in them, lie in the memory.
void expect_inside(Port& port, std::span<std::byte> memory) {
  const auto check = [&](Ring& ring) {
    auto& raw = *ring.raw();
    const auto* const base = reinterpret_cast<const std::byte*>(&raw);
    EXPECT_TRUE(is_inside({base, sizeof raw + raw.num_slots * sizeof(abi::netmap_slot)}, memory));
    for (std::uint32_t slot = 0; slot != raw.num_slots; ++slot) {
      const std::byte* const buffer =
          base + raw.buf_ofs +
          std::ptrdiff_t{abi::slots_of(raw)[slot].buf_idx} * std::ptrdiff_t{raw.nr_buf_size};
      EXPECT_TRUE(is_inside({buffer, raw.nr_buf_size}, memory)) << "slot " << slot;
    }
  };
  for (RxRing& ring : port.rx_rings()) check(ring);
  for (TxRing& ring : port.tx_rings()) check(ring);
}

class External : public OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped() || !is_kernel()) return;
    const Memory memory;
    if (code_of(try_open(base() + "{0", memory.options())) == std::errc::operation_not_supported) {
      GTEST_SKIP() << "the module was built without external memory";
    }
  }
};
ON_EVERY_DEVICE(External);

// ---- A range -----------------------------------------------------------------------------------

TEST_P(External, MemoryHoldsRingsAndBuffers) {
  if (has_memory_of_its_own()) return;
  const Memory memory;
  auto options = memory.options();
  options.extra_buffers = 10;
  auto port = open(base() + "{1", options);
  expect_inside(port, memory.bytes());
  ASSERT_EQ(port.extra_buffers(), 10U);
  auto buffer = must(port.take_buffer());
  EXPECT_TRUE(is_inside(buffer.bytes(), memory.bytes()));
  EXPECT_LE(port.info().memory_bytes, region_bytes + page);
}

TEST_P(External, MemoryOfBothEndsIsOneRegion) {
  const Memory memory;
  auto [master, slave] = open_pipe(memory.options());
  EXPECT_EQ(master.info().memory_id, slave.info().memory_id);
  if (!has_faults()) expect_inside(slave, memory.bytes());
  carry(master, slave, 500);
  carry(slave, master, 500);
}

TEST_P(External, MemoryIsSharedWithoutBringingIt) {
  const Memory memory;
  auto master = open(base() + "{1", memory.options());
  auto slave = open(base() + "}1");
  if (!has_faults()) expect_inside(slave, memory.bytes());
  carry(master, slave, 200);
  auto other = open(base() + "x{1", {.conf = small_rings, .memory_id = master.info().memory_id});
  if (!has_faults()) expect_inside(other, memory.bytes());
}

TEST_P(External, MemoryIsSharedWithAProcessThatHasItNot) {
  std::array<int, 2> signal{};
  ASSERT_EQ(::pipe(signal.data()), 0);
  Child receiver([&] {
    ::close(signal[1]);
    char any = 0;
    if (::read(signal[0], &any, 1) != 1) return false;
    auto port = open(base() + "}1");
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    return take_numbers(port.rx_rings()[0]) == numbers(3, 20);
  });
  ::close(signal[0]);
  const Memory memory(region_bytes, MAP_SHARED);
  auto port = open(base() + "{1", memory.options());
  send_and_sync(port, 3, 20);
  EXPECT_EQ(::write(signal[1], "x", 1), 1);
  ::close(signal[1]);
  EXPECT_TRUE(receiver.succeeded());
}

TEST_P(External, MemoryStaysARegionAfterWhoBroughtIt) {
  const Memory memory;
  auto master = open(base() + "{1", memory.options());
  auto slave = open(base() + "}1");
  close(master);
  if (!has_faults()) expect_inside(slave, memory.bytes());
  master = open(base() + "{1", memory.options());
  EXPECT_EQ(master.info().memory_id, slave.info().memory_id);
  carry(master, slave, 200);
}

TEST_P(External, MemoryOfTwoPipesLetsBuffersMove) {
  if (has_memory_of_its_own()) return;
  const Memory memory;
  auto [source, in] = open_pipe(memory.options());
  auto out = open(base() + "x{1", memory.options());
  auto sink = open(base() + "x}1", memory.options());
  ASSERT_EQ(in.info().memory_id, out.info().memory_id);
  send_and_sync(source, 0, 3);
  must(in.sync_rx());
  const Forwarded done = must(forward(in.rx_rings()[0], out.tx_rings()[0]));
  EXPECT_EQ(done.packets, 3U);
  EXPECT_TRUE(done.zero_copy);
  must(out.sync_tx());
  EXPECT_EQ(sync_and_take(sink), numbers(0, 3));
}

TEST_P(External, MemoryMayHoldANullPort) {
  if (has_memory_of_its_own()) return;
  const Memory memory;
  auto options = memory.options();
  options.null_port = true;
  options.extra_buffers = 2;
  auto window = open("window", options);
  EXPECT_TRUE(is_inside(must(window.take_buffer()).bytes(), memory.bytes()));
}

TEST_P(External, MemoryKeepsWhatNobodyUses) {
  for (const int sharing : {MAP_PRIVATE, MAP_SHARED}) {
    const Memory memory(region_bytes, sharing);
    const auto end = memory.bytes().last(page);
    std::ranges::fill(end, std::byte{0x5a});
    const auto is_kept = [&] {
      return std::ranges::all_of(end, [](std::byte one) { return one == std::byte{0x5a}; });
    };
    for (int round = 0; round != 3; ++round) {
      auto [master, slave] = open_pipe(memory.options());
      carry(master, slave, 100);
      EXPECT_TRUE(is_kept()) << "open";
      close(master);
      close(slave);
      EXPECT_TRUE(is_kept()) << "closed";
      std::ranges::fill(memory.bytes().first(region_bytes - page), std::byte{1});
    }
  }
}

TEST_P(External, MemoryIsDividedAnewOnceItIsFree) {
  const Memory memory;
  for (const std::uint32_t buffers : {200U, 900U}) {
    auto options = memory.options();
    options.extmem->pools.buf_num = buffers;
    auto [master, slave] = open_pipe(options);
    carry(master, slave, 100);
  }
}

TEST_P(External, MemoryLeftOverBecomesBuffers) {
  const Memory memory(2 * region_bytes);
  auto options = memory.options();
  options.extmem->pools.buf_num = 600;
  options.extra_buffers = 1500;
  EXPECT_EQ(open(base() + "{1", options).extra_buffers(), 1500U);
}

// ---- What cannot be ----------------------------------------------------------------------------

TEST_P(External, MemoryTooSmallIsRefused) {
  for (const std::size_t bytes : {page, 8 * page, region_bytes / 2}) {
    const Memory memory(bytes);
    EXPECT_EQ(code_of(try_open(base() + "{1", memory.options())), std::errc::not_enough_memory);
  }
  const Memory memory;
  EXPECT_EQ(code_of(try_open(base() + "{1", {.extmem = ExternalRange{memory.bytes()}})),
            std::errc::not_enough_memory)
      << "of the default numbers";
}

TEST_P(External, MemoryThatIsNotWholePagesIsRefused) {
  const Memory memory;
  const std::array ranges{memory.bytes().first(0),
                          memory.bytes().first(1),
                          memory.bytes().first(region_bytes - 1),
                          memory.bytes().subspan(64),
                          memory.bytes().subspan(1, region_bytes - page),
                          std::span<std::byte>(),
                          std::span<std::byte>(static_cast<std::byte*>(nullptr), region_bytes)};
  for (const auto range : ranges) {
    const auto port = try_open(base() + "{1", {.extmem = ExternalRange{range, pools}});
    ASSERT_EQ(code_of(port), std::errc::invalid_argument);
    EXPECT_NE(port.error().message().find("page"), std::string::npos);
  }
}

TEST_P(External, MemoryThatIsNoneIsRefused) {
  std::span<std::byte> gone;
  {
    const Memory memory;
    gone = memory.bytes();
  }
  const auto port = try_open(base() + "{1", {.extmem = ExternalRange{gone, pools}});
  EXPECT_EQ(code_of(port), std::errc::bad_address);
}

TEST_P(External, MemoryThatOverlapsIsRefused) {
  const Memory memory(3 * region_bytes);
  const auto at = [&](std::size_t begin, std::size_t bytes) {
    return PortOptions{.conf = small_rings,
                       .extmem = ExternalRange{memory.bytes().subspan(begin, bytes), pools}};
  };
  auto port = open(base() + "{1", at(region_bytes, region_bytes));
  for (const auto& other :
       {at(region_bytes / 2, region_bytes), at(region_bytes + region_bytes / 2, region_bytes),
        at(0, 3 * region_bytes)}) {
    EXPECT_EQ(code_of(try_open(base() + "x{1", other)), std::errc::device_or_resource_busy);
  }
  EXPECT_TRUE(try_open(base() + "x{1", at(0, region_bytes)));
  EXPECT_TRUE(try_open(base() + "x{1", at(2 * region_bytes, region_bytes)));
  close(port);
  EXPECT_TRUE(try_open(base() + "x{1", at(0, 3 * region_bytes)));
}

TEST_P(External, MemoryCannotBeDividedAnyhow) {
  const Memory memory(4 * region_bytes);
  const std::array impossible{
      PoolConf{.if_num = 1000, .if_size = 64, .ring_num = 4, .ring_size = page, .buf_num = 100},
      PoolConf{.if_num = 2, .ring_num = 2, .ring_size = 1 << 18, .buf_num = 100},
      PoolConf{.if_num = 2, .ring_num = 2, .ring_size = page, .buf_num = 20, .buf_size = 1 << 17}};
  for (const PoolConf& conf : impossible) {
    const auto port = try_open(base() + "{1", {.extmem = ExternalRange{memory.bytes(), conf}});
    EXPECT_EQ(code_of(port), std::errc::not_enough_memory);
  }
  for (const std::uint32_t most : {UINT32_MAX, 1U << 31}) {
    PoolConf conf{most, most, most, most, most, most};
    EXPECT_FALSE(try_open(base() + "{1", {.extmem = ExternalRange{memory.bytes(), conf}}));
  }
}

TEST_P(External, MemoryDoesNotHoldMoreThanItsPools) {
  const Memory memory;
  auto options = memory.options();
  options.conf = {.tx_slots = 250, .rx_slots = 250};
  EXPECT_EQ(code_of(try_open(base() + "{1", options)), std::errc::not_enough_memory)
      << "rings of a page have no room for so many slots";
  options.conf = {.tx_rings = 12, .rx_rings = 12, .tx_slots = 16, .rx_slots = 16};
  EXPECT_EQ(code_of(try_open(base() + "{1", options)), std::errc::not_enough_memory)
      << "more rings than there are";
  EXPECT_TRUE(try_open(base() + "{1", memory.options()));
}

TEST_P(External, MemoryContradictsOtherMemory) {
  const Memory memory;
  auto options = memory.options();
  options.memory_id = 1;
  EXPECT_EQ(code_of(try_open(base() + "{1", options)), errc::conflicting_options);
  EXPECT_EQ(code_of(try_open(base() + "{1@7", memory.options())), errc::conflicting_options);
  const ScratchFile file;
  EXPECT_EQ(code_of(try_open(base() + "{1" + file.option(), memory.options())),
            errc::conflicting_options);
  auto elsewhere = open(base() + "{1");
  const auto port = try_open(base() + "}1", memory.options());
  ASSERT_EQ(code_of(port), errc::conflicting_options);
  EXPECT_NE(port.error().message().find("other memory already"), std::string::npos);
  close(elsewhere);
  EXPECT_TRUE(try_open(base() + "}1", memory.options()));
}

// ---- A file ------------------------------------------------------------------------------------

TEST_P(External, FileCarriesPackets) {
  const ScratchFile file;
  auto master = open(base() + "{1" + file.option(), {.conf = small_rings});
  auto slave = open(base() + "}1" + file.option());
  EXPECT_EQ(master.info().memory_id, slave.info().memory_id);
  carry(master, slave, 300);
  auto other = open(base() + "x{1" + file.option(), {.conf = small_rings});
  EXPECT_EQ(master.info().memory_id, other.info().memory_id);
}

TEST_P(External, FileHoldsTheRegion) {
  if (has_memory_of_its_own()) return;
  const ScratchFile file;
  auto [master, slave] =
      Pipe{open(base() + "{1" + file.option(), {.conf = small_rings}), open(base() + "}1")};
  const std::string word = "a packet that can be told from all others";
  must(master.tx_rings()[0].send(std::as_bytes(std::span(word))));
  must(master.sync_tx());
  std::ifstream stream(file.path(), std::ios::binary);
  const std::string contents{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_NE(contents.find(word), std::string::npos);
}

TEST_P(External, FileIsSharedByProcesses) {
  const ScratchFile file;
  Child sender([&] {
    auto port = open(base() + "{1" + file.option(), {.conf = small_rings});
    send_and_sync(port, 0, 50);
    if (must(port.wait(Direction::rx, patience)).empty()) return false;
    return take_numbers(port.rx_rings()[0]) == numbers(7, 1);
  });
  auto port = open(base() + "}1" + file.option(), {.conf = small_rings});
  std::vector<std::uint32_t> all;
  while (all.size() < 50 && !must(port.wait(Direction::rx, patience)).empty()) {
    const auto some = take_numbers(port.rx_rings()[0]);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_EQ(all, numbers(0, 50));
  send_and_sync(port, 7, 1);
  EXPECT_TRUE(sender.succeeded());
}

TEST_P(External, FileThatCannotBeIsRefused) {
  const ScratchFile odd(region_bytes - 1);
  const ScratchFile empty(0);
  const ScratchFile tiny(page);
  const auto code = [&](const std::string& option) {
    return code_of(try_open(base() + "{1@extmem=" + option));
  };
  EXPECT_EQ(code("/nonexistent/file"), std::errc::no_such_file_or_directory);
  EXPECT_EQ(code("/dev/null"), std::errc::invalid_argument);
  EXPECT_EQ(code("/dev"), std::errc::is_a_directory);
  EXPECT_EQ(code(odd.path()), std::errc::invalid_argument);
  EXPECT_EQ(code(empty.path()), std::errc::invalid_argument);
  EXPECT_EQ(code(tiny.path()), std::errc::not_enough_memory);
}

}  // namespace
}  // namespace netmap::conformance
