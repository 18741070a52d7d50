// SPDX-License-Identifier: Apache-2.0
// The meter core where somebody works against it: keys chosen to collide, and a tick that drains a
// million entries on another core meanwhile. Thread: the bench's; the drain has one of its own.
#include <atomic>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>

#include "control/merge/merger.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/machine.hpp"
#include "perf/lab/meter_arms.hpp"
#include "tests/support/linear_hash.hpp"

namespace wiretally::perf {
namespace {

// CRC32C over the whole key as rte_hash_crc takes it, of a source address and ports.
std::uint32_t crc_of_key(std::uint64_t chosen) {
  FlowKey key;
  for (unsigned i = 0; i < 4; ++i) {
    key.source[12 + i] = static_cast<std::uint8_t>(chosen >> (56 - 8 * i));
  }
  key.source_port = static_cast<std::uint16_t>(chosen >> 16);
  key.destination_port = static_cast<std::uint16_t>(chosen);
  std::uint8_t octets[sizeof key];
  std::memcpy(octets, &key, sizeof key);
  std::uint32_t crc = 0;
  for (const std::uint8_t octet : octets) {
    crc ^= octet;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return crc;
}

// Drains and merges a table of a million flows again and again, as long as it is told to.
class Drainer {
 public:
  explicit Drainer(Bench& bench, int core)
      : resident_(bench.resident()), merger_(options_of(bench.workload.flows), bench.hash) {
    run_once();
    thread_ = thread_on(core, 2, [this] {
      while (!stop_) {
        if (on_) {
          run_once();
        } else {
          std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
      }
    });
  }
  ~Drainer() {
    stop_ = true;
    thread_.join();
  }
  void turn(bool on) { on_ = on; }
  [[nodiscard]] std::uint64_t drained() const { return drained_; }

 private:
  static MergerOptions options_of(std::uint32_t flows) {
    MergerOptions options;
    options.flows.max_flows = flows + flows / 4;
    options.threads = 1;
    options.ifindex = {1};
    return options;
  }
  void run_once() {
    now_ += kNsPerSecond;
    const CountTable* tables[] = {&resident_->table};
    drained_ += merger_.run({.tables = tables, .now = now_, .tick = ++tick_}).drained[0].entries;
  }

  std::shared_ptr<ResidentTable> resident_;
  Merger merger_;
  TimeNs now_ = 0;
  std::uint32_t tick_ = 0;
  std::atomic<std::uint64_t> drained_{0};
  std::atomic<bool> on_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class WhileDrainingArm : public Arm {
 public:
  WhileDrainingArm(Bench& bench, std::unique_ptr<Arm> core, int other)
      : Arm("meter core, 1 M entries drained on another"),
        core_(std::move(core)),
        drainer_(bench, other) {}
  void begin_slice() override { drainer_.turn(true); }
  void end_slice() override { drainer_.turn(false); }
  void prepare() override { core_->prepare(); }
  std::uint64_t run() override { return core_->run(); }
  void check() const override {
    core_->check();
    if (drainer_.drained() < 2'000'000)
      throw std::runtime_error("drained meanwhile: " + std::to_string(drainer_.drained()));
  }

 private:
  std::unique_ptr<Arm> core_;
  Drainer drainer_;
};

}  // namespace

std::vector<std::uint64_t> crafted_keys(Crafted kind) {
  if (kind == Crafted::kCrc) return null_space(crc_of_key);
  if (kind == Crafted::kToeplitz) return null_space(toeplitz);
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> basis(32);
  for (std::uint64_t& vector : basis) vector = random();
  return basis;
}

std::unique_ptr<Arm> make_while_draining_arm(Bench& bench, Bench& drained, int other_core) {
  return std::make_unique<WhileDrainingArm>(drained, make_core_arm(bench, ""), other_core);
}

}  // namespace wiretally::perf
