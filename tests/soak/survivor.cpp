// SPDX-License-Identifier: BSD-2-Clause
#include "soak/survivor.hpp"

#include "soak/aside.hpp"
#include "soak/lane.hpp"

#include <algorithm>

namespace netmap::soak {
namespace {

class Survivor {
 public:
  Survivor(const Opener& opener, const std::string& files, std::uint64_t seed)
      : opener_(&opener),
        random_(seed),
        aside_(opener, "s", files, random_.bits()),
        fast_(lanes[0], opener),
        rich_(lanes[1], opener) {
    stage().memory_id = fast_.memory_id();
    aside_.do_each();
  }

  void run() {
    std::uint32_t idle = 0;
    while (!stage().is_over) {
      const bool has_moved = turn();
      idle = has_moved ? 0 : idle + 1;
      if (is_held()) tell_home();
      if (idle >= patience_) doze();
      if (++turns_ % 1024 == 0) change_manners();
    }
  }

 private:
  [[nodiscard]] Stage& stage() const { return opener_->stage(); }
  [[nodiscard]] bool is_held() const { return stage().hold != 0; }

  bool turn() {
    const std::size_t limit = is_held() ? 0 : batch_;
    std::size_t packets = fast_.publish(random_, limit) + fast_.receive(random_);
    if (turns_ % 16 == 0) {
      packets += rich_.publish(random_, std::min(limit, rich_batch_)) + rich_.receive(random_);
    }
    stage().published.store(fast_.published() + rich_.published(), std::memory_order_relaxed);
    stage().received.store(fast_.received() + rich_.received(), std::memory_order_relaxed);
    return packets != 0;
  }

  void tell_home() {
    const std::uint32_t asked = stage().hold;
    if (asked == 0 || asked == stage().home || !fast_.is_home() || !rich_.is_home()) return;
    if (stage().is_calm) {
      fast_.look_around();
      rich_.look_around();
    }
    stage().home = asked;
  }

  void doze() {
    stage().survivor_is = "waiting for packets";
    (random_.one_in(8) ? rich_ : fast_).doze(random_);
    stage().survivor_is = "moving packets";
  }

  void change_manners() {
    batch_ = random_.one_in(8) ? 1 + random_.below(32) : 512;
    rich_batch_ = random_.one_in(2) ? 1 : 16;  // with 1 its pipe is seldom full
    patience_ = random_.one_in(16) ? 1 : 200;
    if (is_held() || !random_.one_in(64)) return;
    stage().survivor_is = "using other ports";
    aside_.do_something();
    stage().survivor_is = "moving packets";
  }

  const Opener* opener_;
  Random random_;
  Aside aside_;
  Lane fast_;
  Lane rich_;
  std::size_t batch_ = 512;
  std::size_t rich_batch_ = 16;
  std::uint32_t patience_ = 200;
  std::uint64_t turns_ = 0;
};

}  // namespace

void survive(const Opener& opener, const std::string& files, std::uint64_t seed) {
  Survivor(opener, files, seed).run();
}

}  // namespace netmap::soak
