// SPDX-License-Identifier: Apache-2.0
// The pcap driver on a live interface: libpcap over the kernel's packet ring (TPACKET_V3), the
// fallback that works anywhere. At most kSnapOctets of each frame are taken (lengths come from
// headers) and copied out of the ring, for libpcap gives a block back to the kernel within the call
// that empties it. An interface that goes down or away does not end the source: link() says so, and
// it comes back. Thread: constructed at start-up; poll()/release() worker; PcapLivePort control.
// They share PcapLiveCounters, which the worker alone writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/source/packet_source.hpp"

struct pcap;

namespace wiretally {

// kDown: the interface is there, but down or without carrier. kGone: no interface has that name.
enum class LinkState : std::uint8_t { kUp, kDown, kGone };
std::string_view label(LinkState state);

struct PcapLiveOptions {
  std::string interface;
  bool promiscuous = true;
  std::uint32_t buffer_octets = 64u << 20;  // the kernel's ring; it takes less if memory is short
  // Worker: a line when the interface goes or comes back.
  std::function<void(const std::string& line)> log = [](const std::string&) {};
};

struct PcapLiveCounters {
  std::atomic<std::uint64_t> missed_kernel = 0;  // the ring was full (ps_drop)
  std::atomic<std::uint64_t> missed_nic = 0;     // the interface dropped them (ps_ifdrop)
  std::atomic<std::uint64_t> not_attached = 0;  // passed an interface made anew, before it was open
  std::atomic<std::uint64_t> reopened = 0;
  std::atomic<LinkState> link = LinkState::kDown;
};

// A 64-bit total over a 32-bit one that wraps, and that is looked at once a wrap at least.
class WideningCounter {
 public:
  std::uint64_t advance(std::uint32_t now) {
    total_ += static_cast<std::uint32_t>(now - before_);
    before_ = now;
    return total_;
  }
  // The 32-bit one begins at 0 again.
  void restart() { before_ = 0; }

 private:
  std::uint64_t total_ = 0;
  std::uint32_t before_ = 0;
};

class PcapLiveSource {
 public:
  static constexpr TimeBase kTimeBase = TimeBase::kMachine;
  static constexpr std::uint32_t kSnapOctets = 1024;
  // An idle poll() sleeps until packets come, at most so long: the flip of a tick waits for it.
  static constexpr int kIdleWaitMs = 5;
  // The kernel hands over a block of its ring when it is full or so old.
  static constexpr int kBlockAgeMs = 10;

  // Throws StartupError (kMachine) if there is no such interface (and names those there are) or no
  // permission. An interface that is down is waited for.
  PcapLiveSource(PcapLiveOptions options, PortIndex port);
  ~PcapLiveSource();
  PcapLiveSource(const PcapLiveSource&) = delete;
  PcapLiveSource& operator=(const PcapLiveSource&) = delete;

  // view.time is the kernel's stamp (UTC).
  std::size_t poll(std::span<PacketView> views);
  void release() {}
  [[nodiscard]] bool exhausted() const { return false; }

  [[nodiscard]] std::shared_ptr<const PcapLiveCounters> counters() const { return counters_; }

 private:
  struct Burst;  // what one dispatch fills

  int open(std::string& why);
  void close();
  void look_after(std::int64_t now_ns);
  void look_at_link(std::int64_t now_ns);
  void lose_interface();
  void open_again(unsigned index, std::int64_t now_ns);
  void count_gap();
  void refresh_statistics(std::int64_t now_ns);
  void wait() const;
  void set_link(LinkState state) { counters_->link.store(state, std::memory_order_relaxed); }
  [[nodiscard]] bool is_pseudo() const { return options_.interface == "any"; }
  [[noreturn]] void refuse(int status, const std::string& why) const;

  PcapLiveOptions options_;
  PortIndex port_;
  std::shared_ptr<PcapLiveCounters> counters_ = std::make_shared<PcapLiveCounters>();
  pcap* handle_ = nullptr;  // null: waiting for the interface
  LinkType link_type_{};
  unsigned opened_index_ = 0;       // the kernel's number of the interface we hold
  std::int64_t lost_since_ns_ = 0;  // the interface went; what is in the ring is still read. 0: no
  std::int64_t lost_at_ns_ = 0;     // when it was last seen; 0: it has not gone since the start
  std::int64_t chores_due_ns_ = 0;
  std::int64_t statistics_ns_ = 0;  // when they were read last,
  bool settled_ = true;             // and whether no packet has come since
  std::int64_t link_due_ns_ = 0;
  WideningCounter missed_kernel_;
  WideningCounter missed_nic_;
  std::vector<std::uint8_t> octets_;  // kBurstMax slots of kSnapOctets
};

static_assert(PacketSource<PcapLiveSource>);

class PcapLivePort final : public CapturePort {
 public:
  PcapLivePort(std::string name, std::uint32_t ifindex,
               std::shared_ptr<const PcapLiveCounters> counters)
      : name_(std::move(name)), ifindex_(ifindex), counters_(std::move(counters)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  // "kernel", "nic", "not_attached": 100 ms old at most while the worker polls, 20 ms once nothing
  // comes.
  std::vector<MissedCount> missed() override;
  [[nodiscard]] LinkState link() const { return counters_->link.load(std::memory_order_relaxed); }
  // How often the interface was opened anew after it had gone.
  [[nodiscard]] std::uint64_t reopened() const {
    return counters_->reopened.load(std::memory_order_relaxed);
  }

 private:
  std::string name_;
  std::uint32_t ifindex_;
  std::shared_ptr<const PcapLiveCounters> counters_;
};

}  // namespace wiretally
