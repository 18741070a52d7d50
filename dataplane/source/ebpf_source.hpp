// SPDX-License-Identifier: Apache-2.0
// The ebpf driver: the kernel counts (ebpf/), this source hands its counts to the worker once a
// tick and shows it the packets that the kernel sent up. Frames pass on to the host as if nobody
// metered. An interface that goes away is waited for and taken up again under its new number.
// Thread: constructed and started by main; poll(), release(), hand_over() worker; EbpfPort control.
// They share EbpfCounters, which the worker alone writes.
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
#include "ebpf/map_source.hpp"
#include "ebpf/ring_reader.hpp"
#include "ebpf/xdp_loader.hpp"

namespace wiretally {

struct EbpfOptions {
  std::string interface;
  bool promiscuous = true;
  XdpLoaderOptions loader;
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

struct EbpfCounters {
  std::atomic<std::uint64_t> not_attached = 0;  // received by the interface while no program was on
  std::atomic<std::uint64_t> ring_full = 0;     // had to be read by user space and found no room
  std::atomic<std::uint64_t> nic = 0;           // the NIC had no room for them
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
  EbpfSource(EbpfOptions options, PortIndex port);
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
  [[nodiscard]] const std::string& native_refusal() const { return loader_->native_refusal(); }

 private:
  void look_after();
  void look_at_interface();
  void lose_interface();
  void check_frames() const;
  void try_attach(unsigned ifindex);
  void count_missed_by_nic();

  EbpfOptions options_;
  PortIndex port_;
  std::shared_ptr<EbpfCounters> counters_ = std::make_shared<EbpfCounters>();
  std::unique_ptr<XdpLoader> loader_;
  std::unique_ptr<MapSource> maps_;
  std::unique_ptr<RingReader> ring_;
  std::optional<PromiscuousInterface> promiscuous_;
  XdpMode mode_ = XdpMode::kNative;
  unsigned ifindex_ = 0;             // the interface that is metered; 0: none, it is waited for
  unsigned last_ifindex_ = 0;        // the one before
  std::uint64_t received_then_ = 0;  // by that one, when the program went
  std::string last_refusal_;         // told once
  std::int64_t lost_at_ns_ = 0;
  std::int64_t chores_due_ns_ = 0;
  bool counting_ = true;
  SteadyCounter nic_missed_;
  std::vector<CountedFlow> flows_;  // of a batch
};

static_assert(CountingSource<EbpfSource>);

class EbpfPort final : public CapturePort {
 public:
  EbpfPort(std::string name, std::uint32_t ifindex, std::shared_ptr<const EbpfCounters> counters)
      : name_(std::move(name)), ifindex_(ifindex), counters_(std::move(counters)) {}
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  [[nodiscard]] std::string_view mode() const override { return label(counters_->mode.load()); }
  // "not_attached", "ring_full", "nic".
  std::vector<MissedCount> missed() override;

 private:
  std::string name_;
  std::uint32_t ifindex_;
  std::shared_ptr<const EbpfCounters> counters_;
};

}  // namespace wiretally
