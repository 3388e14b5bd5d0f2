// SPDX-License-Identifier: BSD-2-Clause
//
// The same packets through DPDK's rte_ring, as mbufs. The receiver gives an mbuf back to its pool,
// or to the sender by a second ring; which is the faster depends on the packets.
//
//     bench_rte_ring pool|return processes|threads BYTES BATCH SECONDS
#include "sides.hpp"

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#include <array>

namespace bench {
namespace {

using Burst = std::array<rte_mbuf*, 512>;

/// Of one producer and one consumer.
class Ring {
 public:
  Ring(const char* name, unsigned slots)
      : ring_(rte_ring_create(name, slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ)) {
    if (ring_ == nullptr) fail("DPDK cannot make a ring");
  }
  [[nodiscard]] bool has_room(unsigned count) const { return rte_ring_free_count(ring_) >= count; }
  void put(Burst& mbufs, unsigned count) {
    if (rte_ring_sp_enqueue_bulk(ring_, as_objects(mbufs), count, nullptr) != count) {
      fail("a ring with room is full");
    }
  }
  [[nodiscard]] bool take_all(Burst& mbufs, unsigned count) {
    return rte_ring_sc_dequeue_bulk(ring_, as_objects(mbufs), count, nullptr) == count;
  }
  [[nodiscard]] unsigned take_some(Burst& mbufs, unsigned count) {
    return rte_ring_sc_dequeue_burst(ring_, as_objects(mbufs), count, nullptr);
  }

 private:
  static void** as_objects(Burst& mbufs) { return reinterpret_cast<void**>(mbufs.data()); }

  rte_ring* ring_;
};

struct Mbufs {
  static constexpr unsigned slots = 1024;

  explicit Mbufs(bool by_ring) : returns_by_ring(by_ring) {
    pool = rte_pktmbuf_pool_create("bench", 4 * slots - 1, by_ring ? 0 : 256, 0,
                                   RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == nullptr) fail("DPDK cannot make a pool");
    Burst one{};
    for (unsigned i = 0; by_ring && i != slots; ++i) {
      one[0] = rte_pktmbuf_alloc(pool);
      returned.put(one, 1);
    }
  }

  bool returns_by_ring;
  rte_mempool* pool;
  Ring sent{"sent", slots};
  Ring returned{"returned", 4 * slots};
};

/// The pool keeps some mbufs for each lcore, so the two sides have to be two.
void be_lcore(unsigned number) {
  RTE_PER_LCORE(_lcore_id) = number;
}

class RteSender {
 public:
  explicit RteSender(Mbufs& mbufs) : mbufs_(&mbufs) { be_lcore(0); }

  bool send(std::uint32_t batch, Writer& write) {
    if (!mbufs_->sent.has_room(batch) || !take(batch)) return false;
    for (rte_mbuf* mbuf : std::span(burst_).first(batch)) {
      write(rte_pktmbuf_mtod(mbuf, std::byte*));
      mbuf->data_len = static_cast<std::uint16_t>(write.bytes());
      mbuf->pkt_len = static_cast<std::uint32_t>(write.bytes());
    }
    mbufs_->sent.put(burst_, batch);
    return true;
  }

 private:
  bool take(std::uint32_t batch) {
    if (mbufs_->returns_by_ring) return mbufs_->returned.take_all(burst_, batch);
    return rte_pktmbuf_alloc_bulk(mbufs_->pool, burst_.data(), batch) == 0;
  }

  Mbufs* mbufs_;
  Burst burst_{};
};

class RteReceiver {
 public:
  explicit RteReceiver(Mbufs& mbufs) : mbufs_(&mbufs) { be_lcore(1); }

  std::size_t receive(std::uint32_t batch, Reader& read) {
    const unsigned count = mbufs_->sent.take_some(burst_, batch);
    if (count == 0) return 0;
    for (rte_mbuf* mbuf : std::span(burst_).first(count)) {
      read({rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len});
    }
    if (mbufs_->returns_by_ring) {
      mbufs_->returned.put(burst_, count);
    } else {
      rte_pktmbuf_free_bulk(burst_.data(), count);
    }
    return count;
  }

 private:
  Mbufs* mbufs_;
  Burst burst_{};
};

void start_dpdk() {
  std::array words = {"bench",          "--no-huge",    "-m256",         "--no-pci",
                      "--no-telemetry", "--lcores=0@0", "--log-level=4", "--no-shconf"};
  if (rte_eal_init(static_cast<int>(words.size()), const_cast<char**>(words.data())) < 0) {
    fail("DPDK does not start");
  }
}

int run(std::span<char*> words) {
  constexpr auto usage = "usage: bench_rte_ring pool|return processes|threads BYTES BATCH SECONDS";
  if (words.size() != 6) fail(usage);
  const Job job = job_of(words.subspan(2), usage);
  start_dpdk();  // its memory is shared, so processes are its children
  Mbufs mbufs(std::strcmp(words[1], "return") == 0);
  const double rate = measure(
      job, [&](Progress& progress) { send(progress, RteSender(mbufs), job); },
      [&](Progress& progress) { receive(progress, RteReceiver(mbufs), job); });
  std::printf("%.3f\n", rate);
  rte_eal_cleanup();
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv, static_cast<std::size_t>(argc)});
}
