// SPDX-License-Identifier: Apache-2.0
// The ebpf driver: the kernel counts (ebpf/) what an interface receives, sends, or both; this
// source hands its counts to the worker once a tick and shows it the packets that the kernel sent
// up. Frames pass on to the host as if nobody metered. An interface that goes away is waited for
// and taken up again under its new number. Thread: constructed and started by main; poll(),
// release(), hand_over() worker; EbpfPort control. They share EbpfCounters, which the worker alone
// writes.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataplane/source/counting_source.hpp"
#include "dataplane/source/dpdk_interface.hpp"
#include "dataplane/source/packet_source.hpp"
#include "dataplane/source/segment_cutter.hpp"
#include "ebpf/map_source.hpp"
#include "ebpf/ring_reader.hpp"
#include "ebpf/sent_hook.hpp"
#include "ebpf/xdp_loader.hpp"

namespace wiretally {

struct EbpfOptions {
  std::string interface;
  bool received = true;   // meter what it receives
  bool sent = false;      // and what it sends
  PortIndex port{};       // Observation Point of the one,
  PortIndex port_sent{};  // and of the other
  bool tcx = true;        // false: attach to what is sent as before Linux 6.6
  bool promiscuous = true;
  XdpLoaderOptions loader;
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

struct EbpfCounters {
  struct Direction {
    std::atomic<std::uint64_t> not_attached = 0;  // passed the interface while no program was on
    std::atomic<std::uint64_t> ring_full = 0;     // had to be read by user space, found no room
  };
  std::array<Direction, WT_DIRECTIONS> by;
  std::atomic<std::uint64_t> nic = 0;  // received, and the NIC had no room for them
  std::atomic<std::uint64_t> reattached = 0;
  std::atomic<bool> attached = false;
  std::atomic<XdpMode> mode = XdpMode::kNative;
};

class EbpfSource {
 public:
  static constexpr TimeBase kTimeBase = TimeBase::kMachine;
  static constexpr int kIdleWaitMs = 5;  // the flip of a tick waits for it

  // Loads the program; throws StartupError (kMachine) if the machine cannot. Nothing is attached
  // yet.
  explicit EbpfSource(EbpfOptions options);
  ~EbpfSource();
  EbpfSource(const EbpfSource&) = delete;
  EbpfSource& operator=(const EbpfSource&) = delete;

  // Attaches. Throws StartupError if there is no such interface or another's program is on it.
  void attach();

  // view.time is UTC, as if the kernel had stamped the packet.
  std::size_t poll(std::span<PacketView> views);
  void release();
  [[nodiscard]] bool exhausted() const { return false; }
  void hand_over(CountTaker& taker);
  void stop_counting();

  [[nodiscard]] std::shared_ptr<const EbpfCounters> counters() const { return counters_; }
  [[nodiscard]] XdpMode mode() const { return mode_; }
  [[nodiscard]] const char* sent_kind() const { return sent_ ? sent_->kind() : ""; }
  [[nodiscard]] const std::string& native_refusal() const { return loader_->native_refusal(); }

 private:
  void look_after();
  void look_at_interface();
  void lose_interface();
  void check_frames() const;
  void try_attach(unsigned ifindex);
  void attach_programs(unsigned ifindex);
  void detach();
  [[nodiscard]] bool still_attached() const;
  void count_missed_by_nic();
  [[nodiscard]] PortIndex port_of(std::size_t direction) const {
    return direction == WT_SENT ? options_.port_sent : options_.port;
  }

  EbpfOptions options_;
  std::shared_ptr<EbpfCounters> counters_ = std::make_shared<EbpfCounters>();
  std::unique_ptr<XdpLoader> loader_;
  std::unique_ptr<MapSource> maps_;
  std::unique_ptr<RingReader> ring_;
  std::unique_ptr<SentHook> sent_;  // null: what is sent is not metered
  SegmentCutter cutter_;
  std::optional<PromiscuousInterface> promiscuous_;
  XdpMode mode_ = XdpMode::kNative;
  unsigned ifindex_ = 0;       // the interface that is metered; 0: none, it is waited for
  unsigned last_ifindex_ = 0;  // the one before
  // What had passed that one, by direction, when the program went.
  std::array<std::uint64_t, WT_DIRECTIONS> passed_then_{};
  std::string last_refusal_;  // told once
  std::int64_t lost_at_ns_ = 0;
  std::int64_t chores_due_ns_ = 0;
  bool counting_ = true;
  SteadyCounter nic_missed_;
  std::vector<CountedFlow> flows_;  // of a batch
};

static_assert(CountingSource<EbpfSource>);

class EbpfPort final : public CapturePort {
 public:
  EbpfPort(std::string name, std::uint32_t ifindex, wt_direction direction,
           std::shared_ptr<const EbpfCounters> counters)
      : name_(std::move(name)),
        ifindex_(ifindex),
        direction_(direction),
        counters_(std::move(counters)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  // Of XDP; how what is sent is seen is in the note.
  [[nodiscard]] std::string_view mode() const override {
    return egress() ? std::string_view() : label(counters_->mode.load());
  }
  [[nodiscard]] bool egress() const override { return direction_ == WT_SENT; }
  // "not_attached", "ring_full"; of what is received also "nic".
  std::vector<MissedCount> missed() override;

 private:
  std::string name_;
  std::uint32_t ifindex_;
  wt_direction direction_;
  std::shared_ptr<const EbpfCounters> counters_;
};

}  // namespace wiretally
