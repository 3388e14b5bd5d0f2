// SPDX-License-Identifier: BSD-2-Clause
//
// Forward error correction: behind every 8 packets go 4 more, and any 8 of the 12 are enough to
// have the first 8, whichever were lost; nothing is asked for again. The Reed-Solomon code is
// ISA-L's (libisal-dev). The pipe loses every tenth packet.
//
//     example_fec
#include <netmap/netmap.hpp>

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

constexpr std::size_t data = 8;    // packets of a block
constexpr std::size_t total = 12;  // with the redundant ones
constexpr std::size_t bytes = 1024;
constexpr unsigned blocks = 300;

/// What was not received is empty.
using Block = std::array<std::vector<unsigned char>, total>;
using Pointers = std::vector<unsigned char*>;

/// Row i says how packet i is made of the first 8.
std::array<unsigned char, total * data> code() {
  std::array<unsigned char, total * data> rows{};
  gf_gen_cauchy1_matrix(rows.data(), total, data);
  return rows;
}

/// Makes each of `into` by the 8 coefficients that `rows` has for it.
void combine(std::vector<unsigned char> rows, Pointers from, Pointers into) {
  std::vector<unsigned char> tables(32 * rows.size());
  const int count = static_cast<int>(into.size());
  ec_init_tables(data, count, rows.data(), tables.data());
  ec_encode_data(bytes, data, count, tables.data(), from.data(), into.data());
}

Block make_block(unsigned seed) {
  Block block;
  Pointers from, into;
  for (std::size_t i = 0; i != total; ++i) {
    for (std::size_t at = 0; at != bytes; ++at) {
      block[i].push_back(static_cast<unsigned char>(seed * 31 + i * 7 + at * at));
    }
    (i < data ? from : into).push_back(block[i].data());
  }
  const auto rows = code();
  combine({rows.begin() + data * data, rows.end()}, from, into);
  return block;
}

/// Makes what is missing of the first 8; yields how many that were. With fewer than 8 of all there
/// is nothing to be done.
std::size_t rebuild(Block& block) {
  const auto rows = code();
  std::vector<unsigned char> had, inverse(data * data), wanted;
  Pointers from, into;
  for (std::size_t i = 0; i != total && from.size() != data; ++i) {
    if (block[i].empty()) continue;
    had.insert(had.end(), &rows[i * data], &rows[i * data] + data);
    from.push_back(block[i].data());
  }
  if (from.size() != data || gf_invert_matrix(had.data(), inverse.data(), data) != 0) return 0;
  for (std::size_t i = 0; i != data; ++i) {
    if (!block[i].empty()) continue;
    wanted.insert(wanted.end(), &inverse[i * data], &inverse[i * data] + data);
    block[i].resize(bytes);
    into.push_back(block[i].data());
  }
  if (!into.empty()) combine(wanted, from, into);
  return into.size();
}

/// A packet is its place in the block, and what it carries. Every block is received before the next
/// one is sent; otherwise a packet would have to say which block it is of.
Block carry(const Block& block, netmap::Port& sender, netmap::Port& receiver) {
  for (unsigned char place = 0; place != total; ++place) {
    auto packet = sender.tx_rings()[0].writer();
    packet.append(std::as_bytes(std::span(&place, 1))).value();
    packet.append(std::as_bytes(std::span(block[place]))).value();
    packet.commit().value();
  }
  sender.sync_tx().value();
  receiver.sync_rx().value();
  Block received;
  receiver.rx_rings()[0].for_each([&](const netmap::Packet& packet) {
    const auto* const at = reinterpret_cast<const unsigned char*>(packet.front().data());
    if (packet.size() == 1 + bytes && *at < total) received[*at].assign(at + 1, at + 1 + bytes);
  });
  return received;
}

int main() try {
  auto sender = netmap::open("netmap:fec{1", {.faults = netmap::Faults{.drop = 0.1}}).value();
  auto receiver = netmap::open("netmap:fec}1").value();
  std::size_t whole = 0, rebuilt = 0, hopeless = 0;
  for (unsigned n = 0; n != blocks; ++n) {
    const Block block = make_block(n);
    Block received = carry(block, sender, receiver);
    hopeless += std::ranges::count(received, Block::value_type()) > 4 ? 1 : 0;
    rebuilt += rebuild(received);
    whole += std::equal(block.begin(), block.begin() + data, received.begin()) ? 1 : 0;
  }
  std::printf("of %u blocks %zu are whole, with %zu packets rebuilt; %zu lost too much\n", blocks,
              whole, rebuilt, hopeless);
  return whole + hopeless == blocks ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
