// SPDX-License-Identifier: Apache-2.0
// The cold half of driver af_xdp: an interface, the redirecting program on it, and what its workers
// share. An interface that goes away is waited for and taken up again; one that gets other queues
// is bound anew. Thread: constructed and started by main; look() the interface's first worker; the
// rest any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/source/af_xdp_socket.hpp"
#include "dataplane/source/dpdk_interface.hpp"
#include "dataplane/source/packet_source.hpp"
#include "ebpf/xdp_redirect.hpp"

namespace wiretally {

struct AfXdpOptions {
  std::string interface;
  bool promiscuous = true;
  std::uint32_t frames = 16'384;  // of a queue; a power of two
  std::function<void(const std::string&)> log = [](const std::string&) {};
};

// What one worker tells of its sockets, those it has closed included. Written by that worker alone,
// four times a second.
struct AfXdpWorkerCounters {
  std::atomic<std::uint64_t> rx_dropped = 0;
  std::atomic<std::uint64_t> rx_ring_full = 0;
  std::atomic<std::uint64_t> rx_fill_ring_empty = 0;
  // Frames it has taken, and the three above; and when that was so (monotonic clock).
  std::atomic<std::uint64_t> accounted = 0;
  std::atomic<std::int64_t> accounted_ns = 0;
};

class AfXdpInterface {
 public:
  static constexpr std::uint32_t kQueuesMax = 1024;

  // What the interface is now. `generation` changes with everything else.
  struct State {
    std::uint64_t generation = 0;
    unsigned index = 0;  // 0: there is none, it is waited for
    unsigned queues = 0;
    unsigned mtu = 0;
    XdpMode mode = XdpMode::kNative;
  };

  // Loads the program. Throws StartupError (kMachine) if the machine cannot.
  explicit AfXdpInterface(AfXdpOptions options);
  ~AfXdpInterface();

  // Attaches the program; the frames pass until set_socket(). Throws StartupError if there is no
  // such interface or another's program is on it.
  void attach();
  // Every queue has its socket: from now on a frame that passes was missed.
  void begin_counting();
  // Notices what has become of the interface, and what it missed.
  void look();
  // No frame is redirected any more.
  void stop();

  [[nodiscard]] State state() const;
  [[nodiscard]] std::uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }
  bool set_socket(std::uint32_t queue, int socket) { return program_->set_socket(queue, socket); }
  // A worker has bound a queue in this mode.
  void note_mode(AfXdpMode mode);
  void log(const std::string& line) const { options_.log(line); }
  std::shared_ptr<AfXdpWorkerCounters> add_worker();

  [[nodiscard]] const AfXdpOptions& options() const { return options_; }
  [[nodiscard]] std::string native_refusal() const { return program_->native_refusal(); }
  // The least of its queues.
  [[nodiscard]] AfXdpMode mode() const { return mode_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool attached() const { return attached_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t reattached() const {
    return reattached_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::vector<MissedCount> missed() const;

 private:
  void try_attach(const KernelInterface& interface);
  void lose_interface();
  void take_up(const KernelInterface& interface);
  void count_missed();
  void reconcile();
  void measure_gap();
  void close_gap();
  template <class Change>
  void change_state(const Change& change);

  const AfXdpOptions options_;
  std::unique_ptr<XdpRedirect> program_;
  mutable std::mutex mutex_;  // state_, workers_; taken four times a second
  State state_;
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<AfXdpMode> mode_ = AfXdpMode::kZeroCopy;
  std::atomic<bool> attached_ = false;
  std::atomic<std::uint64_t> reattached_ = 0;
  std::vector<std::shared_ptr<AfXdpWorkerCounters>> workers_;

  // look() and stop() only, but for the atomics.
  std::optional<PromiscuousInterface> promiscuous_;
  SteadyCounter nic_missed_;
  std::atomic<std::uint64_t> nic_ = 0;
  std::atomic<std::uint64_t> not_bound_ = 0;
  std::atomic<std::uint64_t> not_attached_ = 0;
  std::atomic<std::uint64_t> kernel_ = 0;
  std::uint64_t passed_at_start_ = 0;
  std::uint64_t redirected_then_ = 0;  // by the program, at
  std::int64_t then_ns_ = 0;           // this time
  unsigned last_index_ = 0;            // the interface before
  std::uint64_t received_then_ = 0;    // by that one, when the program went
  std::uint64_t gaps_before_ = 0;      // not_attached, of earlier gaps
  std::uint64_t gap_ = 0;              // of the last one, as far as it is known
  std::int64_t gap_ends_ns_ = 0;       // until when it is measured; 0: it is known
  std::uint64_t seen_at_attach_ = 0;   // by the program, before it was attached there
  std::uint64_t received_at_gap_ = 0;  // by the interface, before the gap
  std::int64_t lost_at_ns_ = 0;
  std::string last_refusal_;  // told once
};

class AfXdpPort final : public CapturePort {
 public:
  AfXdpPort(std::uint32_t ifindex, std::shared_ptr<AfXdpInterface> interface)
      : ifindex_(ifindex), interface_(std::move(interface)) {}
  [[nodiscard]] std::string_view name() const override { return interface_->options().interface; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  [[nodiscard]] std::string_view mode() const override { return label(interface_->mode()); }
  // "rx_dropped", "rx_ring_full", "rx_fill_ring_empty": XDP_STATISTICS of the sockets. "not_bound":
  // came to a queue without a socket. "not_attached": came while no program was on. "nic".
  // "kernel": handed to a socket by the program, and never heard of again.
  std::vector<MissedCount> missed() override { return interface_->missed(); }

 private:
  std::uint32_t ifindex_;
  std::shared_ptr<AfXdpInterface> interface_;
};

}  // namespace wiretally
