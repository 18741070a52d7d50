// SPDX-License-Identifier: Apache-2.0
// The place of one collector in the meter's books, whatever link serves it: a reload may put
// another link in, or none. A link that was replaced delivers what it still holds in a thread of
// its own, so that the tick never waits for it; its records stay in this collector's account.
// Threads: account() any; the rest control.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/sink/record_sink.hpp"

namespace wiretally {

class CollectorSlot final : public RecordSink {
 public:
  // A link that is replaced has so long to deliver what it holds.
  static constexpr double kLeaveSeconds = 5;

  explicit CollectorSlot(std::unique_ptr<RecordSink> link);
  ~CollectorSlot() override;

  // `next` takes records from now on; null: nobody does, until the next call.
  void replace(std::unique_ptr<RecordSink> next);
  // mode: balance. This slot takes the records whose flow falls to `index` of `count`; 1: all.
  void set_share(std::size_t index, std::size_t count);
  [[nodiscard]] bool has_link() const { return link_ != nullptr; }
  // No link, and none that still delivers.
  [[nodiscard]] bool is_over();

  void offer(const RecordBatchPtr& batch) override;
  [[nodiscard]] SinkAccount account() const override;
  void finish(double limit_s) override;
  void send_templates() override;
  [[nodiscard]] bool adjustable() const override { return has_link() && link_->adjustable(); }
  void adjust(const SinkSettings& settings) override { link_->adjust(settings); }

 private:
  struct Leaving {
    std::unique_ptr<RecordSink> link;
    std::atomic<bool> done{false};
    std::thread thread;
  };
  void clear_away(bool wait);

  mutable std::mutex mutex_;  // account() reads while control changes
  std::unique_ptr<RecordSink> link_;
  std::size_t share_index_ = 0;  // control's
  std::size_t share_count_ = 1;
  std::atomic<std::uint64_t> elsewhere_ = 0;  // records of other collectors' flows
  std::list<Leaving> leaving_;
  SinkAccount past_;  // of links that are gone
};

}  // namespace wiretally
